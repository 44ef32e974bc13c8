package io.pare.format.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import io.pare.data.Dataset;
import io.pare.data.Mnist;
import io.pare.file.FormatException;
import io.pare.format.protobuf.Protobuf.Writer;
import io.pare.infer.ReferenceNet;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Node;
import io.pare.net.Op.Add;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.MaxPool;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import io.pare.net.Window;
import io.pare.rewrite.BatchNormFolding;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OnnxFileTest {
    private static final Net MIXED = new NetBuilder("mixed", Shape.of(2, 9, 11))
            .add("a", new Conv2d(2, 6, Window.uniform(3, 2, 2, 1, 2), 2, true)).relu("b").add("c", AvgPool.of(2, 1, 1))
            .maxPool("d", 3, 2, 1)
            .flatten("e").linear("f", 7).relu("g").linear("h", 5).build();

    private static float[] mnist(int count) {
        Dataset test = Mnist.embedded().test();
        float[] images = new float[count * 784];
        for (int i = 0; i < images.length; i++) {
            images[i] = test.pixel(i / 784, i % 784) / 255f;
        }
        return images;
    }

    private static int best(float[] row) {
        int best = 0;
        for (int c = 1; c < row.length; c++) {
            best = row[c] > row[best] ? c : best;
        }
        return best;
    }

    /** Runs a file in ONNX Runtime and compares every logit with the reference. */
    private static void assertRuns(CompressedWeights weights, boolean codebooks, float[] images, int count)
            throws OrtException {
        byte[] file = OnnxFile.encode(weights, codebooks ? OnnxWeights.AS_THEY_ARE : OnnxWeights.FLOATS);
        ReferenceNet reference = new ReferenceNet(weights);
        Shape input = weights.model().input();
        int classes = weights.model().classes();
        float[] logits = OnnxRuntime.run(file, images, count, input.channels(), input.height(), input.width());
        for (int i = 0; i < count; i++) {
            int features = input.features();
            double[] expected = reference.logits(Arrays.copyOfRange(images, i * features, (i + 1) * features));
            double scale = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
            float[] rounded = new float[classes];
            for (int c = 0; c < classes; c++) {
                assertEquals(expected[c], logits[i * classes + c], 1e-4 * scale, "image " + i + " class " + c);
                rounded[c] = (float) expected[c];
            }
            assertEquals(best(rounded), best(Arrays.copyOfRange(logits, i * classes, (i + 1) * classes)),
                    "image " + i);
        }
    }

    private static List<Shape> shapes(Net net) {
        return net.trained().nodes().stream().map(Node::output).toList();
    }

    @Test
    void onnxRuntimeGivesTheSameClassesAndLogitsOnRealImages() throws OrtException {
        float[] images = mnist(250);
        CompressedWeights pruned = PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3);
        assertRuns(pruned, false, images, 250);
        assertRuns(pruned, true, images, 250);
        assertRuns(PrunedNets.of(Models.lenet300(), Map.of("fc1.weight", 9000), 0, 0, 4), false, images, 250);
    }

    @Test
    void everyKindOfLayerRuns() throws OrtException {
        Random random = new Random(1);
        float[] images = new float[20 * MIXED.input().features()];
        for (int i = 0; i < images.length; i++) {
            images[i] = random.nextFloat();
        }
        assertRuns(PrunedNets.of(MIXED, Map.of("f.weight", 100), 4, 0, 3), true, images, 20);
        assertRuns(PrunedNets.of(MIXED, Map.of(), 0, 0, 3), false, images, 20);
    }

    @Test
    void windowsOfAnyFormRun() throws OrtException {
        Net model = new NetBuilder("windows", Shape.of(2, 12, 11))
                .add("a", new Conv2d(2, 5, Window.of(3, 2).by(1, 2).padded(2, 0, 1, 3).dilated(1, 2), 1, true))
                .add("b", new MaxPool(Window.of(2, 3).by(2, 1).padded(0, 2, 1, 0).dilated(3, 1)))
                .add("c", new AvgPool(Window.of(3, 2).padded(0, 1, 2, 0).dilated(1, 2), false)).flatten("d")
                .linear("e", 5).build();
        float[] images = new float[4 * model.input().features()];
        for (int i = 0; i < images.length; i++) {
            images[i] = (float) Math.sin(i);
        }
        CompressedWeights weights = PrunedNets.of(model, Map.of(), 0, 0, 3);
        assertRuns(weights, false, images, 4);
        CompressedWeights read = OnnxFile.decode(OnnxFile.encode(weights, OnnxWeights.FLOATS));
        assertEquals(shapes(model), shapes(read.model()));
    }

    /** Of its padding, a mean may leave out what ONNX's ceil_mode reads, and nothing else. */
    @Test
    void whatAMeanLeavesOutIsWrittenAsCeilMode() {
        Net moved = new NetBuilder("moved", Shape.of(1, 5, 5))
                .add("pool1", new AvgPool(Window.square(3, 1, 1).padded(1, 1, 2, 2), true, 1, 1)).flatten("flatten")
                .linear("fc1", 2).build();
        CompressedWeights weights = PrunedNets.of(moved, Map.of(), 0, 0, 3);
        String message =
                assertThrows(IllegalArgumentException.class, () -> OnnxFile.encode(weights, OnnxWeights.FLOATS))
                        .getMessage();
        assertTrue(message.contains("pool1") && message.contains("ONNX cannot tell"), message);
        Net ceiling = new NetBuilder("ceiling", Shape.of(1, 6, 5)).conv("conv1", 2, 1, 1, 0, true)
                .add("pool1", new AvgPool(Window.square(3, 2, 0).padded(0, 1, 1, 1), true, 1, 0)).flatten("flatten")
                .linear("fc1", 2).build();
        PrunedNets.assertSame(PrunedNets.of(ceiling, Map.of(), 0, 0, 3),
                OnnxFile.decode(OnnxFile.encode(PrunedNets.of(ceiling, Map.of(), 0, 0, 3), OnnxWeights.FLOATS)));
    }

    @Test
    void normalizationsOfVectorsRunAndAreReadAgain() throws OrtException {
        Net model = new NetBuilder("vectors", Shape.of(2, 3, 3)).flatten("flat").linear("fc1", 7).norm("bn")
                .relu("relu").linear("fc2", 4).build();
        CompressedWeights weights = PrunedNets.of(model, Map.of(), 0, 0, 3);
        float[] images = new float[5 * 18];
        for (int i = 0; i < images.length; i++) {
            images[i] = (float) Math.sin(i);
        }
        assertRuns(weights, false, images, 5);
        assertEquals(shapes(model), shapes(OnnxFile.decode(OnnxFile.encode(weights, OnnxWeights.FLOATS)).model()));
    }

    @Test
    void normalizationsAndResidualBlocksRun() throws OrtException {
        Random random = new Random(1);
        float[] images = new float[20 * PrunedNets.RESIDUAL.input().features()];
        for (int i = 0; i < images.length; i++) {
            images[i] = random.nextFloat();
        }
        for (int levels : new int[]{0, 4}) {
            CompressedWeights weights = PrunedNets.of(PrunedNets.RESIDUAL, Map.of("conv5.weight", 90), levels, 0, 3);
            assertRuns(weights, levels > 0, images, 20);
            assertRuns(BatchNormFolding.fold(weights), levels > 0, images, 20);
        }
    }

    @Test
    void residualNetworksAreReadAgainUnderTheirNames() {
        CompressedWeights weights = PrunedNets.of(Models.byName("resnet20"), Map.of(), 0, 0, 3);
        PrunedNets.assertSame(weights, OnnxFile.decode(OnnxFile.encode(weights, OnnxWeights.FLOATS)));
        CompressedWeights folded = BatchNormFolding.fold(weights);
        CompressedWeights read = OnnxFile.decode(OnnxFile.encode(folded, OnnxWeights.FLOATS));
        assertEquals(9, read.model().layers().stream().filter(node -> node.op() instanceof Add).count());
        assertEquals(folded.model().trainedCount(), read.model().trainedCount());
        ReferenceNet expected = new ReferenceNet(folded);
        float[] image = new float[3 * 32 * 32];
        Arrays.fill(image, 0.5f);
        assertArrayEquals(expected.logits(image), new ReferenceNet(read).logits(image));
    }

    @Test
    void whatWasWrittenIsReadAgain() {
        for (boolean codebooks : new boolean[]{false, true}) {
            CompressedWeights lenet = new CompressedWeights(Models.lenet5(),
                    PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3).tensors(), new InputScale(0.1307f, 0.3081f));
            byte[] file = OnnxFile.encode(lenet, codebooks ? OnnxWeights.AS_THEY_ARE : OnnxWeights.FLOATS);
            PrunedNets.assertSame(lenet, OnnxFile.decode(file));
            assertArrayEquals(file, OnnxFile.encode(lenet, codebooks ? OnnxWeights.AS_THEY_ARE : OnnxWeights.FLOATS));
            CompressedWeights mixed = PrunedNets.of(MIXED, Map.of(), 3, 0, 3);
            CompressedWeights read =
                    OnnxFile.decode(OnnxFile.encode(mixed, codebooks ? OnnxWeights.AS_THEY_ARE : OnnxWeights.FLOATS));
            assertEquals(shapes(MIXED), shapes(read.model()));
            float[] image = new float[198];
            for (int i = 0; i < image.length; i++) {
                image[i] = (float) Math.sin(i);
            }
            assertArrayEquals(new ReferenceNet(mixed).logits(image), new ReferenceNet(read).logits(image));
        }
    }

    /** A graph as other tools write it: MatMul and Add, Reshape, half-precision weights, unpacked numbers. */
    @Test
    void graphsOfOtherToolsAreRead() {
        Writer weight = new Writer().number(1, 2).number(1, 3).number(2, 10).text(8, "w").bytes(9,
                new byte[]{0, 60, 0, 64, 0, 66, 0, 68, 0, 69, 0, 70});
        Writer bias = new Writer().number(1, 3).number(2, 1).text(8, "b").bytes(4, new byte[12]);
        Writer sizes = new Writer().number(1, 2).number(2, 7).text(8, "s").bytes(7,
                new byte[]{1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1});
        Writer graph = new Writer()
                .message(1, new Writer().text(1, "x").text(1, "s").text(2, "flat").text(4, "Reshape"))
                .message(1, new Writer().text(1, "flat").text(1, "w").text(2, "p").text(4, "MatMul"))
                .message(1, new Writer().text(1, "b").text(1, "p").text(2, "y").text(4, "Add")).text(2, "other")
                .message(5, weight).message(5, bias).message(5, sizes).message(11, input("x", 1, 2, 1))
                .message(12, new Writer().text(1, "y"));
        CompressedWeights read = OnnxFile.decode(new Writer().number(1, 8).message(7, graph).toByteArray());
        assertArrayEquals(new float[]{1, 4, 2, 5, 3, 6}, read.tensor("fc1.weight").toArray());
        assertEquals(3, read.model().classes());
    }

    private static Writer input(String name, long... sizes) {
        Writer shape = new Writer().message(1, new Writer().text(2, "n"));
        for (long size : sizes) {
            shape.message(1, new Writer().number(1, size));
        }
        return new Writer().text(1, name).message(2,
                new Writer().message(1, new Writer().number(1, 1).message(2, shape)));
    }

    @Test
    void operatorsThatPareLacksAreNamed() {
        Writer graph = new Writer()
                .message(1, new Writer().text(1, "x").text(2, "y").text(3, "rnn").text(4, "LSTM"))
                .message(11, input("x", 4)).message(12, new Writer().text(1, "y"));
        String message = assertThrows(FormatException.class,
                () -> OnnxFile.decode(new Writer().number(1, 8).message(7, graph).toByteArray())).getMessage();
        assertTrue(message.contains("LSTM 'rnn'"), message);
    }

    @Test
    void damagedFilesAreRefused() {
        byte[] file = OnnxFile.encode(PrunedNets.of(MIXED, Map.of("a.weight", 5), 3, 0, 3), OnnxWeights.AS_THEY_ARE);
        Random random = new Random(2);
        for (int i = 0; i < 2000; i++) {
            byte[] broken = Arrays.copyOf(file, i % 2 == 0 ? file.length : random.nextInt(file.length));
            for (int j = 0; j < 3 && broken.length > 0; j++) {
                broken[random.nextInt(broken.length)] = (byte) random.nextInt();
            }
            try {
                OnnxFile.decode(broken);
            } catch (FormatException e) {
                assertTrue(!e.getMessage().contains("\n"), e.getMessage());
            }
        }
    }
}
