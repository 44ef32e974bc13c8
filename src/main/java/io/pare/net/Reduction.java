package io.pare.net;

/** What {@link TensorOp.Reduce} makes of many numbers. Of equal largest or smallest ones the first has the gradient. */
public enum Reduction {
    /** Their sum. */
    SUM,
    /** Their mean. */
    MEAN,
    /** The largest. */
    MAX,
    /** The smallest. */
    MIN,
    /** Their product. */
    PRODUCT
}
