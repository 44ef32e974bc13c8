package io.pare.compress.stage;

import io.pare.compress.constraint.StructuredSparsity;
import org.jspecify.annotations.Nullable;

/**
 * {@link StructuredSparsity} as a recipe writes it: {@code {unit: filter, share: 0.5}}, {@code {unit: block, first: 4,
 * second: 4, share: 0.5}} or {@code {unit: n_of_m, first: 2, second: 4}}.
 *
 * @param unit what is kept or dropped as a whole
 * @param share of the groups that stays; left out: all
 * @param first rows of a block, or n of n:m; left out: 1
 * @param second columns of a block, or m of n:m; left out: 1
 */
public record Structure(StructuredSparsity.Unit unit, @Nullable Double share,
        @Nullable Integer first, @Nullable Integer second) {
    /**
     * Refuses sizes and shares that do not belong to the unit.
     *
     * @throws IllegalArgumentException naming the key
     */
    public Structure {
        if (unit == null) {
            throw new IllegalArgumentException("a structure needs a 'unit'");
        }
        boolean pattern = unit == StructuredSparsity.Unit.N_OF_M;
        boolean sized = pattern || unit == StructuredSparsity.Unit.BLOCK;
        if (share != null && (pattern || !(share > 0 && share <= 1))) {
            throw new IllegalArgumentException(pattern
                    ? "n_of_m takes first and second, not a share"
                    : "share cannot be " + share + ": it is the part that stays, above 0 and at most 1");
        }
        if (!sized && (first != null || second != null)) {
            throw new IllegalArgumentException("first and second belong to block and n_of_m");
        }
        if (pattern && (first == null || second == null || first > second) || first != null && first < 1
                || second != null && second < 1) {
            throw new IllegalArgumentException(
                    "no such structure: first " + first + " and second " + second + " of " + unit.words());
        }
    }

    /** Whether whole outputs of a layer go. */
    boolean dropsOutputs() {
        return (unit == StructuredSparsity.Unit.FILTER || unit == StructuredSparsity.Unit.ROW)
                && share != null && share < 1;
    }

    StructuredSparsity constraint() {
        return new StructuredSparsity(unit, share == null ? 1 : share, first == null ? 1 : first,
                second == null ? 1 : second);
    }
}
