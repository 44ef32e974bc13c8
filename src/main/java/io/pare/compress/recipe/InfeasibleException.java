package io.pare.compress.recipe;

/**
 * A run cannot end: a stage left no path from inputs to outputs, or the result lies outside a set that it was projected
 * onto, which is a fault of Pare. The weights are what they were then.
 */
public final class InfeasibleException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Says what does not hold.
     *
     * @param message one line
     */
    public InfeasibleException(String message) {
        super(message);
    }
}
