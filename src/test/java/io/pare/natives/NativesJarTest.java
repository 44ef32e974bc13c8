package io.pare.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativesJarTest {
    @TempDir
    Path folder;

    @Test
    void findsALibraryInTheJarsOfTheModulePath() throws IOException {
        Path other = jar("other.jar", "some/thing.txt", "no library");
        Path modules = Files.createDirectory(folder.resolve("a folder of modules"));
        Files.writeString(modules.resolve("notes.txt"), "no jar");
        jar(modules.getFileName() + "/natives 1.jar", "org/x/linux-x86_64/libx.so", "a library");
        String path = String.join(File.pathSeparator, folder.resolve("missing").toString(), other.toString(),
                modules.toString());
        try (InputStream in = NativesJar.open("org/x/linux-x86_64/libx.so", path)) {
            assertEquals("a library", new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
        assertNull(NativesJar.open("org/x/linux-x86_64/liby.so", path));
        assertNull(NativesJar.open("org/x/linux-x86_64/libx.so", ""));
    }

    private Path jar(String name, String entry, String text) throws IOException {
        Path jar = folder.resolve(name);
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new ZipEntry(entry));
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return jar;
    }
}
