package io.pare.compress;

/** A run's result does not lie in a set that it was made to lie in: a fault of Pare, never a matter of bad luck. */
public final class InfeasibleException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    InfeasibleException(String message) {
        super(message);
    }
}
