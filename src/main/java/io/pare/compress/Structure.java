package io.pare.compress;

/**
 * {@link StructuredSparsity} as a recipe writes it: {@code {unit: filter, share: 0.5}}, {@code {unit: block, first: 4,
 * second: 4, share: 0.5}} or {@code {unit: n_of_m, first: 2, second: 4}}.
 *
 * @param unit what is kept or dropped as a whole
 * @param share of the groups that stays; left out: all
 * @param first rows of a block, or n of n:m; left out: 1
 * @param second columns of a block, or m of n:m; left out: 1
 */
public record Structure(StructuredSparsity.Unit unit, Double share, Integer first, Integer second) {
    public Structure {
        if (unit == null) {
            throw new IllegalArgumentException("a structure needs a 'unit'");
        }
    }

    StructuredSparsity constraint() {
        return new StructuredSparsity(unit, share == null ? 1 : share, first == null ? 1 : first,
                second == null ? 1 : second);
    }
}
