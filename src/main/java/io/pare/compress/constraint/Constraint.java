package io.pare.compress.constraint;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.pare.kernel.Kernels;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A set that tensors are to lie in, known by its Euclidean projection and by a count that proves membership. The solver
 * knows no more than that.
 *
 * <p>Constraints are immutable; what they carry from one projection to the next lies in {@link ProjectionState}. A
 * constraint holds one or several tensors: {@link #joint()} says whether it sees all of them together.
 *
 * <p>A new constraint of Pare is one class here, its name in {@code permits} (of {@link SupportSet}, if it says only where zeros
 * are) and above, and one test. A caller brings his
 * own as a {@link Custom}.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({@JsonSubTypes.Type(Sparsity.class), @JsonSubTypes.Type(StructuredSparsity.class),
    @JsonSubTypes.Type(Clustering.class), @JsonSubTypes.Type(Quantization.class),
    @JsonSubTypes.Type(SparseClustering.class), @JsonSubTypes.Type(GlobalSparsity.class),
    @JsonSubTypes.Type(GlobalBudget.class), @JsonSubTypes.Type(CodedBudget.class),
    @JsonSubTypes.Type(GroupSparsity.class), @JsonSubTypes.Type(KernelPatterns.class),
    @JsonSubTypes.Type(BlockCirculant.class), @JsonSubTypes.Type(ScaledLevels.class),
    @JsonSubTypes.Type(BlockLevels.class), @JsonSubTypes.Type(NofMClustering.class),
    @JsonSubTypes.Type(ScaledSigns.class), @JsonSubTypes.Type(FixedPoint.class),
    @JsonSubTypes.Type(HierarchicalBlocks.class)})
public sealed interface Constraint
        permits SupportSet, Clustering, Quantization, BlockLevels, SparseClustering, GlobalBudget,
        CodedBudget, BlockCirculant, ScaledLevels, NofMClustering, ScaledSigns, FixedPoint, Constraint.Custom {
    /**
     * Writes the nearest point of the set to {@code to}.
     *
     * @param from tensors with finite values
     * @param to of the same shapes, memory apart from {@code from}
     * @param memory of this constraint on these tensors
     * @param kernels that the projection runs on
     */
    void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels);

    /**
     * As {@link #project}, where the squared change of each element counts by its importance. A set that knows no weights gives
     * its nearest point, as this does.
     *
     * @param from tensors with finite values
     * @param importance of each element, above 0, in tensors of the same shapes
     * @param to of the same shapes, memory apart from {@code from}
     * @param memory of this constraint on these tensors
     * @param kernels that the projection runs on
     */
    default void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        project(from, to, memory, kernels);
    }

    /**
     * A Z step and a U step: {@code z = proj(w + u)}, {@code u = u + w - z}. Constraints whose kernel does both at once
     * replace this.
     *
     * @param w weights, read only
     * @param u scaled dual variables, updated in place
     * @param z receives the projection
     * @param scratch of the same shapes; overwritten
     * @param memory what the constraint keeps between projections
     * @param kernels that project
     * @param primal receives the norm of W - Z for each tensor
     * @param dual receives the norm of the change in Z
     */
    default void step(List<FloatTensor> w, List<FloatTensor> u, List<FloatTensor> z, List<FloatTensor> scratch,
            ProjectionState memory, Projections kernels, double[] primal, double[] dual) {
        addTo(u, w);
        project(u, scratch, memory, kernels);
        settle(w, u, z, scratch, primal, dual);
    }

    /**
     * As {@link #step}, with {@code z} by {@link #projectWeighted}.
     *
     * @param w weights, read only
     * @param u scaled dual variables, updated in place
     * @param importance of each element, above 0, in tensors of the same shapes
     * @param z receives the projection
     * @param scratch of the same shapes; overwritten
     * @param memory what the constraint keeps between projections
     * @param kernels that project
     * @param primal receives the norm of W - Z for each tensor
     * @param dual receives the norm of the change in Z
     */
    default void stepWeighted(List<FloatTensor> w, List<FloatTensor> u, List<FloatTensor> importance,
            List<FloatTensor> z, List<FloatTensor> scratch, ProjectionState memory, Projections kernels,
            double[] primal, double[] dual) {
        addTo(u, w);
        projectWeighted(u, importance, scratch, memory, kernels);
        settle(w, u, z, scratch, primal, dual);
    }

    /**
     * {@return whether {@link #step} is one kernel rather than a projection and what follows from it} It then runs at the
     * speed of memory, so that ranks do not divide it.
     */
    default boolean stepsAtOnce() {
        return false;
    }

    /**
     * What comes before a projection in {@link #step}: adds W to U, whose sum is projected.
     *
     * @param u scaled dual variables; receives the sum
     * @param w weights, read only
     */
    static void addTo(List<FloatTensor> u, List<FloatTensor> w) {
        Kernels plain = Kernels.active();
        for (int i = 0; i < w.size(); i++) {
            MemorySegment sum = u.get(i).segment();
            plain.add(sum, 0, w.get(i).segment(), 0, sum, 0, u.get(i).count());
        }
    }

    /**
     * What follows a projection in {@link #step}: takes it as Z and what it leaves as U, and measures both residuals.
     *
     * @param w weights, read only
     * @param u sum of weights and dual variables, which was projected; receives the new dual variables
     * @param z the Z before; receives the new one
     * @param next the projection, read only
     * @param primal receives the norm of W - Z for each tensor
     * @param dual receives the norm of the change in Z
     */
    static void settle(List<FloatTensor> w, List<FloatTensor> u, List<FloatTensor> z, List<FloatTensor> next,
            double[] primal, double[] dual) {
        Kernels plain = Kernels.active();
        for (int i = 0; i < w.size(); i++) {
            long n = w.get(i).count();
            MemorySegment dualOf = u.get(i).segment();
            MemorySegment old = z.get(i).segment();
            MemorySegment now = next.get(i).segment();
            plain.subtract(dualOf, 0, now, 0, dualOf, 0, n);
            plain.subtract(now, 0, old, 0, old, 0, n);
            dual[i] = Math.sqrt(plain.sumOfSquares(old, 0, n));
            plain.subtract(w.get(i).segment(), 0, now, 0, old, 0, n);
            primal[i] = Math.sqrt(plain.sumOfSquares(old, 0, n));
            z.get(i).copyFrom(next.get(i));
        }
    }

    /**
     * Counts whether the values lie in the set.
     *
     * @param values tensors of the constraint
     * @param memory what its projections left
     * @return what was counted, and whether the set allows it
     */
    Feasibility measure(List<FloatTensor> values, ProjectionState memory);

    /** {@return whether the set ties several tensors together; otherwise each tensor is a set of its own} */
    default boolean joint() {
        return false;
    }

    /**
     * {@return whether a tensor counts as the matrix of its first dimension by all others, so that the projection is the same
     * on that matrix}
     */
    default boolean ofMatrices() {
        return true;
    }

    /**
     * {@return distinct values of each tensor that are not zero, at most; {@link Long#MAX_VALUE} where the set has no
     * such bound}
     */
    long values();

    /** {@return what the projection may do to weights} */
    Set<WeightChange> changes();

    /** {@return what may take weights out of the set} */
    Set<WeightChange> brokenBy();

    /**
     * {@return whether every point of the other set is known to lie in this one, where both are of the same tensors}
     *
     * @param other constraint
     */
    boolean contains(Constraint other);

    /** {@return one line for reports} */
    String describe();

    /**
     * A constraint that a caller brings: a record whose components have a JSON form, so that recipes can set them and a
     * run can save them. Solver, proof and resuming treat it as any other.
     *
     * <p>The defaults hold for every set: the check of a recipe then refuses every stage that might break it. A constraint
     * that states more fits into more recipes.
     */
    non-sealed interface Custom extends Constraint {
        /** {@return the kind under which recipes and saved runs call it; the same for all instances} */
        String name();

        @Override
        default long values() {
            return Long.MAX_VALUE;
        }

        @Override
        default Set<WeightChange> changes() {
            return EnumSet.allOf(WeightChange.class);
        }

        @Override
        default Set<WeightChange> brokenBy() {
            return EnumSet.allOf(WeightChange.class);
        }

        @Override
        default boolean contains(Constraint other) {
            return equals(other);
        }
    }
}
