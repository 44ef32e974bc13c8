package io.pare.data;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Fills a ring of batches ahead of the thread that takes them, with a fixed number of threads.
 *
 * <p>Threads claim a few rows at a time, in order, so the batch that is needed next is ready first; no thread goes
 * further than the ring is long. What a row becomes depends on its place alone and not on who fills it. Memory for the
 * ring is off-heap and taken once. All methods but the threads' own are for one thread at a time.
 *
 * <p>With an executor of the caller's, each task fills until the ring is full. Whoever takes a batch that no task has begun
 * fills it himself, so that a busy executor makes it slower and never hangs it.
 */
final class Prefetch implements AutoCloseable {
    /** Batches of the ring: one that is being taken, one that is ready, one that is being filled. */
    static final int DEPTH = 3;
    /** Claims into which a batch is divided for each thread. */
    private static final int SHARES = 4;

    private final Region region = Region.shared("prefetched batches");
    private final Slot[] slots = new Slot[DEPTH];
    private final List<Thread> threads = new ArrayList<>();
    private final Executor executor;
    private final int threadCount;
    private final Supplier<Loader> loaders;
    /** Loaders that no task of the executor has at the moment. */
    private final ArrayDeque<Loader> idle = new ArrayDeque<>();
    private final Object lock = new Object();
    private final int batchSize;
    private final int claim;
    private Filler filler;
    private int nextBatch;
    private int nextRow;
    private int batches;
    private int taken;
    private int size;
    private int active;
    /** Tasks that the executor was given and that have not ended. */
    private int lent;
    /** Those of them that have begun. */
    private int begun;
    private boolean closed;

    /** What a thread does with a row. */
    interface Filler {
        /**
         * Writes the input that belongs into place {@code position} of the epoch.
         *
         * @return index of the image that was written, -1 if there is none to be had
         */
        int fill(Loader loader, int position, MemorySegment target, long offset);
    }

    /** One batch of the ring. */
    static final class Slot {
        final MemorySegment images;
        final int[] indices;
        private int pending;
        private Throwable failure;
        private int failedRow;

        private Slot(MemorySegment images, int batchSize) {
            this.images = images;
            this.indices = new int[batchSize];
        }
    }

    /**
     * Starts the threads, which wait for {@link #start}.
     *
     * @param executor in place of threads; {@code null} for threads
     * @param inputBytes of one input
     * @param loader gives each thread one of its own
     */
    Prefetch(Executor executor, int threadCount, int batchSize, long inputBytes, Supplier<Loader> loader) {
        this.executor = executor;
        this.threadCount = threadCount;
        this.loaders = loader;
        this.batchSize = batchSize;
        this.claim = Math.max(1, batchSize / (SHARES * threadCount));
        try {
            for (int i = 0; i < DEPTH; i++) {
                slots[i] = new Slot(region.allocate(batchSize * inputBytes), batchSize);
            }
            for (int i = 0; executor == null && i < threadCount; i++) {
                Loader own = loader.get();
                threads.add(Thread.ofPlatform().daemon().name("pare-loader-" + (i + 1)).start(() -> serve(own)));
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** Stops filling and waits until no thread is at it; what is in the ring is lost. */
    void stop() {
        synchronized (lock) {
            batches = 0;
            boolean interrupted = false;
            while (active > 0) {
                interrupted |= interruptedWait();
            }
            restore(interrupted);
        }
    }

    /**
     * Begins to fill, at batch {@code from}. Only after {@link #stop} or the constructor.
     *
     * @param images in the epoch; the last batch may be short
     */
    void start(int from, int batchCount, int images, Filler how) {
        synchronized (lock) {
            filler = how;
            nextBatch = from;
            nextRow = 0;
            taken = from;
            size = images;
            batches = batchCount;
            lock.notifyAll();
        }
        lend();
    }

    /**
     * Waits for the batch after the one that was released last. A failure in one of its rows is thrown here.
     *
     * @throws IllegalStateException if this is closed, before or meanwhile
     */
    Slot take() {
        Slot slot = slots[taken % DEPTH];
        if (executor != null) {
            fillUnbegun();
        }
        synchronized (lock) {
            boolean interrupted = false;
            while (!closed && (nextBatch <= taken || slot.pending > 0)) {
                interrupted |= interruptedWait();
            }
            restore(interrupted);
            if (closed) {
                throw new IllegalStateException("the threads that load images are closed");
            }
        }
        if (slot.failure instanceof Error error) {
            throw error;
        }
        if (slot.failure != null) {
            throw (RuntimeException) slot.failure;
        }
        return slot;
    }

    /** Gives the batch that was taken back to the ring. */
    void release() {
        synchronized (lock) {
            taken++;
            lock.notifyAll();
        }
        lend();
    }

    /** Gives the executor tasks, if there is anything to fill and not as many at it as may be. */
    private void lend() {
        if (executor == null) {
            return;
        }
        while (true) {
            synchronized (lock) {
                if (closed || lent == threadCount || full()) {
                    return;
                }
                lent++;
            }
            try {
                executor.execute(this::fillRing);
            } catch (RejectedExecutionException e) {
                // Whoever takes batches fills them himself.
                synchronized (lock) {
                    lent--;
                }
                return;
            }
        }
    }

    /** What a task of the executor does. */
    private void fillRing() {
        synchronized (lock) {
            if (closed) {
                lent--;
                return;
            }
            begun++;
        }
        try {
            fillWhile(() -> true);
        } finally {
            synchronized (lock) {
                begun--;
                lent--;
                lock.notifyAll();
            }
        }
        // There may be room again since it looked last.
        lend();
    }

    /** Fills what no task has begun of the batch that is wanted next. */
    private void fillUnbegun() {
        fillWhile(() -> {
            synchronized (lock) {
                return nextBatch <= taken;
            }
        });
    }

    /** Fills with a loader that nobody else has. */
    private void fillWhile(BooleanSupplier wanted) {
        Loader own;
        synchronized (lock) {
            own = idle.poll();
        }
        own = own == null ? loaders.get() : own;
        try {
            while (wanted.getAsBoolean() && fillSome(own)) {
                // Until there is no more.
            }
        } finally {
            synchronized (lock) {
                idle.push(own);
            }
        }
    }

    private boolean full() {
        return nextBatch >= batches || nextBatch - taken >= DEPTH;
    }

    /** Waits for a change; gives whether it was cut short. An interrupt is kept for later: others write meanwhile. */
    private boolean interruptedWait() {
        try {
            lock.wait();
            return false;
        } catch (InterruptedException e) {
            return true;
        }
    }

    private static void restore(boolean interrupted) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void serve(Loader own) {
        try (Loader loader = own) {
            while (fillSome(loader)) {
                // Until closed.
            }
        }
    }

    /** Claims some rows and fills them; {@code false} when there is no more to do. */
    private boolean fillSome(Loader loader) {
        Slot slot;
        int batch;
        int from;
        int to;
        synchronized (lock) {
            while (!closed && full()) {
                if (executor != null) {
                    return false;
                }
                interruptedWait();
            }
            if (closed) {
                return false;
            }
            batch = nextBatch;
            slot = slots[batch % DEPTH];
            int rows = Math.min(batchSize, size - batch * batchSize);
            if (nextRow == 0) {
                slot.pending = rows;
                slot.failure = null;
            }
            from = nextRow;
            to = Math.min(rows, from + claim);
            nextRow = to;
            if (to == rows) {
                nextBatch++;
                nextRow = 0;
            }
            active++;
        }
        int row = from;
        Throwable thrown = null;
        try {
            long bytes = slot.images.byteSize() / batchSize;
            for (; row < to; row++) {
                slot.indices[row] = filler.fill(loader, batch * batchSize + row, slot.images, row * bytes);
            }
        } catch (RuntimeException | Error e) {
            thrown = e;
        }
        synchronized (lock) {
            if (thrown != null && (slot.failure == null || row < slot.failedRow)) {
                slot.failure = thrown;
                slot.failedRow = row;
            }
            slot.pending -= to - from;
            active--;
            if (slot.pending == 0 || active == 0) {
                lock.notifyAll();
            }
        }
        return true;
    }

    /** Ends the threads and frees the ring. */
    @Override
    public void close() {
        boolean interrupted = false;
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
            while (begun > 0) {
                interrupted |= interruptedWait();
            }
        }
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        idle.forEach(Loader::close);
        idle.clear();
        region.close();
        restore(interrupted);
    }
}
