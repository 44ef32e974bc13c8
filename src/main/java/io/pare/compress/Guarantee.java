package io.pare.compress;

import io.pare.compress.constraint.Constraint;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A constraint that a stage's result lies in and that every later result has to lie in.
 *
 * @param constraint the set
 * @param tensors names, in the constraint's order
 * @param memory of the constraint: the levels that count as allowed
 */
public record Guarantee(Constraint constraint, List<String> tensors, Map<String, double[]> memory) {
    /** Copies the list of names. */
    public Guarantee {
        Objects.requireNonNull(constraint, "constraint");
        Objects.requireNonNull(memory, "memory");
        tensors = List.copyOf(tensors);
    }

    /**
     * {@return the guarantee of a constraint on one tensor, without memory}
     *
     * @param constraint the set
     * @param variable whose name is kept
     */
    public static Guarantee of(Constraint constraint, Variable variable) {
        return new Guarantee(constraint, List.of(variable.name()), Map.of());
    }

    @Override
    public String toString() {
        return String.join("+", tensors) + ": " + constraint.describe();
    }
}
