package io.pare.mpi;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Programs in several processes of one thread, started by the mpirun that the system has. */
public final class Mpirun {
    private static final String LAUNCHER = "mpirun.openmpi";
    private static final long SECONDS = 120;

    private Mpirun() {}

    /** How a job ended, and what its processes wrote. */
    public record Ended(int code, String out, String err) {}

    /** Skips the test, with a line, where there is no Open MPI. */
    public static void assumed() {
        assumeTrue(onPath(LAUNCHER), "no " + LAUNCHER + " on the PATH: install openmpi-bin");
    }

    /** Whether a program is on the PATH. */
    static boolean onPath(String program) {
        for (String folder : System.getenv("PATH").split(":")) {
            if (Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }

    /** The command that starts a class of the class path of this JVM in so many processes. */
    public static List<String> command(String launcher, int ranks, List<String> options, String type, String... args) {
        List<String> command = new ArrayList<>(List.of(launcher));
        if (launcher.equals(LAUNCHER)) {
            command.addAll(List.of("--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--quiet",
                    "--mca", "mpi_yield_when_idle", "1"));
        }
        command.addAll(List.of("-n", Integer.toString(ranks)));
        command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m",
                "-XX:TieredStopAtLevel=1", "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), type));
        command.addAll(List.of(args));
        return command;
    }

    /** Runs a class in so many processes of Open MPI. */
    public static Ended run(int ranks, String type, String... args) throws IOException, InterruptedException {
        return run(command(LAUNCHER, ranks, List.of(), type, args));
    }

    /** Runs a command to its end. */
    public static Ended run(List<String> command) throws IOException, InterruptedException {
        Path out = Files.createTempFile("mpirun", ".out");
        Path err = Files.createTempFile("mpirun", ".err");
        try {
            Process process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile())
                    .start();
            boolean ended = process.waitFor(SECONDS, TimeUnit.SECONDS);
            process.destroyForcibly();
            String said = Files.readString(err, StandardCharsets.UTF_8);
            assertTrue(ended, "not over after " + SECONDS + " s: " + said);
            return new Ended(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8), said);
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }
}
