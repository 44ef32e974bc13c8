package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.Pare;
import io.pare.data.IdxFiles;
import io.pare.format.NetworkFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Compression and the sensitivity scan from the command line, on little data. */
class CompressCommandTest {
    private static final String RECIPE = """
            name: small
            model: lenet300
            description: Every part of the way, briefly.
            dense: {epochs: 1, batchSize: 20, shift: 0}
            train: {epochs: 1, batchSize: 20, distill: 0.5}
            stages:
              - admm-prune: {keep: {ratio: 50}, ramp: 0.5, admm: {updatesPerEpoch: 2}}
              - mask-retrain
              - admm-cluster: {bits: {"*": 2}, snap: false}
              - quantize-retrain: {rounds: 1}
              - cluster-retrain
            """;

    @TempDir
    private Path folder;
    private Path data;
    private Path recipe;

    private record Result(int exit, String out, String err) {}

    @BeforeEach
    void files() throws IOException {
        data = IdxFiles.folder(folder.resolve("data"), 240, 40);
        recipe = Files.writeString(folder.resolve("small.yaml"), RECIPE);
    }

    private static Result run(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> words = new ArrayList<>();
        for (Object arg : args) {
            words.add(arg.toString());
        }
        int exit = Commands.line().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true))
                .execute(words.toArray(String[]::new));
        return new Result(exit, out.toString(), err.toString());
    }

    @Test
    void aMemoryLimitThatIsTooSmallNamesTheOneThatIsNeeded() throws IOException {
        Path usual = folder.resolve("usual");
        Object[] line = {"compress", "lenet300", "--recipe", recipe, "--data", data, "--threads", 1, "--quiet"};
        Result whole = run(with(line, "--out", usual, "--admm-file", folder.resolve("z-and-u")));
        assertEquals(Commands.OK, whole.exit(), whole.err());
        assertTrue(Files.notExists(folder.resolve("z-and-u")));
        Path roomy = folder.resolve("roomy");
        assertEquals(Commands.OK, run(with(line, "--out", roomy, "--memory-limit", "2G")).exit());
        assertEquals(-1, Files.mismatch(usual.resolve("lenet300.pare"), roomy.resolve("lenet300.pare")),
                "neither a file for Z and U nor a limit that is kept changes a bit");
        Result refused = run(with(line, "--out", folder.resolve("none"), "--memory-limit", "100M"));
        assertEquals(Commands.USAGE, refused.exit(), refused.err());
        assertEquals(1, refused.err().lines().filter(text -> !text.isBlank()).count(), refused.err());
        assertTrue(refused.err().contains("--memory-limit 100M does not hold lenet300, batch 20"), refused.err());
        String needed = refused.err().strip().replaceAll("(?s).*give at least --memory-limit (\\w+).*", "$1");
        Path tight = folder.resolve("tight");
        Result fitted = run("compress", "lenet300", "--recipe", recipe, "--data", data, "--threads", 1, "--out", tight,
                "--memory-limit", needed);
        assertEquals(Commands.OK, fitted.exit(), fitted.err());
        assertTrue(fitted.err().contains("memory: " + needed + " of " + needed + " planned: batches of 20 in "),
                fitted.err());
        assertTrue(Files.exists(tight.resolve("lenet300.pare")) && Files.notExists(tight.resolve("admm.tmp")));
    }

    private static Object[] with(Object[] line, Object... more) {
        return Stream.concat(Stream.of(line), Stream.of(more)).toArray();
    }

    @Test
    void aRecipeLeavesWeightsFileReportAndPage() throws IOException {
        Path out = folder.resolve("out");
        Path report = folder.resolve("report.json");
        Result result = run("compress", "lenet300", "--recipe", recipe, "--data", data, "--out", out, "--report",
                report, "--threads", 1);
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("this run, small"), result.out());
        JsonNode json = new ObjectMapper().readTree(report.toFile());
        for (String name : List.of("pruningRatio", "nonzeros", "totalWeights", "weightDataBytes", "weightDataRatio",
                "bytesWithIndex", "ratioWithIndex", "testAccuracy", "denseTestAccuracy", "seconds",
                "projectionSeconds")) {
            assertTrue(json.path(name).isNumber(), name + " in " + json.path(name));
        }
        assertEquals(266_200, json.path("totalWeights").asLong());
        assertTrue(json.path("nonzeros").asLong() <= 5324 && json.path("nonzeros").asLong() > 4000);
        assertEquals(3, json.path("layers").size());
        for (JsonNode layer : json.path("layers")) {
            assertTrue(layer.path("unique").asInt() <= 4, layer.toString());
        }
        assertEquals(Files.size(out.resolve("lenet300.pare")), json.path("bytesWithIndex").asLong());
        assertEquals(5, json.path("stages").size());
        assertTrue(json.path("proofs").size() >= 4);
        assertTrue(Files.readString(out.resolve("report.html")).contains("<svg"));

        assertTrue(json.path("packing").size() >= 4 && result.out().contains("packed: units sorted"), result.out());
        Result unpacked = run("compress", "lenet300", "--recipe", recipe, "--data", data, "--out", out, "--threads", 1,
                "--no-pack", "--quiet");
        assertEquals(Commands.OK, unpacked.exit(), unpacked.err());
        assertTrue(Files.size(out.resolve("lenet300.pare")) > json.path("bytesWithIndex").asLong());
        assertEquals(Commands.OK, run("compress", "lenet300", "--recipe", recipe, "--data", data, "--out", out,
                "--threads", 1, "--quiet").exit());
        assertEquals(Files.size(out.resolve("lenet300.pare")), json.path("bytesWithIndex").asLong());
        for (String file : List.of("lenet300.pare", "weights.safetensors")) {
            assertTrue(run("eval", out.resolve(file), "--data", data, "--threads", 1, "--engine", "dense").out()
                    .contains(String.format("%.4f", json.path("testAccuracy").asDouble())), file);
        }

        Result eval = run("eval", out.resolve("weights.safetensors"), "--data", data, "--threads", 1);
        assertTrue(eval.out().contains(String.format("%.4f", json.path("testAccuracy").asDouble())), eval.out());

        Result again = run("compress", "lenet300", "--recipe", recipe, "--data", data, "--out", out, "--threads", 1);
        assertEquals(Commands.OK, again.exit(), again.err());
        assertTrue(!again.err().contains("stage 1"), "a finished run is not run again: " + again.err());
    }

    private static final String BRIEF = """
            name: brief
            model: lenet300
            dense: {epochs: %d, batchSize: 40, shift: 0}
            train: {epochs: 1, batchSize: 40}
            stages:
              - admm-prune: {keep: {ratio: 20}}
              - mask-retrain
            """;

    @Test
    void aRunGoesOnOnlyWithWhatItWasBegunWith() throws IOException {
        Path out = folder.resolve("out");
        Path one = Files.writeString(folder.resolve("one.yaml"), BRIEF.formatted(1));
        Path other = IdxFiles.folder(folder.resolve("other"), 200, 40);
        Object[] line = {"compress", "lenet300", "--out", out, "--threads", 1, "--quiet", "--no-pack"};
        Object[] same = with(line, "--recipe", one, "--data", data);
        assertEquals(Commands.OK, run(same).exit());
        Path state = out.resolve("state.safetensors");
        // As if it had been killed between the dense network and the first state.
        Path kept = Files.move(state, folder.resolve("kept"));
        Path dense = out.resolve("dense.safetensors");
        assertRefused("dense.safetensors was begun with --seed 1, not with --seed 2", with(same, "--seed", 2));
        assertRefused("dense.safetensors was begun with data 240 images ",
                with(line, "--recipe", one, "--data", other));
        assertRefused("dense.safetensors was begun with --steps 0, not with --steps 1", with(same, "--steps", 1));
        assertRefused("dense.safetensors was begun with scale of pixels ", with(same, "--scale", "unit"));
        Path two = Files.writeString(folder.resolve("two.yaml"), BRIEF.formatted(2));
        assertRefused("dense.safetensors was begun with another 'dense:' of its recipe, not with this one",
                with(line, "--recipe", two, "--data", data));
        Files.move(kept, state);
        Path copy = Files.copy(dense, folder.resolve("copy.safetensors"));
        assertEquals(Commands.OK, run(with(same, "--from", copy)).exit(), "the same weights from elsewhere");
        Path trained = folder.resolve("trained");
        assertEquals(Commands.OK, run("train", "lenet300", "--from", dense, "--data", data, "--epochs", 1,
                "--batch-size", 40, "--threads", 1, "--quiet", "--out", trained).exit());
        assertRefused("state.safetensors was begun with starting weights ", with(same, "--from", trained));
        assertRefused("state.safetensors was begun with --seed 1, not with --seed 2",
                with(same, "--from", copy, "--seed", 2));
        Path shorter = Files.writeString(folder.resolve("shorter.yaml"),
                BRIEF.formatted(1).replace("ratio: 20", "ratio: 21"));
        assertRefused("state.safetensors was begun with another stage 1 than 'brief' has",
                with(line, "--recipe", shorter, "--data", data));
        assertEquals(Commands.OK, run(with(same, "--seed", 2, "--anew")).exit());
        assertRefused("dense.safetensors was begun with --seed 2, not with --seed 1", same);
    }

    private static void assertRefused(String why, Object... line) {
        Result result = run(line);
        assertEquals(Commands.USAGE, result.exit(), result.err());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains(why) && result.err().contains("another --out"), result.err());
    }

    @Test
    void aRehearsalRunsEveryStageForAFewSteps() throws IOException {
        Path report = folder.resolve("rehearsal.json");
        Result result = run("compress", "lenet300", "--recipe", recipe, "--data", "synthetic", "--images", 300,
                "--steps", 2, "--threads", 1, "--provenance",
                "--out", folder.resolve("rehearsal"), "--report", report);
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("a rehearsal: 2 steps") && result.out().contains("synthetic"), result.out());
        assertTrue(result.out().contains("read back: the same weights"), result.out());
        String inspected = run("inspect", folder.resolve("rehearsal").resolve("lenet300.pare")).out();
        assertTrue(inspected.contains("pare       " + Pare.version()) && inspected.contains("recipe     small")
                && inspected.contains("data       synthetic") && inspected.contains("seed       1")
                && inspected.contains("validation 0.") && inspected.contains("test       0."), inspected);
        JsonNode json = new ObjectMapper().readTree(report.toFile());
        assertEquals(2, json.path("rehearsalSteps").asInt());
        assertEquals(5, json.path("stages").size());
        for (JsonNode proof : json.path("proofs")) {
            assertTrue(proof.path("holds").asBoolean(), proof.toString());
        }
        assertTrue(json.path("nonzeros").asLong() <= 266_200 / 50);
    }

    @Test
    void aNetworkThatDiesFailsWithWhatThereIsAndARehearsalSaysSo() throws IOException {
        Files.writeString(recipe, """
                name: thin
                dense: {epochs: 1, batchSize: 20}
                train: {epochs: 1, batchSize: 20}
                stages: [admm-prune: {keep: {layers: {"*": 1}}}]
                """);
        Path out = folder.resolve("out");
        Object[] line = {"compress", "lenet300", "--recipe", recipe, "--data", data, "--threads", 1, "--quiet"};
        Result failed = run(with(line, "--out", out));
        assertEquals(Commands.FAILURE, failed.exit(), failed.err());
        assertEquals(1, failed.err().lines().count(), failed.err());
        assertTrue(failed.err().contains("the network died in stage 1 (admm-prune): nothing passes fc"), failed.err());
        assertTrue(failed.err().contains("its weights are in " + out.resolve("weights.safetensors")), failed.err());
        assertTrue(run("inspect", out.resolve("weights.safetensors")).out().contains("fc3"));
        Path report = folder.resolve("report.json");
        Result rehearsed = run(with(line, "--out", folder.resolve("short"), "--steps", 2, "--report", report));
        assertEquals(Commands.OK, rehearsed.exit(), rehearsed.err());
        String died = "the network died in stage 1 (admm-prune): nothing passes fc";
        assertTrue(rehearsed.err().contains(died) && rehearsed.err().contains("the file is not representative"),
                rehearsed.err());
        assertTrue(rehearsed.out().contains(died), rehearsed.out());
        JsonNode json = new ObjectMapper().readTree(report.toFile());
        assertTrue(json.path("died").asText().startsWith(died), json.toPrettyString());
        assertEquals(3, json.path("nonzeros").asInt(), "what was to be kept is");
    }

    @Test
    void aNetworkThatOnlyGuessesIsWarnedAbout() throws IOException {
        Files.writeString(recipe, """
                name: guess
                dense: {epochs: 1, batchSize: 20, learningRate: 1.0e-30}
                train: {epochs: 1, batchSize: 20, learningRate: 1.0e-30}
                stages: [admm-prune: {keep: {layers: {"*": 100}}}]
                """);
        Result result = run("compress", "lenet300", "--recipe", recipe, "--data", data, "--threads", 1, "--quiet",
                "--no-pack", "--out", folder.resolve("out"));
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.err().contains("is no better than naming one class always"), result.err());
    }

    @Test
    void aRecipeThatCannotEndWellIsRefusedBeforeAnythingIsWritten() throws IOException {
        Path out = folder.resolve("out");
        Object[] line = {"compress", "lenet300", "--recipe", recipe, "--data", data, "--threads", 1, "--out", out};
        Files.writeString(recipe, "{name: mine, stages: [admm-prune: {keep: {ratio: 9}, exclude: [fc9]}]}");
        Result refused = run(line);
        assertEquals(Commands.USAGE, refused.exit(), refused.err());
        assertEquals(
                "pare: mine: stage 1 (admm-prune) has 'fc9' in exclude, which names no tensor, did you mean 'fc1'?;"
                        + " only * is a wildcard; tensors are fc1.weight, fc2.weight, fc3.weight",
                refused.err().strip());
        assertTrue(Files.notExists(out));
        Result other =
                run("compress", "lenet300", "--recipe", "lenet5-caffe-prune", "--data", data, "--threads", 1, "--out",
                        folder.resolve("file.txt"), "--memory-limit", "1M");
        assertTrue(other.err().startsWith("note: recipe lenet5-caffe-prune was made for lenet5, not for lenet300"),
                other.err());
    }

    @Test
    void aPrunedNetworkKeepsItsZerosOnRequestAndIsWarnedAboutOtherwise() throws IOException {
        Files.writeString(recipe, """
                name: thin
                dense: {epochs: 1, batchSize: 20}
                stages: [admm-prune: {keep: {ratio: 50}, train: {epochs: 1, batchSize: 20}}]
                """);
        Path pruned = folder.resolve("pruned");
        assertEquals(Commands.OK,
                run("compress", "lenet300", "--recipe", recipe, "--data", data, "--threads", 1, "--out",
                        pruned, "--quiet", "--no-pack").exit());
        Object[] line = {"train", "lenet300", "--from", pruned, "--data", data, "--threads", 1, "--batch-size", 20,
            "--epochs", 1, "--quiet"};
        Path kept = folder.resolve("kept");
        Result result = run(with(line, "--out", kept, "--keep-zeros"));
        assertEquals(Commands.OK, result.exit(), result.err());
        assertEquals("", result.err());
        assertTrue(nonzeros(kept) <= nonzeros(pruned) && nonzeros(pruned) <= 266_200 / 50, "kept " + nonzeros(kept));
        assertNotEquals(-1, Files.mismatch(kept.resolve("weights.safetensors"), pruned.resolve("weights.safetensors")));
        Path filled = folder.resolve("filled");
        result = run(with(line, "--out", filled));
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains("zeros of 266,200 weights; --keep-zeros leaves them"), result.err());
        assertTrue(nonzeros(filled) > 10 * nonzeros(pruned), "filled " + nonzeros(filled));
        result = run("train", "lenet300", "--keep-zeros", "--data", data);
        assertEquals(Commands.USAGE, result.exit());
        assertTrue(result.err().contains("--keep-zeros belongs to --from"), result.err());
    }

    private static long nonzeros(Path run) throws IOException {
        return NetworkFile.read(run.resolve("weights.safetensors")).tensors()
                .entrySet()
                .stream().filter(entry -> entry.getKey().endsWith(".weight"))
                .mapToLong(entry -> entry.getValue().nonzeros()).sum();
    }

    @Test
    void aTrainingThatDivergesIsWarnedAboutOnce() {
        Result result = run("train", "lenet300", "--optimizer", "sgd", "--lr", 100, "--data", data, "--threads", 1,
                "--batch-size", 20, "--epochs", 1, "--quiet", "--out", folder.resolve("far"));
        assertEquals(1, result.err().lines().filter(line -> line.contains("training diverges")).count(), result.err());
    }

    @Test
    void theDenseNetworkMayBeInAFileOfAnyKind() throws IOException {
        Path dense = folder.resolve("dense");
        assertEquals(Commands.OK, run("train", "lenet300", "--epochs", 1, "--batch-size", 20, "--data", data, "--out",
                dense, "--threads", 1, "--quiet").exit());
        String accuracy = null;
        for (String kind : List.of("pare", "onnx", "safetensors")) {
            Path file = folder.resolve("dense." + kind);
            assertEquals(Commands.OK, run("export", dense, "--out", file).exit());
            Path report = folder.resolve(kind + ".json");
            Result result = run("compress", "lenet300", "--from", file, "--recipe", recipe, "--data", data, "--out",
                    folder.resolve(kind), "--report", report, "--threads", 1, "--quiet", "--no-pack");
            assertEquals(Commands.OK, result.exit(), result.err());
            String found = new ObjectMapper().readTree(report.toFile()).path("denseTestAccuracy").asText();
            assertEquals(accuracy == null ? found : accuracy, found, kind);
            accuracy = found;
        }
        Result other = run("compress", "lenet5", "--from", dense, "--data", data);
        assertEquals(Commands.USAGE, other.exit());
        assertTrue(other.err().contains("holds a network lenet300, not lenet5"), other.err());
    }

    @Test
    void autoChoosesCountsAndSaysWhenTheFloorIsOutOfReach() throws IOException {
        Path dense = folder.resolve("dense");
        assertEquals(Commands.OK, run("train", "lenet300", "--epochs", 1, "--batch-size", 20, "--data", data, "--out",
                dense, "--threads", 1, "--quiet").exit());
        Result result = run("sensitivity", "lenet300", "--from", dense, "--data", data, "--threads", 1, "--plot",
                folder.resolve("plot.html"), "--report", folder.resolve("s.json"));
        assertEquals(Commands.OK, result.exit(), result.err());
        assertEquals(2 + 3 * 17, result.out().lines().count(), result.out());
        assertTrue(Files.exists(folder.resolve("plot.html")));
        Path report = folder.resolve("auto.json");
        Object[] line = {"compress", "lenet300", "--from", dense, "--auto", "--ratio", 20, "--floor", 1, "--data", data,
            "--threads", 1, "--quiet", "--out", folder.resolve("auto"), "--report", report};
        Result auto = run(with(line, "--memory-limit", "2G"));
        assertEquals(Commands.FAILURE, auto.exit(), auto.err());
        assertTrue(auto.err().contains("is below the floor 1.0000: ask for a smaller ratio"), auto.err());
        // Made again three times, at four fifths of the ratio each; dead units come on top.
        JsonNode json = new ObjectMapper().readTree(report.toFile());
        assertEquals("auto-10x", json.path("recipe").asText(), json.toPrettyString());
        assertTrue(json.path("pruningRatio").asDouble() >= 10.2, json.toPrettyString());
        Result refused = run(with(line, "--memory-limit", "100M"));
        assertEquals(Commands.USAGE, refused.exit(), refused.err());
        assertTrue(refused.err().contains("--memory-limit 100M does not hold lenet300, batch 64"), refused.err());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"compress lenet5 --auto --recipe lenet5-prune | exclude each other",
        "compress resnet50 | no recipe comes with Pare for resnet50",
        "compress lenet5 --steps -1 | --steps is -1, must be at least 1",
        "compress lenet5 --steps 0 | --steps is 0, must be at least 1",
        "compress lenet5 --auto --ratio 5 --steps 0 | --steps is 0", "compress lenet5 --from nowhere | does not exist",
        "compress lenet5 --names map | belongs to --from",
        "compress lenet5 --auto | one of --ratio, --bytes and --budget",
        "compress lenet5 --auto --ratio 5 --bytes 5 | one of --ratio, --bytes and --budget",
        "compress lenet5 --auto --ratio 0.5 | at least 1", "compress lenet5 --auto --ratio 5 --floor 2 | --floor",
        "compress lenet5 --recipe lenet5-prune --ratio 5 | --ratio belongs to --auto",
        "compress lenet5 --recipe lenet5-pruen | did you mean 'lenet5-prune'?",
        "compress lenet6 --recipe lenet5-prune | lenet300", "sensitivity lenet5 | --from",
        "compress lenet5 --recipe lenet5-prune --threads 0 | --threads"})
    void wrongCommandLinesAreRefusedInOneLine(String line, String hint) {
        Result result = run((Object[]) line.split(" "));
        assertEquals(Commands.USAGE, result.exit(), result.err());
        assertTrue(result.err().contains(hint), result.err());
        assertEquals("", result.out());
    }
}
