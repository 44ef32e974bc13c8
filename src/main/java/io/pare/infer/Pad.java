package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.Shape;
import io.pare.net.Window;
import java.util.Arrays;

/** Surrounds each plane with a value: above, left, below and right as far as a window reads. */
final class Pad extends PlanStep {
    private final Layout input;
    private final Window window;
    private final float value;
    private final int n;

    Pad(Layout input, Window window, float value, int n) {
        super(Layout.compact(Shape.of(input.channels(), window.top() + input.height() + window.bottom(),
                window.left() + input.width() + window.right())));
        this.input = input;
        this.window = window;
        this.value = value;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        Arrays.fill(out, 0, Math.toIntExact(output().pixels() * n), value);
        for (int c = 0; c < input.channels(); c++) {
            for (int y = 0; y < input.height(); y++) {
                System.arraycopy(in, (c * input.plane() + y * input.row()) * n, out,
                        (c * output().plane() + (y + window.top()) * output().row() + window.left()) * n,
                        input.width() * n);
            }
        }
    }

    @Override
    public String toString() {
        boolean alike = window.top() == window.left() && window.top() == window.bottom()
                && window.top() == window.right();
        return "padding by " + window.top()
                + (alike ? "" : ", " + window.left() + ", " + window.bottom() + ", " + window.right());
    }
}
