package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.Op;

/** One input of {@link Op.Concat}, copied to its channels of the output. */
final class Placement extends PlanStep {
    private final String name;
    private final Layout input;
    private final int first;
    private final int n;

    /** @param first channel of the output at which the input's first stands */
    Placement(String name, Layout input, Layout output, int first, int n) {
        super(output);
        this.name = name;
        this.input = input;
        this.first = first;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        Layout to = output();
        for (int c = 0; c < input.channels(); c++) {
            for (int y = 0; y < input.height(); y++) {
                System.arraycopy(in, (c * input.plane() + y * input.row()) * n, out,
                        ((first + c) * to.plane() + y * to.row()) * n, input.width() * n);
            }
        }
    }

    @Override
    public String toString() {
        return name + ": placement";
    }
}
