package io.pare.kernel;

import io.pare.kernel.passes.Passes;
import java.util.function.LongSupplier;

/**
 * Shares the work of a vector loop with its plain twin until the JIT has compiled the vector loop.
 *
 * <p>Until then each vector is an object, and an element costs a hundred times as much as in the twin: the first
 * projection of a process took a second. So chunks are done in slices, most of them by the twin. The vector loop gets
 * some, because only what runs is compiled: where the twin has taken the time t so far, the loop may have taken
 * {@code t * t / STAKE}. Who projects once hardly pays for it; who goes on soon has vectors. The loop is taken to be
 * compiled when it is faster than its twin ever was, and then has whole chunks. Both give the same bits: the clock
 * decides about time only.
 *
 * <p>There is one instance for each loop. Safe for several threads.
 */
final class Warmup {
    /** The time after which both have had the same. */
    private static final long STAKE = 300_000_000;
    /** Elements of a first slice. Small, because the JIT counts calls, and interpreted elements take microseconds. */
    private static final int FIRST = Passes.STRIDE;
    /** Slices grow up to this, ... */
    private static final int LONGEST = 4096;
    /** ... as long as one takes less than this. */
    private static final long BRIEF = 50_000;
    /** Elements from which on the clock is fine enough to compare speeds. */
    private static final int TELLING = 256;
    /** Nanoseconds an element that neither boxed vectors nor an interpreted loop can reach. */
    private static final double COMPILED = 50;

    private final LongSupplier clock;
    private volatile boolean done;
    private long plainNanos;
    private long vectorNanos;
    /** Nanoseconds an element of the fastest slice of the twin. */
    private double fastest = Double.POSITIVE_INFINITY;

    Warmup() {
        this(System::nanoTime);
    }

    /** @param clock nanoseconds */
    Warmup(LongSupplier clock) {
        this.clock = clock;
    }

    /** Whether the vector loop does whole chunks. */
    boolean done() {
        return done;
    }

    /** The slices of a chunk of {@code n} elements. All but the last have a multiple of {@link Passes#STRIDE}. */
    Slices slices(int n) {
        return new Slices(n);
    }

    /** Whether the vector loop is to do what comes next. */
    synchronized boolean isTurnOfVectors() {
        return (double) vectorNanos * STAKE < (double) plainNanos * plainNanos;
    }

    /** Takes note of the time that elements took, by the vector loop or its twin. */
    synchronized void note(boolean vectors, int count, long nanos) {
        double each = (double) nanos / count;
        if (vectors) {
            vectorNanos += nanos;
            done |= count >= TELLING && each < COMPILED && each < fastest;
        } else {
            plainNanos += nanos;
            fastest = count >= TELLING ? Math.min(fastest, each) : fastest;
        }
    }

    /** The slices of one chunk, in order, each with a choice between the two. One thread. */
    final class Slices {
        private final int n;
        private int plainLength = FIRST;
        private int vectorLength = FIRST;
        private long begun;
        /** The first element of the slice, and their number. */
        int from;
        int count;
        /** Whether the vector loop is to do the slice, else its twin. */
        boolean vectors;

        private Slices(int n) {
            this.n = n;
        }

        /** Goes on to the next slice, once the one before is done; false if there is none. */
        boolean next() {
            long now = clock.getAsLong();
            if (count > 0) {
                end(now - begun);
            }
            from += count;
            if (from == n) {
                return false;
            }
            vectors = done || isTurnOfVectors();
            count = done ? n - from : Math.min(n - from, vectors ? vectorLength : plainLength);
            begun = now;
            return true;
        }

        private void end(long nanos) {
            note(vectors, count, nanos);
            if (nanos >= BRIEF) {
                return;
            }
            if (vectors && vectorLength < LONGEST) {
                vectorLength *= 2;
            } else if (!vectors && plainLength < LONGEST) {
                plainLength *= 2;
            }
        }
    }
}
