package io.pare.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class FileNamesTest {
    @Test
    void aNameThatTheLocaleCannotHoldIsBlamedOnIt() {
        for (String name : new String[]{"Größe", "Gr\ufffd\ufffde", "Gr??e"}) {
            assertEquals("", FileNames.hint(name, StandardCharsets.UTF_8));
            assertTrue(FileNames.hint(name, StandardCharsets.US_ASCII)
                    .contains("encoding, US-ASCII, cannot hold every name: set LC_ALL=C.UTF-8"), name);
        }
        assertEquals("", FileNames.hint("plain.png", StandardCharsets.US_ASCII));
    }
}
