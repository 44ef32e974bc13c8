package io.pare.compress.recipe;

/**
 * A run cannot end: its result does not lie in a set that it was made to lie in, which is a fault of Pare, or a stage left
 * no path from inputs to outputs. The weights are what they were then.
 */
public final class InfeasibleException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public InfeasibleException(String message) {
        super(message);
    }
}
