package io.pare.reconstruct;

import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Arrays;

/** The best values on a support, and better supports by exchanging single weights. */
final class Support {
    /** Rows whose squared gradient is below this part of the first have converged in float. */
    private static final double CONVERGED = 1e-12;

    private final Layer layer;
    private final Goal goal;
    private final Kernels kernels = Kernels.active();

    Support(Layer layer, Goal goal) {
        this.layer = layer;
        this.goal = goal;
    }

    /** Writes 1 where a weight is not zero, else 0. */
    static void mark(FloatTensor weights, FloatTensor mask) {
        for (long at = 0; at < weights.count(); at++) {
            mask.set(at, weights.get(at) != 0 ? 1 : 0);
        }
    }

    /**
     * Conjugate gradients on all rows at once, from the values that are there (ALPS, Meng et al. 2024, algorithm 2).
     * The scaled Hessian's diagonal is 1, so no preconditioner is left to divide by.
     */
    void solve(FloatTensor w, FloatTensor mask, int steps) {
        try (Region region = Region.shared("conjugate gradients")) {
            FloatTensor residual = region.tensor(layer.outputs, layer.inputs);
            FloatTensor direction = region.tensor(layer.outputs, layer.inputs);
            FloatTensor product = region.tensor(layer.outputs, layer.inputs);
            long n = w.count();
            layer.multiply(w, layer.hessian, product);
            kernels.subtract(layer.target.segment(), 0, product.segment(), 0, residual.segment(), 0, n);
            kernels.multiply(residual.segment(), 0, mask.segment(), 0, residual.segment(), 0, n);
            direction.copyFrom(residual);
            double[] squares = new double[layer.outputs];
            for (int row = 0; row < layer.outputs; row++) {
                squares[row] = kernels.sumOfSquares(residual.segment(), at(row), layer.inputs);
            }
            double[] first = squares.clone();
            for (int step = 0; step < steps; step++) {
                layer.multiply(direction, layer.hessian, product);
                kernels.multiply(product.segment(), 0, mask.segment(), 0, product.segment(), 0, n);
                for (int row = 0; row < layer.outputs; row++) {
                    if (squares[row] > CONVERGED * first[row]) {
                        squares[row] = step(w, residual, direction, product, row, squares[row]);
                    }
                }
            }
        }
    }

    private double step(FloatTensor w, FloatTensor residual, FloatTensor direction, FloatTensor product, int row,
            double squares) {
        long from = at(row);
        int d = layer.inputs;
        double curvature = kernels.dot(direction.segment(), from, product.segment(), from, d);
        if (!(curvature > 0)) {
            return 0;
        }
        float length = (float) (squares / curvature);
        kernels.axpy(length, direction.segment(), from, w.segment(), from, d);
        kernels.axpy(-length, product.segment(), from, residual.segment(), from, d);
        double now = kernels.sumOfSquares(residual.segment(), from, d);
        kernels.addScaled(residual.segment(), from, (float) (now / squares), direction.segment(), from,
                direction.segment(), from, d);
        return now;
    }

    private long at(int row) {
        return (long) row * layer.inputs * Float.BYTES;
    }

    /** Swaps two weights of a row as long as that lowers the row's error, and leaves exact least-squares values. */
    void swap(FloatTensor w, int most) {
        if (most == 0) {
            return;
        }
        double[] target = new double[layer.inputs];
        for (int row = 0; row < layer.outputs; row++) {
            int r = row;
            for (int j = 0; j < layer.inputs; j++) {
                target[j] = 0;
                for (int i = 0; i < layer.inputs; i++) {
                    target[j] += (double) layer.hessian.get((long) i * layer.inputs + j)
                            * layer.dense.get((long) row * layer.inputs + i);
                }
            }
            Tableau tableau = new Tableau(layer.hessian, target);
            for (int i = 0; i < layer.inputs; i++) {
                if (w.get((long) row * layer.inputs + i) != 0) {
                    tableau.pivot(i);
                }
            }
            int[] cells = new int[layer.inputs];
            Arrays.setAll(cells, column -> goal.cell(r, column));
            tableau.improve(cells, most);
            for (int i = 0; i < layer.inputs; i++) {
                w.set((long) row * layer.inputs + i, (float) tableau.value(i));
            }
        }
    }
}
