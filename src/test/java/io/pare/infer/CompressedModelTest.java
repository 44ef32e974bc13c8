package io.pare.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.pare.format.pare.PareFile;
import io.pare.kernel.KernelProvider;
import io.pare.net.CompressedWeights;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.MaxPool;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import io.pare.net.Window;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class CompressedModelTest {
    private static float[] images(Net model, int count) {
        Random random = new Random(count);
        float[] images = new float[count * model.input().features()];
        for (int i = 0; i < images.length; i++) {
            images[i] = random.nextInt(4) == 0 ? random.nextFloat() : 0;
        }
        return images;
    }

    private static void assertAgrees(CompressedWeights weights, int... batches) {
        Net model = weights.model();
        ReferenceNet reference = new ReferenceNet(weights);
        int classes = model.classes();
        try (CompressedModel compressed = CompressedModel.of(weights)) {
            for (int count : batches) {
                float[] images = images(model, count);
                float[] logits = new float[count * classes];
                compressed.logits(images, count, logits);
                for (int i = 0; i < count; i++) {
                    int features = model.input().features();
                    double[] expected = reference.logits(Arrays.copyOfRange(images, i * features, (i + 1) * features));
                    double scale = Arrays.stream(expected).map(Math::abs).max().orElse(0) + 1e-3;
                    for (int c = 0; c < classes; c++) {
                        assertEquals(expected[c], logits[i * classes + c], 1e-5 * scale,
                                model.name() + " image " + i + " of " + count + " class " + c);
                    }
                }
            }
        }
    }

    @Test
    void inputsThatAreNoFiniteNumbersAreNamed() {
        try (CompressedModel model = CompressedModel.of(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 0, 3))) {
            float[] expected = model.predict(images(model.model(), 20), 20);
            for (float wrong : new float[]{Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                for (int at : new int[]{0, 783, 784, 20 * 784 - 1}) {
                    float[] images = images(model.model(), 20);
                    images[at] = wrong;
                    String message = assertThrows(IllegalArgumentException.class, () -> model.predict(images, 20))
                            .getMessage();
                    assertTrue(message.startsWith("input " + at % 784 + " of image " + at / 784 + " for lenet5")
                            && message.contains("is " + wrong), message);
                }
            }
            float[] large = images(model.model(), 20);
            large[0] = Float.MAX_VALUE;
            model.logits(large, 20, new float[200]);
            float[] beyond = Arrays.copyOf(images(model.model(), 20), 21 * 784);
            beyond[20 * 784] = Float.NaN;
            assertArrayEquals(expected, model.predict(beyond, 20));
        }
    }

    @Test
    void anArrayOfMoreThanOneImageIsRefusedAsOne() {
        try (CompressedModel model = CompressedModel.of(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 0, 3))) {
            float[] two = new float[2 * 784];
            for (Executable call : List.<Executable>of(() -> model.predict(two), () -> model.classify(two),
                    () -> model.session().logits(two, new float[10]))) {
                String message = assertThrows(IllegalArgumentException.class, call).getMessage();
                assertEquals("one image of lenet5 takes 784 floats, the array has 1568: say how many images it holds",
                        message);
            }
        }
    }

    @Test
    void aSessionIsRightOrRefusesASecondThread() throws Exception {
        try (CompressedModel model = CompressedModel.of(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 0, 3));
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            float[] images = images(model.model(), 40);
            float[] expected = model.predict(images, 40);
            Session shared = model.session();
            List<Future<Integer>> rights = new ArrayList<>();
            for (int t = 0; t < 2; t++) {
                rights.add(threads.submit(() -> {
                    int right = 0;
                    while (right < 100) {
                        float[] found = new float[400];
                        try {
                            shared.predict(images, 40, found);
                        } catch (IllegalStateException e) {
                            assertTrue(e.getMessage().startsWith("a session of lenet5 is used by two threads"));
                            continue;
                        }
                        assertArrayEquals(expected, found);
                        right++;
                    }
                    return right;
                }));
            }
            for (Future<Integer> right : rights) {
                assertEquals(100, right.get());
            }
        }
    }

    @Test
    void prunedLenet5AgreesWithTheReferenceInBatchesOfAnySize() {
        for (double spread : new double[]{0, 1.5}) {
            assertAgrees(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, spread, 3), 1, 3, 8, 16, 17, 40);
        }
    }

    @Test
    void denseNetworksAgreeToo() {
        assertAgrees(PrunedNets.of(Models.lenet5(), Map.of(), 0, 0, 4), 1, 16);
        assertAgrees(PrunedNets.of(Models.lenet300(), Map.of("fc1.weight", 5000), 0, 0, 4), 1, 7, 18);
    }

    @Test
    void everyKindOfLayerAgrees() {
        List<Consumer<NetBuilder>> bodies = List.of(
                net -> net.add("c1", new Conv2d(4, 6, Window.uniform(3, 2, 2, 1, 1), 2, true)).relu("r1")
                        .add("p1", AvgPool.of(2, 1, 1))
                        .add("c2", new Conv2d(6, 5, Window.uniform(2, 2, 1, 2, 2), 1, true)).maxPool("p2", 3, 2, 1)
                        .relu("r2"),
                net -> net
                        .add("c1", new Conv2d(4, 6, Window.of(3, 2).by(2, 1).padded(0, 2, 1, 0).dilated(1, 2), 2, true))
                        .relu("r1").add("p1", new MaxPool(Window.of(2, 3).by(1, 2).padded(1, 0, 0, 2).dilated(2, 1)))
                        .add("p2", new AvgPool(Window.of(3, 2).by(1, 2).padded(2, 0, 1, 1), true, 1, 0)),
                net -> net.relu("r0").add("c1", new Conv2d(4, 3, Window.square(3, 1, 0), 1, true)),
                net -> net.add("c1", new Conv2d(4, 3, Window.uniform(2, 3, 1, 1, 1), 1, true)).relu("r1").maxPool("p1",
                        2, 2, 0));
        for (Consumer<NetBuilder> body : bodies) {
            for (boolean flat : new boolean[]{true, false}) {
                NetBuilder net = new NetBuilder("mixed", Shape.of(4, 9, 11));
                body.accept(net);
                Net model = (flat ? net.flatten("f") : net).linear("l", 5).build();
                assertAgrees(PrunedNets.of(model, Map.of("l.weight", 40), 0, 0.5, 8), 1, 2, 16);
            }
        }
        assertAgrees(PrunedNets.of(PrunedNets.RESIDUAL, Map.of(), 0, 0, 8), 1, 3, 16);
        assertAgrees(PrunedNets.of(PrunedNets.RESIDUAL, Map.of("conv4.weight", 30, "conv5.weight", 20,
                "conv7.weight", 3, "fc1.weight", 7), 3, 1.5, 9), 1, 16);
        Net conv = new NetBuilder("conv", Shape.of(2, 5, 6))
                .add("c1", new Conv2d(2, 3, Window.square(3, 1, 0), 1, true)).build();
        assertAgrees(PrunedNets.of(conv, Map.of(), 0, 0, 8), 1, 16);
    }

    @Test
    void residualNetworksAndWideOnesAgree() {
        assertAgrees(PrunedNets.of(Models.byName("resnet20"), Map.of(), 0, 0, 8), 1);
        Net wide = new NetBuilder("wide", Shape.of(256, 4, 4)).conv("conv1", 512, 3, 1, 1, true).norm("bn1")
                .relu("relu1").maxPool("pool1", 2, 2, 0).flatten("flatten").linear("fc1", 10).build();
        assertAgrees(PrunedNets.of(wide, Map.of(), 0, 0, 8), 1);
    }

    @Test
    @Tag("long")
    void vggAgrees() {
        Net model = Models.byName("vgg11-bn-cifar", Shape.of(3, 32, 32), 10);
        assertAgrees(PrunedNets.of(model, Map.of(), 0, 0, 8), 1);
    }

    @Test
    void loadsPredictsAndGivesProbabilities(@TempDir Path folder) throws IOException {
        CompressedWeights weights = PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3);
        Path path = folder.resolve("net.pare");
        PareFile.write(path, weights);
        CompressedModel closed;
        try (CompressedModel model = CompressedModel.load(path)) {
            float[] images = images(model.model(), 20);
            float[] batch = model.predict(images, 20);
            float[] one = model.predict(Arrays.copyOf(images, 784));
            assertEquals(1, one[0] + one[1] + one[2] + one[3] + one[4] + one[5] + one[6] + one[7] + one[8] + one[9],
                    1e-5);
            assertArrayEquals(Arrays.copyOf(batch, 10), one, 1e-5f);
            float best = one[model.classify(Arrays.copyOf(images, 784))];
            for (float probability : one) {
                assertTrue(probability <= best);
            }
            String message = assertThrows(IllegalArgumentException.class, () -> model.predict(new float[783]))
                    .getMessage();
            assertTrue(message.contains("784") && message.contains("783"), message);
            for (int count : new int[]{21, -1, Integer.MAX_VALUE}) {
                assertThrows(IllegalArgumentException.class, () -> model.predict(images, count));
            }
            assertTrue(model.describe().toString().contains("conv1: sparse, 100 of 500"), model.describe().toString());
            closed = model;
        }
        assertThrows(IllegalStateException.class, () -> closed.predict(new float[784]));
    }

    @Test
    void manyThreadsShareOneModel() throws Exception {
        CompressedWeights weights = PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3);
        try (CompressedModel model = CompressedModel.of(weights);
                ExecutorService pool = Executors.newFixedThreadPool(8)) {
            float[] images = images(model.model(), 50);
            float[] expected = new float[500];
            model.logits(images, 50, expected);
            List<Future<?>> running = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                running.add(pool.submit(() -> {
                    float[] logits = new float[500];
                    for (int round = 0; round < 40; round++) {
                        model.logits(images, 50, logits);
                        assertArrayEquals(expected, logits);
                    }
                }));
            }
            for (Future<?> future : running) {
                future.get();
            }
        }
    }

    @Test
    void predictingMakesNoGarbage() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (CompressedModel model = CompressedModel.of(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3))) {
            float[] images = images(model.model(), 20);
            float[] out = new float[200];
            // Vectors are objects until the second compiler has seen the loops; plain Java makes none before that either.
            int warm = KernelProvider.active().name().equals("scalar") ? 2_000 : 20_000;
            for (int i = 0; i < warm; i++) {
                model.logits(images, 1, out);
                model.logits(images, i % 20 == 0 ? 20 : 1, out);
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 1000; i++) {
                model.logits(images, 1, out);
                model.logits(images, 20, out);
            }
            long each = (threads.getCurrentThreadAllocatedBytes() - before) / 2000;
            assertTrue(each < 100, each + " bytes for each call");
        }
    }
}
