package io.pare.data;

/** Data cannot be used; the message is one line that names the file, what is wrong with it and what to do. */
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an exception of one line.
     *
     * @param message one line: the file, what is wrong, what to do
     */
    public DataException(String message) {
        super(message);
    }

    /**
     * Makes an exception of one line.
     *
     * @param message one line: the file, what is wrong, what to do
     * @param cause what failed below, kept for programmers
     */
    public DataException(String message, Throwable cause) {
        super(message, cause);
    }
}
