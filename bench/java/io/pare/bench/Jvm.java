package io.pare.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** JVMs with the options of this one. */
final class Jvm {
    private static final List<String> NEEDED = List.of("--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED");

    private Jvm() {}

    /** The options that this JVM was started with, without those that every benchmark has. */
    static List<String> options() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> !NEEDED.contains(option)).toList();
    }

    /** A command that starts what needs vectors and native code. */
    static ProcessBuilder command(List<String> rest) {
        List<String> all = new ArrayList<>(NEEDED);
        all.addAll(rest);
        return plain(all);
    }

    /** A command that adds nothing but this JVM's options. */
    static ProcessBuilder plain(List<String> rest) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options());
        command.addAll(rest);
        return new ProcessBuilder(command);
    }

    /** What it printed. */
    static String run(ProcessBuilder builder) throws IOException, InterruptedException {
        StringBuilder out = new StringBuilder();
        run(builder, line -> out.append(line).append('\n'));
        return out.toString();
    }

    /**
     * Hands on each line that it prints.
     *
     * @throws IOException if it fails, with what it said of that
     */
    static void run(ProcessBuilder builder, Consumer<String> lines) throws IOException, InterruptedException {
        Path said = Files.createTempFile("bars", ".txt");
        try {
            Process process = builder.redirectError(said.toFile()).start();
            try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
                out.lines().forEach(lines);
            }
            int code = process.waitFor();
            if (code != 0) {
                List<String> errors = Files.readAllLines(said);
                String why = errors.stream().filter(line -> line.startsWith("Exception") || line.startsWith("pare:"))
                        .findFirst().orElse(errors.isEmpty() ? "nothing said" : errors.getLast());
                throw new IOException("exit code " + code + ": " + why);
            }
        } finally {
            Files.delete(said);
        }
    }
}
