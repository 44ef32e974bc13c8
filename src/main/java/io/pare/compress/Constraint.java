package io.pare.compress;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.pare.mem.FloatTensor;
import java.util.List;

/**
 * A set that tensors shall lie in, known by its Euclidean projection and by a count that proves membership. The solver
 * knows no more than that, so a new constraint is one class here, its name in {@code permits}, and one test.
 *
 * <p>Constraints are immutable; what they carry from one projection to the next lies in {@link Memory}. A constraint
 * holds one or several tensors: {@link #joint()} says whether it sees all of them together.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({@JsonSubTypes.Type(Sparsity.class), @JsonSubTypes.Type(StructuredSparsity.class),
    @JsonSubTypes.Type(Clustering.class), @JsonSubTypes.Type(Quantization.class), @JsonSubTypes.Type(Joint.class),
    @JsonSubTypes.Type(GlobalSparsity.class), @JsonSubTypes.Type(GlobalBudget.class)})
public sealed interface Constraint
        permits Sparsity, StructuredSparsity, Clustering, Quantization, Joint, GlobalSparsity, GlobalBudget {
    /**
     * Writes the nearest point of the set to {@code to}.
     *
     * @param from tensors with finite values
     * @param to of the same shapes, memory apart from {@code from}
     * @param memory of this constraint on these tensors
     */
    void project(List<FloatTensor> from, List<FloatTensor> to, Memory memory);

    /** Counts whether the values lie in the set. */
    Feasibility measure(List<FloatTensor> values, Memory memory);

    /** Whether the set ties several tensors together; otherwise each tensor is a set of its own. */
    default boolean joint() {
        return false;
    }

    /** One line for reports. */
    String describe();
}
