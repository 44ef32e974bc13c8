package io.pare.format.pare;

import io.pare.file.FormatException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a file says of how it was made: lines of a name, a colon, a blank and a text, in UTF-8. */
final class Note {
    static final byte[] NONE = {};
    private static final int MOST_BYTES = (1 << Short.SIZE) - 1;
    private static final String COLON = ": ";

    private Note() {}

    static byte[] bytes(Map<String, String> entries) {
        StringBuilder lines = new StringBuilder();
        entries.forEach((name, text) -> {
            if (name.isEmpty() || name.contains(":") || !oneLine(name) || !oneLine(text)) {
                throw new IllegalArgumentException("'" + name + COLON + text
                        + "' cannot be noted: a name has no colon, and both are of one line");
            }
            lines.append(name).append(COLON).append(text).append('\n');
        });
        byte[] bytes = lines.toString().getBytes(StandardCharsets.UTF_8);
        if (bytes.length > MOST_BYTES) {
            throw new IllegalArgumentException("a note of " + bytes.length + " bytes, at most " + MOST_BYTES
                    + " are written");
        }
        return bytes;
    }

    static Map<String, String> read(byte[] bytes) {
        Map<String, String> entries = new LinkedHashMap<>();
        try {
            String lines = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            for (String line : lines.split("\n")) {
                int colon = line.indexOf(COLON);
                if (colon < 1 || !oneLine(line)) {
                    throw new FormatException("damaged, its note of how it was made has a line without a name");
                }
                entries.put(line.substring(0, colon), line.substring(colon + COLON.length()));
            }
        } catch (CharacterCodingException e) {
            throw new FormatException("damaged, its note of how it was made is not UTF-8", e);
        }
        return Collections.unmodifiableMap(entries);
    }

    /** Whether a terminal may show it: no line end, nor any other control character. */
    private static boolean oneLine(String text) {
        return text.chars().noneMatch(Character::isISOControl);
    }
}
