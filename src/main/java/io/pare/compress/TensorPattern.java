package io.pare.compress;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Names of tensors in recipes: in full, without {@code .weight}, or with {@code *} for any run of characters. */
public final class TensorPattern {
    private static final String SUFFIX = ".weight";

    private TensorPattern() {}

    public static boolean matches(String pattern, String name) {
        return fits(pattern, name) || fits(pattern, layer(name));
    }

    /** The layer of a weight tensor: its name without {@code .weight}. */
    public static String layer(String name) {
        return name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
    }

    /** Whether {@code *} in the pattern can stand for what makes it the text, in time that grows with their product. */
    private static boolean fits(String pattern, String text) {
        int at = 0;
        int star = -1;
        int mark = 0;
        int i = 0;
        while (i < text.length()) {
            if (at < pattern.length() && pattern.charAt(at) == '*') {
                star = at++;
                mark = i;
            } else if (at < pattern.length() && pattern.charAt(at) == text.charAt(i)) {
                at++;
                i++;
            } else if (star >= 0) {
                at = star + 1;
                i = ++mark;
            } else {
                return false;
            }
        }
        while (at < pattern.length() && pattern.charAt(at) == '*') {
            at++;
        }
        return at == pattern.length();
    }

    public static boolean any(List<String> patterns, String name) {
        return patterns.stream().anyMatch(pattern -> matches(pattern, name));
    }

    /** Whether the pattern may stand for several tensors. */
    public static boolean wild(String pattern) {
        return pattern.contains("*");
    }

    /**
     * The pattern that counts for a name: the exact name if there is one, else the longest that matches, of equally long
     * ones the first; {@code null} if none matches.
     */
    public static String chosen(Iterable<String> patterns, String name) {
        String best = null;
        for (String pattern : patterns) {
            if (matches(pattern, name) && (best == null || outranks(pattern, best))) {
                best = pattern;
            }
        }
        return best;
    }

    private static boolean outranks(String pattern, String other) {
        return wild(pattern) == wild(other) ? pattern.length() > other.length() : wild(other);
    }

    /** The value of the pattern that counts for a name, else {@code otherwise}. */
    public static <T> T first(Map<String, T> byPattern, String name, T otherwise) {
        String pattern = chosen(byPattern.keySet(), name);
        return pattern == null ? otherwise : byPattern.get(pattern);
    }

    /** An unmodifiable copy in the given order, which decides between patterns that are equally long. */
    public static <T> Map<String, T> inOrder(String what, Map<String, T> byPattern) {
        byPattern.forEach((pattern, value) -> {
            if (pattern == null || value == null) {
                throw new IllegalArgumentException(what + " of '" + pattern + "' is missing");
            }
        });
        return Collections.unmodifiableMap(new LinkedHashMap<>(byPattern));
    }
}
