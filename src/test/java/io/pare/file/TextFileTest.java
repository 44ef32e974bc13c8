package io.pare.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextFileTest {
    private static final String TEXT = "größe=1\npräz=2\n";

    @TempDir
    Path folder;

    @Test
    void aByteOrderMarkIsDropped() throws IOException {
        Path file = folder.resolve("a.txt");
        for (String start : new String[]{"", "\ufeff"}) {
            Files.writeString(file, start + TEXT);
            assertEquals(TEXT, TextFile.read(file));
        }
        assertEquals("", TextFile.read(Files.write(file, new byte[0])));
    }

    @Test
    void textInOtherEncodingsIsRefusedWithFileAndLine() throws IOException {
        assertRefused("a.txt, line 2: not UTF-8 (byte e4): save the file as UTF-8",
                "a=1\npräz=2\n".getBytes(StandardCharsets.ISO_8859_1));
        for (String name : new String[]{"UTF-16", "UTF-16LE", "UTF-16BE", "x-UTF-16LE-BOM"}) {
            assertRefused("UTF-16", "a=1\n".getBytes(Charset.forName(name)));
        }
        // The end comes inside a character.
        assertRefused("line 1: not UTF-8", new byte[]{'a', (byte) 0xc3});
    }

    private void assertRefused(String expected, byte[] content) throws IOException {
        Path file = Files.write(folder.resolve("a.txt"), content);
        String message = assertThrows(FormatException.class, () -> TextFile.read(file)).getMessage();
        assertTrue(message.startsWith(file.toString()) && message.contains(expected), message);
        assertTrue(message.endsWith("UTF-8"), message);
    }

    @Test
    void endlessLinesAreNamed() {
        String longest = "9".repeat(100_000);
        TextFile.checkLines("x", "");
        TextFile.checkLines("x", longest + "\n" + longest + "\n");
        assertEquals("x, line 3 has 100001 characters, at most 100000 are read: break it",
                assertThrows(FormatException.class, () -> TextFile.checkLines("x", "a\n\n" + longest + "9\nb"))
                        .getMessage());
        assertThrows(FormatException.class, () -> TextFile.checkLines("x", longest + "9"));
    }
}
