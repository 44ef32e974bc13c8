package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.Shape;

final class Mean extends PlanStep {
    private final String name;
    private final int kernelHeight;
    private final int kernelWidth;
    private final int stride;
    private final Layout input;
    private final int n;

    Mean(String name, int kernelHeight, int kernelWidth, int stride, Layout input, int n) {
        super(Layout.compact(Shape.of(input.channels(), Layout.windows(input.height(), kernelHeight, stride),
                Layout.windows(input.width(), kernelWidth, stride))));
        this.name = name;
        this.kernelHeight = kernelHeight;
        this.kernelWidth = kernelWidth;
        this.stride = stride;
        this.input = input;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        float share = 1f / (kernelHeight * kernelWidth);
        int to = 0;
        for (int c = 0; c < input.channels(); c++) {
            for (int y = 0; y < output().height(); y++) {
                for (int x = 0; x < output().width(); x++) {
                    int from = (c * input.plane() + (y * input.row() + x) * stride) * n;
                    for (int s = 0; s < n; s++) {
                        out[to++] = share * sum(in, from + s);
                    }
                }
            }
        }
    }

    private float sum(float[] in, int from) {
        float sum = 0;
        for (int ky = 0; ky < kernelHeight; ky++) {
            for (int kx = 0; kx < kernelWidth; kx++) {
                sum += in[from + (ky * input.row() + kx) * n];
            }
        }
        return sum;
    }

    @Override
    public String toString() {
        return name + ": mean";
    }
}
