package io.pare.data;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * A colour that transparent pictures are laid upon: red, green and blue, each 0 to 255.
 *
 * @param red 0 to 255
 * @param green 0 to 255
 * @param blue 0 to 255
 */
public record Background(int red, int green, int blue) {
    private static final Map<String, Integer> NAMES = new TreeMap<>(Map.ofEntries(Map.entry("black", 0x000000),
            Map.entry("white", 0xffffff), Map.entry("gray", 0x808080), Map.entry("grey", 0x808080),
            Map.entry("silver", 0xc0c0c0), Map.entry("red", 0xff0000), Map.entry("lime", 0x00ff00),
            Map.entry("green", 0x008000), Map.entry("blue", 0x0000ff), Map.entry("yellow", 0xffff00),
            Map.entry("cyan", 0x00ffff), Map.entry("magenta", 0xff00ff)));

    /**
     * Reads a colour: {@code white}, {@code black} or another name, or {@code #rrggbb}.
     *
     * @param text one of the names that CSS gives colours, or #rrggbb
     * @return the colour
     * @throws IllegalArgumentException if it is neither
     */
    public static Background parse(String text) {
        String name = text.toLowerCase(Locale.ROOT);
        if (!NAMES.containsKey(name) && !name.matches("#[0-9a-f]{6}")) {
            throw new IllegalArgumentException("'" + text + "' is no colour: give #rrggbb, or one of "
                    + String.join(", ", NAMES.keySet()));
        }
        int rgb = name.startsWith("#") ? Integer.parseInt(name.substring(1), 16) : NAMES.get(name);
        return new Background(rgb >>> 16, rgb >>> 8 & 0xff, rgb & 0xff);
    }
}
