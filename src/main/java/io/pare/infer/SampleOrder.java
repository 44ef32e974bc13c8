package io.pare.infer;

import io.pare.kernel.SparseKernels;

/** Puts samples that lie side by side one after another, or back. */
final class SampleOrder extends PlanStep {
    /** Values that are put elsewhere together: those of all samples fit a first-level cache. */
    static final int TILE = 64;

    private final Layout layout;
    private final boolean compact;
    private final boolean apart;
    private final int n;

    /**
     * @param layout of the values that lie side by side
     * @param apart whether samples are put one after another, without gaps
     */
    SampleOrder(Layout layout, boolean apart, int n) {
        super(apart ? Layout.compact(layout.shape()) : layout);
        this.layout = layout;
        this.compact = layout.isCompact();
        this.apart = apart;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        int features = layout.shape().features();
        for (int first = 0; first < features; first += TILE) {
            int end = Math.min(features, first + TILE);
            for (int s = 0; s < n; s++) {
                for (int i = first; i < end; i++) {
                    int together = (compact ? i : layout.at(i)) * n + s;
                    if (apart) {
                        out[s * features + i] = in[together];
                    } else {
                        out[together] = in[s * features + i];
                    }
                }
            }
        }
    }

    @Override
    public String toString() {
        return apart ? "samples apart" : "samples together";
    }
}
