package io.pare.infer;

import io.pare.kernel.SparseKernels;

/** A function of each value by itself, in place. */
abstract sealed class Activation extends PlanStep permits Rectifier, Sigmoid {
    private final int floats;

    Activation(Layout layout, int n) {
        super(layout);
        this.floats = Math.toIntExact(layout.pixels() * n);
    }

    @Override
    final boolean inPlace() {
        return true;
    }

    @Override
    final void run(SparseKernels kernels, float[] in, float[] out) {
        apply(in, floats);
    }

    /** Replaces the first {@code n} values. */
    abstract void apply(float[] values, int n);
}
