package io.pare.format;

import io.pare.file.FormatException;
import io.pare.fuzz.Fuzz;
import io.pare.fuzz.Mutations;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged maps of names. */
class NamesFuzzTest {
    private static final String MAP = "# names\nfc1.bias = größe\nconv1.weight:\\u0061\\\n  b\nfc2.weight=x\n";

    @TempDir
    Path folder;

    private void read(byte[] input) throws IOException {
        NetworkFile.readNames(Files.write(folder.resolve("names"), input));
    }

    private Fuzz fuzz() {
        return Fuzz.of("names", Mutations.of(List.of(MAP.getBytes(StandardCharsets.UTF_8))).withWords("\\u", "\\uD800",
                "\ufeff", "=", "\\\n", "#"), this::read, FormatException.class);
    }

    @Test
    void damagedMapsAreReadOrRefused() {
        fuzz().run(3000);
    }

    @Test
    @Tag("long")
    void manyDamagedMapsAreReadOrRefused() {
        fuzz().runLong();
    }
}
