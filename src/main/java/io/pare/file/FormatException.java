package io.pare.file;

/**
 * Thrown when a file or a byte sequence is not what its format demands; the one-line message says what is wrong and
 * what to do about it.
 */
public final class FormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int MAX_LENGTH = 2000;

    /**
     * Makes an exception of one line.
     *
     * @param message one line; control characters become spaces, and what is longer than 2,000 characters is cut
     */
    public FormatException(String message) {
        super(oneLine(message));
    }

    /**
     * Makes an exception of one line.
     *
     * @param message one line; control characters become spaces, and what is longer than 2,000 characters is cut
     * @param cause what failed below, kept for programmers
     */
    public FormatException(String message, Throwable cause) {
        super(oneLine(message), cause);
    }

    /** Names from a damaged file may hold anything. */
    private static String oneLine(String message) {
        String line = message.replaceAll("\\p{Cntrl}+", " ");
        return line.length() <= MAX_LENGTH ? line : line.substring(0, MAX_LENGTH) + "...";
    }
}
