package io.pare.reconstruct;

import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.StructuredSparsity;
import io.pare.compress.constraint.WeightChange;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.Set;

/** A set that a layer's weights are to lie in, and its projection in the metric of the Hessian's diagonal. */
final class Goal {
    private final Constraint set;
    private final Parts parts;
    private final long[] shape;
    private final Layer layer;
    private final Projections projections;
    private final ProjectionState state = new ProjectionState();

    Goal(Constraint set, Parts parts, long[] shape, Layer layer, Projections projections) {
        this.set = set;
        this.parts = parts;
        this.shape = shape;
        this.layer = layer;
        this.projections = projections;
    }

    /** Whether the set says where zeros are and nothing of values: it then is the same in any units. */
    boolean isSupport() {
        return set.brokenBy().equals(Set.of(WeightChange.FILLS_ZEROS));
    }

    /** Projects scaled weights of a support; {@code share} of what the set forbids is forbidden. */
    void support(FloatTensor from, FloatTensor to, double share) {
        at(share).project(parts.of(from.reshape(shape)), parts.of(to.reshape(shape)), new ProjectionState(),
                projections);
    }

    /** The set on the way from no constraint, at 0, to itself, at 1. */
    private Constraint at(double share) {
        return switch (set) {
            case Sparsity sparsity when share < 1 -> {
                long elements = parts.elements(layer.outputs, layer.inputs);
                double zeros = 1 - (double) sparsity.kept(elements) / elements;
                yield Sparsity.share(1 - share * zeros);
            }
            case StructuredSparsity of when share < 1 && of.unit() == StructuredSparsity.Unit.N_OF_M ->
                    StructuredSparsity.nOfM((int) Math.round(of.second() - share * (of.second() - of.first())),
                            of.second());
            case StructuredSparsity of when share < 1 ->
                    new StructuredSparsity(of.unit(), 1 - share * (1 - of.share()), of.first(), of.second());
            default -> set;
        };
    }

    /**
     * Which weights of a row may take each other's place in the support: those of the same number. Negative where a weight
     * cannot move alone.
     */
    int cell(int row, int column) {
        int part = parts.at(row, column, layer.inputs);
        return switch (set) {
            case Sparsity sparsity -> part;
            case StructuredSparsity of when of.unit() == StructuredSparsity.Unit.N_OF_M -> {
                int inPart = parts.kind() == Parts.Kind.GROUPS ? column % parts.size() : column;
                yield part * layer.inputs + inPart / of.second();
            }
            default -> -1;
        };
    }

    /** Columns whose support can be chosen together, {@code most} if the set does not say. */
    int width(int most) {
        return switch (set) {
            case StructuredSparsity of when of.unit() == StructuredSparsity.Unit.N_OF_M -> of.second();
            case Sparsity sparsity when parts.kind() == Parts.Kind.GROUPS -> parts.size();
            case Sparsity sparsity -> most;
            default -> throw new IllegalArgumentException(
                    "column by column there is no way to " + set.describe()
                            + ": take top-k or n of m, or another method");
        };
    }

    /** Projects the scores of the columns from {@code first} to {@code end}, of {@link #width} at most. */
    void columns(FloatTensor scores, FloatTensor kept, int first, int end) {
        Constraint part = set;
        if (set instanceof Sparsity sparsity && parts.kind() != Parts.Kind.GROUPS) {
            long all = parts.elements(layer.outputs, layer.inputs);
            double share = (double) sparsity.kept(all) / layer.inputs;
            part = Sparsity.count((long) (share * end) - (long) (share * first));
        }
        part.project(parts.of(scores), parts.of(kept), new ProjectionState(), projections);
    }

    /** Whether unscaled weights lie in the set, counted. */
    Feasibility measure(FloatTensor weights) {
        return set.measure(parts.of(weights.reshape(shape)), state);
    }
}
