package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code pare} and the jar that it starts, in a clone of their own. */
@Tag("process")
class ScriptTest {
    @TempDir
    Path folder;

    private Path clone;
    private Path jar;

    private record Result(int exit, String text) {}

    @BeforeEach
    void make() throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/bin/sh")));
        clone = Files.createDirectories(folder.resolve("a clone"));
        Files.copy(Path.of("pare"), clone.resolve("pare"), StandardCopyOption.COPY_ATTRIBUTES);
        jar = Files.createDirectory(clone.resolve("target")).resolve("engine.jar");
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(Attributes.Name.MAIN_CLASS, "io.pare.Main");
        attributes.put(Attributes.Name.CLASS_PATH,
                Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                        .map(entry -> Path.of(entry).toUri().toString()).collect(Collectors.joining(" ")));
        new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    }

    @Test
    void linksToTheScriptFindTheClone() throws Exception {
        Path elsewhere = Files.createDirectories(folder.resolve("some bin"));
        Path absolute = Files.createSymbolicLink(elsewhere.resolve("plink"), clone.resolve("pare"));
        Path relative = Files.createSymbolicLink(folder.resolve("second"), Path.of("some bin/plink"));
        for (Path started : List.of(clone.resolve("pare"), absolute, relative)) {
            Result result = run(Map.of(), started.toString(), "--version");
            assertEquals(Commands.OK, result.exit(), result.text());
            assertTrue(result.text().startsWith("pare "), result.text());
        }
        assertTrue(run(Map.of(), relative.toString(), "--help").text().contains("(pare stands for: " + relative + ")"));
        assertTrue(run(Map.of(), absolute.toString(), "--help").text()
                .contains("(pare stands for: '" + absolute + "')"));
    }

    @Test
    void namesBeyondAsciiAreFoundInALocaleWithoutThem() throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"));
        for (List<String> start : List.of(List.of(clone.resolve("pare").toString()),
                List.of(java(), "-jar", jar.toString()))) {
            Result found = inspect(start);
            assertEquals(Commands.USAGE, found.exit(), found.text());
            assertTrue(found.text().contains("präz.jpg: neither a .pare nor"), found.text());
        }
        Result one = inspect(List.of(java(), "--add-modules", "jdk.incubator.vector", "-jar", jar.toString()));
        assertEquals(Commands.USAGE, one.exit(), one.text());
        assertTrue(one.text().contains("this locale has no letters outside ASCII: set LC_ALL=C.UTF-8"), one.text());
    }

    /** Looks into a file of a name that the shell makes, for this JVM's own locale may have no such name. */
    private Result inspect(List<String> start) throws Exception {
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c",
                "name=$(printf 'pr\\303\\244z.jpg'); echo none > \"$name\"; exec \"$@\" inspect \"$name\"", "sh"));
        command.addAll(start);
        return run(Map.of("LC_ALL", "C"), command.toArray(new String[0]));
    }

    @Test
    void whoeverReadsLessThanAllEndsTheCommandQuietly() throws Exception {
        for (String asked : List.of("models", "--help", "--version", "train --help")) {
            Process process = new ProcessBuilder("/bin/bash", "-c",
                    "\"$0\" " + asked + " 2> \"$1\" | true; exit ${PIPESTATUS[0]}", clone.resolve("pare").toString(),
                    folder.resolve("err").toString()).start();
            assertEquals(Commands.UNREAD, Jvm.await(process), asked);
            String err = Files.readString(folder.resolve("err"));
            assertTrue(err.lines().allMatch(line -> line.startsWith("WARNING: ")), err);
        }
    }

    @Test
    void oneJvmComputesAndSaysWhatTheUserTyped() throws Exception {
        Result found = run(Map.of("JDK_JAVA_OPTIONS", "-Dpare.native=off"), clone.resolve("pare").toString(), "doctor");
        assertEquals(Commands.OK, found.exit(), found.text());
        assertTrue(found.text().contains("kernels=simd") && found.text().contains("native     off (off)"),
                found.text());
        assertEquals(1, found.text().lines().filter(line -> line.contains("Picked up JDK_JAVA_OPTIONS")).count(),
                found.text());
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private Result run(Map<String, String> environment, String... command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile())
                .redirectErrorStream(true);
        builder.environment().put("JAVA25_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        Path log = Files.createTempFile(folder, "log", "");
        Process process = builder.redirectOutput(log.toFile()).start();
        process.getOutputStream().close();
        int exit = Jvm.await(process);
        return new Result(exit, Files.readString(log));
    }
}
