package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.IdxFiles;
import io.pare.data.Numpy;
import io.pare.data.Pictures;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxNames;
import io.pare.format.onnx.OpenGraph;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All commands on an ONNX file with free dimensions and several outputs. */
class OpenOnnxTest {
    private static final String SIZES = "--dim n2=28 --dim n3=28";
    private static final String OUTPUT = "--output-name y";

    @TempDir
    Path folder;

    private record Result(int exit, String out, String err) {}

    @BeforeEach
    void files() throws IOException {
        OpenGraph.write(folder.resolve("open.onnx"));
        IdxFiles.folder(folder.resolve("digits"), 120, 40);
        Pictures.write(folder.resolve("one.png"), Pictures.smooth(28, 28, BufferedImage.TYPE_BYTE_GRAY, 1));
        Files.write(folder.resolve("images.npy"), Numpy.npy("f4", i -> i % 7, 3, 1, 28, 28));
    }

    private Result run(String... parts) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = Commands.line().setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(
                Arrays.stream(String.join(" ", parts).replace("@", folder + "/").split(" ")).toArray(String[]::new));
        return new Result(exit, out.toString(), err.toString());
    }

    private void assertDone(String... parts) {
        Result result = run(parts);
        assertEquals(Commands.OK, result.exit, String.join(" ", parts) + ": " + result.err);
    }

    private void assertExplained(String expected, String... parts) {
        Result result = run(parts);
        assertEquals(Commands.USAGE, result.exit, String.join(" ", parts) + ": " + result.err);
        assertTrue(result.err.contains(expected), result.err);
        assertEquals(1, result.err.lines().count(), result.err);
    }

    private static Stream<String> commands() {
        String data = " --data @digits --scale mnist --threads 1";
        return Stream.of("train @open.onnx --epochs 1 --batch-size 20 --quiet --out @trained" + data,
                "compress @open.onnx --recipe prune --ratio 2 --steps 1 --quiet --out @small" + data,
                "sensitivity @open.onnx" + data, "eval @open.onnx" + data, "inspect @open.onnx --scale mnist",
                "predict @open.onnx --image @one.png --scale mnist", "export @open.onnx --out @open.pare --scale mnist",
                "models @open.onnx", "bench-infer @open.onnx --seconds 0.01 --batch 2");
    }

    @Test
    void eachCommandTakesSizesAndAnOutputOrSaysWhatIsMissing() throws IOException {
        commands().forEach(command -> {
            assertDone(command, SIZES, OUTPUT);
            assertExplained("give their sizes, as by --dim n2=128 --dim n3=128", command, OUTPUT);
            assertExplained("choose it by --output-name NAME", command, SIZES);
            assertExplained("there is no output 'z'; the graph gives y, f", command, SIZES, "--output-name z");
            assertExplained("there is no free dimension 'n9'", command, SIZES, OUTPUT, "--dim n9=3");
        });
        assertEquals(new OnnxNames("x", "y"), OnnxFile.names(folder.resolve("small/open.onnx")));
        assertDone("export @open.onnx --out @closed.onnx --scale mnist", SIZES, OUTPUT);
        assertEquals(new OnnxNames("x", "y"), OnnxFile.names(folder.resolve("closed.onnx")));
        assertDone("eval @closed.onnx --data @digits");
        // What was written leaves nothing open.
        assertExplained("--dim and --output-name are for ONNX files; " + folder.resolve("open.pare") + " is none",
                "eval @open.pare --data @digits", SIZES);
        assertExplained("are for ONNX files; lenet5 is none", "train lenet5 --data @digits", OUTPUT);
    }

    @Test
    void aResumedRunReadsTheFileAsItBegan() {
        assertDone("train @open.onnx --epochs 1 --batch-size 20 --quiet --data @digits --scale mnist --out @trained",
                SIZES,
                OUTPUT);
        assertDone("train --resume @trained --quiet");
        assertDone("train --resume @trained --quiet", SIZES, OUTPUT);
        assertExplained("--dim {n2=28, n3=30} differs from the run's",
                "train --resume @trained --dim n2=28 --dim n3=30");
        assertExplained("--output-name f differs from the run's y", "train --resume @trained --output-name f");
        assertDone("eval @trained");
    }

    @Test
    void weightsThatARunBeginsWithMayBeInSuchAFile() throws IOException {
        Path yaml = Files.writeString(folder.resolve("same.yaml"), """
                input: 1x28x28
                layers:
                  - conv: {out: 4, kernel: 3}
                  - relu
                  - max-pool: {kernel: 8}
                  - flatten
                  - linear: {out: classes}
                """);
        assertDone("sensitivity", yaml.toString(), "--from @open.onnx --data @digits --threads 1 --scale mnist", SIZES,
                OUTPUT);
        Files.writeString(yaml, Files.readString(yaml).replace("kernel: 3", "kernel: 3, bias: false"));
        assertExplained("bias=true], that of same is Conv2d[",
                "sensitivity", yaml.toString(), "--from @open.onnx --data @digits --threads 1 --scale mnist", SIZES,
                OUTPUT);
        assertExplained("free dimensions 'n2', 'n3'",
                "sensitivity", yaml.toString(), "--from @open.onnx --data @digits --threads 1", OUTPUT);
    }

    @Test
    void runTakesAFileWithoutANameForTheOnlyInput() {
        assertDone("run @open.onnx --input @images.npy --out @all");
        assertTrue(Files.exists(folder.resolve("all/f.npy")) && Files.exists(folder.resolve("all/y.npy")));
        assertDone("run @open.onnx --input @images.npy --out @one --output-name f");
        assertTrue(Files.notExists(folder.resolve("one/y.npy")) && Files.exists(folder.resolve("one/f.npy")));
        assertExplained("--model is for files of tensors",
                "run @open.onnx --input @images.npy --out @all --model lenet5");
    }
}
