package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.Shape;
import java.util.Arrays;

/** Surrounds each plane with a value. */
final class Pad extends PlanStep {
    private final Layout input;
    private final int padding;
    private final float value;
    private final int n;

    Pad(Layout input, int padding, float value, int n) {
        super(Layout.compact(Shape.of(input.channels(), input.height() + 2 * padding,
                input.width() + 2 * padding)));
        this.input = input;
        this.padding = padding;
        this.value = value;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        Arrays.fill(out, 0, Math.toIntExact(output().pixels() * n), value);
        for (int c = 0; c < input.channels(); c++) {
            for (int y = 0; y < input.height(); y++) {
                System.arraycopy(in, (c * input.plane() + y * input.row()) * n, out,
                        (c * output().plane() + (y + padding) * output().row() + padding) * n, input.width() * n);
            }
        }
    }

    @Override
    public String toString() {
        return "padding by " + padding;
    }
}
