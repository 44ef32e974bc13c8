package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pare.data.IdxFiles;
import io.pare.natives.Natives;
import io.pare.run.RunFolder;
import io.pare.train.Checkpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real processes: what the JVM that a user starts does with its child, with signals and with sudden death. */
@Tag("process")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class LaunchTest {
    private static final String MODULE = "--add-modules=jdk.incubator.vector";
    private static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";

    @TempDir
    Path folder;

    @Test
    void theIncubatorModuleIsThereWithoutTheUserAskingForIt() throws Exception {
        Jvm.Result result = Jvm.plain().run("doctor");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("kernels=simd"), result.out());
        assertTrue(result.out().contains("good"), result.out());
    }

    @Test
    void aContainersProcessorsAreAllThatAreUsed() throws Exception {
        Jvm.Result result = Jvm.plain("-XX:ActiveProcessorCount=1", "-Dpare.native=off").run("doctor");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains(" 1 processors"), result.out());
        assertTrue(result.out().contains("threads    1\n"), result.out());
        Jvm.Result more = Jvm.plain("-XX:ActiveProcessorCount=3", "-Dpare.native=off").run("doctor");
        assertTrue(more.out().contains("threads    3\n"), more.out());
    }

    @Test
    void theUsersOptionsReachTheChild() throws Exception {
        Jvm.Result result = Jvm.plain("--enable-preview", "-Xmx300m", "-Dpare.kernels=scalar", "-Dpare.native=off")
                .run("doctor", "--threads", "1");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("kernels=scalar"), result.out());
        assertTrue(result.out().contains("heap up to 300 MB"), result.out());
        assertTrue(result.out().contains("native     off (off)"), result.out());
    }

    @Test
    void theChildsExitCodeAndStreamsAreTheParents() throws Exception {
        Jvm.Result result = Jvm.plain().run("eval", folder.resolve("none").toString());
        assertEquals(Commands.USAGE, result.exit());
        assertEquals("", result.out());
        assertTrue(result.err().contains("none does not exist"), result.err());
        assertFalse(result.err().contains("\tat "), result.err());
    }

    @Test
    void helpAndVersionNeedNeitherAChildNorTheParser() throws Exception {
        for (String[] args : new String[][]{{}, {"-h"}, {"--help"}, {"help"}, {"-V"}, {"--version"}}) {
            Path classes = folder.resolve("classes");
            Jvm.Result result = Jvm.plain("-Xlog:class+load:file=" + classes).run(args);
            assertEquals(Commands.OK, result.exit());
            assertTrue(result.out().startsWith(List.of(args).toString().matches("\\[(-V|--version)\\]")
                    ? "pare "
                    : "Trains neural networks"), result.out());
            assertEquals("", result.err());
            String loaded = Files.readString(classes);
            assertTrue(loaded.contains("io.pare.cli.Launch "), loaded);
            assertFalse(loaded.contains("picocli.CommandLine "), loaded);
        }
    }

    @Test
    void helpHasColoursWhereTheyAreAskedFor() throws Exception {
        for (String[] args : new String[][]{{"--help"}, {"--debug", "--help"}, {"train", "--help"}}) {
            assertFalse(Jvm.plain().run(args).out().contains("\u001b"));
            assertTrue(Jvm.plain().runUnder("export CLICOLOR_FORCE=1", args).out().contains("\u001b[1mpare"));
            assertFalse(Jvm.plain().runUnder("export CLICOLOR_FORCE=1 NO_COLOR=1", args).out().contains("\u001b"));
        }
    }

    @Test
    void helpThatCannotBeWrittenIsAFailure() throws Exception {
        assumeTrue(Files.exists(Path.of("/dev/full")));
        for (String asked : List.of("--help", "--version")) {
            Jvm.Result result = Jvm.plain().runUnder("exec > /dev/full", asked);
            assertEquals(Commands.FAILURE, result.exit());
            assertTrue(result.err().startsWith("pare: cannot write results to stdout: "), result.err());
        }
    }

    @Test
    void aJvmThatCannotHaveTheModuleIsNotStartedForever() throws Exception {
        Jvm.Result result = Jvm.plain("-D" + Launch.PARENT + "=" + ProcessHandle.current().pid()).run("doctor");
        assertEquals(Commands.FAILURE, result.exit());
        assertTrue(result.err().contains("is missing from this JVM"), result.err());
    }

    @Test
    void withoutTheOptimisingCompilerTheKernelsAreScalarAndSaySo() throws Exception {
        Jvm.Result result = Jvm.plain("-XX:TieredStopAtLevel=1", "-Dpare.native=off").run("doctor");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("kernels=scalar") && result.out().contains("C1 only"), result.out());
    }

    @Test
    void aKernelChoiceThatIsNoneIsAWrongCommandLine() throws Exception {
        Jvm.Result result = Jvm.plain("-Dpare.kernels=fast").run("doctor");
        assertEquals(Commands.USAGE, result.exit());
        assertTrue(result.err().contains("-Dpare.kernels=fast is none of auto, simd, scalar"), result.err());
    }

    @Test
    void anUnknownPlatformComputesInJavaAndForcedFailsInOneLine() throws Exception {
        // This machine's MPI, which doctor asks for its version, is none of that platform.
        Jvm.Result auto = Jvm.plain("-Dos.arch=riscv64", "-Dpare.mpi=off").run("doctor");
        assertEquals(Commands.OK, auto.exit(), auto.err());
        assertTrue(auto.out().contains("native     off (auto), linux-riscv64"), auto.out());
        Jvm.Result forced = Jvm.plain("-Dos.arch=riscv64", "-Dpare.native=on").run("train", "lenet5", "--data",
                data().toString(), "--out", folder.resolve("out").toString());
        assertEquals(Commands.FAILURE, forced.exit());
        assertTrue(forced.err().contains("riscv64"), forced.err());
        assertFalse(forced.err().contains("\tat "), forced.err());
    }

    @Test
    void bf16IsRefusedInOneLineWhereItCannotBeHad() throws Exception {
        String[] line = {"train", "lenet5", "--precision", "bf16", "--data", data().toString(), "--out",
            folder.resolve("out").toString()};
        Jvm.Result off = Jvm.plain("-Dpare.native=off").run(line);
        assertEquals(Commands.USAGE, off.exit(), off.err());
        assertTrue(off.err().contains("pare: --precision bf16 needs the native libraries")
                && off.err().contains("use --precision fp32"), off.err());
        assumeTrue(Natives.status().available());
        for (String isa : List.of("AVX2", "AVX512_CORE")) {
            for (String[] words : List.of(line, new String[]{"compress", "lenet5", "--recipe", "lenet5-caffe-prune",
                "--precision", "bf16", "--out", folder.resolve("out").toString()})) {
                Jvm.Result slow = Jvm.plain().runUnder("export ONEDNN_MAX_CPU_ISA=" + isa, words);
                assertEquals(Commands.USAGE, slow.exit(), slow.err());
                assertTrue(slow.err().contains("pare: --precision bf16 needs a processor with bf16 instructions")
                        && slow.err().contains("use --precision fp32"), slow.err());
            }
        }
        assertFalse(Files.exists(folder.resolve("out")));
    }

    @Test
    void anOldJvmSaysInOneLineWhatItNeeds() throws Exception {
        Path old = Path.of("/usr/lib/jvm/java-17-openjdk-amd64/bin/java");
        assumeTrue(Files.exists(old));
        Jvm.Result result = Jvm.of(old).run("train", "lenet5", "--out", "a b");
        assertEquals(Commands.FAILURE, result.exit());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().startsWith("pare needs JDK 25 or newer, this is Java 17"), result.err());
        assertTrue(result.err().contains("train lenet5 --out 'a b'") || result.err().contains("JAVA25_HOME"),
                result.err());
    }

    @Test
    void sigtermToTheParentSavesAndEndsBoth() throws Exception {
        Running running = endlessRun();
        running.parent().destroy();
        assertEquals(143, Jvm.await(running.parent()), running.text());
        assertFalse(running.child().isAlive());
        assertResumable(running);
    }

    /** What nohup or a script's background starts ignores SIGINT, and so does every process that it starts in turn. */
    private static void assumeInterruptible() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (Files.exists(status)) {
            String ignored = Files.readAllLines(status).stream().filter(line -> line.startsWith("SigIgn:")).findFirst()
                    .orElseThrow().substring("SigIgn:".length()).strip();
            assumeTrue((Long.parseUnsignedLong(ignored, 16) & 2) == 0, "SIGINT is ignored here, as under nohup");
        }
    }

    @Test
    void ctrlCSavesAndSaysHowToGoOn() throws Exception {
        assumeInterruptible();
        Running running = endlessRun();
        new ProcessBuilder("kill", "-INT", Long.toString(running.parent().pid())).start().waitFor();
        assertEquals(130, Jvm.await(running.parent()), running.text());
        assertFalse(running.child().isAlive());
        assertTrue(running.text().contains("go on with: ./mine train --resume " + running.out()), running.text());
        assertResumable(running);
    }

    @Test
    void ctrlCOnATerminalReachesBothAndStillSaves() throws Exception {
        assumeInterruptible();
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")));
        Path out = folder.resolve("typed");
        Path log = folder.resolve("log");
        Process terminal = Jvm.plain().startOnTerminal(log, "train", "lenet300", "--data", data().toString(),
                "--epochs", "100000", "--batch-size", "10", "--threads", "1", "--lr", "0.0001", "--out",
                out.toString());
        await(() -> Files.exists(out.resolve(Checkpoint.FILE)) || !terminal.isAlive(), log);
        terminal.getOutputStream().write(3);
        terminal.getOutputStream().flush();
        assertEquals(130, Jvm.await(terminal), Files.readString(log));
        String text = Files.readString(log);
        assertTrue(text.contains("go on with: java -jar ") && text.contains("train --resume " + out), text);
        assertTrue(text.contains("\r") && text.contains("ETA"), text);
    }

    @Test
    void aParentThatIsKilledOutrightLeavesNoOrphan() throws Exception {
        Running running = endlessRun();
        running.parent().destroyForcibly();
        Jvm.await(running.parent());
        running.child().onExit().get(60, TimeUnit.SECONDS);
        assertResumable(running);
    }

    @Test
    void aRunThatWasKilledGoesOnToTheSameBits() throws Exception {
        String[] settings = {"train", "lenet300", "--data", data().toString(), "--epochs", "12", "--batch-size", "10",
            "--threads", "1", "--lr", "0.0001", "--quiet"};
        Path whole = folder.resolve("whole");
        Jvm.Result result = Jvm.plain(MODULE, NATIVE_ACCESS).run(with(settings, "--out", whole.toString()));
        assertEquals(Commands.OK, result.exit(), result.err());
        Path out = folder.resolve("killed");
        Path log = folder.resolve("log");
        Process process = Jvm.plain(MODULE, NATIVE_ACCESS).start(log, with(settings, "--out", out.toString()));
        assertEquals(0, process.descendants().count());
        Path checkpoint = out.resolve(Checkpoint.FILE);
        await(() -> Files.exists(checkpoint) || !process.isAlive(), log);
        process.destroyForcibly();
        Jvm.await(process);
        Files.deleteIfExists(out.resolve(Checkpoint.WEIGHTS));
        Jvm.Result resumed = Jvm.plain(MODULE, NATIVE_ACCESS).run("train", "--resume", out.toString());
        assertEquals(Commands.OK, resumed.exit(), resumed.err());
        assertArrayEquals(Files.readAllBytes(whole.resolve(Checkpoint.WEIGHTS)),
                Files.readAllBytes(out.resolve(Checkpoint.WEIGHTS)));
    }

    @Test
    void aSecondRunInOneFolderIsRefusedAndTheFirstGoesOn() throws Exception {
        Running running = endlessRun();
        String[] second = {"train", "lenet300", "--data", data().toString(), "--seed", "2", "--out",
            running.out().toString()};
        byte[] settings = Files.readAllBytes(running.out().resolve("run.json"));
        for (String[] line : List.of(second, new String[]{"train", "--resume", running.out().toString()},
                new String[]{"compress", "lenet300", "--recipe", "lenet300-prune", "--data", data().toString(), "--out",
                    running.out().toString()})) {
            Jvm.Result refused = Jvm.plain(MODULE, NATIVE_ACCESS).run(line);
            assertEquals(Commands.FAILURE, refused.exit(), refused.err());
            assertTrue(refused.err().contains("pare: " + running.out() + " is in use by another run (process "
                    + running.child().pid() + ")"), refused.err());
        }
        assertTrue(running.child().isAlive());
        assertEquals(
                new String(settings, StandardCharsets.UTF_8).lines().filter(line -> line.contains("seed")).toList(),
                Files.readAllLines(running.out().resolve("run.json")).stream().filter(line -> line.contains("seed"))
                        .toList());
        running.parent().destroyForcibly();
        Jvm.await(running.parent());
        running.child().onExit().get(60, TimeUnit.SECONDS);
        assertResumable(running);
    }

    /** A parent and its child in the middle of a training that would last for hours. */
    private record Running(Process parent, ProcessHandle child, Path out, Path log) {
        String text() throws IOException {
            return Files.readString(log);
        }
    }

    private Running endlessRun() throws Exception {
        Path out = folder.resolve("endless");
        Path log = folder.resolve("log");
        Process parent = Jvm.plain("-Dpare.command=./mine").start(log, "train", "lenet300", "--data", data().toString(),
                "--epochs", "100000",
                "--batch-size", "10", "--threads", "1", "--lr", "0.0001", "--out", out.toString());
        Path checkpoint = out.resolve(Checkpoint.FILE);
        await(() -> Files.exists(checkpoint) || !parent.isAlive(), log);
        List<ProcessHandle> children = parent.children().toList();
        assertEquals(1, children.size(), Files.readString(log));
        return new Running(parent, children.getFirst(), out, log);
    }

    private void assertResumable(Running running) throws Exception {
        RunFolder kept = new RunFolder(running.out());
        assertTrue(kept.unfinished());
        Path log = folder.resolve("resumed");
        Process resumed = Jvm.plain(MODULE, NATIVE_ACCESS).start(log, "train", "--resume", running.out().toString());
        await(() -> contains(log, " val ") || !resumed.isAlive(), log);
        assertTrue(resumed.isAlive(), Files.readString(log));
        resumed.destroyForcibly();
        Jvm.await(resumed);
    }

    private Path data() throws IOException {
        return IdxFiles.folder(folder.resolve("data"), 240, 40);
    }

    private static String[] with(String[] args, String... more) {
        String[] all = Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        return all;
    }

    private static boolean contains(Path file, String text) {
        try {
            return Files.exists(file) && Files.readString(file).contains(text);
        } catch (IOException e) {
            return false;
        }
    }

    /** Waits for something that another process does; there is no event to wait for, so it looks again and again. */
    private static void await(BooleanSupplier condition, Path log) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, () -> "waited too long; " + log);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }
}
