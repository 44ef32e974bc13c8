package io.pare.mem;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Runs the {@code main} method of a test class in a JVM of its own, for what may crash one. */
public final class ForkedJvm {
    private static final long PATIENCE_SECONDS = 120;
    /** What decides which kernels run is as in this JVM. */
    private static final List<String> HANDED_ON = List.of("-Dpare.", "-XX:UseAVX", "--add-modules");

    private ForkedJvm() {}

    /** How many JVMs a test starts: {@code -Dpare.test.jvms}, or its own number. */
    public static int count(int usual) {
        return Integer.getInteger("pare.test.jvms", usual);
    }

    /**
     * Runs a class to its end and checks that it exits with 0 and leaves nothing in the folder, such as a crash's log.
     *
     * @param folder empty, where the JVM runs
     * @return what it printed
     */
    public static String run(Path folder, Class<?> main, String... arguments) throws IOException, InterruptedException {
        return run(folder, List.of(), main, arguments);
    }

    /** As {@link #run(Path, Class, String...)}, with options for the JVM. */
    public static String run(Path folder, List<String> options, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        Path log = Files.createTempFile("pare", "log");
        try {
            List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java")
                    .toString(), "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xmx512m",
                    "-XX:-CreateCoredumpOnCrash", "-cp", classPath()));
            ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                    .filter(option -> HANDED_ON.stream().anyMatch(option::startsWith)).forEach(command::add);
            command.addAll(options);
            command.add(main.getName());
            command.addAll(List.of(arguments));
            Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                    .redirectOutput(log.toFile()).start();
            int exit = await(process);
            String printed = Files.readString(log);
            assertEquals(0, exit, printed);
            try (Stream<Path> files = Files.list(folder)) {
                assertEquals(List.of(), files.toList(), printed);
            }
            return printed;
        } finally {
            Files.delete(log);
        }
    }

    /** The exit code, or a failure if the process does not end. */
    public static int await(Process process) throws InterruptedException {
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            throw new AssertionError("still running after " + PATIENCE_SECONDS + " s");
        }
        return process.exitValue();
    }

    /** Entries may be relative to the folder in which this JVM runs. */
    private static String classPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }
}
