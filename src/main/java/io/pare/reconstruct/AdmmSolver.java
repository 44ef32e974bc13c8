package io.pare.reconstruct;

import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;

/** The iterations of {@link Method.Admm} on one layer. */
final class AdmmSolver {
    private final Layer layer;
    private final Goal goal;
    private final Method.Admm settings;
    private final Kernels kernels = Kernels.active();
    /** The right side of a step. */
    private final FloatTensor right;

    AdmmSolver(Layer layer, Goal goal, Method.Admm settings) {
        this.layer = layer;
        this.goal = goal;
        this.settings = settings;
        this.right = layer.matrix();
    }

    /** Overwrites scaled weights, which are the start, by those that are found. */
    void solve(FloatTensor w) {
        if (goal.isSupport()) {
            solveSupport(w);
        } else {
            solveValues(w);
        }
    }

    private void solveValues(FloatTensor w) {
        FloatTensor inverse = layer.inverse(settings.penalty());
        FloatTensor u = layer.matrix();
        FloatTensor z = layer.matrix();
        FloatTensor sum = layer.matrix();
        long n = w.count();
        for (int t = 1; t <= settings.iterations(); t++) {
            kernels.add(w.segment(), 0, u.segment(), 0, u.segment(), 0, n);
            sum.copyFrom(u);
            goal.project(sum, z, 1);
            kernels.subtract(u.segment(), 0, z.segment(), 0, u.segment(), 0, n);
            step(inverse, u, z, w);
        }
        w.copyFrom(z);
        goal.descend(w, settings.steps());
    }

    private void solveSupport(FloatTensor w) {
        FloatTensor inverse = layer.inverse(settings.penalty());
        FloatTensor u = layer.matrix();
        FloatTensor z = layer.matrix();
        FloatTensor mask = layer.matrix();
        long n = w.count();
        for (int t = 1; t <= settings.iterations(); t++) {
            kernels.add(w.segment(), 0, u.segment(), 0, u.segment(), 0, n);
            if (t <= settings.ramp()) {
                double left = 1 - (double) t / settings.ramp();
                goal.project(u, z, 1 - left * left * left);
                Support.mark(z, mask);
            } else {
                kernels.multiply(u.segment(), 0, mask.segment(), 0, z.segment(), 0, n);
            }
            kernels.subtract(u.segment(), 0, z.segment(), 0, u.segment(), 0, n);
            step(inverse, u, z, w);
        }
        w.copyFrom(z);
        Support support = new Support(layer, goal);
        support.solve(w, mask, settings.steps());
        if (goal.cell(0, 0) < 0) {
            projectIfBetter(w, support, z, mask);
        }
        support.swap(w, settings.swaps());
    }

    /**
     * The same values on the support of the weights' own projection, if that errs less. Whole rows are an example: no
     * other weight can make them good, and iterations on the way to that only blur which to keep.
     */
    private void projectIfBetter(FloatTensor w, Support support, FloatTensor z, FloatTensor mask) {
        right.copyFrom(layer.dense);
        goal.project(right, z, 1);
        Support.mark(z, mask);
        support.solve(z, mask, settings.steps());
        if (layer.error(z) < layer.error(w)) {
            w.copyFrom(z);
        }
    }

    /** W = (G + penalty (Z - U)) times the inverse. */
    private void step(FloatTensor inverse, FloatTensor u, FloatTensor z, FloatTensor w) {
        layer.pull(z, u, settings.penalty(), right);
        layer.multiply(right, inverse, w);
    }
}
