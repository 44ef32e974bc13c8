package io.pare.mem;

import java.util.concurrent.atomic.AtomicReference;

/**
 * Finds out that two threads are at the same time in an object that is for one at a time: the second is refused, in place
 * of results that are silently wrong. What the first one does goes on.
 *
 * <pre>{@code
 * oneThread.enter();
 * try {
 *     ...
 * } finally {
 *     oneThread.exit();
 * }
 * }</pre>
 */
public final class OneThread {
    private final String subject;
    private final AtomicReference<Thread> inside = new AtomicReference<>();
    /** How often that thread has entered; only it reads and writes this. */
    private int depth;

    /**
     * Makes a guard that nobody has entered.
     *
     * @param subject what is guarded, as it begins the message: {@code "network lenet5"}
     */
    public OneThread(String subject) {
        this.subject = subject;
    }

    /**
     * Enters; a thread that is inside may enter again. As often as it has entered it must {@link #exit}.
     *
     * @throws IllegalStateException if another thread is inside
     */
    public void enter() {
        Thread me = Thread.currentThread();
        Thread other = inside.getPlain() == me ? null : inside.compareAndExchange(null, me);
        if (other != null) {
            throw new IllegalStateException(subject + " is used by two threads, '" + other.getName() + "' and '"
                    + me.getName() + "': it is for one at a time, so give each its own or wait");
        }
        depth++;
    }

    /** Leaves what the same thread has entered. */
    public void exit() {
        if (--depth == 0) {
            inside.setRelease(null);
        }
    }
}
