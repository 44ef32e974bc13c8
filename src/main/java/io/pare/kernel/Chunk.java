package io.pare.kernel;

/** The chunk that a worker is at. Each worker reuses its own, so that a pass allocates nothing. */
final class Chunk {
    final int worker;
    /** Number of the chunk among those of all spans. */
    int index;
    /** The span in which it lies, and that span's number. */
    Span span;
    int spanIndex;
    /** Where it begins in each range of the span, in bytes. */
    long offset;
    int count;
    /** Where the worker's next candidate goes. */
    long at;
    /** Whether the worker has run out of room: candidates are then not collected any more. */
    boolean full;

    Chunk(int worker) {
        this.worker = worker;
    }

    long xOff() {
        return span.xOffset() + offset;
    }

    long uOff() {
        return span.uOffset() + offset;
    }

    /** What is done to each chunk in a pass over all of them. */
    @FunctionalInterface
    interface Pass {
        /** Returns how many candidates lie from {@link Chunk#at} on. */
        int run(Chunk chunk);
    }
}
