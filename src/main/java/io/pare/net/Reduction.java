package io.pare.net;

/** What {@link TensorOp.Reduce} makes of many numbers. Of equal largest or smallest ones the first has the gradient. */
public enum Reduction {
    SUM, MEAN, MAX, MIN, PRODUCT
}
