package io.pare.compress;

/** A recipe that says what no recipe can say; the message names the place and, where it can, what was meant. */
public final class RecipeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RecipeException(String message) {
        super(message);
    }

    RecipeException(String message, Throwable cause) {
        super(message, cause);
    }
}
