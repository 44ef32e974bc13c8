package io.pare.kernel;

import io.pare.kernel.passes.Passes;
import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The linear start of k-means: codewords at the middles of equal parts of the range of the non-zero values. */
final class LinearStart {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Workers workers;
    private final Workers.Task ranging = this::range;
    private final Codebook codebook;
    /** The least and the greatest value that each worker found. */
    private final float[][] rangeBy;
    private MemorySegment input;
    private long inputOff;
    private long inputCount;

    LinearStart(Workers workers, Codebook codebook) {
        this.workers = workers;
        this.codebook = codebook;
        rangeBy = new float[workers.count()][2];
    }

    /** Sets {@code m} codewords. */
    void set(MemorySegment x, long xOff, long n, int m) {
        input = x;
        inputOff = xOff;
        inputCount = n;
        workers.run(ranging, Passes.chunks(n));
        float least = Float.POSITIVE_INFINITY;
        float greatest = Float.NEGATIVE_INFINITY;
        for (float[] found : rangeBy) {
            least = Math.min(least, found[0]);
            greatest = Math.max(greatest, found[1]);
        }
        if (least > greatest) {
            least = 0;
            greatest = 0;
        }
        for (int j = 0; j < m; j++) {
            codebook.words[j] = (float) (least + ((double) greatest - least) * (j + 0.5) / m);
        }
    }

    private void range(int worker) {
        long from = Unconfined.address(input, inputOff, inputCount * Float.BYTES);
        range(from, workers.first(worker, inputCount), workers.first(worker + 1, inputCount), rangeBy[worker]);
    }

    /** Finds the least and the greatest non-zero value; plus and minus infinity where there is none. */
    private static void range(long x, long from, long to, float[] found) {
        float least = Float.POSITIVE_INFINITY;
        float greatest = Float.NEGATIVE_INFINITY;
        for (long i = from; i < to; i++) {
            float v = Unconfined.MEMORY.get(F32, x + i * 4);
            if (v != 0) {
                least = v < least ? v : least;
                greatest = v > greatest ? v : greatest;
            }
        }
        found[0] = least;
        found[1] = greatest;
    }
}
