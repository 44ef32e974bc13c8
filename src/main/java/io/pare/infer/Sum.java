package io.pare.infer;

import io.pare.kernel.SparseKernels;

/** Adds what is in one buffer to what is in the other. */
final class Sum extends PlanStep {
    private final String name;
    private final Layout addend;
    private final float floor;
    private final int n;

    Sum(String name, Layout addend, Layout sum, boolean rectified, int n) {
        super(sum);
        this.name = name;
        this.addend = addend;
        this.floor = rectified ? 0 : Float.NEGATIVE_INFINITY;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        Layout to = output();
        for (int c = 0; c < to.channels(); c++) {
            for (int y = 0; y < to.height(); y++) {
                int from = (c * addend.plane() + y * addend.row()) * n;
                int at = (c * to.plane() + y * to.row()) * n;
                for (int i = 0; i < to.width() * n; i++) {
                    out[at + i] = Math.max(floor, out[at + i] + in[from + i]);
                }
            }
        }
    }

    @Override
    public String toString() {
        return name + ": sum";
    }
}
