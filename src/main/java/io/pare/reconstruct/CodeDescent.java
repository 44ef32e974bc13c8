package io.pare.reconstruct;

import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Lowers the error of weights that have few values: each weight in turn takes the best value while the others stay,
 * then the values move to their least squares. Neither can raise the error.
 */
final class CodeDescent {
    private final Layer layer;
    private final Goal goal;
    private final Parts parts;
    private final Palettes palettes;
    private final float[][] hessian;
    private final float[] factors;
    private final Kernels kernels = Kernels.active();

    CodeDescent(Layer layer, Goal goal, Parts parts, Palettes palettes) {
        this.layer = layer;
        this.goal = goal;
        this.parts = parts;
        this.palettes = palettes;
        this.factors = goal.factors();
        this.hessian = new float[layer.inputs][layer.inputs];
        for (int i = 0; i < layer.inputs; i++) {
            MemorySegment.copy(layer.hessian.segment(), ValueLayout.JAVA_FLOAT, (long) i * layer.inputs * Float.BYTES,
                    hessian[i], 0, layer.inputs);
        }
    }

    /** Changes unscaled weights, and the scaled ones with them. */
    void run(FloatTensor values, FloatTensor scaled, int rounds) {
        try (Region region = Region.shared("codes")) {
            FloatTensor change = region.tensor(layer.outputs, layer.inputs);
            FloatTensor gradient = region.tensor(layer.outputs, layer.inputs);
            for (int round = 0; round < rounds; round++) {
                kernels.subtract(scaled.segment(), 0, layer.dense.segment(), 0, change.segment(), 0, change.count());
                layer.multiply(change, layer.hessian, gradient);
                round(values, gradient);
                layer.scale(values, scaled);
            }
        }
    }

    private void round(FloatTensor values, FloatTensor gradient) {
        Fit whole = parts.kind() == Parts.Kind.MATRIX && palettes.free() ? new Fit(0) : null;
        float[] slopes = new float[layer.inputs];
        int[] codes = new int[layer.inputs];
        int[][] all = new int[layer.outputs][];
        for (int row = 0; row < layer.outputs; row++) {
            MemorySegment.copy(gradient.segment(), ValueLayout.JAVA_FLOAT, at(row, 0) * Float.BYTES, slopes, 0,
                    layer.inputs);
            descend(values, row, slopes, codes);
            if (whole != null) {
                whole.add(codes, slopes, 0, layer.inputs);
                all[row] = codes.clone();
            } else if (palettes.free()) {
                for (int from = 0; from < layer.inputs;) {
                    int part = goal.part(row, from);
                    int end = from;
                    while (end < layer.inputs && goal.part(row, end) == part) {
                        end++;
                    }
                    Fit fit = new Fit(part);
                    fit.add(codes, slopes, from, end);
                    write(values, row, codes, from, end, fit.move(), slopes);
                    from = end;
                }
            }
        }
        if (whole != null) {
            float[] moved = whole.move();
            for (int row = 0; row < layer.outputs; row++) {
                write(values, row, all[row], 0, layer.inputs, moved, null);
            }
        }
    }

    private long at(int row, int column) {
        return (long) row * layer.inputs + column;
    }

    /** The best value of each weight of a row in turn; -1 is the code of a weight that has to be zero. */
    private void descend(FloatTensor values, int row, float[] slopes, int[] codes) {
        for (int i = 0; i < layer.inputs; i++) {
            codes[i] = -1;
            int part = goal.part(row, i);
            if (palettes.size(part) > 0 && goal.allows(row, i)) {
                float value = values.get(at(row, i));
                float factor = factors[row * layer.inputs + i];
                codes[i] = palettes.nearest(part, (value - slopes[i] / layer.scale[i]) / factor);
                float next = palettes.word(part, codes[i]) * factor;
                if (next != value) {
                    values.set(at(row, i), next);
                    add((next - value) * layer.scale[i], hessian[i], 0, slopes);
                }
            }
        }
    }

    /** Adds a multiple of the elements of {@code from} that begin at {@code first}. */
    private static void add(float factor, float[] from, int first, float[] to) {
        for (int j = 0; j < to.length; j++) {
            to[j] += factor * from[first + j];
        }
    }

    /** Gives the weights with a code its new value, and keeps a row's slopes up to date where they are given. */
    private void write(FloatTensor values, int row, int[] codes, int from, int end, float[] moved, float[] slopes) {
        for (int i = from; i < end; i++) {
            if (codes[i] >= 0) {
                float value = values.get(at(row, i));
                values.set(at(row, i), moved[codes[i]]);
                if (slopes != null && moved[codes[i]] != value) {
                    add((moved[codes[i]] - value) * layer.scale[i], hessian[i], 0, slopes);
                }
            }
        }
    }

    /** The error of a part as a quadratic in its values. */
    private final class Fit {
        private final int part;
        private final double[][] curvature;
        private final double[] gradient;

        Fit(int part) {
            this.part = part;
            this.gradient = new double[palettes.size(part)];
            this.curvature = new double[gradient.length][gradient.length];
        }

        /** Adds the weights of a row from {@code from} to {@code end}. */
        void add(int[] codes, float[] slopes, int from, int end) {
            // Rows of the Hessian are added up whole, for the JIT does that with vectors.
            float[][] sums = new float[gradient.length][];
            for (int i = from; i < end; i++) {
                if (codes[i] >= 0) {
                    gradient[codes[i]] += (double) slopes[i] * layer.scale[i];
                    if (sums[codes[i]] == null) {
                        sums[codes[i]] = new float[end - from];
                    }
                    CodeDescent.add(layer.scale[i], hessian[i], from, sums[codes[i]]);
                }
            }
            for (int code = 0; code < sums.length; code++) {
                for (int j = from; sums[code] != null && j < end; j++) {
                    if (codes[j] >= 0) {
                        curvature[code][codes[j]] += (double) sums[code][j - from] * layer.scale[j];
                    }
                }
            }
        }

        float[] move() {
            return palettes.move(part, curvature, gradient);
        }
    }
}
