package io.pare.mpi;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
        List<String> command = new ArrayList<>(launcher.equals(LAUNCHER) ? launcher() : List.of(launcher));
        command.addAll(List.of("-n", Integer.toString(ranks)));
        command.addAll(program(options, System.getProperty("java.class.path"), type, args));
        return command;
    }

    /** Open MPI's launcher on a machine with fewer processors than ranks; its own remarks it keeps to itself. */
    public static List<String> launcher() {
        return List.of(LAUNCHER, "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--quiet", "--mca",
                "mpi_yield_when_idle", "1");
    }

    /** A class in a JVM that soon runs as fast as it will. */
    public static List<String> program(List<String> options, String classPath, String type, String... args) {
        List<String> command =
                new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m", "-XX:TieredStopAtLevel=1", "--add-modules=jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED"));
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, type));
        command.addAll(List.of(args));
        return command;
    }

    /** The process of a rank that a launcher has started; empty before, and after its end. */
    public static Optional<ProcessHandle> rank(Process launcher, int rank) {
        return launcher.descendants().filter(each -> isRank(each.pid(), rank)).findFirst();
    }

    private static boolean isRank(long pid, int rank) {
        try {
            return List
                    .of(Files.readString(Path.of("/proc", Long.toString(pid), "environ"), StandardCharsets.ISO_8859_1)
                            .split("\0"))
                    .contains("OMPI_COMM_WORLD_RANK=" + rank);
        } catch (IOException e) {
            return false;
        }
    }

    /** Runs a class in so many processes of Open MPI. */
    public static Ended run(int ranks, String type, String... args) throws IOException, InterruptedException {
        return run(command(LAUNCHER, ranks, List.of(), type, args));
    }

    /** Runs a command to its end. */
    public static Ended run(List<String> command) throws IOException, InterruptedException {
        return run(command, SECONDS);
    }

    /** Runs a command to its end, which may take so many seconds. */
    public static Ended run(List<String> command, long seconds) throws IOException, InterruptedException {
        Path out = Files.createTempFile("mpirun", ".out");
        Path err = Files.createTempFile("mpirun", ".err");
        try {
            Process process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile())
                    .start();
            boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
            process.destroyForcibly();
            String said = Files.readString(err, StandardCharsets.UTF_8);
            assertTrue(ended, "not over after " + seconds + " s: " + said);
            return new Ended(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8), said);
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }
}
