package io.pare.cli;

import io.pare.mem.ForkedJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts the command line in a JVM of its own, as a user does. */
final class Jvm {
    private final List<String> command = new ArrayList<>();

    /** What a process left behind. */
    record Result(int exit, String out, String err) {}

    private Jvm(Path java, String... options) {
        command.add(java.toString());
        command.addAll(List.of(options));
    }

    /** The JVM of this test, without the incubator module. */
    static Jvm plain(String... options) {
        return new Jvm(Path.of(System.getProperty("java.home"), "bin", "java"), options);
    }

    static Jvm of(Path java) {
        return new Jvm(java);
    }

    /** Runs to the end. */
    Result run(String... args) throws IOException, InterruptedException {
        return runUnder("", args);
    }

    /** Runs to the end in a shell that runs {@code limits} first. */
    Result runUnder(String limits, String... args) throws IOException, InterruptedException {
        Path out = Files.createTempFile("pare", "out");
        Path err = Files.createTempFile("pare", "err");
        try {
            List<String> all = full(args);
            if (!limits.isEmpty()) {
                all.addAll(0, List.of("/bin/bash", "-c", limits + " && exec \"$@\"", "bash"));
            }
            Process process = new ProcessBuilder(all).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
            int exit = await(process);
            return new Result(exit, Files.readString(out), Files.readString(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** Starts it; what it says goes into {@code log}. */
    Process start(Path log, String... args) throws IOException {
        return new ProcessBuilder(full(args)).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    }

    /** Starts it on a terminal of its own; what is written to the process is typed there. */
    Process startOnTerminal(Path log, String... args) throws IOException {
        StringBuilder line = new StringBuilder("exec");
        for (String word : full(args)) {
            line.append(" '").append(word.replace("'", "'\\''")).append('\'');
        }
        ProcessBuilder script = new ProcessBuilder("script", "-qec", line.toString(), "/dev/null");
        script.environment().put("TERM", "xterm");
        return script.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    }

    /** The exit code, or a failure if the process does not end. */
    static int await(Process process) throws InterruptedException {
        return ForkedJvm.await(process);
    }

    private List<String> full(String... args) {
        List<String> all = new ArrayList<>(command);
        all.add("-cp");
        all.add(System.getProperty("java.class.path"));
        all.add("io.pare.Main");
        all.addAll(List.of(args));
        return all;
    }
}
