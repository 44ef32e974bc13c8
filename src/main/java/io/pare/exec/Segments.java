package io.pare.exec;

import java.util.Arrays;

/**
 * Activation checkpointing: segments of a tape's forward steps. All but the last run twice. The forward pass keeps only what
 * other segments read; the segment runs again, on the same memory, before its backward pass. In between that memory is free.
 * A pass takes up to a third longer and gives the same bits (Chen, Xu, Zhang, Guestrin, arXiv 1604.06174).
 *
 * @param starts index of each segment's first step, ascending from 0
 */
record Segments(int... starts) {
    /** One segment: nothing runs twice. */
    static final Segments NONE = new Segments(0);

    /** Segments of about equal sums of {@code kept}, the bytes that each step leaves for the backward pass. */
    static Segments of(long[] kept, int count) {
        long total = Arrays.stream(kept).sum();
        int[] starts = new int[count];
        long before = 0;
        int found = 1;
        for (int step = 0; step < kept.length && found < count; step++) {
            if (step > starts[found - 1] && before >= total / count * found) {
                starts[found++] = step;
            }
            before += kept[step];
        }
        return new Segments(Arrays.copyOf(starts, found));
    }

    int count() {
        return starts.length;
    }

    int start(int segment) {
        return starts[segment];
    }

    /** The step after the last of a segment, of {@code steps} in all. */
    int end(int segment, int steps) {
        return segment + 1 < starts.length ? starts[segment + 1] : steps;
    }

    /** The step after the last of the segment of {@code step}, which is not the last one. */
    int end(int step) {
        return Arrays.stream(starts).filter(start -> start > step).findFirst().orElseThrow();
    }
}
