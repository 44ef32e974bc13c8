package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.Node;
import io.pare.net.Window;

final class Maximum extends PlanStep {
    private final String name;
    private final Window window;
    /** Whether the kernels have a loop for it. */
    private final boolean usual;
    private final Layout input;
    private final boolean[] needed;
    private final int n;

    /** @param input the image and what pads it */
    Maximum(Node node, Window window, Layout input, boolean[] needed, int n) {
        super(Layout.compact(node.output()));
        this.name = node.name();
        this.window = window;
        this.usual = window.isSquare() && window.strideHeight() == window.strideWidth() && !window.isDilated();
        this.input = input;
        this.needed = needed;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        for (int c = 0; c < needed.length; c++) {
            if (needed[c]) {
                channel(kernels, in, c * input.plane() * n, c, out);
            }
        }
    }

    /** Channel {@code c} alone, whose input begins at {@code from}. */
    void channel(SparseKernels kernels, float[] in, int from, int c, float[] out) {
        int to = c * output().plane() * n;
        if (usual) {
            kernels.maxPool(in, from, input.row() * n, window.kernelHeight(), window.strideHeight(), n, out, to,
                    output().height(), output().width());
        } else {
            plane(in, from, out, to);
        }
    }

    boolean needs(int channel) {
        return needed[channel];
    }

    private void plane(float[] in, int inAt, float[] out, int outAt) {
        int to = outAt;
        for (int y = 0; y < output().height(); y++) {
            for (int x = 0; x < output().width(); x++, to += n) {
                int from = inAt + (y * window.strideHeight() * input.row() + x * window.strideWidth()) * n;
                System.arraycopy(in, from, out, to, n);
                for (int ky = 0; ky < window.kernelHeight(); ky++) {
                    for (int kx = 0; kx < window.kernelWidth(); kx++) {
                        int tap = from + (ky * window.dilationHeight() * input.row() + kx * window.dilationWidth()) * n;
                        for (int s = 0; s < n; s++) {
                            out[to + s] = Math.max(out[to + s], in[tap + s]);
                        }
                    }
                }
            }
        }
    }

    @Override
    public String toString() {
        return name + ": maximum";
    }
}
