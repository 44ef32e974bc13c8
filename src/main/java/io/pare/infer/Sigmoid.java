package io.pare.infer;

import io.pare.net.Op;

/** {@link Op.Sigmoid}, in place. */
final class Sigmoid extends Activation {
    Sigmoid(Layout layout, int n) {
        super(layout, n);
    }

    @Override
    void apply(float[] values, int n) {
        for (int i = 0; i < n; i++) {
            values[i] = Op.Sigmoid.of(values[i]);
        }
    }

    @Override
    public String toString() {
        return "sigmoid";
    }
}
