package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.IdxFiles;
import io.pare.data.Numpy;
import io.pare.data.Pictures;
import io.pare.format.NetworkFile;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
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
        Net net = new NetBuilder("mlp", input).linear("fc1", 8).relu("relu1").linear("fc2", outputs).build();
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
