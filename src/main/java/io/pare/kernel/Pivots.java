package io.pare.kernel;

import io.pare.kernel.passes.SelectPasses;
import java.util.Arrays;

/** Four ascending keys after weighting, and how many elements of each chunk reach them. */
final class Pivots {
    private final SelectPasses passes;
    private final Spans spans;
    private final Tally tally;
    private final int[] keys = new int[4];
    /** Four entries for each chunk. */
    private long[] reached = new long[4];
    /** The pass that counts. */
    final Chunk.Pass counting = this::count;

    Pivots(SelectPasses passes, Spans spans, Tally tally) {
        this.passes = passes;
        this.spans = spans;
        this.tally = tally;
    }

    void prepare(int chunks) {
        if (reached.length < 4 * chunks) {
            reached = new long[4 * chunks];
        }
    }

    void set(int first, int second, int third, int fourth) {
        keys[0] = first;
        keys[1] = second;
        keys[2] = third;
        keys[3] = fourth;
    }

    int key(int pivot) {
        return keys[pivot];
    }

    private int count(Chunk chunk) {
        Span span = chunk.span;
        float weight = span.weight();
        int out = 4 * chunk.index;
        Arrays.fill(reached, out, out + 4, 0);
        tally.values[2 * chunk.index + 1] = passes.count(span.x(), chunk.xOff(), span.u(), chunk.uOff(), chunk.count,
                Spans.raw(keys[0], weight), Spans.raw(keys[1], weight), Spans.raw(keys[2], weight),
                Spans.raw(keys[3], weight), reached, out);
        return 0;
    }

    /** Elements of a chunk that reach a pivot. */
    long reached(int pivot, int chunk) {
        return reached[4 * chunk + pivot];
    }

    /** Elements of all chunks that reach a pivot. */
    long reached(int pivot) {
        long sum = 0;
        for (int chunk = 0; chunk < spans.chunks(); chunk++) {
            sum += reached[4 * chunk + pivot];
        }
        return sum;
    }
}
