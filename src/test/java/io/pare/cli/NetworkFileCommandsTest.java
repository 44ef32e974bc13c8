package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.data.Dataset;
import io.pare.data.IdxFiles;
import io.pare.data.Mnist;
import io.pare.format.NetworkFile;
import io.pare.format.onnx.Bare;
import io.pare.format.pare.PareFile;
import io.pare.format.pytorch.TorchFiles;
import io.pare.format.pytorch.TorchFiles.Form;
import io.pare.infer.ReferenceNet;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Parameter;
import io.pare.net.PrunedNets;
import io.pare.run.Scales;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The commands about files with networks. */
class NetworkFileCommandsTest {
    @TempDir
    Path folder;

    private static CompressedWeights weights;
    private static byte[] encoded;
    private Path net;

    private record Result(int exit, String out, String err) {}

    @BeforeAll
    static void weights() {
        CompressedWeights lenet = PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3);
        weights = new CompressedWeights(lenet.model(), lenet.tensors(), InputScale.MNIST);
        encoded = PareFile.encode(weights);
    }

    @BeforeEach
    void net() throws IOException {
        net = Files.write(folder.resolve("net.pare"), encoded);
    }

    private static Result run(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Commands.line().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        List<String> words = new ArrayList<>();
        for (Object argument : arguments) {
            words.add(argument.toString());
        }
        int exit = line.execute(words.toArray(String[]::new));
        return new Result(exit, out.toString(), err.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"export", "bench-infer"})
    void helpShowsExamples(String command) {
        Result result = run(command, "--help");
        assertEquals(Commands.OK, result.exit());
        assertTrue(result.out().contains("Example") && result.err().isEmpty(), result.out());
        assertTrue(result.out().lines().allMatch(line -> line.length() <= 120), result.out());
    }

    @Test
    void aDenseExportLeavesUnitsOutAndSaysWhatThatSaves() throws IOException {
        Path small = folder.resolve("small.onnx");
        Path report = folder.resolve("small.json");
        Result result = run("export", net, "--out", small, "--dense", "--report", report);
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("removed ") && result.out().contains("multiply-adds"), result.out());
        CompressedWeights after = NetworkFile.read(small);
        assertTrue(after.model().multiplyAdds() < weights.model().multiplyAdds(), result.out());
        assertEquals(after.model().multiplyAdds(),
                new ObjectMapper().readTree(report.toFile()).path("multiplyAdds")
                        .path("after").asLong());
        float[] image = new float[28 * 28];
        for (int i = 0; i < image.length; i++) {
            image[i] = (float) Math.sin(i);
        }
        double[] expected = new ReferenceNet(weights).logits(image);
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        assertArrayEquals(expected, new ReferenceNet(after).logits(image), 1e-5 * largest);
        assertEquals(Commands.USAGE, run("export", net, "--out", small, "--report", report).exit());
    }

    @Test
    void everyKindOfFileGivesTheSameAccuracy() throws IOException {
        Path data = IdxFiles.folder(folder.resolve("data"), 20, 200);
        String expected = null;
        for (String target : List.of("a.pare", "a.onnx", "b.onnx", "a.safetensors", "b.safetensors")) {
            Path file = folder.resolve(target);
            Result export = target.startsWith("b")
                    ? run("export", net, "--out", file, "--as",
                            target.equals("b.onnx") ? "onnx_codebook" : "safetensors_compressed")
                    : run("export", net, "--out", file);
            assertEquals(Commands.OK, export.exit(), export.err());
            assertEquals(weights.nonzeroWeights(), NetworkFile.read(file).nonzeroWeights());
            Result eval = run("eval", file, "--data", data);
            assertEquals(Commands.OK, eval.exit(), eval.err());
            String accuracy = eval.out().lines().filter(line -> line.startsWith("test accuracy")).findFirst()
                    .orElseThrow();
            expected = expected == null ? accuracy : expected;
            assertEquals(expected, accuracy, target);
        }
    }

    /** A state dict, with other names for the four layers or with their own. */
    private byte[] stateDict(String... prefixes) {
        Map<String, float[]> values = new LinkedHashMap<>();
        Map<String, long[]> shapes = new LinkedHashMap<>();
        for (Parameter parameter : weights.model().parameters()) {
            String own = parameter.name();
            String name = prefixes.length == 0 ? own
                    : prefixes[values.size() / 2] + own.substring(own.lastIndexOf('.'));
            values.put(name, weights.tensor(own).toArray());
            shapes.put(name, parameter.shape());
        }
        return TorchFiles.floats(Form.STORED, values, shapes);
    }

    @Test
    void stateDictsOfPyTorchAreReadByNameOrInTheirOrder() throws IOException {
        Path data = IdxFiles.folder(folder.resolve("data"), 20, 200);
        Path file = Files.write(folder.resolve("net.pth"), stateDict());
        Result expected = run("eval", net, "--data", data, "--engine", "dense");
        Result named = run("eval", file, "--model", "lenet5", "--data", data, "--scale", "mnist");
        assertEquals(expected.out(), named.out(), named.err());
        assertEquals("", named.err());
        assertEquals(Commands.OK, run("inspect", file, "--model", "lenet5", "--scale", "mnist").exit());
        Files.write(file, stateDict("net.0", "net.3", "net.7", "net.9"));
        // Every shape of LeNet-5 is its own, so each tensor is found without its order.
        assertEquals("", run("eval", file, "--model", "lenet5", "--data", data, "--scale", "mnist").err());
        assertEquals(Commands.USAGE, run("eval", file, "--data", data).exit());
    }

    @Test
    void tensorsTakenInTheirOrderAreSaidInOneLine() throws IOException {
        CompressedWeights resnet = PrunedNets.of(Models.byName("resnet20"), Map.of(), 0, 0, 5);
        Map<String, float[]> values = new LinkedHashMap<>();
        Map<String, long[]> shapes = new LinkedHashMap<>();
        for (Parameter parameter : resnet.model().parameters()) {
            String name = "part" + values.size() + parameter.name().substring(parameter.name().lastIndexOf('.'));
            values.put(name, resnet.tensor(parameter.name()).toArray());
            shapes.put(name, parameter.shape());
        }
        Path file = Files.write(folder.resolve("net.pth"), TorchFiles.floats(Form.LEGACY, values, shapes));
        Path out = folder.resolve("net.safetensors");
        Result result = run("export", file, "--model", "resnet20", "--scale", "imagenet", "--out", out);
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.err().lines().count() == 1 && result.err().contains("they are taken in the file's order"),
                result.err());
        PrunedNets.assertSame(Scales.with(resnet, Scales.parse("imagenet")), NetworkFile.read(out));
    }

    @Test
    void whereNoScaleIsGivenThatOfTheUsualDataIsTakenAndNamed() throws IOException {
        Path data = IdxFiles.folder(folder.resolve("data"), 20, 200);
        Path pictures = Files.createDirectory(folder.resolve("pictures"));
        Dataset digits = Mnist.embedded().test();
        for (int i = 0; i < 10; i++) {
            BufferedImage picture = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
            for (int at = 0; at < 784; at++) {
                picture.getRaster().setSample(at % 28, at / 28, 0, digits.pixel(i, at));
            }
            ImageIO.write(picture, "png", pictures.resolve(i + ".png").toFile());
        }
        Path onnx = folder.resolve("bare.onnx");
        Bare.onnx(onnx, weights);
        Path safetensors = folder.resolve("bare.safetensors");
        Bare.safetensors(safetensors, weights);
        Path imported = folder.resolve("imported.pare");
        assertOneLine("mnist", run("export", onnx, "--out", imported));
        assertEquals(InputScale.MNIST, NetworkFile.read(imported).scale());
        Result accuracy = run("eval", net, "--data", data, "--engine", "dense");
        Result classes = run("predict", net, "--image", pictures, "--top", 3);
        assertEquals("", accuracy.err() + classes.err());
        for (Path file : List.of(onnx, safetensors)) {
            Result eval = run("eval", file, "--model", "lenet5", "--data", data);
            assertEquals(accuracy.out(), eval.out());
            assertOneLine("mnist", eval);
            Result predict = run("predict", file, "--model", "lenet5", "--image", pictures, "--top", 3);
            assertEquals(classes.out(), predict.out());
            assertOneLine("mnist", predict);
        }
        assertEquals(accuracy.out(), run("eval", imported, "--data", data, "--engine", "dense").out());
        assertNotEquals(classes.out(),
                run("predict", net, "--image", pictures, "--top", 3, "--scale", "unit").out());
        assertTrue(run("inspect", onnx, "--scale", "0.5/0.25").out().contains("scale      0.5/0.25"));
        assertEquals(Commands.OK, run("export", onnx, "--out", imported, "--scale", "fashion").exit());
        assertEquals(new InputScale(0.2860f, 0.3530f), NetworkFile.read(imported).scale());
        Result colours = run("predict", onnx, "--image", pictures, "--scale", "cifar10");
        assertEquals(Commands.USAGE, colours.exit());
        assertTrue(colours.err().contains("--scale cifar10 is for 3 channels"), colours.err());
    }

    @Test
    void whatBeginsFromAnotherScaleSaysSo() throws IOException {
        Path data = IdxFiles.folder(folder.resolve("data"), 20, 20);
        Path runs = folder.resolve("runs");
        String said =
                "pare: " + net + " is for pixels of scale mnist, here they have unit: --scale mnist keeps the file's";
        for (String scale : List.of("unit", "mnist")) {
            Result train = run("train", "lenet5", "--from", net, "--data", data, "--scale", scale, "--epochs", 1,
                    "--batch-size", 4, "--validation", 4, "--out", runs);
            assertEquals(Commands.OK, train.exit(), train.err());
            assertEquals(scale.equals("unit") ? 1 : 0, train.err().lines().filter(said::equals).count(), train.err());
        }
    }

    @Test
    void weightsThatARunBeginsWithKeepTheirScale() throws IOException {
        Path data = IdxFiles.folder(folder.resolve("data"), 20, 20);
        Path unit = folder.resolve("unit.pare");
        assertEquals(Commands.OK, run("export", net, "--out", unit, "--scale", "unit").exit());
        Path runs = folder.resolve("runs");
        String said = "pare: pixels have the scale unit of " + unit + ", not mnist as is usual for " + data
                + "; --scale says otherwise";
        Result train = run("train", "lenet5", "--from", unit, "--data", data, "--epochs", 1, "--batch-size", 4,
                "--validation", 4, "--out", runs);
        assertEquals(Commands.OK, train.exit(), train.err());
        assertEquals(1, train.err().lines().filter(said::equals).count(), train.err());
        assertEquals(InputScale.UNIT, NetworkFile.read(runs.resolve("weights.safetensors")).scale());
        assertEquals(Commands.OK, run("train", "--resume", runs, "--quiet").exit());
        assertEquals(InputScale.UNIT, NetworkFile.read(runs.resolve("weights.safetensors")).scale());
        // Untouched is what eval gives for the same images, but for those held back.
        Result scan = run("sensitivity", "lenet5", "--from", unit, "--data", data);
        assertEquals(Commands.OK, scan.exit(), scan.err());
        assertTrue(scan.err().contains(said), scan.err());
    }

    /** What the file leaves open is said in one line. */
    private static void assertOneLine(String scale, Result result) {
        assertEquals(Commands.OK, result.exit(), result.err());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains(": the scale " + scale + " is taken, --scale says otherwise"), result.err());
    }

    @Test
    void exportRemovesAndRoundsOnRequest() throws IOException {
        Path small = folder.resolve("small.pare");
        Result result = run("export", net, "--out", small, "--remove-dead", "--biases", "3");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("removed"), result.out());
        assertTrue(Files.size(small) < Files.size(net));
        Path sorted = folder.resolve("sorted.pare");
        assertEquals(Commands.OK, run("export", small, "--out", sorted, "--sort").exit());
        assertTrue(Files.size(sorted) < Files.size(small));
        Result names = run("export", net, "--out", folder.resolve("x.pare"), "--names", folder.resolve("none"));
        assertEquals(Commands.USAGE, names.exit());
        assertTrue(names.err().contains("PARAMETER=TENSOR"), names.err());
        assertEquals(Commands.USAGE, run("export", net, "--out", folder.resolve("x.zip")).exit());
        assertEquals(Commands.USAGE, run("export", net, "--out", folder.resolve("x.pare"), "--biases", "1").exit());
        assertFalse(Files.exists(folder.resolve("x.pare")));
    }

    @Test
    void benchInferTimesPredictions() {
        Result result = run("bench-infer", net, "--batch", "20", "--seconds", "0.2");
        assertEquals(Commands.OK, result.exit(), result.err());
        assertTrue(result.out().contains("us median") && result.out().contains("images a second"), result.out());
    }
}
