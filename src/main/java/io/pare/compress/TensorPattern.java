package io.pare.compress;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names of tensors in recipes: in full, without {@code .weight}, or with {@code *} for any run of characters. */
public final class TensorPattern {
    private static final String SUFFIX = ".weight";

    private TensorPattern() {}

    /**
     * {@return whether a pattern stands for a tensor: its name, with {@code *} for any characters}
     *
     * @param pattern of a recipe
     * @param name of a tensor
     */
    public static boolean matches(String pattern, String name) {
        return fits(pattern, name) || fits(pattern, layer(name));
    }

    /**
     * {@return the layer of a weight tensor: its name without {@code .weight}}
     *
     * @param name of the tensor
     */
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

    /**
     * {@return whether one of the patterns matches}
     *
     * @param patterns of a recipe
     * @param name of a tensor
     */
    public static boolean any(List<String> patterns, String name) {
        return patterns.stream().anyMatch(pattern -> matches(pattern, name));
    }

    /**
     * {@return whether the pattern may stand for several tensors}
     *
     * @param pattern of a recipe
     */
    public static boolean wild(String pattern) {
        return pattern.contains("*");
    }

    /**
     * {@return the pattern that counts for a name: the exact name if there is one, else the longest that matches, of
     * equally long ones the first; {@code null} if none matches}
     *
     * @param patterns in the order that decides
     * @param name of a tensor
     */
    public static @Nullable String chosen(Iterable<String> patterns, String name) {
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

    /**
     * {@return the value of the pattern that counts for a name, else {@code otherwise}}
     *
     * @param <T> type of the values
     * @param byPattern values in the order that decides
     * @param name of a tensor
     * @param otherwise what no pattern gives; may be {@code null}
     */
    public static <T extends @Nullable Object> T first(Map<String, ? extends T> byPattern, String name, T otherwise) {
        String pattern = chosen(byPattern.keySet(), name);
        return pattern == null ? otherwise : byPattern.get(pattern);
    }

    /**
     * {@return an unmodifiable copy in the given order, which decides between patterns that are equally long}
     *
     * @param <T> type of the values
     * @param what is missing, in the message
     * @param byPattern values
     * @throws IllegalArgumentException if a pattern or a value is {@code null}
     */
    public static <T> Map<String, T> inOrder(String what, Map<String, T> byPattern) {
        byPattern.forEach((pattern, value) -> {
            if (pattern == null || value == null) {
                throw new IllegalArgumentException(what + " of '" + pattern + "' is missing");
            }
        });
        return Collections.unmodifiableMap(new LinkedHashMap<>(byPattern));
    }
}
