package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pare.data.IdxFiles;
import io.pare.format.NetworkFile;
import io.pare.format.safetensors.Safetensors;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import io.pare.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A run of a second or two, in processes that tests stop, and what its folder must hold whatever happens to them. */
final class RunJob {
    /** Without the optimising compiler, which would take most of so short a run. */
    static final Jvm JVM = Jvm.plain("--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData",
            "-Xmx256m", "-Dpare.native=off", "-Dpare.kernels=scalar");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String RECIPE = """
            name: brief
            model: lenet300
            dense: {epochs: 2, batchSize: 40, shift: 0}
            train: {epochs: 2, batchSize: 40}
            stages:
              - admm-prune: {keep: {ratio: 50, removeDead: false}}
              - admm-cluster: {bits: {"*": 2}, snap: false}
              - quantize-retrain: {rounds: 2, train: {epochs: 1}}
            """;
    private static final String REPORT = "report.json";

    private final List<String> begin;
    private final boolean train;
    private final Path place;
    /** What a run leaves, of which each bit counts. */
    private final List<String> files;
    /** Null before it is asked for. */
    private Path undisturbed;

    private RunJob(List<String> begin, boolean train, Path place, String... files) {
        this.begin = begin;
        this.train = train;
        this.place = place;
        this.files = List.of(files);
    }

    /** A training; data and an undisturbed run come to lie in {@code place}. */
    static RunJob train(Path place) throws IOException {
        return new RunJob(List.of("train", "lenet300", "--data", data(place), "--epochs", "4", "--batch-size", "20",
                "--threads", "1", "--lr", "0.0001", "--quiet"), true, place, Checkpoint.WEIGHTS);
    }

    /** A compression with ADMM, freezing and packing that trains its dense network first. */
    static RunJob compress(Path place) throws IOException {
        Path recipe = Files.writeString(place.resolve("brief.yaml"), RECIPE);
        return new RunJob(List.of("compress", "lenet300", "--recipe", recipe.toString(), "--data", data(place),
                "--threads", "1", "--quiet"), false, place, Checkpoint.WEIGHTS, "lenet300.pare");
    }

    /** A compression of a network of one's own, which an ONNX file holds with its weights. */
    static RunJob compressOwn(Path place) throws IOException {
        Path recipe = Files.writeString(place.resolve("brief.yaml"), RECIPE.replaceAll("(?m)^(model|dense):.*\n", ""));
        Path own = place.resolve("own.onnx");
        Net net = new NetBuilder("mlp", Shape.of(784)).linear("a", 30).relu("relu").linear("b", 10).build();
        NetworkFile.write(own, PrunedNets.of(net, Map.of(), 0, 0, 5), NetworkFile.Kind.ONNX);
        return new RunJob(List.of("compress", own.toString(), "--recipe", recipe.toString(), "--data", data(place),
                "--threads", "1", "--quiet"), false, place, Checkpoint.WEIGHTS, "own.pare", "own.onnx");
    }

    private static String data(Path place) throws IOException {
        return IdxFiles.folder(place.resolve("data"), 120, 40).toString();
    }

    @Override
    public String toString() {
        return begin.getFirst();
    }

    /** The command that begins the run in {@code out}, or goes on with what lies there. */
    String[] command(Path out) {
        boolean begun = train && Files.exists(out.resolve(Checkpoint.FILE)) && Files.exists(out.resolve("run.json"));
        List<String> words = new ArrayList<>(begun ? List.of("train", "--quiet", "--resume", out.toString()) : begin);
        if (!begun) {
            words.addAll(List.of("--out", out.toString()));
        }
        words.addAll(List.of("--report", out.resolve(REPORT).toString()));
        return words.toArray(String[]::new);
    }

    Process start(Path out, Path log) throws IOException {
        return JVM.start(log, command(out));
    }

    /** Runs to its end in a shell that runs {@code limits} first. */
    Jvm.Result run(Path out, String limits) throws IOException, InterruptedException {
        return JVM.runUnder(limits, command(out));
    }

    /** Goes on to the end, which must be that of an undisturbed run. */
    void finish(Path out, String what) throws IOException, InterruptedException {
        Jvm.Result result = run(out, "");
        assertEquals(Commands.OK, result.exit(), () -> what + ": " + result.err());
        assertSame(out, what);
    }

    /** The folder of a run that nothing happened to. */
    Path undisturbed() throws IOException, InterruptedException {
        if (undisturbed == null) {
            Path out = place.resolve(this + "-undisturbed");
            Jvm.Result result = run(out, "");
            assertEquals(Commands.OK, result.exit(), result.err());
            assertEquals(List.of(), lines(result));
            undisturbed = out;
        }
        return undisturbed;
    }

    /** Takes a run that was watched to its end as the one that nothing happened to. */
    void undisturbed(Process process, Path out, Path log) throws IOException, InterruptedException {
        assertEquals(Commands.OK, Jvm.await(process), Files.readString(log));
        undisturbed = out;
    }

    private void assertSame(Path out, String what) throws IOException, InterruptedException {
        Path wanted = undisturbed();
        for (String name : files) {
            assertArrayEquals(Files.readAllBytes(wanted.resolve(name)), Files.readAllBytes(out.resolve(name)),
                    () -> what + ": " + name);
        }
        assertEquals(timeless(wanted.resolve(REPORT)), timeless(out.resolve(REPORT)), what);
        if (train) {
            assertEquals(JSON.readTree(wanted.resolve("run.json").toFile()).get("history"),
                    JSON.readTree(out.resolve("run.json").toFile()).get("history"), what);
        }
        try (Stream<Path> files = Files.list(out)) {
            List<Path> left = files.filter(file -> file.toString().endsWith(".tmp")).toList();
            assertEquals(List.of(), left, what);
        }
    }

    /** A report without what the clock decides. */
    private static JsonNode timeless(Path report) throws IOException {
        JsonNode json = JSON.readTree(report.toFile());
        for (String clock : List.of("seconds", "trainSeconds", "projectionSeconds", "denseSeconds",
                "imagesPerSecond")) {
            for (JsonNode node : json.findParents(clock)) {
                ((ObjectNode) node).remove(clock);
            }
        }
        return json;
    }

    /** Whatever has a file's own name is whole. */
    static void assertNoHalfFile(Path out, String what) throws IOException {
        if (Files.notExists(out)) {
            return;
        }
        List<Path> found;
        try (Stream<Path> files = Files.list(out)) {
            found = files.filter(file -> !file.getFileName().toString().startsWith(".")).toList();
        }
        for (Path file : found) {
            String name = file.getFileName().toString();
            if (name.endsWith(".safetensors")) {
                Safetensors.open(file).close();
            } else if (name.endsWith(".json")) {
                assertFalse(JSON.readTree(file.toFile()).isMissingNode(), what + ": " + name);
            } else if (name.endsWith(".pare") || name.endsWith(".onnx")) {
                NetworkFile.read(file);
            } else {
                assertTrue(Files.readString(file).strip().endsWith("</html>"), what + ": " + name);
            }
        }
    }

    /** Fails unless a failed process said why in one line. */
    static void assertOneLine(Jvm.Result result, String what) {
        assertEquals(Commands.FAILURE, result.exit(), () -> what + ": " + result.err());
        assertEquals(1, lines(result).size(), () -> what + ": " + result.err());
        assertTrue(lines(result).getFirst().startsWith("pare: cannot write "), () -> what + ": " + result.err());
    }

    /**
     * What a process said, but for the JVM's own remark on its modules, and for the warning of a network that guesses:
     * there is nothing to learn from noise.
     */
    private static List<String> lines(Jvm.Result result) {
        return result.err().lines().filter(line -> !line.startsWith("WARNING: Using incubator modules")
                && !line.startsWith("warning: validation accuracy")).toList();
    }
}
