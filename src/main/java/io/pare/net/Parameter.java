package io.pare.net;

/**
 * One tensor of a model.
 *
 * @param name layer name, a dot, and what it is: {@code weight}, {@code bias}, {@code running_mean}, {@code running_var}
 * @param shape OIHW for filters, {@code [out, in]} for linear layers, {@code [channels]} for all others
 * @param fanIn inputs that one output sums over, which sets the scale of the initial values; 0 where the kind sets them
 * @param kind what it is to training and compression
 */
public record Parameter(String name, long[] shape, int fanIn, Kind kind) {
    /** What training and compression do with a tensor. */
    public enum Kind {
        /** Trained, decayed, compressed. */
        WEIGHT,
        /** Trained. */
        BIAS,
        /** Factor of a normalised channel: trained, 1 at first. */
        SCALE,
        /** Running mean of a channel, 0 at first: gathered by training, without a gradient. */
        MEAN,
        /** Running variance of a channel, 1 at first: likewise. */
        VARIANCE,
        /** Part of what the network computes: 0 at first, neither trained nor compressed. */
        CONSTANT
    }

    /** {@return whether it is a weight, which compression and weight decay touch} */
    public boolean weight() {
        return kind == Kind.WEIGHT;
    }

    /** {@return whether an optimiser trains it; if not, it is a statistic or a constant} */
    public boolean trained() {
        return switch (kind) {
            case WEIGHT, BIAS, SCALE -> true;
            case MEAN, VARIANCE, CONSTANT -> false;
        };
    }

    /** {@return the number of elements} */
    public long count() {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return count;
    }
}
