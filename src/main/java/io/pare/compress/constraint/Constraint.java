package io.pare.compress.constraint;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.pare.kernel.Kernels;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A set that tensors shall lie in, known by its Euclidean projection and by a count that proves membership. The solver
 * knows no more than that, so a new constraint is one class here, its name in {@code permits}, and one test.
 *
 * <p>Constraints are immutable; what they carry from one projection to the next lies in {@link ProjectionState}. A constraint
 * holds one or several tensors: {@link #joint()} says whether it sees all of them together.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({@JsonSubTypes.Type(Sparsity.class), @JsonSubTypes.Type(StructuredSparsity.class),
    @JsonSubTypes.Type(Clustering.class), @JsonSubTypes.Type(Quantization.class),
    @JsonSubTypes.Type(value = SparseClustering.class, name = "Joint"),
    @JsonSubTypes.Type(GlobalSparsity.class), @JsonSubTypes.Type(GlobalBudget.class)})
public sealed interface Constraint
        permits Sparsity, StructuredSparsity, Clustering, Quantization, SparseClustering, GlobalSparsity, GlobalBudget {
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
     * A Z step and a U step: {@code z = proj(w + u)}, {@code u = u + w - z}. Constraints whose kernel does both at once
     * replace this.
     *
     * @param scratch of the same shapes; overwritten
     * @param primal receives the norm of W - Z for each tensor
     * @param dual receives the norm of the change in Z
     */
    default void step(List<FloatTensor> w, List<FloatTensor> u, List<FloatTensor> z, List<FloatTensor> scratch,
            ProjectionState memory, Projections kernels, double[] primal, double[] dual) {
        Kernels plain = Kernels.active();
        for (int i = 0; i < w.size(); i++) {
            MemorySegment sum = u.get(i).segment();
            plain.add(sum, 0, w.get(i).segment(), 0, sum, 0, u.get(i).count());
        }
        project(u, scratch, memory, kernels);
        for (int i = 0; i < w.size(); i++) {
            long n = w.get(i).count();
            MemorySegment dualOf = u.get(i).segment();
            MemorySegment old = z.get(i).segment();
            MemorySegment next = scratch.get(i).segment();
            plain.subtract(dualOf, 0, next, 0, dualOf, 0, n);
            plain.subtract(next, 0, old, 0, old, 0, n);
            dual[i] = Math.sqrt(plain.sumOfSquares(old, 0, n));
            plain.subtract(w.get(i).segment(), 0, next, 0, old, 0, n);
            primal[i] = Math.sqrt(plain.sumOfSquares(old, 0, n));
            z.get(i).copyFrom(scratch.get(i));
        }
    }

    /** Counts whether the values lie in the set. */
    Feasibility measure(List<FloatTensor> values, ProjectionState memory);

    /** Whether the set ties several tensors together; otherwise each tensor is a set of its own. */
    default boolean joint() {
        return false;
    }

    /** One line for reports. */
    String describe();
}
