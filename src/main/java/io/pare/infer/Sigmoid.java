package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.Op;

/** {@link Op.Sigmoid}, in place. */
final class Sigmoid extends PlanStep {
    private final int floats;

    Sigmoid(Layout layout, int n) {
        super(layout);
        this.floats = Math.toIntExact(layout.pixels() * n);
    }

    @Override
    boolean inPlace() {
        return true;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        for (int i = 0; i < floats; i++) {
            in[i] = Op.Sigmoid.of(in[i]);
        }
    }

    @Override
    public String toString() {
        return "sigmoid";
    }
}
