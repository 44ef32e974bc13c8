package io.pare.descent;

/** A job stopped before it was done, see {@link Stop}; what it has saved lets it go on. */
public final class StoppedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /**
     * Says why.
     *
     * @param message fit for a user
     */
    public StoppedException(String message) {
        super(message);
    }
}
