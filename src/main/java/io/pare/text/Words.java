package io.pare.text;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Cuts text into words as BERT does (Devlin et al., 1810.04805): characters are cleaned, then words end at white space,
 * and each punctuation character is a word by itself.
 *
 * @param clean whether control characters go and all white space is one
 * @param chinese whether each CJK character is a word
 * @param stripAccents whether letters lose their accents
 * @param lowercase whether letters become small
 */
record Words(boolean clean, boolean chinese, boolean stripAccents, boolean lowercase) {
    /** Blocks of CJK characters that are written without spaces, each by its first and last character. */
    private static final int[][] CHINESE = {{0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
        {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF}, {0x2F800, 0x2FA1F}};

    List<String> of(String text) {
        String normal = normalized(text);
        List<String> words = new ArrayList<>();
        int start = 0;
        for (int at = 0; at < normal.length();) {
            int c = normal.codePointAt(at);
            int next = at + Character.charCount(c);
            if (isSpace(c) || isPunctuation(c)) {
                if (start < at) {
                    words.add(normal.substring(start, at));
                }
                if (!isSpace(c)) {
                    words.add(normal.substring(at, next));
                }
                start = next;
            }
            at = next;
        }
        if (start < normal.length()) {
            words.add(normal.substring(start));
        }
        return words;
    }

    private String normalized(String text) {
        StringBuilder kept = new StringBuilder(text.length());
        text.codePoints().filter(c -> !clean || !isRemoved(c)).forEach(c -> {
            if (chinese && isChinese(c)) {
                kept.append(' ').appendCodePoint(c).append(' ');
            } else {
                kept.appendCodePoint(clean && isSpace(c) ? ' ' : c);
            }
        });
        String normal = kept.toString();
        if (stripAccents && !Normalizer.isNormalized(normal, Normalizer.Form.NFD)) {
            normal = Normalizer.normalize(normal, Normalizer.Form.NFD);
        }
        StringBuilder letters = new StringBuilder(normal.length());
        normal.codePoints().filter(c -> !stripAccents || Character.getType(c) != Character.NON_SPACING_MARK)
                .forEach(c -> {
                    // Each by itself: in a whole word Java would write a sigma at its end in another way.
                    if (lowercase && c >= 0x80) {
                        letters.append(Character.toString(c).toLowerCase(Locale.ROOT));
                    } else {
                        letters.appendCodePoint(lowercase ? Character.toLowerCase(c) : c);
                    }
                });
        return letters.toString();
    }

    /** Whether cleaning takes a character away. */
    private static boolean isRemoved(int c) {
        return c == 0xFFFD || c != '\t' && c != '\n' && c != '\r' && switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.PRIVATE_USE, Character.SURROGATE -> true;
            default -> false;
        };
    }

    /** Unicode's property White_Space. */
    private static boolean isSpace(int c) {
        return c >= '\t' && c <= '\r' || c == 0x85 || Character.isSpaceChar(c);
    }

    /** Signs of ASCII such as + and $ are punctuation here, though not in Unicode. */
    private static boolean isPunctuation(int c) {
        if (c < 0x80) {
            return c > ' ' && c < 0x7F && !Character.isLetterOrDigit(c);
        }
        return switch (Character.getType(c)) {
            case Character.CONNECTOR_PUNCTUATION, Character.DASH_PUNCTUATION, Character.START_PUNCTUATION,
                    Character.END_PUNCTUATION, Character.INITIAL_QUOTE_PUNCTUATION, Character.FINAL_QUOTE_PUNCTUATION,
                    Character.OTHER_PUNCTUATION ->
                    true;
            default -> false;
        };
    }

    private static boolean isChinese(int c) {
        for (int[] block : CHINESE) {
            if (c >= block[0] && c <= block[1]) {
                return true;
            }
        }
        return false;
    }
}
