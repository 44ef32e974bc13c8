package io.pare.kernel;

/**
 * A fixed set of threads that run one task at a time together with the calling thread. A task allocates nothing.
 *
 * <p>Not thread-safe: one caller at a time. Between tasks the threads refer to this object only, so that its owner can
 * be collected as garbage.
 */
final class Workers implements AutoCloseable {
    /** A task that is run once for each worker number. */
    @FunctionalInterface
    interface Task {
        void run(int worker);
    }

    private final Thread[] threads;
    private final Object lock = new Object();
    private Task task;
    private long round;
    private int running;
    private boolean closed;
    private Throwable failure;

    Workers(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("number of threads must be at least 1, is " + count);
        }
        threads = new Thread[count - 1];
        for (int i = 0; i < threads.length; i++) {
            int worker = i + 1;
            threads[i] = Thread.ofPlatform().daemon().name("pare-kernel-" + worker).unstarted(() -> serve(worker));
        }
        try {
            for (Thread thread : threads) {
                thread.start();
            }
        } catch (RuntimeException | Error e) {
            // The system has no more threads: end those that started.
            close();
            throw e;
        }
    }

    int count() {
        return threads.length + 1;
    }

    /** The first part of {@code worker}'s share of {@code parts}; {@code parts} for the worker after the last. */
    long first(int worker, long parts) {
        return parts * worker / count();
    }

    /** As {@link #run}, but in this thread if there are few chunks: waking a thread costs as much as a chunk. */
    void run(Task toRun, int chunks) {
        if (count() == 1 || chunks < 2 * count()) {
            for (int worker = 0; worker < count(); worker++) {
                toRun.run(worker);
            }
        } else {
            run(toRun);
        }
    }

    /** Runs {@code task} for worker 0 here and for the others in their threads, and waits for all. */
    void run(Task toRun) {
        synchronized (lock) {
            if (closed) {
                throw new IllegalStateException("the threads have ended");
            }
            task = toRun;
            running = threads.length;
            failure = null;
            round++;
            lock.notifyAll();
        }
        Throwable own = null;
        try {
            toRun.run(0);
        } catch (RuntimeException | Error e) {
            own = e;
        }
        synchronized (lock) {
            boolean interrupted = false;
            while (running > 0) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    // The other threads still write to the caller's memory, so wait for them all the same.
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            task = null;
            if (own == null) {
                own = failure;
            }
        }
        if (own instanceof Error error) {
            throw error;
        }
        if (own instanceof RuntimeException exception) {
            throw exception;
        }
    }

    private void serve(int worker) {
        long seen = 0;
        while (serveRound(worker, seen)) {
            seen++;
        }
    }

    /** Awaits the round after {@code seen} and takes part in it; false if there will be none. */
    private boolean serveRound(int worker, long seen) {
        Task toRun;
        synchronized (lock) {
            while (round == seen && !closed) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    // Only close() ends the thread, because the next round counts on it.
                }
            }
            if (closed) {
                return false;
            }
            toRun = task;
        }
        Throwable thrown = null;
        try {
            toRun.run(worker);
        } catch (RuntimeException | Error e) {
            thrown = e;
        }
        synchronized (lock) {
            if (thrown != null && failure == null) {
                failure = thrown;
            }
            if (--running == 0) {
                lock.notifyAll();
            }
        }
        return true;
    }

    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
        }
        for (Thread thread : threads) {
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
