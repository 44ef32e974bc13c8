package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pare.data.IdxFiles;
import io.pare.report.EventReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sweeps of runs of a second, in processes that are killed; and what is refused before anything runs. */
@Timeout(value = 1, unit = TimeUnit.HOURS)
class SweepCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> CLOCKS =
            List.of("seconds", "imagesPerSecond", "projectionSeconds", "denseSeconds");
    private static final String RECIPE = """
            name: brief
            model: lenet300
            dense: {epochs: 2, batchSize: 40, shift: 0}
            train: {epochs: 2, batchSize: 40}
            stages:
              - admm-prune: {keep: {ratio: 50, removeDead: false}}
              - mask-retrain: {}
            """;

    @TempDir
    Path folder;

    private Path sweep(String text) throws IOException {
        return Files.writeString(folder.resolve("s.yaml"), text);
    }

    private String data() throws IOException {
        return IdxFiles.folder(folder.resolve("data"), 120, 40).toString();
    }

    /** Three short trainings and one that cannot be. */
    private Path four() throws IOException {
        return sweep("""
                command: train lenet300
                options: {data: '%s', epochs: 3, batch-size: 20}
                list:
                  - {seed: 1}
                  - {seed: 2}
                  - {seed: 3, lr: 0.01}
                  - {seed: 4, lr: 500}
                """.formatted(data()));
    }

    private static String[] words(Path file, Path out, String... more) {
        List<String> words =
                new ArrayList<>(List.of("sweep", file.toString(), "--out", out.toString(), "--threads", "1"));
        words.addAll(List.of(more));
        return words.toArray(String[]::new);
    }

    /** The table without what a clock decides. */
    private static JsonNode table(Path out) throws IOException {
        JsonNode table = JSON.readTree(out.resolve("table.json").toFile());
        for (JsonNode report : table.findValues("report")) {
            ((ObjectNode) report).remove(CLOCKS);
        }
        return table;
    }

    private static Path run(Path out, int number) throws IOException {
        try (Stream<Path> runs = Files.list(out.resolve("runs"))) {
            return runs.filter(run -> run.getFileName().toString().startsWith(String.format("%02d", number)))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    @Tag("process")
    void aSweepThatIsKilledGoesOnToTheSameTableAndTheBitsOfSingleRuns() throws Exception {
        Path file = four();
        Path out = folder.resolve("killed");
        Path events = folder.resolve("events");
        Process process = RunJob.JVM.start(folder.resolve("said"),
                words(file, out, "--jobs", "2", "--tensorboard", events.toString()));
        awaitAny(process, out, "checkpoint.safetensors");
        process.destroyForcibly();
        Jvm.await(process);
        Jvm.Result result = RunJob.JVM.run(words(file, out, "--jobs", "2", "--tensorboard", events.toString()));
        assertEquals(Commands.FAILURE, result.exit(), result.err());
        assertTrue(result.err().contains("2 at a time, 1 thread each") && result.err().contains("pinned"),
                result.err());
        assertTrue(
                result.err().contains("pare: run 4 (seed 4, lr 500) failed with exit code 2: --lr is 500.0, must be"),
                result.err());
        JsonNode runs = table(out).get("runs");
        assertEquals(List.of("done", "done", "done", "failed"), runs.findValuesAsText("state"));
        assertTrue(Files.readString(out.resolve("index.html")).contains("last line of its log"));
        assertEquals(5, Files.readAllLines(out.resolve("table.csv")).size());

        for (String run : List.of("01-seed=1", "02-seed=2", "03-seed=3-lr=0.01")) {
            assertEquals(Set.of(1L, 2L, 3L), EventReader.numbers(events.resolve(run)).get("loss/train").keySet());
        }

        Path alone = folder.resolve("alone");
        assertEquals(Commands.OK,
                RunJob.JVM.run("train", "lenet300", "--data", data(), "--epochs", "3", "--batch-size", "20",
                        "--seed", "1", "--threads", "1", "--out", alone.toString()).exit());
        assertArrayEquals(Files.readAllBytes(alone.resolve("weights.safetensors")),
                Files.readAllBytes(run(out, 1).resolve("out/weights.safetensors")));

        // What has ended well is not run again, and the folder alone gives the same table.
        String log = Files.readString(run(out, 1).resolve("log"));
        JsonNode before = table(out);
        Files.delete(out.resolve("table.json"));
        said(Commands.FAILURE, words(file, out, "--gather"));
        assertEquals(before, table(out));
        assertTrue(said(Commands.OK, words(file, out, "--run", "1")).contains("run 1 (seed 1) has ended well before"));
        assertEquals(log, Files.readString(run(out, 1).resolve("log")));
    }

    /** Waits until a file of that name is somewhere below {@code out}; fails if the process ends before. */
    private static void awaitAny(Process process, Path out, String name) throws Exception {
        while (true) {
            if (Files.isDirectory(out)) {
                try (Stream<Path> files = Files.walk(out)) {
                    if (files.anyMatch(path -> path.getFileName().toString().equals(name))) {
                        return;
                    }
                } catch (UncheckedIOException e) {
                    // A temporary file went away meanwhile.
                }
            }
            assertFalse(process.waitFor(10, TimeUnit.MILLISECONDS), "the sweep has ended");
        }
    }

    @Test
    @Tag("process")
    void aDiskThatFillsEndsASweepInALine() throws Exception {
        Path out = folder.resolve("full");
        // A plan of more than a block of 1,024 bytes.
        Path file = sweep("command: train lenet5\nmatrix: {seed: [1, 2, 3, 4], lr: [1, 2, 3, 4]}");
        Jvm.Result result = RunJob.JVM.runUnder("ulimit -f 1", words(file, out));
        assertEquals(Commands.FAILURE, result.exit());
        List<String> lines = result.err().lines().filter(line -> line.startsWith("pare: ")).toList();
        assertEquals(1, lines.size(), result.err());
        assertTrue(lines.getFirst().startsWith("pare: cannot write " + out.resolve("sweep.json")), result.err());
    }

    @Test
    @Tag("process")
    @Tag("long")
    void aSweepOfTrainingsThatIsKilledAtTenInstantsGivesTheSameTable() throws Exception {
        killedTenTimes(sweep("""
                command: train lenet300
                options: {data: '%s', epochs: 3, batch-size: 20}
                matrix: {seed: [1, 2, 3, 4, 5, 6], lr: [0.001, 0.01]}
                """.formatted(data())), 1);
    }

    @Test
    @Tag("process")
    @Tag("long")
    void aSweepOfCompressionsThatIsKilledAtTenInstantsGivesTheSameTable() throws Exception {
        Path recipe = Files.writeString(folder.resolve("brief.yaml"), RECIPE);
        Path file = sweep("""
                command: compress lenet300
                options: {data: '%s', recipe: '%s'}
                matrix: {seed: [1, 2, 3, 4, 5, 6], no-pack: [true, null]}
                """.formatted(data(), recipe));
        killedTenTimes(file, 2);
    }

    /** Of twelve runs, two at a time. */
    private void killedTenTimes(Path file, long seed) throws Exception {
        Path whole = folder.resolve("whole-" + seed);
        long begin = System.nanoTime();
        assertEquals(Commands.OK,
                RunJob.JVM.start(folder.resolve("said"), words(file, whole, "--jobs", "2")).waitFor());
        long nanos = System.nanoTime() - begin;
        SplittableRandom random = new SplittableRandom(seed);
        Path out = folder.resolve("killed-" + seed);
        for (int kill = 0; kill < 10; kill++) {
            Process process = RunJob.JVM.start(folder.resolve("said"), words(file, out, "--jobs", "2"));
            // Ten parts of a sixth on average: all of the sweep is seen, starts included.
            process.waitFor(random.nextLong(nanos / 3), TimeUnit.NANOSECONDS);
            process.destroyForcibly();
            Jvm.await(process);
        }
        Path said = folder.resolve("said");
        assertEquals(Commands.OK, RunJob.JVM.start(said, words(file, out, "--jobs", "2")).waitFor(),
                Files.readString(said));
        System.out.printf("sweep of 12 runs, killed 10 times: %s%n",
                Files.readString(said).lines().filter(line -> line.contains(" are left")).findFirst().orElseThrow());
        assertEquals(table(whole), table(out));
    }

    @Test
    @Tag("process")
    void aTaskOfSlurmRunsItsRun() throws Exception {
        Path file = four();
        Path out = folder.resolve("a folder's");
        Path script = folder.resolve("job.sh");
        Jvm.Result written = RunJob.JVM.run(words(file, out, "--slurm", script.toString(), "--jobs", "3"));
        assertEquals(Commands.OK, written.exit(), written.err());
        String text = Files.readString(script);
        assertTrue(text.contains("#SBATCH --array=1-4%3\n#SBATCH --cpus-per-task=1\n"), text);
        assertEquals(0, shell(script, "bash", "-n", script.toString()));
        assertEquals(Commands.OK, shell(script, "env", "SLURM_ARRAY_TASK_ID=2", "sh", script.toString()));
        assertEquals(Commands.USAGE, shell(script, "env", "SLURM_ARRAY_TASK_ID=4", "sh", script.toString()));
        said(Commands.FAILURE, words(file, out, "--gather"));
        assertEquals(List.of("unfinished", "done", "unfinished", "failed"),
                table(out).get("runs").findValuesAsText("state"));
    }

    /** As a pod does, which has the file and an empty folder. */
    @Test
    void aTaskBeginsTheSweepWhereNobodyHas() throws Exception {
        Path file = four();
        Path out = folder.resolve("new");
        said(Commands.USAGE, words(file, out, "--run", "4"));
        Files.delete(file);
        said(Commands.USAGE, words(file, out, "--run", "4"));
        assertEquals("pare: --lr is 500.0, must be above 0 and at most 100",
                JSON.readTree(run(out, 4).resolve("ended.json").toFile()).get("line").asText());
        assertEquals(2, Files.readAllLines(run(out, 4).resolve("log")).stream()
                .filter(line -> line.contains(" train lenet300 ")).count());
    }

    private static int shell(Path beside, String... command) throws Exception {
        Path log = beside.resolveSibling("shell.log");
        return Jvm.await(new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start());
    }

    @Test
    void aManifestIsWrittenWithoutAFolder() throws Exception {
        Path out = folder.resolve("none");
        Path job = folder.resolve("job.yaml");
        said(Commands.OK,
                words(sweep("command: train lenet5\nmatrix: {seed: [1, 2], threads: [1, 3]}"), out, "--kubernetes",
                        job.toString(), "--image", "mine:1"));
        String text = Files.readString(job);
        assertTrue(text.contains("image: mine:1") && text.contains("completions: 4") && text.contains("cpu: \"3\""),
                text);
        assertFalse(Files.exists(out));
    }

    @Test
    void whatCannotRunIsRefusedInALineBeforeAnythingRuns() throws Exception {
        Path out = folder.resolve("out");
        String matrix = "\nmatrix: {seed: [1]}";
        refused("s.yaml, run 1 (seed 1): unknown option '--sed=2'; did you mean --seed",
                "command: train lenet5\noptions: {sed: 2}" + matrix, out);
        refused("unknown command 'trian'; did you mean", "command: trian lenet5" + matrix, out);
        refused("run 1 (seed x): Invalid value for option '--seed': 'x' is no whole number",
                "command: train lenet5\nmatrix: {seed: [x]}", out);
        refused("--out is for the sweep to give: leave it out", "command: train lenet5\noptions: {out: a}" + matrix,
                out);
        refused("--report is for the sweep to give", "command: eval a\noptions: {report: a}" + matrix, out);
        refused("a sweep runs no sweeps", "command: sweep a.yaml\nmatrix: {jobs: [1, 2]}", out);
        refused("one argument too many: 'b'", "command: train a b" + matrix, out);
        refused("Missing required option: '--out=FILE'", "command: export a.pare\nmatrix: {as: [onnx]}", out);
        refused("unknown key 'matirx'", "command: train lenet5\nmatirx: {}", out);
        assertFalse(Files.exists(out));
    }

    @Test
    void aFolderOfSomethingElseIsRefused() throws Exception {
        Path other = Files.createDirectory(folder.resolve("other"));
        Files.writeString(other.resolve("thesis.tex"), "");
        refused("other holds other things than a sweep: give another --out",
                "command: train lenet5\nmatrix: {seed: [1]}",
                other);
        Path out = folder.resolve("out");
        Path first = sweep("command: train lenet5\nmatrix: {seed: [1, 2]}");
        said(Commands.OK, words(first, out, "--slurm", folder.resolve("a.sh").toString()));
        refused("belongs to another sweep, whose run 2 is 'pare train lenet5 --seed=2': give another --out",
                "command: train lenet5\nmatrix: {seed: [1, 3]}", out);
        refused("belongs to another sweep, whose runs end with 2",
                "command: train lenet5\nmatrix: {seed: [1, 2, 3]}", out);
        Path same = sweep("command: train lenet5\nmatrix: {seed: [1, 2]}");
        assertTrue(said(Commands.USAGE, "sweep", same.toString(), "--out", out.toString(), "--threads", "2")
                .contains("--threads is 2, but the sweep in " + out + " was begun with 1"));
        assertTrue(said(Commands.USAGE, words(same, out, "--run", "3")).contains("--run is 3, must be from 1 to 2"));
        Files.writeString(out.resolve("sweep.json"), "{\"threads\": 1, \"runs\": [nul");
        assertTrue(said(Commands.USAGE, words(same, out)).contains("sweep.json is damaged"));
        assertTrue(said(Commands.USAGE, words(same, folder.resolve("new"), "--gather"))
                .contains("no sweep was begun there"));
    }

    @Test
    void optionsThatExcludeEachOtherAreRefused() throws Exception {
        Path file = sweep("command: train lenet5\nmatrix: {seed: [1]}");
        Path out = folder.resolve("out");
        assertTrue(said(Commands.USAGE, words(file, out, "--gather", "--run", "1")).contains("exclude each other"));
        assertTrue(said(Commands.USAGE, words(file, out, "--gather", "--tensorboard", "a"))
                .contains("--tensorboard belongs to runs here and to --slurm"));
        assertTrue(said(Commands.USAGE, words(file, out, "--run", "1", "--jobs", "2")).contains("--jobs belongs to"));
        assertTrue(said(Commands.USAGE, words(file, out, "--image", "a")).contains("--image belongs to --kubernetes"));
        assertTrue(
                said(Commands.USAGE, words(file, out, "--jobs", "0")).contains("--jobs is 0, must be from 1 to 1024"));
        assertTrue(
                said(Commands.USAGE, words(folder.resolve("none.yaml"), out)).contains("none.yaml does not exist"));
    }

    private void refused(String said, String text, Path out) throws Exception {
        String err = said(Commands.USAGE, words(sweep(text), out));
        assertTrue(err.contains(said) && err.lines().count() == 1, err);
    }

    /** What a command says on stderr. */
    private static String said(int exit, String... words) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        TerminalWriter writer = TerminalWriter.of(bytes, StandardCharsets.UTF_8);
        int found = Commands.run(TerminalWriter.of(new ByteArrayOutputStream(),
                StandardCharsets.UTF_8), writer, words);
        writer.flush();
        String text = bytes.toString(StandardCharsets.UTF_8);
        assertEquals(exit, found, text);
        return text;
    }
}
