package io.pare.infer;

import io.pare.kernel.SparseKernels;

/** Takes out the columns that belong to no output. */
final class Compaction extends PlanStep {
    private final Layout input;
    private final int n;

    Compaction(Layout input, int n) {
        super(Layout.compact(input.shape()));
        this.input = input;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        int to = 0;
        for (int c = 0; c < input.channels(); c++) {
            for (int y = 0; y < input.height(); y++) {
                System.arraycopy(in, (c * input.plane() + y * input.row()) * n, out, to, input.width() * n);
                to += input.width() * n;
            }
        }
    }

    @Override
    public String toString() {
        return "compaction";
    }
}
