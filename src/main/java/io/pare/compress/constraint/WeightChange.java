package io.pare.compress.constraint;

/**
 * What training or a projection may do to weights. Constraints say what they do and what they do not survive; a recipe is
 * checked by that before it runs.
 */
public enum WeightChange {
    /** Weights that are zero become others. */
    FILLS_ZEROS,
    /** Weights become zero. */
    MAKES_ZEROS,
    /** Weights that share a value become different. */
    SPLITS_VALUES,
    /** Weights that share a value move together. */
    SHIFTS_VALUES
}
