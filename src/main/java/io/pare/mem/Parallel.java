package io.pare.mem;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Work on a list of items by the calling thread and others: threads of its own that end with it, or those of a caller's
 * executor.
 *
 * <p>The calling thread takes items like the others, and it waits for those alone that have begun. So an executor that is
 * busy, runs everything on the calling thread or refuses tasks makes the work slower and never hangs it.
 */
public final class Parallel {
    private final int count;
    private final Supplier<? extends Task> tasks;
    private final AtomicInteger next = new AtomicInteger();
    private int failed;
    private Throwable failure;
    private int running;
    private boolean over;

    /** Handles one item; each thread has a task of its own, which is closed at the end. */
    @FunctionalInterface
    public interface Task extends AutoCloseable {
        /**
         * Handles an item, from 0.
         *
         * @param item number of the item, from 0
         */
        void run(int item);

        @Override
        default void close() {}
    }

    private Parallel(int count, Supplier<? extends Task> tasks) {
        this.count = count;
        this.failed = count;
        this.tasks = tasks;
    }

    /**
     * Runs items 0 to {@code count - 1}, on the calling thread and {@code threads - 1} others. If some fail, the failure
     * of the first of them is thrown, an error too, whatever the number of threads.
     *
     * @param threads that take part, the caller's among them
     * @param count number of items
     * @param tasks makes what a thread does, once for each thread
     */
    public static void run(int threads, int count, Supplier<? extends Task> tasks) {
        List<Thread> others = new ArrayList<>();
        try {
            run(work -> others.add(
                    Thread.ofPlatform().daemon().name("pare-worker-" + (others.size() + 1)).start(work)),
                    threads, count, tasks);
        } finally {
            boolean interrupted = false;
            for (Thread other : others) {
                while (other.isAlive()) {
                    try {
                        other.join();
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            }
            restore(interrupted);
        }
    }

    /**
     * The same on the calling thread and on what an executor gives {@code threads - 1} tasks. None of them does anything
     * any more when this returns.
     *
     * @param executor {@code null} for threads of its own
     * @param threads that take part, the caller's among them
     * @param count number of items
     * @param tasks makes what a thread does, once for each thread
     */
    public static void run(Executor executor, int threads, int count, Supplier<? extends Task> tasks) {
        if (executor == null) {
            run(threads, count, tasks);
            return;
        }
        Parallel work = new Parallel(count, tasks);
        try {
            for (int i = 1; i < Math.min(threads, count); i++) {
                executor.execute(work::help);
            }
        } catch (RejectedExecutionException e) {
            // What nobody else takes the calling thread does.
        }
        try {
            work.takeItems();
        } finally {
            work.await();
        }
        if (work.failure instanceof Error error) {
            throw error;
        }
        if (work.failure != null) {
            throw (RuntimeException) work.failure;
        }
    }

    /** What another thread does, if there is anything left when it gets to it. */
    private void help() {
        synchronized (this) {
            if (over) {
                return;
            }
            running++;
        }
        try {
            takeItems();
        } catch (RuntimeException | Error e) {
            fail(0, e);
        } finally {
            synchronized (this) {
                running--;
                notifyAll();
            }
        }
    }

    private void takeItems() {
        try (Task task = tasks.get()) {
            for (int item = next.getAndIncrement(); item < count; item = next.getAndIncrement()) {
                try {
                    task.run(item);
                } catch (RuntimeException | Error e) {
                    fail(item, e);
                }
            }
        }
    }

    private synchronized void fail(int item, Throwable thrown) {
        if (item < failed) {
            failed = item;
            failure = thrown;
        }
        // Items are handed out in order: all before this one are done or being done.
        next.set(count);
    }

    private synchronized void await() {
        over = true;
        boolean interrupted = false;
        while (running > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        restore(interrupted);
    }

    private static void restore(boolean interrupted) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
