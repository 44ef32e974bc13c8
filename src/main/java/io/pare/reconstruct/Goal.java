package io.pare.reconstruct;

import io.pare.compress.constraint.BlockLevels;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.StructuredSparsity;
import io.pare.compress.constraint.WeightChange;
import io.pare.kernel.Kernels;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A set that a layer's weights are to lie in, and its projection in the metric of the Hessian's diagonal. */
final class Goal {
    private final Constraint set;
    private final Parts parts;
    private final long[] shape;
    private final Layer layer;
    private final Projections projections;
    private final ProjectionState state = new ProjectionState();
    private final Kernels kernels = Kernels.active();
    /** 1 where earlier sets let a weight be other than zero, else 0; {@code null} for everywhere. */
    private final FloatTensor allowed;
    /** What {@link #projectValues} last found, not scaled. */
    private FloatTensor values;
    private FloatTensor plain;
    private FloatTensor importance;
    private float[] factors;

    Goal(Constraint set, Parts parts, long[] shape, Layer layer, Projections projections,
            FloatTensor allowed) {
        this.set = set;
        this.parts = parts;
        this.shape = shape;
        this.layer = layer;
        this.projections = projections;
        this.allowed = allowed;
    }

    /** Whether the set says where zeros are and nothing of values: it then is the same in any units. */
    boolean isSupport() {
        return set.brokenBy().equals(Set.of(WeightChange.FILLS_ZEROS));
    }

    /** Projects scaled weights, which it may change; {@code share} of the zeros that a support asks for are asked for. */
    void project(FloatTensor from, FloatTensor to, double share) {
        mask(from);
        if (isSupport()) {
            at(share).project(partsOf(from), partsOf(to), new ProjectionState(), projections);
        } else {
            projectValues(from, to, true);
        }
    }

    /** Projects scaled weights, which it may change, as if a change of each counted the same before they were scaled. */
    void projectPlainly(FloatTensor from, FloatTensor to) {
        mask(from);
        projectValues(from, to, false);
    }

    private void mask(FloatTensor weights) {
        if (allowed != null) {
            kernels.multiply(weights.segment(), 0, allowed.segment(), 0, weights.segment(), 0, weights.count());
        }
    }

    /** Projects scaled weights onto values, which are those of weights that are not scaled. */
    private void projectValues(FloatTensor from, FloatTensor to, boolean weighted) {
        allocate();
        layer.unscale(from, plain);
        if (weighted) {
            set.projectWeighted(partsOf(plain), partsOf(importance), partsOf(values), state, projections);
        } else {
            set.project(partsOf(plain), partsOf(values), state, projections);
        }
        layer.scale(values, to);
    }

    private void allocate() {
        if (values == null) {
            values = layer.matrix();
            plain = layer.matrix();
            importance = layer.matrix();
            for (int row = 0; row < layer.outputs; row++) {
                for (int i = 0; i < layer.inputs; i++) {
                    importance.set((long) row * layer.inputs + i, layer.scale[i] * layer.scale[i]);
                }
            }
        }
    }

    private List<FloatTensor> partsOf(FloatTensor matrix) {
        // Levels of blocks see to their parts themselves.
        return set instanceof BlockLevels ? List.of(matrix) : parts.of(matrix.reshape(shape));
    }

    /** The values that weights may take, if they are few and free; after a projection. */
    Optional<Palettes> palettes() {
        int count = parts.count(layer.outputs, layer.inputs);
        return switch (set) {
            case Clustering clustering -> Optional.of(Palettes.codebooks(state, count));
            case Quantization levels -> Optional.of(Palettes.levels(levels, state, count));
            case ScaledLevels levels -> Optional.of(Palettes.whole(count, ScaledLevels.MAX_LEVEL));
            case BlockLevels levels -> Optional.of(Palettes.grids(levels, values));
            default -> Optional.empty();
        };
    }

    /** Lowers the error of the values that the last projection found; {@code scaled} follows. */
    void descend(FloatTensor scaled, int rounds) {
        palettes().ifPresent(
                palettes -> new CodeDescent(layer, this, parts, palettes).run(values, scaled, rounds));
    }

    /** Whether a weight may be other than zero. */
    boolean allows(int row, int column) {
        return allowed == null || allowed.get((long) row * layer.inputs + column) != 0;
    }

    /** What the words of palettes are multiplied by; after a projection. */
    float[] factors() {
        if (factors == null) {
            factors = new float[layer.outputs * layer.inputs];
            Arrays.fill(factors, 1);
            if (set instanceof ScaledLevels) {
                int count = parts.count(layer.outputs, layer.inputs);
                double[][] scales = new double[count][];
                Arrays.setAll(scales, part -> state.get(ScaledLevels.SCALES, part));
                FloatTensor each = layer.matrix();
                List<FloatTensor> of = partsOf(each);
                for (int part = 0; part < count; part++) {
                    int size = ((ScaledLevels) set).size(of.get(part));
                    for (int i = 0; i < of.get(part).count(); i++) {
                        of.get(part).set(i, (float) scales[part][i / size]);
                    }
                }
                factors = each.toArray();
            }
        }
        return factors;
    }

    int part(int row, int column) {
        return parts.at(row, column, layer.inputs);
    }

    /** Writes the weights of the solution, exactly as the set has them. */
    void write(FloatTensor scaled, FloatTensor to) {
        if (isSupport()) {
            layer.unscale(scaled, to);
        } else {
            to.copyFrom(values);
        }
    }

    /** Replaces what the last projection found. */
    void set(int row, int column, float value) {
        values.set((long) row * layer.inputs + column, value);
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
     * Which weights of a row may take each other's place in the support: those of the same number. Negative where a
     * weight cannot move alone.
     */
    int cell(int row, int column) {
        int part = part(row, column);
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

    /** What the set remembers of its last projection. */
    ProjectionState memory() {
        return state;
    }

    /** Whether unscaled weights lie in the set, counted. */
    Feasibility measure(FloatTensor weights) {
        return set.measure(partsOf(weights), state);
    }
}
