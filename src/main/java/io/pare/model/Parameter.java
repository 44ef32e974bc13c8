package io.pare.model;

/**
 * One trainable tensor of a model.
 *
 * @param name layer name, a dot, {@code weight} or {@code bias}
 * @param shape OIHW for filters, {@code [out, in]} for linear layers, {@code [out]} for biases
 * @param fanIn inputs that one output sums over; sets the scale of the initial values
 * @param weight whether it is a weight, which compression and weight decay touch, and not a bias
 */
public record Parameter(String name, long[] shape, int fanIn, boolean weight) {
    /** Number of elements. */
    public long count() {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return count;
    }
}
