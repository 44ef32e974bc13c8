package io.pare.run;

/**
 * A run is asked for something that cannot be: settings that exclude each other, data that is not where it should be, a
 * limit that nothing fits into.
 *
 * <p>The message is one line: what is wrong and what to do. It names a setting by its option of the command line, as in
 * {@code --memory-limit}.
 */
public final class RunException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Says what is wrong.
     *
     * @param message what is wrong and what to do, in one line
     */
    public RunException(String message) {
        super(message);
    }
}
