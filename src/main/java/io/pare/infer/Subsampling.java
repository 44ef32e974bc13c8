package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.Op.Subsample;
import java.util.Arrays;
import java.util.List;

final class Subsampling extends PlanStep {
    private final String name;
    private final Subsample subsample;
    private final Layout input;
    private final int n;

    Subsampling(String name, Subsample subsample, Layout input, int n) {
        super(Layout.compact(
                subsample.output(List.of(input.shape()))));
        this.name = name;
        this.subsample = subsample;
        this.input = input;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        Layout to = output();
        Arrays.fill(out, 0, Math.toIntExact(to.pixels() * n), 0f);
        int before = subsample.before(input.channels());
        for (int c = 0; c < input.channels(); c++) {
            for (int y = 0; y < to.height(); y++) {
                for (int x = 0; x < to.width(); x++) {
                    System.arraycopy(in,
                            (c * input.plane() + (y * input.row() + x) * subsample.stride()) * n, out,
                            ((before + c) * to.plane() + y * to.row() + x) * n, n);
                }
            }
        }
    }

    @Override
    public String toString() {
        return name + ": subsample";
    }
}
