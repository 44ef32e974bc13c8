package io.pare.train;

/** A run that cannot go on, with a message fit for a user. */
public final class TrainingException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Says what happened.
     *
     * @param message one line
     */
    public TrainingException(String message) {
        super(message);
    }

    /**
     * Says what happened, and why.
     *
     * @param message one line
     * @param cause what was thrown below
     */
    public TrainingException(String message, Throwable cause) {
        super(message, cause);
    }
}
