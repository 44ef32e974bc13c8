package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The manual pages are those of the commands, and {@code man} shows them. */
class ManPagesTest {
    private static final String RENEW = "mvn -B -ntp test -Dtest=ManPagesTest -Dpare.test.renew=true";

    @TempDir
    Path folder;

    @Test
    void thePagesAreThoseOfTheCommandTree() throws IOException {
        Map<String, String> pages = ManPages.all();
        assertTrue(pages.containsKey("pare.1") && pages.containsKey("pare-data-mnist.1"), pages.keySet().toString());
        if (Boolean.getBoolean("pare.test.renew")) {
            Files.createDirectories(ManPages.FOLDER);
            for (Map.Entry<String, String> page : pages.entrySet()) {
                Files.writeString(ManPages.FOLDER.resolve(page.getKey()), page.getValue());
            }
        }
        try (Stream<Path> files = Files.list(ManPages.FOLDER)) {
            assertEquals(new TreeSet<>(pages.keySet()), files.map(file -> file.getFileName().toString())
                    .collect(Collectors.toCollection(TreeSet::new)));
        }
        for (Map.Entry<String, String> page : pages.entrySet()) {
            Path file = ManPages.FOLDER.resolve(page.getKey());
            assertEquals(page.getValue(), Files.readString(file), file + " is stale: run " + RENEW + " to renew it");
        }
    }

    @Test
    @Tag("process")
    void manShowsThemWithoutAWarning() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/man")), "no man on this machine");
        for (Map.Entry<String, String> page : ManPages.all().entrySet()) {
            Path file = Files.writeString(folder.resolve(page.getKey()), page.getValue());
            ProcessBuilder builder = new ProcessBuilder("/usr/bin/man", "--warnings", "-l", file.toString())
                    .redirectErrorStream(true);
            builder.environment().putAll(Map.of("LC_ALL", "C.UTF-8", "MANWIDTH", "100", "MANPAGER", "cat"));
            Path log = folder.resolve("log");
            Process process = builder.redirectOutput(log.toFile()).start();
            assertEquals(0, Jvm.await(process), Files.readString(log));
            String shown = Files.readString(log);
            assertTrue(shown.contains("SYNOPSIS") && shown.contains("--help"), shown);
            assertTrue(shown.lines().noneMatch(line -> line.contains("warning") || line.contains("troff")), shown);
        }
    }
}
