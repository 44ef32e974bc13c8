package io.pare.bench;

import io.pare.kernel.SparseKernels;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One sample through a linear layer of 800 inputs and 500 outputs: by the weights that are left, or by whole rows. The
 * density at which both take equal time is where inference changes from one to the other.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
@State(Scope.Benchmark)
public class InferLayerBench {
    private static final int IN = 800;
    private static final int OUT = 500;

    @Param({"0.02", "0.05", "0.1", "0.15", "0.2", "0.4"})
    private double density;

    private final SparseKernels kernels = SparseKernels.active();
    private final float[] in = new float[IN + 2 * SparseKernels.SLACK];
    private final float[] out = new float[OUT];
    private final float[] dense = new float[IN * OUT];
    private final int[] starts = new int[OUT + 1];
    private int[] offsets;
    private float[] weights;

    @Setup
    public void fill() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < IN; i++) {
            in[i] = (float) random.nextDouble();
        }
        int kept = (int) Math.round(density * IN * OUT);
        for (int left = kept; left > 0;) {
            int at = random.nextInt(dense.length);
            if (dense[at] == 0) {
                dense[at] = (float) (random.nextDouble() + 0.5);
                left--;
            }
        }
        offsets = new int[kept];
        weights = new float[kept];
        int k = 0;
        for (int o = 0; o < OUT; o++) {
            for (int i = 0; i < IN; i++) {
                if (dense[o * IN + i] != 0) {
                    offsets[k] = i;
                    weights[k++] = dense[o * IN + i];
                }
            }
            starts[o + 1] = k;
        }
        float[] expected = byRows().clone();
        float[] actual = byWeights();
        for (int o = 0; o < OUT; o++) {
            if (Math.abs(expected[o] - actual[o]) > 1e-3 * (1 + Math.abs(expected[o]))) {
                throw new IllegalStateException("output " + o + " is " + actual[o] + ", not " + expected[o]);
            }
        }
    }

    /** From the weights that are left. */
    @Benchmark
    public float[] byWeights() {
        for (int o = 0; o < OUT; o++) {
            out[o] = kernels.gather(in, 0, offsets, weights, starts[o], starts[o + 1]);
        }
        return out;
    }

    /** From whole rows. */
    @Benchmark
    public float[] byRows() {
        for (int o = 0; o < OUT; o++) {
            out[o] = kernels.dot(dense, o * IN, in, 0, IN);
        }
        return out;
    }
}
