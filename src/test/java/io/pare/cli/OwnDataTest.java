package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.data.IdxFiles;
import io.pare.data.Numpy;
import io.pare.data.Pictures;
import io.pare.format.NetworkFile;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** One's own networks on one's own data, on the command line in this JVM. */
class OwnDataTest {
    @TempDir
    Path folder;

    /** What a command came to. */
    private record Result(int exit, String out, String err) {}

    /** An ONNX file of two layers with drawn weights. */
    private Path perceptron(Shape input, int outputs) throws IOException {
        return perceptron(input, outputs, Ending.NONE);
    }

    private Path perceptron(Shape input, int outputs, Ending ending) throws IOException {
        Net net = ending.on(
                new NetBuilder("mlp", input).linear("fc1", 8).relu("relu1").linear("fc2", outputs).build());
        Random random = new Random(5);
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : net.parameters()) {
            float[] values = new float[(int) parameter.count()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian(0, 0.1);
            }
            tensors.put(parameter.name(), CompressedTensor.of(values, parameter.shape()));
        }
        Path file = folder.resolve("mlp.onnx");
        NetworkFile.write(file, new CompressedWeights(net, tensors, InputScale.UNIT), NetworkFile.Kind.ONNX);
        return file;
    }

    @Test
    void imagesAreLaidOutForNetworksOfVectors() throws IOException {
        Path onnx = perceptron(Shape.of(784), 10);
        Path digits = IdxFiles.folder(folder.resolve("digits"), 120, 40);
        Path out = folder.resolve("out");
        assertDone(run("train", onnx, "--data", digits, "--epochs", 1, "--threads", 1, "--out", out));
        Result eval = run("eval", out, "--threads", 1);
        assertTrue(eval.out().contains("(40 images)"), eval.out() + eval.err());
        Path exported = folder.resolve("trained.onnx");
        assertDone(run("export", out, "--out", exported));
        assertEquals(NetworkFile.read(onnx).model().input(), NetworkFile.read(exported).model().input());
        assertEquals(eval.out().lines().skip(2).toList(),
                run("eval", exported, "--data", digits, "--threads", 1).out().lines().skip(2).toList());
    }

    @Test
    void coloursKeepTheirScalesInVectors() throws IOException {
        Path onnx = perceptron(Shape.of(3 * 8 * 8), 2);
        Path pictures = Pictures.folder(folder.resolve("pictures"), 40, 8, 8, ".png");
        Path out = folder.resolve("out");
        assertDone(run("train", onnx, "--data", pictures, "--scale", "imagenet", "--epochs", 1, "--batch-size", 10,
                "--threads", 1, "--out", out));
        String loss = run("eval", out, "--threads", 1).out().lines().skip(2).toList().toString();
        for (String ending : new String[]{"onnx", "pare", "safetensors"}) {
            Path file = folder.resolve("file." + ending);
            assertDone(run("export", out, "--out", file));
            assertEquals(InputScale.IMAGENET, NetworkFile.read(file).scale());
            assertEquals(loss, run("eval", file, "--data", pictures, "--engine", "dense", "--threads", 1).out().lines()
                    .skip(2).toList().toString(), ending);
        }
        assertDone(run("predict", out, "--image", pictures.resolve("test/one/p0.png")));
        assertExplained("takes images of 192 in 2 classes; these are",
                run("eval", out, "--data", IdxFiles.folder(folder.resolve("digits"), 60, 40)));
    }

    @Test
    void anImageOfClassesIsNoVectorOfThem() throws IOException {
        Path yaml = Files.writeString(folder.resolve("map.yaml"),
                "input: 1x4x4\nlayers: [{conv: {out: 3, kernel: 3}}]\n");
        Path arrays = new Numpy().add("x", "u1", i -> i % 200, 60, 4, 4).add("y", "i8", i -> i % 3, 60)
                .write(folder.resolve("pictures.npz"));
        assertExplained("map gives values of 3x2x2, no vector", run("train", yaml, "--data", arrays, "--epochs", 1));
    }

    @Test
    void arraysAreTrainedOnAndMeasured() throws IOException {
        Path onnx = perceptron(Shape.of(4), 3);
        Path arrays = new Numpy().add("x", "f4", i -> i % 12 / 4 == i % 4 ? 1 : i * 1e-4, 120, 4)
                .add("y", "i8", i -> i % 3, 120).write(folder.resolve("own.npz"));
        Path out = folder.resolve("out");
        Result trained = run("train", onnx, "--data", arrays, "--epochs", 20, "--batch-size", 10, "--lr", 0.02,
                "--threads", 1, "--out", out);
        assertDone(trained);
        assertTrue(trained.err().contains("own.npz has no test part: 20 of its 120 samples"), trained.err());
        Result eval = run("eval", out, "--threads", 1);
        assertTrue(eval.out().contains("test accuracy  1.0000 (20 images)"), eval.out() + eval.err());
        assertExplained("--scale is for pixels, and the inputs of " + arrays + " are floats",
                run("train", onnx, "--data", arrays, "--scale", "unit", "--out", out));
        assertExplained("takes images of 4 in 3 classes; these are", run("eval", out, "--data",
                new Numpy().add("x", "f4", i -> i, 12, 5).add("y", "i8", i -> i % 3, 12)
                        .write(folder.resolve("other.npz"))));
        assertExplained("which arrays? Give --data FILE.npz", run("train", onnx, "--dataset", "arrays"));
    }

    /** Samples of four inputs, of which the targets are sums. */
    private Numpy numbers() {
        return new Numpy().add("x_train", "f4", OwnDataTest::input, 240, 4)
                .add("y_train", "f4", i -> input(4 * (i / 2) + i % 2) + input(4 * (i / 2) + 2), 240, 2)
                .add("x_test", "f4", i -> input(i + 3000), 40, 4)
                .add("y_test", "f4", i -> input(3000 + 4 * (i / 2) + i % 2) + input(3000 + 4 * (i / 2) + 2), 40, 2);
    }

    /** Any number from -1 to 1. */
    private static double input(int i) {
        return Math.sin(i * 12.9898 + i * i * 0.37);
    }

    @Test
    void numbersAreLearntMeasuredAndKeptUnderCompression() throws IOException {
        Path onnx = perceptron(Shape.of(4), 2);
        Path data = numbers().write(folder.resolve("sums.npz"));
        Path out = folder.resolve("out");
        Path report = folder.resolve("report.json");
        Result trained = run("train", onnx, "--data", data, "--epochs", 30, "--batch-size", 20, "--lr", 0.02,
                "--threads", 1, "--out", out, "--report", report);
        assertDone(trained);
        assertTrue(trained.err().contains("task regress, for its labels are floats; --task says otherwise"),
                trained.err());
        assertFalse(trained.err().contains(" acc "), trained.err());
        JsonNode json = new ObjectMapper().readTree(report.toFile());
        double mae = json.get("testMAE").asDouble();
        assertTrue(mae < 0.1 && json.get("testR2").asDouble() > 0.9 && json.has("testRMSE"), json.toString());
        assertEquals("regress", json.get("settings").get("task").asText().toLowerCase(Locale.ROOT));
        assertTrue(trained.out().contains("validation MAE"), trained.out());
        assertDone(run("train", "--resume", out, "--quiet"));
        assertExplained("--task classify differs from the run's", run("train", "--resume", out, "--task", "classify"));

        Result eval = run("eval", out, "--threads", 1);
        assertTrue(eval.out().contains(String.format("test MAE       %.4g, RMSE ", mae)), eval.out());
        Path small = folder.resolve("small");
        Result compressed = run("compress", onnx, "--data", data, "--from", out, "--recipe", "joint", "--ratio", 2,
                "--steps", 3, "--threads", 1, "--out", small, "--report", report);
        assertDone(compressed);
        json = new ObjectMapper().readTree(report.toFile());
        assertEquals(mae, json.get("denseTestMAE").asDouble(), 1e-6);
        assertTrue(compressed.out().contains("test MAE"), compressed.out());
        Path pare = small.resolve("mlp.pare");
        for (String engine : new String[]{"sparse", "dense"}) {
            Result again = run("eval", pare, "--data", data, "--engine", engine, "--threads", 1);
            assertTrue(again.out().contains(String.format("test MAE       %.4g,", json.get("testMAE").asDouble())),
                    again.out() + json);
        }
        Result scan = run("sensitivity", onnx, "--from", out, "--data", data, "--threads", 1);
        assertTrue(scan.out().contains("untouched      0.0"), scan.out());
    }

    @Test
    void labelsThatApplyAreLearntByTheSigmoidsLogits() throws IOException {
        Path onnx = perceptron(Shape.of(4), 2, Ending.SIGMOID);
        Path data = new Numpy().add("x", "f4", OwnDataTest::input, 240, 4)
                .add("y", "f4", i -> input(4 * (i / 2) + i % 2) > 0 ? 1 : 0, 240, 2)
                .write(folder.resolve("labels.npz"));
        Path out = folder.resolve("out");
        Path report = folder.resolve("report.json");
        Result trained = run("train", onnx, "--data", data, "--epochs", 30, "--batch-size", 20, "--lr", 0.02,
                "--threads", 1, "--out", out);
        assertDone(trained);
        assertTrue(trained.err().contains("task multilabel, for the network ends in a sigmoid"), trained.err());
        Result eval = run("eval", out, "--threads", 1, "--report", report);
        JsonNode json = new ObjectMapper().readTree(report.toFile());
        assertTrue(json.get("testMacroF1").asDouble() > 0.9 && json.has("testMicroF1") && json.has("testExactMatch"),
                eval.out());
        Path exported = folder.resolve("again.onnx");
        assertDone(run("export", out, "--out", exported));
        assertEquals(Ending.SIGMOID, Ending.of(NetworkFile.read(exported).model()));
        assertEquals(eval.out().lines().skip(2).toList(),
                run("eval", exported, "--data", data, "--threads", 1).out().lines().skip(2).toList());
        // As numbers from 0 to 1, the sigmoid is a part of the network.
        Result numbers = run("train", onnx, "--data", data, "--task", "regress", "--epochs", 1, "--batch-size", 20,
                "--threads", 1, "--out", out);
        assertDone(numbers);
        assertTrue(run("eval", out, "--threads", 1).out().contains("test MAE       0."), numbers.out());
    }

    @Test
    void classesAreTabledAndTasksThatDoNotFitAreRefused() throws IOException {
        Path onnx = perceptron(Shape.of(4), 3, Ending.SOFTMAX);
        Path classes = new Numpy().add("x", "f4", OwnDataTest::input, 60, 4).add("y", "i8", i -> i % 3, 60)
                .write(folder.resolve("classes.npz"));
        Path report = folder.resolve("report.json");
        Result eval = run("eval", onnx, "--data", classes, "--report", report);
        assertDone(eval);
        assertTrue(eval.out().contains("class                samples   recall precision       F1"), eval.out());
        JsonNode json = new ObjectMapper().readTree(report.toFile());
        assertEquals(3, json.get("testClasses").size());
        int counted = 0;
        for (JsonNode row : json.get("testConfusion")) {
            for (JsonNode count : row) {
                counted += count.asInt();
            }
        }
        assertEquals(10, counted);
        Path sums = numbers().write(folder.resolve("sums.npz"));
        Path out = folder.resolve("out");
        assertExplained("may be for several tasks: give --task", run("train", onnx, "--data", sums, "--out", out));
        assertExplained("ends in a softmax", run("train", onnx, "--data",
                new Numpy().add("x", "f4", i -> i, 12, 4).add("y", "u1", i -> i % 2, 12, 3)
                        .write(folder.resolve("three.npz")),
                "--task", "multilabel", "--out", out));
        assertExplained("--task regress takes arrays with targets, --data FILE.npz; MNIST has classes",
                run("train", "lenet300", "--task", "regress", "--out", out));
        assertExplained("floats are for --task multilabel or regress",
                run("train", onnx, "--data", sums, "--task", "classify", "--out", out));
        Path plain = perceptron(Shape.of(4), 3);
        assertExplained("mlp takes images of 4 in 3 outputs; these are",
                run("train", plain, "--data", sums, "--out", out));
        Path recipe = Files.writeString(folder.resolve("taught.yaml"), """
                name: taught
                stages:
                  - mask-retrain: {train: {epochs: 1, distill: 0.5}}
                """);
        assertExplained("recipe taught distils, which is for task classify, not for regress",
                run("compress", perceptron(Shape.of(4), 2), "--data", sums, "--recipe", recipe, "--out", out));
        assertExplained("--shift, --flip and --crop are for pictures",
                run("train", perceptron(Shape.of(4), 2), "--data", sums, "--flip", "--out", out));
    }

    @Test
    void runsEndByPatienceAndSearchesAreRehearsed() throws IOException {
        Path onnx = perceptron(Shape.of(4), 2);
        Path data = numbers().write(folder.resolve("sums.npz"));
        Path out = folder.resolve("out");
        // Steps too small to move a weight: no epoch is better than the first.
        Result trained = run("train", onnx, "--data", data, "--epochs", 9, "--batch-size", 20, "--lr", 1e-30,
                "--patience", 2, "--clip-norm", 0.5, "--threads", 1, "--out", out);
        assertDone(trained);
        assertTrue(trained.out().contains("(epoch 1 of 9)"), trained.out());
        assertEquals(3, trained.err().lines().filter(line -> line.startsWith("epoch ")).count(), trained.err());
        assertDone(run("train", "--resume", out, "--quiet"));
        assertExplained("--patience 3 differs from the run's 2", run("train", "--resume", out, "--patience", 3));
        for (String option : List.of("--patience", "--clip-norm")) {
            assertExplained(option + " is -1", run("train", onnx, "--data", data, option, -1, "--out", out));
        }
        for (List<String> wanted : List.of(List.of("--ratio", "2"), List.of("--bytes", "20"))) {
            Path small = folder.resolve("small" + wanted.getFirst());
            Result rehearsed = run("compress", onnx, "--data", data, "--auto", wanted.getFirst(), wanted.getLast(),
                    "--steps", 2, "--floor", 1e-9, "--threads", 1, "--out", small);
            assertDone(rehearsed);
            assertTrue(rehearsed.out().contains("a rehearsal: 2 steps in each round of a stage"), rehearsed.out());
        }
        Result missed = run("compress", onnx, "--data", data, "--auto", "--ratio", 2, "--floor", 1e-9, "--threads", 1,
                "--quiet", "--out", folder.resolve("missed"));
        assertEquals(Commands.FAILURE, missed.exit(), missed.err());
        assertTrue(missed.err().contains("is above the floor 0.0000"), missed.err());
    }

    private static Result run(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Commands.line().setOut(new PrintWriter(out)).setErr(new PrintWriter(err))
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
        int exit = line.execute(Arrays.stream(args).map(Object::toString).toArray(String[]::new));
        return new Result(exit, out.toString(), err.toString());
    }

    private static void assertDone(Result result) {
        assertEquals(Commands.OK, result.exit(), result.err());
    }

    private static void assertExplained(String expected, Result result) {
        assertEquals(Commands.USAGE, result.exit(), result.err());
        assertTrue(result.err().contains(expected), result.err());
        assertEquals(1, result.err().lines().filter(text -> text.startsWith("pare: ")).count(), result.err());
    }
}
