package io.pare.reconstruct;

import io.pare.blas.Gemm;
import io.pare.blas.LapackProvider;
import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;

/** The iterations of {@link Method.Alps} on one layer, with the scaled dual: it shrinks as the penalty grows. */
final class AlpsSolver {
    private static final int CHECK_EVERY = 3;
    /** Iterations before which a support that rests may still move. */
    private static final int EARLIEST_END = 30;
    private static final double SETTLED = 0.0003;

    private final Layer layer;
    private final Goal goal;
    private final Method.Alps settings;
    private final Kernels kernels = Kernels.active();
    private final FloatTensor vectors;
    private final FloatTensor values;
    private final FloatTensor right;
    private final FloatTensor turned;
    private double penalty;

    AlpsSolver(Layer layer, Goal goal, Method.Alps settings) {
        if (!goal.isSupport()) {
            throw new IllegalArgumentException("ALPS chooses supports: take another method for values");
        }
        this.layer = layer;
        this.goal = goal;
        this.settings = settings;
        this.penalty = settings.penalty();
        this.vectors = layer.square().copyFrom(layer.hessian);
        this.values = layer.vector();
        this.right = layer.matrix();
        this.turned = layer.matrix();
        LapackProvider.active().ssyevd(layer.inputs, vectors.segment(), layer.inputs, values.segment());
    }

    /** Overwrites scaled weights, which are the start, by those that are found. */
    void solve(FloatTensor w) {
        FloatTensor u = layer.matrix();
        FloatTensor z = layer.matrix();
        FloatTensor mask = layer.matrix();
        FloatTensor before = layer.matrix();
        long n = w.count();
        for (int t = 1; t <= settings.iterations(); t++) {
            kernels.add(w.segment(), 0, u.segment(), 0, u.segment(), 0, n);
            goal.project(u, z, 1);
            kernels.subtract(u.segment(), 0, z.segment(), 0, u.segment(), 0, n);
            step(u, z, w);
            if (t % CHECK_EVERY == 0) {
                Support.mark(z, mask);
                double kept = kernels.sumOfSquares(mask.segment(), 0, n);
                kernels.subtract(mask.segment(), 0, before.segment(), 0, before.segment(), 0, n);
                double changed = kernels.sumOfSquares(before.segment(), 0, n) / Math.max(1, kept);
                before.copyFrom(mask);
                if (t >= EARLIEST_END && changed < SETTLED) {
                    break;
                }
                grow(changed, u);
            }
        }
        Support.mark(z, mask);
        w.copyFrom(z);
        new Support(layer, goal).solve(w, mask, settings.steps());
    }

    private void grow(double changed, FloatTensor u) {
        double factor = changed > 0.1 ? 1.3 : changed > 0.005 ? 1.2 : 1.1;
        penalty *= factor;
        kernels.scale((float) (1 / factor), u.segment(), 0, u.count());
    }

    /** W = (G + penalty (Z - U)) V^T (values + penalty)^-1 V, the eigenvectors being the rows of V. */
    private void step(FloatTensor u, FloatTensor z, FloatTensor w) {
        int d = layer.inputs;
        layer.pull(z, u, penalty, right);
        Gemm.sgemm(false, true, layer.outputs, d, d, 1, right.segment(), d, vectors.segment(), d, 0, turned.segment(),
                d);
        for (int row = 0; row < layer.outputs; row++) {
            for (int i = 0; i < d; i++) {
                long at = (long) row * d + i;
                turned.set(at, (float) (turned.get(at) / (values.get(i) + penalty)));
            }
        }
        layer.multiply(turned, vectors, w);
    }
}
