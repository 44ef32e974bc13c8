package io.pare.report;

/**
 * Text of others, such as names of files, layers and recipes, made fit to be shown.
 *
 * <p>Control characters could move a terminal's cursor, clear its screen or make lines that Pare never wrote; those that
 * turn the direction of text could make a name read as another. They become {@code \}{@code uXXXX}.
 */
public final class Printable {
    private Printable() {}

    /** One line: line ends are written out, too. */
    public static String line(String text) {
        return escaped(text, "\t");
    }

    /** Text whose line ends and tabs stay. */
    public static String text(String text) {
        return escaped(text, "\n\r\t");
    }

    private static String escaped(String text, String kept) {
        StringBuilder shown = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            // A return without a line end would write over the line.
            boolean stays = kept.indexOf(c) >= 0 && (c != '\r' || text.startsWith("\n", i + 1));
            if (stays || !steers(c)) {
                shown.append(c);
            } else {
                shown.append(String.format("\\u%04x", (int) c));
            }
        }
        return shown.toString();
    }

    /** All characters that steer lie in the first plane, so that surrogates are none. */
    private static boolean steers(char c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
            default -> switch (Character.getDirectionality(c)) {
                case Character.DIRECTIONALITY_LEFT_TO_RIGHT_EMBEDDING, Character.DIRECTIONALITY_RIGHT_TO_LEFT_EMBEDDING,
                        Character.DIRECTIONALITY_LEFT_TO_RIGHT_OVERRIDE,
                        Character.DIRECTIONALITY_RIGHT_TO_LEFT_OVERRIDE,
                        Character.DIRECTIONALITY_LEFT_TO_RIGHT_ISOLATE, Character.DIRECTIONALITY_RIGHT_TO_LEFT_ISOLATE,
                        Character.DIRECTIONALITY_FIRST_STRONG_ISOLATE, Character.DIRECTIONALITY_POP_DIRECTIONAL_FORMAT,
                        Character.DIRECTIONALITY_POP_DIRECTIONAL_ISOLATE -> true;
                default -> false;
            };
        };
    }
}
