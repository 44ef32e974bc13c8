package io.pare.reconstruct;

import io.pare.blas.Gemm;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;

/**
 * {@link Method.Columns} on one layer: with U^T U the inverse of the Hessian, an error of e in column i is made good by
 * -e / U[i,i] times row i of U.
 */
final class ColumnSolver {
    private final Layer layer;
    private final Goal goal;
    private final Method.Columns settings;

    ColumnSolver(Layer layer, Goal goal, Method.Columns settings) {
        this.layer = layer;
        this.goal = goal;
        this.settings = settings;
    }

    /** Overwrites scaled weights by those that are found. */
    void solve(FloatTensor w) {
        FloatTensor factor = layer.inverse(0);
        layer.factor(factor);
        if (goal.isSupport()) {
            solveSupport(w, factor);
        } else {
            solveValues(w, factor);
        }
    }

    /** Rounds each weight to the nearest of the values that the projection of the weights has found. */
    private void solveValues(FloatTensor w, FloatTensor factor) {
        FloatTensor errors = layer.matrix();
        FloatTensor projected = layer.matrix().copyFrom(layer.dense);
        goal.project(projected, projected, 1);
        Palettes palettes = goal.palettes().orElseThrow(() -> new IllegalArgumentException(
                "column by column weights go to a codebook or to levels: take another method"));
        float[] factors = goal.factors();
        w.copyFrom(layer.dense);
        for (int first = 0; first < layer.inputs; first += settings.block()) {
            int end = Math.min(layer.inputs, first + settings.block());
            for (int row = 0; row < layer.outputs; row++) {
                for (int i = first; i < end; i++) {
                    int part = goal.part(row, i);
                    float value = 0;
                    if (goal.allows(row, i) && palettes.size(part) > 0) {
                        float unit = factors[row * layer.inputs + i];
                        value = unit * palettes.word(part,
                                palettes.nearest(part, w.get(at(row, i)) / layer.scale[i] / unit));
                    }
                    goal.set(row, i, value);
                    replace(w, factor, errors, row, i, value * layer.scale[i], end);
                }
            }
            update(w, factor, errors, first, end);
        }
    }

    private void solveSupport(FloatTensor w, FloatTensor factor) {
        int block = goal.width(settings.block());
        FloatTensor errors = layer.matrix();
        for (int first = 0; first < layer.inputs; first += block) {
            int end = Math.min(layer.inputs, first + block);
            try (Region region = Region.shared("columns")) {
                FloatTensor kept = choose(w, factor, first, end, region);
                for (int row = 0; row < layer.outputs; row++) {
                    for (int i = first; i < end; i++) {
                        float left = kept.get((long) row * (end - first) + i - first) != 0 ? w.get(at(row, i)) : 0;
                        replace(w, factor, errors, row, i, left, end);
                    }
                }
            }
            update(w, factor, errors, first, end);
        }
    }

    private long at(int row, int column) {
        return (long) row * layer.inputs + column;
    }

    /** The weights of a block of columns by how much the error grows without them, the set's choice left. */
    private FloatTensor choose(FloatTensor w, FloatTensor factor, int first, int end, Region region) {
        FloatTensor scores = region.tensor(layer.outputs, end - first);
        FloatTensor kept = region.tensor(layer.outputs, end - first);
        for (int row = 0; row < layer.outputs; row++) {
            for (int i = first; i < end; i++) {
                scores.set((long) row * (end - first) + i - first, w.get(at(row, i)) / factor.get(at(i, i)));
            }
        }
        goal.columns(scores, kept, first, end);
        return kept;
    }

    /** Sets a weight, and makes its error good by the later columns of the block. */
    private void replace(FloatTensor w, FloatTensor factor, FloatTensor errors, int row, int i, float value, int end) {
        float error = (w.get(at(row, i)) - value) / factor.get(at(i, i));
        errors.set(at(row, i), error);
        w.set(at(row, i), value);
        if (error != 0) {
            for (int j = i + 1; j < end; j++) {
                w.set(at(row, j), w.get(at(row, j)) - error * factor.get(at(i, j)));
            }
        }
    }

    /** Makes the errors of a block good by all columns after it. */
    private void update(FloatTensor w, FloatTensor factor, FloatTensor errors, int first, int end) {
        int d = layer.inputs;
        if (end < d) {
            Gemm.sgemm(false, false, layer.outputs, d - end, end - first, -1, from(errors, first), d,
                    from(factor, (long) first * d + end), d, 1, from(w, end), d);
        }
    }

    private static MemorySegment from(FloatTensor tensor, long element) {
        return tensor.segment().asSlice(element * Float.BYTES);
    }
}
