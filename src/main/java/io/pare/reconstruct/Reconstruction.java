package io.pare.reconstruct;

import io.pare.compress.constraint.BlockLevels;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.constraint.NofMClustering;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.SparseClustering;
import io.pare.compress.constraint.WeightChange;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Compression of one layer without training: the weights of a set that change the layer's outputs least.
 *
 * <p>For inputs X and weights W it minimises ||X W - X Z|| over the Z in a {@link Constraint}, given the
 * {@link Hessian} X^T X alone. Weights have the shape that networks store: a row for each output, and as many elements
 * in it as the Hessian has inputs. The set sees that shape, so n of m goes along the inputs.
 *
 * <p>Immutable; any number of threads may use one. A call takes about ten matrices of the weights' size and two of the
 * Hessian's, outside the heap, and frees them. Equal arguments give equal bits on the same machine and thread count.
 *
 * @param targets the sets, in the order in which they are met: each is met on the support of the one before
 * @param method how
 * @param damping added to the Hessian's diagonal, as a multiple of its mean: it holds weights near to what they were where few
 *     inputs speak
 * @param threads of the projections; products take those of the native libraries
 */
public record Reconstruction(List<Target> targets, Method method, double damping, int threads) {
    /**
     * A set and what has to lie in it.
     *
     * @param set where weights are to lie
     * @param parts the matrix, each row, or each group
     */
    public record Target(Constraint set, Parts parts) {}

    /** Checks the numbers, and that no set undoes an earlier one. */
    public Reconstruction {
        targets = List.copyOf(targets);
        for (Target later : targets.subList(Math.min(1, targets.size()), targets.size())) {
            if (later.set.changes().contains(WeightChange.FILLS_ZEROS)) {
                throw new IllegalArgumentException(
                        later.set.describe() + " would fill the zeros of the set before: let it keep zeros");
            }
        }
        if (!(damping >= 0 && damping < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("damping cannot be " + damping);
        }
    }

    /**
     * What came of a layer.
     *
     * @param error squared error of the outputs over their square
     * @param feasibility what proves that the weights lie in the set
     * @param memories for each target what its set remembers: the levels that count as allowed
     */
    public record Outcome(double error, Feasibility feasibility, List<ProjectionState> memories) {
        /** Copies the list. */
        public Outcome {
            memories = List.copyOf(memories);
        }
    }

    /**
     * {@return a reconstruction by ADMM, of the whole matrix as one part}
     *
     * @param set where the weights are to lie
     */
    public static Reconstruction onto(Constraint set) {
        return new Reconstruction(List.of(), Method.ADMM, 0.01, 1).then(set);
    }

    /**
     * {@return the same with a further set, which is met on the support of the last one: a codebook of sparse weights, say}
     *
     * @param set that keeps zeros
     */
    public Reconstruction then(Constraint set) {
        List<Target> more = new ArrayList<>(targets);
        if (set instanceof SparseClustering both) {
            more.add(new Target(both.sparsity(), Parts.MATRIX));
            more.add(new Target(new Clustering(both.k()), Parts.MATRIX));
        } else if (set instanceof NofMClustering both) {
            more.add(new Target(both.support(), Parts.MATRIX));
            more.add(new Target(both.clustering(), Parts.MATRIX));
        } else if (set instanceof BlockLevels levels) {
            more.add(new Target(set, Parts.groups(levels.block())));
        } else {
            more.add(new Target(set, Parts.MATRIX));
        }
        return new Reconstruction(more, method, damping, threads);
    }

    /**
     * {@return the same, the last set being for other parts}
     *
     * @param other parts, each of which has to lie in it
     */
    public Reconstruction parts(Parts other) {
        List<Target> changed = new ArrayList<>(targets);
        changed.add(new Target(changed.removeLast().set, other));
        return new Reconstruction(changed, method, damping, threads);
    }

    /**
     * {@return the same by another method}
     *
     * @param other method
     */
    public Reconstruction method(Method other) {
        return new Reconstruction(targets, other, damping, threads);
    }

    /**
     * {@return the same with another damping}
     *
     * @param other multiple of the mean diagonal, 0 or above
     */
    public Reconstruction damping(double other) {
        return new Reconstruction(targets, method, other, threads);
    }

    /**
     * Reconstructs a layer.
     *
     * @param weights of shape [outputs, ...], finite
     * @param hessian of the layer's inputs; as many as a row of weights has elements
     * @param to receives the weights that lie in the set; may be {@code weights}
     * @return the error, and what proves that the weights lie in the set
     * @throws IllegalArgumentException if shapes do not fit, a weight is NaN or infinite, or the method does not know the set
     * @throws IllegalStateException if the Hessian has fewer rows than inputs
     * @throws ArithmeticException if inputs depend on each other so much that the Hessian has no factor without damping
     */
    public Outcome solve(FloatTensor weights, Hessian hessian, FloatTensor to) {
        check(weights, hessian, to);
        try (Region region = Region.shared("reconstruction"); Projections projections = Projections.open(threads)) {
            Layer layer = new Layer(weights, hessian, damping, region);
            FloatTensor scaled = layer.matrix().copyFrom(layer.dense);
            FloatTensor allowed = null;
            List<Goal> goals = new ArrayList<>();
            for (Target target : targets) {
                Goal goal = new Goal(target.set, target.parts, weights.shape(), layer, projections, allowed);
                solve(layer, goal, scaled);
                goals.add(goal);
                allowed = layer.matrix();
                Support.mark(scaled, allowed);
            }
            double error = layer.error(scaled);
            goals.getLast().write(scaled, to);
            return new Outcome(error,
                    goals.stream().map(goal -> goal.measure(to)).reduce(Feasibility::and).orElseThrow(),
                    goals.stream().map(Goal::memory).toList());
        }
    }

    private void solve(Layer layer, Goal goal, FloatTensor scaled) {
        switch (method) {
            case Method.Admm admm -> new AdmmSolver(layer, goal, admm).solve(scaled);
            case Method.Columns columns -> new ColumnSolver(layer, goal, columns).solve(scaled);
            case Method.Alps alps -> new AlpsSolver(layer, goal, alps).solve(scaled);
            case Method.Wanda wanda -> goal.project(layer.matrix().copyFrom(scaled), scaled, 1);
            case Method.Magnitude magnitude -> goal.projectPlainly(layer.matrix().copyFrom(scaled), scaled);
        }
    }

    private static void check(FloatTensor weights, Hessian hessian, FloatTensor to) {
        if (weights.rank() < 2 || weights.count() != weights.size(0) * hessian.inputs() || weights.count() == 0) {
            throw new IllegalArgumentException(weights + " is no layer of " + hessian.inputs() + " inputs");
        }
        if (!Arrays.equals(weights.shape(), to.shape())) {
            throw new IllegalArgumentException("weights of " + weights + " do not fit into " + to);
        }
        for (long at = 0; at < weights.count(); at++) {
            if (!Float.isFinite(weights.get(at))) {
                throw new IllegalArgumentException("weight " + at + " of " + weights + " is " + weights.get(at));
            }
        }
        hessian.requireRank();
    }
}
