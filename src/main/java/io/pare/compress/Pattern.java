package io.pare.compress;

import java.util.List;
import java.util.Map;

/** Names of tensors in recipes: in full, without {@code .weight}, or with {@code *} for any run of characters. */
final class Pattern {
    private Pattern() {}

    static boolean matches(String pattern, String name) {
        String layer = name.endsWith(".weight") ? name.substring(0, name.length() - ".weight".length()) : name;
        if (pattern.equals(name) || pattern.equals(layer)) {
            return true;
        }
        String regex = java.util.regex.Pattern.quote(pattern).replace("*", "\\E.*\\Q");
        return name.matches(regex) || layer.matches(regex);
    }

    static boolean any(List<String> patterns, String name) {
        return patterns.stream().anyMatch(pattern -> matches(pattern, name));
    }

    /** The value of the exact name if there is one, else of the longest pattern that matches, else {@code otherwise}. */
    static <T> T first(Map<String, T> byPattern, String name, T otherwise) {
        return byPattern.entrySet().stream().filter(entry -> matches(entry.getKey(), name))
                .max((a, b) -> a.getKey().contains("*") != b.getKey().contains("*")
                        ? Boolean.compare(b.getKey().contains("*"), a.getKey().contains("*"))
                        : Integer.compare(a.getKey().length(), b.getKey().length()))
                .map(Map.Entry::getValue).orElse(otherwise);
    }
}
