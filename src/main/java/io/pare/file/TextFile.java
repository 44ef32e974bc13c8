package io.pare.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads text that people write: UTF-8, with or without the byte order mark that some editors begin it with. */
public final class TextFile {
    private static final int LARGEST = 1 << 28;
    private static final int LONGEST_LINE = 100_000;
    private static final int ENDIAN = 0xfeff;
    private static final int OTHER_ENDIAN = 0xfffe;

    private TextFile() {}

    /**
     * {@return the whole text, without a byte order mark}
     *
     * @param file of at most 256 MB and an eighth of the heap
     * @throws FormatException if it is not UTF-8, or too long; the message names the file, and the line where it can
     * @throws IOException if it cannot be read
     */
    public static String read(Path file) throws IOException {
        long size = Files.size(file);
        if (size > Math.min(LARGEST, Runtime.getRuntime().maxMemory() / 8)) {
            throw refused(file + " has " + size + " bytes, too many for a text: is it another kind of file?");
        }
        byte[] bytes = Files.readAllBytes(file);
        int start = bytes.length < 2 ? 0 : (bytes[0] & 0xff) << 8 | bytes[1] & 0xff;
        if (start == ENDIAN || start == OTHER_ENDIAN) {
            throw refused(file + " is UTF-16: save it as UTF-8");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT);
        CoderResult result = decoder.decode(in, out, true);
        if (result.isError()) {
            int line = 1;
            for (int i = 0; i < in.position(); i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw refused(file + ", line " + line + ": not UTF-8 (byte " + String.format("%02x", bytes[in.position()])
                    + "): save the file as UTF-8");
        }
        String text = out.flip().toString();
        if (text.indexOf('\0') >= 0) {
            throw refused(file + " has bytes of zero in it, it is UTF-16 or no text: save it as UTF-8");
        }
        return text.startsWith("\ufeff") ? text.substring(1) : text;
    }

    /**
     * Refuses lines that nobody writes. Parsers of YAML take time by the square of a line's length: two seconds and more for
     * 900,000 digits.
     *
     * @param name of the text, for the message
     * @param text of any length
     * @throws FormatException naming the first line of more than {@value #LONGEST_LINE} characters
     */
    public static void checkLines(String name, String text) {
        int line = 1;
        for (int start = 0; start < text.length(); line++) {
            int end = text.indexOf('\n', start);
            int length = (end < 0 ? text.length() : end) - start;
            if (length > LONGEST_LINE) {
                throw new FormatException(name + ", line " + line + " has " + length + " characters, at most "
                        + LONGEST_LINE + " are read: break it");
            }
            start += length + 1;
        }
    }

    private static FormatException refused(String message) {
        return new FormatException(message, new CharacterCodingException());
    }
}
