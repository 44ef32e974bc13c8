package io.pare.mpi;

/** Processes that run together cannot go on together: the message says which of them, and why. */
public class RanksException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Whether all processes have failed alike. */
    private final boolean shared;

    /**
     * A failure of this process alone.
     *
     * @param message in one line
     */
    public RanksException(String message) {
        this(message, false);
    }

    RanksException(String message, boolean shared) {
        super(message);
        this.shared = shared;
    }

    /** {@return whether all processes know of it and have thrown it, or its cause} */
    public boolean shared() {
        return shared;
    }
}
