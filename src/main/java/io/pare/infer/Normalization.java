package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.CompressedWeights;
import io.pare.net.Op.BatchNorm;

/** A normalisation that no convolution has taken in. */
final class Normalization extends PlanStep {
    private final String name;
    private final Affine affine;
    private final int plane;

    Normalization(String name, BatchNorm norm, CompressedWeights weights, Layout layout, int n) {
        super(layout);
        this.name = name;
        this.affine = Affine.of(name, norm, weights);
        this.plane = layout.plane() * n;
    }

    @Override
    boolean inPlace() {
        return true;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        for (int c = 0; c < affine.scale().length; c++) {
            for (int i = c * plane; i < (c + 1) * plane; i++) {
                in[i] = in[i] * affine.scale()[c] + affine.shift()[c];
            }
        }
    }

    @Override
    public String toString() {
        return name + ": normalisation";
    }
}
