package io.pare.infer;

import io.pare.kernel.SparseKernels;

/** Puts samples that lie side by side one after another, or back. */
final class SampleOrder extends PlanStep {
    private final Layout layout;
    private final boolean apart;
    private final int n;

    /**
     * @param layout of the values that lie side by side
     * @param apart whether samples are put one after another, without gaps
     */
    SampleOrder(Layout layout, boolean apart, int n) {
        super(apart ? Layout.compact(layout.shape()) : layout);
        this.layout = layout;
        this.apart = apart;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        int features = layout.shape().features();
        for (int i = 0; i < features; i++) {
            int together = layout.at(i) * n;
            for (int s = 0; s < n; s++) {
                if (apart) {
                    out[s * features + i] = in[together + s];
                } else {
                    out[together + s] = in[s * features + i];
                }
            }
        }
    }

    @Override
    public String toString() {
        return apart ? "samples apart" : "samples together";
    }
}
