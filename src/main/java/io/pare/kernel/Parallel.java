package io.pare.kernel;

import io.pare.kernel.passes.Passes;

/**
 * Loops over the parts of a call, by all workers where there are enough elements to be worth waking them.
 *
 * <p>Parts and the order of sums are the same for every number of threads.
 */
final class Parallel {
    /** What is done to a part, by one of the workers. */
    @FunctionalInterface
    interface Part {
        void run(int worker, long part);
    }

    /** What is done to the elements [from, to), a chunk at most. */
    @FunctionalInterface
    interface Range {
        void run(int worker, long from, long to);
    }

    /** A sum over the elements [from, to), a chunk at most. */
    @FunctionalInterface
    interface Summand {
        double of(int worker, long from, long to);
    }

    private final Workers workers;
    private double[] chunkSums = new double[1];

    Parallel(Workers workers) {
        this.workers = workers;
    }

    /** Runs all parts, which hold {@code elements} elements together. */
    void parts(long parts, long elements, Part part) {
        if (workers.count() == 1 || elements < 2L * Passes.CHUNK) {
            for (long i = 0; i < parts; i++) {
                part.run(0, i);
            }
            return;
        }
        workers.run(worker -> {
            long end = workers.first(worker + 1, parts);
            for (long i = workers.first(worker, parts); i < end; i++) {
                part.run(worker, i);
            }
        });
    }

    /** Runs all chunks of {@code n} elements. */
    void chunks(long n, Range range) {
        parts(Passes.chunks(n), n, (worker, chunk) -> {
            long from = chunk * Passes.CHUNK;
            range.run(worker, from, Math.min(n, from + Passes.CHUNK));
        });
    }

    /** Adds up the sums of all chunks of {@code n} elements, in the order of the chunks. */
    double sum(long n, Summand summand) {
        int chunks = Passes.chunks(n);
        if (chunkSums.length < chunks) {
            chunkSums = new double[chunks];
        }
        chunks(n, (worker, from, to) -> chunkSums[(int) (from / Passes.CHUNK)] = summand.of(worker, from, to));
        double sum = 0;
        for (int chunk = 0; chunk < chunks; chunk++) {
            sum += chunkSums[chunk];
        }
        return sum;
    }
}
