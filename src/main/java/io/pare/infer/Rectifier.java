package io.pare.infer;

import io.pare.kernel.SparseKernels;

final class Rectifier extends PlanStep {
    private final int floats;

    Rectifier(Layout layout, int n) {
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
            in[i] = Math.max(0, in[i]);
        }
    }

    @Override
    public String toString() {
        return "relu";
    }
}
