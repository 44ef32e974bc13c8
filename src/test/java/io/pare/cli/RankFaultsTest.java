package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.data.IdxFiles;
import io.pare.format.NetworkFile;
import io.pare.mpi.Mpirun;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs of several ranks of which one is killed, differs from the others, or cannot write: the job is over soon, says why in
 * one line, and goes on from whole files.
 *
 * <p>The long form kills a rank at {@code -Dpare.test.kills=N} random instants.
 */
@Tag("process")
@Timeout(value = 3, unit = TimeUnit.HOURS)
class RankFaultsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MAIN = "io.pare.Main";
    private static final List<String> SCALAR = List.of("-Dpare.native=off", "-Dpare.kernels=scalar");
    private static final String CUT_OFF =
            "pare: told to end while waiting for other ranks, as where one of them is gone; ";
    private static final long BAR_SECONDS = 30;
    private static final int MANY_EPOCHS = 100;
    private static final FileTime NEVER = FileTime.fromMillis(0);

    @TempDir
    Path folder;

    private Path data;
    private Path model;
    private Path temporary;

    @BeforeEach
    void thereIsMpi() throws IOException {
        Mpirun.assumed();
        temporary = Files.createDirectory(folder.resolve("tmp"));
        data = IdxFiles.folder(folder.resolve("data"), 120, 40);
        model = folder.resolve("own.onnx");
        Net net = new NetBuilder("mlp", Shape.of(784)).linear("a", 30).relu("relu").linear("b", 10).build();
        NetworkFile.write(model, PrunedNets.of(net, Map.of(), 0, 0, 5), NetworkFile.Kind.ONNX);
    }

    private List<String> fresh(Path out, int epochs) {
        return List.of("train", model.toString(), "--data", data.toString(), "--epochs", Integer.toString(epochs),
                "--batch-size",
                "20", "--threads", "1", "--lr", "0.0001", "--deterministic", "--quiet", "--out", out.toString());
    }

    private static List<String> resumed(Path out) {
        return List.of("train", "--deterministic", "--quiet", "--resume", out.toString());
    }

    private List<String> program(String classPath, List<String> words) {
        List<String> options = new ArrayList<>(SCALAR);
        options.add("-Djava.io.tmpdir=" + temporary);
        return Mpirun.program(options, classPath, MAIN, words.toArray(String[]::new));
    }

    private List<String> ranks(int count, List<String> words) {
        List<String> command = new ArrayList<>(Mpirun.launcher());
        command.addAll(List.of("-n", Integer.toString(count)));
        command.addAll(program(System.getProperty("java.class.path"), words));
        return command;
    }

    /** Two ranks that are not started alike. */
    private static List<String> unlike(List<String> first, List<String> second) {
        List<String> command = new ArrayList<>(Mpirun.launcher());
        // Memory that ranks share would count as a file.
        command.addAll(List.of("--mca", "btl", "self,tcp", "-n", "1"));
        command.addAll(first);
        command.addAll(List.of(":", "-n", "1"));
        command.addAll(second);
        return command;
    }

    private static List<String> said(String err) {
        return err.lines().filter(line -> line.startsWith("pare: ")).toList();
    }

    private static void assertOver(int code, Mpirun.Ended ended) {
        assertEquals(code, ended.code(), ended.err());
        assertEquals(1, said(ended.err()).size(), ended.err());
    }

    @Test
    void aRankThatIsKilledEndsTheJobWhichGoesOnWithAnyNumberOfRanks() throws Exception {
        Path whole = folder.resolve("whole");
        assertEquals(Commands.OK, Mpirun.run(ranks(2, fresh(whole, 12))).code());
        Path out = Files.createDirectory(folder.resolve("killed"));
        Path err = folder.resolve("err");
        Process job = start(ranks(2, fresh(out, 12)), err);
        assertTrue(awaitSaved(job, out, NEVER), "no epoch was saved");
        assertTrue(kill(job, 1), "the job is over");
        assertTrue(job.waitFor(BAR_SECONDS, TimeUnit.SECONDS), "the job goes on");
        assertFalse(job.exitValue() == Commands.OK, "the job ended well");
        assertEquals(List.of(CUT_OFF + "--resume and the folder go on from the last checkpoint"),
                said(Files.readString(err)));
        RunJob.assertNoHalfFile(out, "killed");
        assertEquals(1, foldersOfRanks(), "a rank that is killed leaves its folder");
        Path alone = copy(out, "alone");
        assertEquals(Commands.OK, Mpirun.run(ranks(2, resumed(out))).code());
        assertSameBits(whole, out, "resumed");
        assertEquals(0, foldersOfRanks(), "the next start deletes what killed ranks left");
        Jvm.Result one = RunJob.JVM.run(resumed(alone).toArray(String[]::new));
        assertEquals(Commands.OK, one.exit(), one.err());
        assertNearHistory(whole, alone, "resumed by one process");
    }

    private long foldersOfRanks() throws IOException {
        try (Stream<Path> files = Files.list(temporary)) {
            return files.filter(file -> file.getFileName().toString().startsWith("pare-rank")).count();
        }
    }

    @Test
    void ranksWithOtherDataAreRefusedInOneLine() throws Exception {
        String here = System.getProperty("java.class.path");
        Path other = IdxFiles.folder(folder.resolve("other"), 121, 40);
        List<String> odd = new ArrayList<>(fresh(folder.resolve("out"), 1));
        odd.set(3, other.toString());
        Mpirun.Ended ended = Mpirun.run(unlike(program(here, fresh(folder.resolve("out"), 1)), program(here, odd)));
        assertOver(Commands.USAGE, ended);
        assertTrue(said(ended.err()).getFirst().startsWith("pare: rank 1 differs from rank 0 in its training data"),
                ended.err());
    }

    @Test
    void ranksOfOtherVersionsAreRefusedInOneLine() throws Exception {
        String here = System.getProperty("java.class.path");
        Path names = Files.createDirectories(folder.resolve("classes/io/pare"));
        Files.writeString(names.resolve("build.properties"), "commit=abc\n");
        List<String> words = fresh(folder.resolve("out"), 1);
        Mpirun.Ended ended =
                Mpirun.run(unlike(program(here, words), program(folder.resolve("classes") + ":" + here, words)));
        assertOver(Commands.USAGE, ended);
        assertTrue(
                said(ended.err()).getFirst().startsWith("pare: rank 1 differs from rank 0 in its version of pare: '"),
                ended.err());
        assertTrue(ended.err().contains("commit abc', not '"), ended.err());
    }

    @Test
    void aDiskThatIsFullEndsAllRanksInOneLine() throws Exception {
        List<String> program = program(System.getProperty("java.class.path"), fresh(folder.resolve("out"), 4));
        List<String> bounded = new ArrayList<>(List.of("/bin/bash", "-c", "ulimit -f 150 && exec \"$@\"", "bash"));
        bounded.addAll(program);
        Mpirun.Ended ended = Mpirun.run(unlike(bounded, program));
        assertOver(Commands.FAILURE, ended);
        assertTrue(said(ended.err()).getFirst().startsWith("pare: cannot write " + folder.resolve("out")), ended.err());
        RunJob.assertNoHalfFile(folder.resolve("out"), "full");
    }

    @Test
    @Tag("long")
    void ranksThatAreKilledAtManyInstantsLoseNothing() throws Exception {
        int kills = Integer.getInteger("pare.test.kills", 50);
        SplittableRandom random = new SplittableRandom(1);
        Path whole = Files.createDirectory(folder.resolve("whole"));
        Process measured = start(command(whole), folder.resolve("err"));
        assertTrue(awaitSaved(measured, whole, NEVER));
        long begin = System.nanoTime();
        assertEquals(Commands.OK, Jvm.await(measured));
        long training = System.nanoTime() - begin;
        int done = 0;
        int saved = 0;
        double longest = 0;
        for (int i = 0; done < kills; i++) {
            Path out = Files.createDirectory(folder.resolve("out-" + i));
            // Every third run is killed again while it goes on.
            for (int times = i % 3 == 0 ? 2 : 1; times > 0 && done < kills; times--) {
                Path err = folder.resolve("err");
                FileTime before = saved(out);
                Process job = start(command(out), err);
                // One in five falls into the start of the ranks, the others into the time in which they train.
                if (random.nextInt(5) > 0) {
                    awaitSaved(job, out, before);
                }
                job.waitFor(random.nextLong(training), TimeUnit.NANOSECONDS);
                int rank = random.nextInt(2);
                long from = System.nanoTime();
                if (!kill(job, rank)) {
                    assertEquals(Commands.OK, Jvm.await(job), Files.readString(err));
                    break;
                }
                assertTrue(job.waitFor(BAR_SECONDS, TimeUnit.SECONDS), "kill " + done + ": the job goes on");
                longest = Math.max(longest, (System.nanoTime() - from) / 1e9);
                RunJob.assertNoHalfFile(out, "kill " + done + " of rank " + rank);
                assertTrue(said(Files.readString(err)).size() <= 1, Files.readString(err));
                saved += saved(out).equals(before) ? 0 : 1;
                done++;
            }
            if (!Files.exists(out.resolve("weights.safetensors"))) {
                Mpirun.Ended ended = Mpirun.run(command(out));
                assertEquals(Commands.OK, ended.code(), ended.err());
            }
            assertSameBits(whole, out, "run " + i);
        }
        System.out.printf(
                "%d kills of a rank, %d of them in runs that had saved an epoch, over within %.1f s, all with the same"
                        + " bits%n",
                done, saved, longest);
    }

    /** Goes on where there is something to go on from. */
    private List<String> command(Path out) {
        return ranks(2, saved(out).equals(NEVER) ? fresh(out, MANY_EPOCHS) : resumed(out));
    }

    private static FileTime saved(Path out) {
        try {
            return Files.getLastModifiedTime(out.resolve("checkpoint.safetensors"));
        } catch (IOException e) {
            return NEVER;
        }
    }

    /** Waits until a run has saved once more, or is over; says whether it has saved. */
    private static boolean awaitSaved(Process job, Path out, FileTime before) throws InterruptedException {
        while (saved(out).equals(before)) {
            if (job.waitFor(5, TimeUnit.MILLISECONDS)) {
                return !saved(out).equals(before);
            }
        }
        return true;
    }

    private Process start(List<String> command, Path err) throws IOException {
        return new ProcessBuilder(command).redirectOutput(folder.resolve("said").toFile()).redirectError(err.toFile())
                .start();
    }

    /** Kills a rank, if there is one still. */
    private static boolean kill(Process job, int rank) {
        return Mpirun.rank(job, rank).map(ProcessHandle::destroyForcibly).orElse(false);
    }

    private Path copy(Path from, String name) throws IOException {
        Path to = Files.createDirectory(folder.resolve(name));
        for (String file : List.of("run.json", "checkpoint.safetensors")) {
            Files.copy(from.resolve(file), to.resolve(file));
        }
        return to;
    }

    private static JsonNode history(Path out) throws IOException {
        return JSON.readTree(out.resolve("run.json").toFile()).get("history");
    }

    private static void assertSameBits(Path wanted, Path out, String what) throws IOException {
        assertArrayEquals(Files.readAllBytes(wanted.resolve("weights.safetensors")),
                Files.readAllBytes(out.resolve("weights.safetensors")), what);
        assertEquals(history(wanted), history(out), what);
        try (Stream<Path> files = Files.list(out)) {
            assertEquals(List.of(), files.filter(file -> file.toString().endsWith(".tmp")).toList(), what);
        }
    }

    /** Sums are rounded otherwise, so losses are the same in their first digits. */
    private static void assertNearHistory(Path wanted, Path out, String what) throws IOException {
        List<Double> expected = losses(wanted);
        List<Double> found = losses(out);
        assertEquals(expected.size(), found.size(), what);
        for (int i = 0; i < found.size(); i++) {
            assertEquals(expected.get(i), found.get(i), 1e-3 * expected.get(i), what + ", epoch " + i);
        }
    }

    private static List<Double> losses(Path out) throws IOException {
        return history(out).findValues("trainLoss").stream().map(JsonNode::asDouble).toList();
    }
}
