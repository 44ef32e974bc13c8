package io.pare.compress;

import io.pare.compress.constraint.Cost;
import io.pare.compress.constraint.Projector;
import io.pare.mem.FloatTensor;
import java.util.List;
import java.util.Objects;

/**
 * What a recount of one tensor's weights found.
 *
 * @param name of the tensor
 * @param total elements
 * @param kept elements that are not zero
 * @param unique distinct values that are not zero; counted up to 65,536
 * @param bits that tell the values apart; 32 where there are more than 256, or where values hardly repeat, as after pruning alone
 * @param dataBytes bits times non-zeros, over 8
 * @param entropyPositionBytes log2 of the number of ways to place the non-zeros, over 8: what no code of positions
 *            that knows nothing but their number can beat on average
 */
public record LayerRow(String name, long total, long kept, int unique, int bits, double dataBytes,
        double entropyPositionBytes) {
    private static final int COUNTED = 1 << 16;
    private static final int FEW = 16;

    /** Refuses a row that names no tensor. */
    public LayerRow {
        Objects.requireNonNull(name);
    }

    /**
     * {@return a row for each variable that constraints may touch}
     *
     * @param variables of a training
     */
    public static List<LayerRow> of(List<Variable> variables) {
        return variables.stream().map(variable -> of(variable.name(), variable.value())).toList();
    }

    /**
     * Counts one tensor.
     *
     * @param name of the tensor
     * @param tensor read only
     * @return its counts
     */
    public static LayerRow of(String name, FloatTensor tensor) {
        long kept = Projector.nonzeros(tensor);
        int unique = Projector.distinct(tensor, COUNTED).length;
        int bits = bits(unique, kept);
        return new LayerRow(name, tensor.count(), kept, unique, bits,
                Cost.WEIGHT_DATA.of(name, tensor.count(), kept, bits),
                logChoices(tensor.count(), kept) / 8);
    }

    /**
     * {@return bits that tell a tensor's values apart; 32 where there are more than 256, or where they hardly repeat}
     *
     * @param unique distinct values that are not zero
     * @param kept elements that are not zero
     */
    public static int bits(int unique, long kept) {
        return unique > FEW && 2L * unique > kept ? 32 : Projector.bitsFor(unique);
    }

    /**
     * {@return what the tensor adds to a network's cost}
     *
     * @param cost that is asked
     */
    public double of(Cost cost) {
        return cost.of(name, total, kept, bits);
    }

    /** log2 of n choose k, by sums of logarithms: exact to rounding. */
    static double logChoices(long n, long k) {
        double bits = 0;
        long few = Math.min(k, n - k);
        for (long i = 1; i <= few; i++) {
            bits += Math.log((double) (n - few + i) / i);
        }
        return bits / Math.log(2);
    }
}
