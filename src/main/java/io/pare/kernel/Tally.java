package io.pare.kernel;

import io.pare.kernel.passes.Passes;

/**
 * What a pass reports of each chunk besides its output: how many elements are above the bracket, and the greatest key.
 */
final class Tally {
    /** An element after a pass. */
    @FunctionalInterface
    interface Values {
        float get(Span span, long i);
    }

    private final Spans spans;
    /** Two entries for each chunk. */
    long[] values = new long[2];

    Tally(Spans spans) {
        this.spans = spans;
    }

    void prepare(int chunks) {
        if (values.length < 2 * chunks) {
            values = new long[2 * chunks];
        }
    }

    /** Elements of all chunks above the bracket, by the last pass that collected. */
    long above() {
        long over = 0;
        for (int chunk = 0; chunk < spans.chunks(); chunk++) {
            over += values[2 * chunk];
        }
        return over;
    }

    /**
     * Refuses NaN by the greatest keys that the last pass saw.
     *
     * @param elements tells which one is NaN
     */
    void refuseNaN(Values elements) {
        for (int chunk = 0; chunk < spans.chunks(); chunk++) {
            if (values[2 * chunk + 1] > Passes.INFINITY) {
                int s = spans.of(chunk);
                Span span = spans.get(s);
                for (long i = (long) (chunk - spans.firstChunk(s)) * Passes.CHUNK; i < span.count(); i++) {
                    if (Float.isNaN(elements.get(span, i))) {
                        throw new IllegalArgumentException("NaN at index " + i
                                + (spans.count() > 1 ? " of tensor " + s : "")
                                + (span.u() == null ? "" : " of the sum of W and U"));
                    }
                }
            }
        }
    }
}
