package io.pare.kernel;

/** How a group of weights is scored. */
public enum Norm {
    /** Sum of magnitudes. */
    L1,
    /** Root of the sum of squares. */
    L2
}
