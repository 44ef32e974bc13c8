package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Numpy;
import io.pare.data.Pictures;
import io.pare.format.pare.PareFile;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Ending;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pare predict} for each task, for readers that go away, and for numbers beyond floats. */
class PredictTasksTest {
    private static final float[] BIASES = {2, -1, 0.5f};

    @TempDir
    Path folder;

    private record Result(int exit, String out, String err) {}

    /** The answer is the biases, whatever the picture: the weights are zero. */
    private Path constant(Ending ending, int outputs) throws IOException {
        Path file = folder.resolve(ending + "-" + outputs + ".pare");
        write(file, ending, outputs, 0);
        return file;
    }

    private static void write(Path file, Ending ending, int outputs, float weight) {
        Net net = ending.on(new NetBuilder("flat", Shape.of(1, 4, 4)).flatten("flatten").linear("fc", outputs).build());
        float[] weights = new float[16 * outputs];
        Arrays.fill(weights, weight);
        PareFile.write(file, new CompressedWeights(net, Map.of("fc.weight", CompressedTensor.of(weights, outputs, 16),
                "fc.bias", CompressedTensor.of(Arrays.copyOf(BIASES, outputs), outputs)), InputScale.UNIT));
    }

    @BeforeEach
    void pictures() throws IOException {
        Files.createDirectories(folder.resolve("pictures"));
        for (int i = 0; i < 5; i++) {
            Pictures.write(folder.resolve("pictures/" + i + ".png"),
                    Pictures.smooth(4, 4, BufferedImage.TYPE_BYTE_GRAY, i));
        }
    }

    private Result predict(OutputStream out, Object... args) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        String[] words = new String[args.length + 1];
        words[0] = "predict";
        for (int i = 0; i < args.length; i++) {
            words[i + 1] = args[i].toString();
        }
        int exit = Commands.run(TerminalWriter.of(out, StandardCharsets.UTF_8),
                TerminalWriter.of(err, StandardCharsets.UTF_8), words);
        return new Result(exit, out.toString(), err.toString(StandardCharsets.UTF_8));
    }

    private void assertSays(String answer, String note, Object... args) {
        Path picture = folder.resolve("pictures/0.png");
        Object[] all = Arrays.copyOf(args, args.length + 2);
        all[args.length] = "--image";
        all[args.length + 1] = picture;
        Result result = predict(new ByteArrayOutputStream(), all);
        assertEquals(0, result.exit, result.err);
        assertEquals(picture + answer + "\n", result.out);
        assertEquals(note.isEmpty() ? "" : "pare: " + note + "\n", result.err);
    }

    private void assertExplained(String expected, Object... args) {
        Result result = predict(new ByteArrayOutputStream(), args);
        assertEquals(Commands.USAGE, result.exit, result.err);
        assertEquals(1, result.err.lines().count(), result.err);
        assertTrue(result.err.contains(expected), result.err);
    }

    @Test
    void labelsAreThoseAboveTheThreshold() throws IOException {
        String note = "flat ends in a sigmoid: --task multilabel is taken, --task classify names the best class";
        assertSays("  0 0.8808  2 0.6225", note, constant(Ending.SIGMOID, 3));
        assertSays("  0 0.8808  2 0.6225", "", constant(Ending.SIGMOID, 3), "--task", "multilabel");
        assertSays("  0 0.8808  2 0.6225", "", constant(Ending.NONE, 3), "--task", "multilabel");
        assertSays("  0 0.8808", "", constant(Ending.NONE, 3), "--task", "multilabel", "--threshold", 0.7);
        assertSays("  0 0.8808  2 0.6225  1 0.2689", "", constant(Ending.NONE, 3), "--task", "multilabel",
                "--threshold", 0);
        assertSays("  none", "", constant(Ending.NONE, 3), "--task", "multilabel", "--threshold", 0.9);
        assertSays("  0 0.8808", "", constant(Ending.SIGMOID, 3), "--task", "classify");
    }

    @Test
    void numbersAreGivenAsTheyAre() throws IOException {
        assertSays("  2.0  -1.0  0.5", "", constant(Ending.NONE, 3), "--task", "regress");
        Result sigmoids =
                predict(new ByteArrayOutputStream(), constant(Ending.SIGMOID, 3), "--task", "regress", "--image",
                        folder.resolve("pictures/0.png"));
        assertTrue(sigmoids.out.matches(".*png  0\\.8807\\d+  0\\.2689\\d+  0\\.6224\\d+\n"),
                sigmoids.out + sigmoids.err);
        assertSays("  2.0", "flat gives one number: --task regress is taken", constant(Ending.NONE, 1));
        assertSays("  0 0.7856  2 0.1753", "", constant(Ending.NONE, 3), "--top", 2);
    }

    @Test
    void aRunsFolderSaysItsTask() throws IOException {
        Path data = new Numpy().add("x", "u1", i -> i % 200, 60, 4, 4).add("y", "f4", i -> i % 3, 60)
                .write(folder.resolve("own.npz"));
        Path yaml = Files.writeString(folder.resolve("own.yaml"), "input: 1x4x4\nlayers: [{linear: {out: 2}}]\n");
        Path two = new Numpy().add("x", "u1", i -> i % 200, 60, 4, 4).add("y", "f4", i -> i % 3, 60, 2)
                .write(folder.resolve("two.npz"));
        assertTrue(Files.exists(data));
        Path out = folder.resolve("run");
        assertEquals(0, Commands.line().execute("train", yaml.toString(), "--data", two.toString(), "--task", "regress",
                "--epochs", "1", "--batch-size", "10", "--threads", "1", "--quiet", "--out", out.toString()));
        Result result = predict(new ByteArrayOutputStream(), out, "--image", folder.resolve("pictures"));
        assertEquals(0, result.exit, result.err);
        assertTrue(result.out.lines().allMatch(line -> line.matches(".*png  -?\\d+\\.\\d+  -?\\d+\\.\\d+")),
                result.out);
    }

    @Test
    void optionsOfAnotherTaskAreRefused() throws IOException {
        Path pictures = folder.resolve("pictures");
        assertExplained("--top belongs to --task classify; this is multilabel", constant(Ending.NONE, 3), "--image",
                pictures,
                "--task", "multilabel", "--top", 2);
        assertExplained("--threshold belongs to --task multilabel; this is classify", constant(Ending.NONE, 3),
                "--image",
                pictures, "--threshold", 0.2);
        assertExplained("--threshold is 1.5, must be from 0 to 1", constant(Ending.NONE, 3), "--image", pictures,
                "--threshold", 1.5);
        assertExplained("ends in a softmax", constant(Ending.SOFTMAX, 3), "--image", pictures, "--task", "multilabel");
        Result guess =
                predict(new ByteArrayOutputStream(), constant(Ending.NONE, 3), "--image", pictures, "--task", "guess");
        assertTrue(guess.err.contains("'guess' is none of classify, multilabel, regress"), guess.err);
    }

    @Test
    void whoeverReadsMayStop() throws IOException {
        int[] lines = {0};
        OutputStream head = new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("a line at once");
            }

            @Override
            public void write(byte[] bytes, int from, int count) throws IOException {
                if (++lines[0] > 1) {
                    throw new IOException("Broken pipe");
                }
            }
        };
        Path damaged = folder.resolve("pictures/3.png");
        Files.writeString(damaged, "no picture");
        Result result = predict(head, constant(Ending.NONE, 3), "--image", folder.resolve("pictures"));
        assertEquals(Commands.UNREAD, result.exit, "the damaged picture behind was looked at: " + result.err);
        assertEquals("", result.err);
    }

    @Test
    void numbersBeyondFloatsNameTheirPicture() throws IOException {
        Path file = folder.resolve("large.pare");
        write(file, Ending.NONE, 3, 1e30f);
        Path pictures = folder.resolve("pictures");
        for (String batch : new String[]{"1", "3"}) {
            assertExplained("0.png: one of its outputs is ", file, "--image", pictures, "--scale", "0/1e-30", "--batch",
                    batch);
            assertExplained("0.png: one of its inputs is Infinity with the scale ", file, "--image", pictures,
                    "--scale",
                    "-3e38/0.1", "--batch", batch);
        }
    }
}
