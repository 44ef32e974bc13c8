package io.pare.compress.stage;

/** A recipe that says what no recipe can say; the message names the place and, where it can, what was meant. */
public final class RecipeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private static final int LONGEST = 2_000;

    /**
     * Says what does not fit.
     *
     * @param message one line
     */
    public RecipeException(String message) {
        super(cut(message));
    }

    /**
     * Says what does not fit, and why.
     *
     * @param message one line
     * @param cause what was thrown below
     */
    public RecipeException(String message, Throwable cause) {
        super(cut(message), cause);
    }

    /** Names in a recipe may be of any length; a message must not fill a terminal. */
    private static String cut(String message) {
        return message.length() > LONGEST ? message.substring(0, LONGEST) + "..." : message;
    }
}
