package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.Op.ResponseNorm;

final class Response extends PlanStep {
    private final String name;
    private final ResponseNorm norm;
    private final int plane;

    Response(String name, ResponseNorm norm, Layout layout, int n) {
        super(layout);
        this.name = name;
        this.norm = norm;
        this.plane = layout.plane() * n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        int channels = output().channels();
        for (int c = 0; c < channels; c++) {
            int first = Math.max(0, c - norm.size() / 2);
            int last = Math.min(channels - 1, c + norm.size() / 2);
            for (int i = 0; i < plane; i++) {
                double squares = 0;
                for (int near = first; near <= last; near++) {
                    squares += (double) in[near * plane + i] * in[near * plane + i];
                }
                out[c * plane + i] = (float) (in[c * plane + i]
                        * Math.pow(norm.k() + norm.alpha() / norm.size() * squares, -norm.beta()));
            }
        }
    }

    @Override
    public String toString() {
        return name + ": response normalisation";
    }
}
