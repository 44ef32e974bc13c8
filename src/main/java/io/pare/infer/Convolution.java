package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Flow;
import io.pare.net.Node;
import io.pare.net.Op.Conv2d;
import io.pare.net.Shape;
import io.pare.net.Window;
import java.util.List;

final class Convolution extends PlanStep {
    private final Window window;
    private final Layout input;
    private final Rows rows;
    private final boolean[] needed;
    private final float floor;
    private final int n;
    private final String text;

    Convolution(Node node, Conv2d conv, Affine affine, Layout input, CompressedWeights weights, boolean[] needed,
            boolean rectified, int n) {
        super(layout(node.output(), conv.window(), input, n));
        this.window = conv.window();
        this.input = input;
        this.needed = needed;
        this.floor = rectified ? 0 : Float.NEGATIVE_INFINITY;
        this.n = n;
        String name = node.name();
        CompressedTensor weight = weights.tensor(name + ".weight");
        this.rows = new Rows(weight, conv.bias() ? weights.tensor(name + ".bias") : null, affine);
        Flow.Mix mix = conv.flow(List.of(input.shape()));
        int taps = window.taps();
        for (int k = 0; k < weight.nonzeros(); k++) {
            int channel = mix.source(weight.position(k) / mix.perRow(), weight.position(k) % mix.perRow());
            int tap = weight.position(k) % taps;
            rows.offsets[k] =
                    (channel * input.plane() + tap / window.kernelWidth() * window.dilationHeight() * input.row()
                            + tap % window.kernelWidth() * window.dilationWidth()) * n;
        }
        this.text = name + ": sparse, " + Rows.density(weight);
    }

    private static Layout layout(Shape output, Window window, Layout input, int n) {
        boolean whole = n == 1 && window.strideHeight() == 1 && window.strideWidth() == 1;
        int row = whole ? input.row() : output.width();
        return new Layout(output.channels(), output.height(), output.width(), row, output.height() * row);
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        for (int o = 0; o < needed.length; o++) {
            if (needed[o]) {
                channel(kernels, in, o, out, o * output().plane() * n);
            }
        }
    }

    /** Channel {@code o} of the output alone, whose plane begins at {@code at}. */
    void channel(SparseKernels kernels, float[] in, int o, float[] out, int at) {
        Layout to = output();
        if (window.strideWidth() > 1) {
            strided(kernels, in, out, o, at);
        } else if (n == 1 && window.strideHeight() == 1) {
            kernels.accumulate(in, 0, rows.offsets, rows.weights, rows.starts[o], rows.starts[o + 1], rows.biases[o],
                    floor, out, at, (to.height() - 1) * to.row() + to.width());
        } else {
            for (int y = 0; y < to.height(); y++) {
                kernels.accumulate(in, y * window.strideHeight() * input.row() * n, rows.offsets, rows.weights,
                        rows.starts[o], rows.starts[o + 1], rows.biases[o], floor, out, at + y * to.row() * n,
                        to.width() * n);
            }
        }
    }

    private void strided(SparseKernels kernels, float[] in, float[] out, int o, int at) {
        int to = at;
        for (int y = 0; y < output().height(); y++) {
            for (int x = 0; x < output().width(); x++, to += n) {
                int from = (y * window.strideHeight() * input.row() + x * window.strideWidth()) * n;
                if (n == 1) {
                    out[to] = Math.max(floor, rows.biases[o] + kernels.gather(in, from, rows.offsets, rows.weights,
                            rows.starts[o], rows.starts[o + 1]));
                } else {
                    kernels.accumulate(in, from, rows.offsets, rows.weights, rows.starts[o], rows.starts[o + 1],
                            rows.biases[o], floor, out, to, n);
                }
            }
        }
    }

    @Override
    public String toString() {
        return text;
    }
}
