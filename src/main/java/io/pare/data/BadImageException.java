package io.pare.data;

/** One image cannot be read; the message says what is wrong with it, without its name. */
final class BadImageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BadImageException(String reason) {
        super(reason, null, false, false);
    }
}
