package io.pare.infer;

final class Rectifier extends Activation {
    Rectifier(Layout layout, int n) {
        super(layout, n);
    }

    @Override
    void apply(float[] values, int n) {
        for (int i = 0; i < n; i++) {
            values[i] = Math.max(0, values[i]);
        }
    }

    @Override
    public String toString() {
        return "relu";
    }
}
