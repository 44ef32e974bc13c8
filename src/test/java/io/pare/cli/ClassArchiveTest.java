package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pare.mem.ForkedJvm;
import io.pare.natives.Natives;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The JVM's archive of classes: made once, whole, replaced with its jar, and never in the way. */
@Tag("process")
class ClassArchiveTest {
    private static final String SHARED = "shared objects file (top)";

    @TempDir
    private Path folder;

    private String before;

    @BeforeEach
    void ownCache() {
        assumeTrue(Files.isDirectory(Path.of("/proc/self")), "this system does not tell whose a folder is");
        before = System.getProperty(Natives.CACHE_PROPERTY);
        System.setProperty(Natives.CACHE_PROPERTY, cache().toString());
    }

    @AfterEach
    void usualCache() {
        if (before == null) {
            System.clearProperty(Natives.CACHE_PROPERTY);
        } else {
            System.setProperty(Natives.CACHE_PROPERTY, before);
        }
    }

    private Path cache() {
        return folder.resolve("cache");
    }

    private List<String> archives() throws IOException {
        try (Stream<Path> files = Files.list(cache().resolve("classes"))) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private Path jar(String content) throws IOException {
        return Files.writeString(folder.resolve("some.jar"), content);
    }

    private static Optional<ClassArchive> archive(Path jar, String... args) {
        return ClassArchive.of(List.of("-Xmx1g"), jar.toString(), args);
    }

    /** Does as the JVM that is asked for an archive, and as the launcher after it. */
    private static void make(ClassArchive archive, boolean complete) throws IOException {
        String option = archive.options().stream().filter(o -> o.startsWith("-XX:ArchiveClassesAtExit=")).findAny()
                .orElseThrow();
        Files.writeString(Path.of(option.substring(option.indexOf('=') + 1)), "classes");
        archive.keep(complete);
    }

    private static boolean reads(ClassArchive archive) {
        return archive.options().stream().anyMatch(option -> option.startsWith("-XX:SharedArchiveFile="));
    }

    @Test
    void aTrainingMakesItAndAllCommandsReadIt() throws IOException {
        Path jar = jar("one");
        assertEquals(Optional.empty(), archive(jar, "models"));
        assertFalse(Files.exists(cache()), "a command that makes none leaves no folder");
        make(archive(jar, "train", "lenet5").orElseThrow(), true);
        assertTrue(reads(archive(jar, "models").orElseThrow()));
        assertTrue(reads(archive(jar, "train").orElseThrow()));
        assertEquals(1, archives().size());
    }

    @Test
    void anotherJarMakesAnotherInItsPlace() throws IOException {
        make(archive(jar("one"), "train").orElseThrow(), true);
        List<String> first = archives();
        make(archive(jar("three"), "compress").orElseThrow(), true);
        assertEquals(1, archives().size());
        assertFalse(first.equals(archives()), "the same name for another jar");
    }

    @Test
    void aRunThatFailsLeavesNone() throws IOException {
        make(archive(jar("one"), "train").orElseThrow(), false);
        assertEquals(List.of(), archives());
    }

    @Test
    void thereIsNoneForFoldersOrAgainstTheUsersChoiceOrWhereOthersMayWrite() throws IOException {
        Path jar = jar("one");
        assertEquals(Optional.empty(), archive(folder, "train"));
        assertEquals(Optional.empty(), ClassArchive.of(List.of("-Xshare:off"), jar.toString(), "train"));
        Files.createDirectories(cache());
        Files.setPosixFilePermissions(cache(), PosixFilePermissions.fromString("rwxrwxrwx"));
        assertEquals(Optional.empty(), archive(jar, "train"));
    }

    @Test
    void theJvmReadsWhatItMadeAndGoesOnWhereThatIsDamaged() throws Exception {
        String classPath = jars();
        String expected = train(classPath);
        assertEquals(1, archives().size());
        assertEquals(expected, train(classPath));
        assertTrue(Files.readString(folder.resolve("loaded")).contains(SHARED));
        Path archive = cache().resolve("classes").resolve(archives().getFirst());
        byte[] bytes = Files.readAllBytes(archive);
        for (int i = bytes.length / 2; i < bytes.length / 2 + 1000; i++) {
            bytes[i] ^= 0x55;
        }
        Files.write(archive, bytes);
        assertEquals(expected, train(classPath));
        assertFalse(Files.readString(folder.resolve("loaded")).contains(SHARED));
    }

    /** Trains a little, and returns all that it says but times and paths. */
    private String train(String classPath) throws IOException, InterruptedException {
        Path out = Files.createTempDirectory(folder, "run");
        List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dpare.cache=" + cache(), "-Dpare.native=off",
                "-Xlog:class+load:file=" + folder.resolve("loaded") + ":none", "-cp", classPath, "io.pare.Main",
                "train", "lenet5", "--data", "synthetic", "--images", "128", "--epochs", "1", "--out", out.toString()));
        Path log = folder.resolve("log");
        Process process = new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(log.toFile()).start();
        assertEquals(Commands.OK, ForkedJvm.await(process), Files.readString(log));
        return Files.readAllLines(log).stream().filter(text -> !text.matches(".*(second|epoch|img).*"))
                .map(text -> text.replace(out.toString(), "OUT")).collect(Collectors.joining("\n"));
    }

    /** The class path of this test, whose folders are put in jars: the JVM archives nothing of folders. */
    private String jars() throws IOException {
        List<String> entries = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path path = Path.of(entry);
            if (Files.isDirectory(path) && Files.exists(path.resolve("io/pare/Main.class"))) {
                Path jar = folder.resolve("pare.jar");
                try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                        Stream<Path> files = Files.walk(path)) {
                    for (Path file : files.filter(Files::isRegularFile).toList()) {
                        out.putNextEntry(new JarEntry(path.relativize(file).toString()));
                        Files.copy(file, out);
                    }
                }
                entries.add(jar.toString());
            } else if (Files.isRegularFile(path)) {
                entries.add(path.toAbsolutePath().toString());
            }
        }
        assertTrue(entries.contains(folder.resolve("pare.jar").toString()), "no classes");
        return String.join(File.pathSeparator, entries);
    }
}
