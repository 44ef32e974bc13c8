package io.pare.compress;

import io.pare.mem.FloatTensor;
import org.jspecify.annotations.Nullable;

/**
 * Says that output unit {@code i} of one weight tensor feeds a run of columns of another.
 *
 * <p>A unit is a row of the first dimension. The consumer is read as a matrix of its first dimension by the rest, whose
 * columns are split evenly among the producer's units: one input channel of a convolution, the pixels of one channel
 * after a flatten, one column after a linear layer.
 *
 * @param producer name of the weight tensor whose rows are the units
 * @param producerBias name of the bias of those units, or {@code null}
 * @param consumer name of the weight tensor that reads them
 */
public record UnitLink(String producer, @Nullable String producerBias, String consumer) {
    /** Columns of the consumer that each unit feeds; throws if the shapes do not fit. */
    int columnsPerUnit(FloatTensor from, FloatTensor to) {
        long columns = to.count() / to.size(0);
        if (columns % from.size(0) != 0) {
            throw new IllegalArgumentException("the " + from.size(0) + " units of " + producer
                    + " do not divide the " + columns + " columns of " + consumer);
        }
        return Math.toIntExact(columns / from.size(0));
    }
}
