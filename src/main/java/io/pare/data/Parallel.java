package io.pare.data;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Work on a list of items by several threads that end with it. */
final class Parallel {
    private Parallel() {}

    /** Handles one item; each thread has a task of its own, which is closed at the end. */
    interface Task extends AutoCloseable {
        void run(int item);

        @Override
        default void close() {}
    }

    /**
     * Runs items 0 to {@code count - 1}, on the calling thread and {@code threads - 1} others. If some fail, the failure
     * of the first of them is thrown, an error too, whatever the number of threads.
     */
    static void run(int threads, int count, Supplier<Task> tasks) {
        AtomicInteger next = new AtomicInteger();
        Object lock = new Object();
        Throwable[] failure = new Throwable[1];
        int[] failed = {count};
        Runnable work = () -> {
            try (Task task = tasks.get()) {
                int item = next.getAndIncrement();
                while (item < count) {
                    try {
                        task.run(item);
                    } catch (RuntimeException | Error e) {
                        synchronized (lock) {
                            if (item < failed[0]) {
                                failed[0] = item;
                                failure[0] = e;
                            }
                        }
                        // Items are handed out in order: all before this one are done or being done.
                        next.set(count);
                    }
                    item = next.getAndIncrement();
                }
            }
        };
        Thread[] others = new Thread[Math.max(0, Math.min(threads, count) - 1)];
        for (int i = 0; i < others.length; i++) {
            others[i] = Thread.ofPlatform().daemon().name("pare-scan-" + (i + 1)).start(work);
        }
        work.run();
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
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure[0] instanceof Error error) {
            throw error;
        }
        if (failure[0] != null) {
            throw (RuntimeException) failure[0];
        }
    }
}
