package io.pare.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class FileNamesTest {
    @Test
    void aNameThatTheLocaleCannotHoldIsBlamedOnIt() {
        for (String name : new String[]{"Größe", "Gr\ufffd\ufffde"}) {
            assertEquals("", FileNames.hint(name, StandardCharsets.UTF_8));
            assertEquals("; this locale has no letters outside ASCII: set LC_ALL=C.UTF-8",
                    FileNames.hint(name, StandardCharsets.US_ASCII));
        }
        assertEquals("", FileNames.hint("plain.png", StandardCharsets.US_ASCII));
    }
}
