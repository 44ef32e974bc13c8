package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Liveness;
import io.pare.net.Op.Linear;
import java.util.List;
import java.util.stream.IntStream;

final class FullyConnected extends PlanStep {
    /**
     * Weights of an output below which, on the average, sums over each output take longer than single products. They are
     * loops of lengths that no processor foresees. 590 weights of 500 outputs take 1.3 us by outputs and 0.4 by weights.
     */
    private static final int FEW = 8;

    private final Linear linear;
    private final Rows rows;
    private final boolean[] needed;
    private final float floor;
    private final int n;
    private final float[] dense;
    /** Inputs that no weight reads, so that nobody has computed them: what lies there may be infinite. */
    private final int[] unread;
    /** For each weight its output, where one sample is computed weight by weight; else {@code null}. */
    private final int[] outputs;
    private final String text;

    FullyConnected(String name, Linear linear, Layout input, CompressedWeights weights, boolean[] needed,
            boolean rectified,
            int n) {
        super(new Layout(linear.out(), 1, 1, 1, 1));
        this.linear = linear;
        this.needed = needed;
        this.floor = rectified ? 0 : Float.NEGATIVE_INFINITY;
        this.n = n;
        CompressedTensor weight = weights.tensor(name + ".weight");
        this.rows = new Rows(weight, weights.tensor(name + ".bias"), Affine.identity(linear.out()));
        for (int k = 0; k < weight.nonzeros(); k++) {
            rows.offsets[k] = input.at(weight.position(k) % linear.in()) * n;
        }
        boolean whole = n == 1 && input.isCompact() && Plan.isDense(weight);
        this.dense = whole ? weight.toArray() : null;
        this.outputs = n == 1 && !whole && weight.nonzeros() < FEW * linear.out() ? outputs(linear, weight) : null;
        this.unread = whole ? unread(linear, weight) : null;
        this.text = name + ": " + (whole ? "dense" : "sparse") + ", " + Rows.density(weight);
    }

    private static int[] outputs(Linear linear, CompressedTensor weight) {
        return IntStream.range(0, weight.nonzeros()).map(k -> weight.position(k) / linear.in()).toArray();
    }

    private static int[] unread(Linear linear, CompressedTensor weight) {
        boolean[] read = Liveness.read(linear.flow(List.of()), weight);
        return IntStream.range(0, read.length).filter(i -> !read[i]).toArray();
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        if (outputs != null) {
            byWeights(in, out);
            return;
        }
        for (int i = 0; dense != null && i < unread.length; i++) {
            in[unread[i]] = 0;
        }
        for (int o = 0; o < needed.length; o++) {
            if (needed[o]) {
                if (dense != null) {
                    out[o] = Math.max(floor,
                            rows.biases[o] + kernels.dot(dense, o * linear.in(), in, 0, linear.in()));
                } else if (n == 1) {
                    out[o] = Math.max(floor, rows.biases[o] + kernels.gather(in, 0, rows.offsets, rows.weights,
                            rows.starts[o], rows.starts[o + 1]));
                } else {
                    kernels.accumulate(in, 0, rows.offsets, rows.weights, rows.starts[o], rows.starts[o + 1],
                            rows.biases[o], floor, out, o * n, n);
                }
            }
        }
    }

    private void byWeights(float[] in, float[] out) {
        System.arraycopy(rows.biases, 0, out, 0, rows.biases.length);
        for (int k = 0; k < outputs.length; k++) {
            out[outputs[k]] += rows.weights[k] * in[rows.offsets[k]];
        }
        for (int o = 0; o < rows.biases.length; o++) {
            out[o] = Math.max(floor, out[o]);
        }
    }

    @Override
    public String toString() {
        return text;
    }
}
