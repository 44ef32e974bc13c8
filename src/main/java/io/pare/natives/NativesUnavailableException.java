package io.pare.natives;

/** Thrown where native libraries are required and cannot be had; the message names each failed try and the remedy. */
public final class NativesUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NativesUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
