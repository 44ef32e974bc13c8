package io.pare.compress.constraint;

import io.pare.mem.FloatTensor;
import java.util.Map;

/**
 * What a network costs in one unit: bytes of weight data, bytes of a file, multiply-adds. Budgets, searches and reports ask it
 * alike, of a network as it is or of one that is planned.
 *
 * <p>Safe for several threads, unless an implementation says otherwise.
 */
public interface Cost {
    /** Bytes of weight data: bits of a value times non-zeros, over 8, without positions and codebooks. */
    Cost WEIGHT_DATA = new WeightData();

    /**
     * How much of a cost there may be.
     *
     * @param cost that is asked
     * @param most in the cost's unit
     */
    record Bound(Cost cost, double most) {}

    /** {@return what is counted, in the plural, such as {@code bytes of weight data}} */
    String unit();

    /**
     * {@return what the network costs as it is: exact}
     *
     * @param tensors all that the network has, by name
     */
    double of(Map<String, FloatTensor> tensors);

    /**
     * {@return what one tensor would add to the network's cost: a forecast, which grows with both numbers}
     *
     * @param tensor name of a weight
     * @param elements of the tensor
     * @param kept those that are not zero
     * @param bits of a value, 1 to 32
     */
    double of(String tensor, long elements, long kept, int bits);

    /**
     * {@return a forecast of what the network costs besides its weights, such as a header; 0 where nothing else counts}
     */
    default double rest() {
        return 0;
    }
}
