package io.pare.format;

/**
 * Thrown when a file or a byte sequence is not what its format demands; the one-line message says what is wrong and
 * what to do about it.
 */
public final class FormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public FormatException(String message) {
        super(message);
    }

    public FormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
