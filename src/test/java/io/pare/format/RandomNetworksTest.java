package io.pare.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import io.pare.exec.Tape;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxRuntime;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.pare.PareFile;
import io.pare.infer.CompressedModel;
import io.pare.infer.ReferenceNet;
import io.pare.infer.ReferenceNet.Bounded;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Op.AvgPool;
import io.pare.net.RandomNets;
import io.pare.rewrite.BatchNormFolding;
import io.pare.rewrite.DeadPaths;
import io.pare.rewrite.UnitOrder;
import io.pare.rewrite.ValueForm;
import io.pare.train.Network;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random networks give the same logits in every engine, behind every rewrite and out of every file, to the bound that
 * {@link ReferenceNet} derives: its own for an engine, the sum of both networks' for a rewrite.
 *
 * <p>One network is repeated by {@code -Dpare.test.seed=SEED -Dpare.test.networks=1} and the long form, which takes
 * {@code -Dpare.test.networks=20000} and prints what it did.
 */
class RandomNetworksTest {
    private static final int BATCH = 16;
    /** Images of a batch that are computed in double precision as well. */
    private static final int[] CHECKED = {0, 7, BATCH - 1};

    @TempDir
    Path folder;

    private enum Engine {
        SPARSE_SINGLE, SPARSE_BATCH, DENSE_JAVA, DENSE_NATIVE, FROZEN_JAVA, FROZEN_NATIVE;

        boolean isNative() {
            return this == DENSE_NATIVE || this == FROZEN_NATIVE;
        }

        /** Whether it folds normalisations, which rounds. */
        boolean folds() {
            return this == FROZEN_JAVA || this == FROZEN_NATIVE;
        }
    }

    /** A network with its images, and what its logits must be. */
    private final class Case {
        private final long seed;
        private final CompressedWeights weights;
        private final float[] images;
        private final List<Bounded> expected;
        private final Random random;

        Case(long seed, CompressedWeights weights) {
            this.seed = seed;
            this.weights = weights;
            this.random = new Random(~seed);
            this.images = new float[BATCH * weights.model().input().features()];
            for (int i = 0; i < images.length; i++) {
                images[i] = (float) random.nextGaussian();
            }
            this.expected = reference(weights);
        }

        private float[] image(int i) {
            int size = images.length / BATCH;
            return Arrays.copyOfRange(images, i * size, (i + 1) * size);
        }

        private List<Bounded> reference(CompressedWeights net) {
            ReferenceNet reference = new ReferenceNet(net);
            List<Bounded> logits = new ArrayList<>();
            for (int i : CHECKED) {
                logits.add(reference.bounded(image(i)));
            }
            return logits;
        }

        private float[] run(CompressedWeights net, Engine engine) {
            Net model = net.model();
            float[] logits = new float[BATCH * model.classes()];
            switch (engine) {
                case SPARSE_SINGLE, SPARSE_BATCH -> {
                    try (CompressedModel compressed = CompressedModel.of(net)) {
                        if (engine == Engine.SPARSE_BATCH) {
                            compressed.logits(images, BATCH, logits);
                        } else {
                            float[] one = new float[model.classes()];
                            for (int i : CHECKED) {
                                compressed.logits(image(i), 1, one);
                                System.arraycopy(one, 0, logits, i * one.length, one.length);
                            }
                        }
                    }
                }
                case FROZEN_JAVA, FROZEN_NATIVE -> {
                    try (Network network = Network.frozen(net, engine == Engine.FROZEN_NATIVE)) {
                        logits = network.outputs(images, BATCH);
                    }
                }
                case DENSE_JAVA, DENSE_NATIVE -> {
                    try (Network network = Network.create(model, 1, engine == Engine.DENSE_NATIVE)) {
                        network.copyFrom(net);
                        Tape tape = network.inferenceTape(BATCH);
                        tape.input(Network.IMAGES).copyFrom(images);
                        tape.forward(0);
                        logits = tape.output().toArray();
                    }
                }
            }
            return logits;
        }

        /** Checks one engine on a network that must give the logits of this case. */
        void check(String what, CompressedWeights net, List<Bounded> other, Engine engine) {
            check(what + " on " + engine, run(net, engine), other);
        }

        private void check(String what, float[] logits, List<Bounded> other) {
            for (int k = 0; k < CHECKED.length; k++) {
                Bounded one = expected.get(k);
                for (int c = 0; c < one.values().length; c++) {
                    double bound = one.errors()[c] + (other == expected ? 0 : other.get(k).errors()[c]);
                    compare(what, k, c, logits[CHECKED[k] * one.values().length + c], bound);
                }
            }
        }

        /** Checks a rewritten network: exactly computed, and in one engine. */
        void check(String what, CompressedWeights net) {
            List<Bounded> actual = reference(net);
            for (int k = 0; k < CHECKED.length; k++) {
                assertEquals(expected.get(k).values().length, actual.get(k).values().length, () -> describe(what));
                for (int c = 0; c < expected.get(k).values().length; c++) {
                    compare(what, k, c, actual.get(k).values()[c],
                            expected.get(k).errors()[c] + actual.get(k).errors()[c]);
                }
            }
            check(what, net, actual, random.nextBoolean() ? Engine.SPARSE_BATCH : Engine.SPARSE_SINGLE);
        }

        private void compare(String what, int k, int c, double actual, double bound) {
            double value = expected.get(k).values()[c];
            assertTrue(Math.abs(actual - value) <= bound,
                    () -> describe(
                            what + ": logit " + c + " of image " + CHECKED[k] + " is " + actual + ", not " + value
                                    + " within " + bound));
        }

        private String describe(String what) {
            return "network of seed " + seed + ": " + what + "; " + weights.model() + " " + weights.tensors();
        }

        /** A network that must have come back as it was. */
        void same(String what, CompressedWeights back) {
            assertEquals(weights.scale(), back.scale(), () -> describe(what));
            weights.tensors().forEach((name, tensor) -> assertTrue(tensor.sameAs(back.tensor(name)),
                    () -> describe(what + ": " + name)));
        }
    }

    /** A change to a network that leaves its outputs as they are. */
    private interface Rewrite {
        CompressedWeights apply(CompressedWeights weights);
    }

    private interface InPlace {
        void apply(Net model, Map<String, FloatTensor> parameters);
    }

    private static Rewrite inPlace(InPlace change) {
        return weights -> {
            try (Region region = Region.confined("rewrite")) {
                Map<String, FloatTensor> parameters = weights.dense(region);
                change.apply(weights.model(), parameters);
                return CompressedWeights.of(weights.model(), parameters, weights.scale());
            }
        };
    }

    private static Map<String, Rewrite> rewrites(Net model, Random random) {
        Map<String, Rewrite> rewrites = new LinkedHashMap<>();
        rewrites.put("UnitOrder.sort", UnitOrder::sort);
        rewrites.put("BatchNormFolding.fold", BatchNormFolding::fold);
        rewrites.put("DeadPaths.remove", inPlace(DeadPaths::remove));
        rewrites.put("DeadPaths.foldBiases", inPlace(DeadPaths::foldBiases));
        Map<String, ValueForm> kept = new LinkedHashMap<>();
        for (String name : DeadPaths.foldable(model)) {
            kept.put(name, random.nextBoolean() ? ValueForm.F16 : ValueForm.uniform(4));
        }
        rewrites.put("DeadPaths.foldBiases of rounded ones",
                inPlace((of, parameters) -> DeadPaths.foldBiases(of, parameters, kept)));
        return rewrites;
    }

    private void check(long seed, CompressedWeights random, Map<String, Integer> runs) throws IOException {
        Case net = new Case(seed, random);
        CompressedWeights weights = net.weights;
        if (net.expected.stream().flatMapToDouble(one -> Arrays.stream(one.errors())).allMatch(Double::isFinite)) {
            runs.merge("bounded", 1, Integer::sum);
        }
        CompressedWeights smaller = BatchNormFolding.fold(weights);
        List<Bounded> folded = smaller == weights ? net.expected : net.reference(smaller);
        for (Engine engine : Engine.values()) {
            // Building primitives takes longer than all the rest.
            if (!engine.isNative() || Natives.status().available() && seed % 4 == 0) {
                net.check("engine", weights, engine.folds() ? folded : net.expected, engine);
                runs.merge(engine.name(), 1, Integer::sum);
            }
        }
        Map<String, Rewrite> rewrites = rewrites(weights.model(), net.random);
        rewrites.forEach((name, rewrite) -> net.check(name, rewrite.apply(weights)));
        List<String> order = new ArrayList<>(rewrites.keySet());
        Collections.shuffle(order, net.random);
        CompressedWeights rewritten = weights;
        for (String name : order) {
            rewritten = rewrites.get(name).apply(rewritten);
        }
        net.check("all of " + order, rewritten);

        CompressedWeights pare = PareFile.decode(PareFile.encode(weights));
        assertEquals(weights.model(), pare.model(), () -> net.describe(".pare"));
        net.same(".pare", pare);
        boolean codes = net.random.nextBoolean();
        NetworkFile.Kind kind = codes ? NetworkFile.Kind.SAFETENSORS_COMPRESSED : NetworkFile.Kind.SAFETENSORS;
        Path path = folder.resolve("net.safetensors");
        NetworkFile.write(path, weights, kind);
        net.same(kind.name(), NetworkFile.read(path, weights.model(), Map.of()));
        if (onnx(net, codes)) {
            runs.merge("ONNX", 1, Integer::sum);
        }
    }

    /** ONNX has no images behind vectors: whether this network can be written. What is written runs and comes back. */
    private static boolean onnx(Case net, boolean codebooks) {
        byte[] file;
        try {
            file = OnnxFile.encode(net.weights, codebooks ? OnnxWeights.AS_THEY_ARE : OnnxWeights.FLOATS);
        } catch (IllegalArgumentException e) {
            return false;
        }
        if (!isMiscounted(net.weights.model())) {
            runtime(net, file);
        }
        net.check("ONNX", OnnxFile.decode(file));
        return true;
    }

    private static void runtime(Case net, byte[] file) {
        List<Integer> sizes = new ArrayList<>(net.weights.model().input().sizes());
        sizes.addFirst(BATCH);
        try {
            net.check("ONNX Runtime", OnnxRuntime.run(file, net.images, sizes.stream().mapToLong(i -> i).toArray()),
                    net.expected);
        } catch (OrtException e) {
            throw new AssertionError(net.describe("ONNX Runtime"), e);
        }
    }

    /**
     * Whether ONNX Runtime 1.23 departs from ONNX in means that count padding. In files of version 19, which dilated means
     * need, it takes the padding on the left for that below; in others it counts what only ceil mode reads.
     */
    private static boolean isMiscounted(Net net) {
        List<AvgPool> means = net.nodes().stream().map(Node::op).filter(AvgPool.class::isInstance)
                .map(AvgPool.class::cast).toList();
        boolean dilated = means.stream().anyMatch(mean -> mean.window().isDilated());
        return means.stream().anyMatch(mean -> mean.countsPadding() && mean.window().pads()
                && (dilated || mean.uncountedBottom() + mean.uncountedRight() > 0));
    }

    private Map<String, Integer> check(long first, long count, LongFunction<CompressedWeights> nets)
            throws IOException {
        Map<String, Integer> runs = new TreeMap<>();
        for (long seed = first; seed < first + count; seed++) {
            CompressedWeights net = nets.apply(seed);
            try {
                check(seed, net, runs);
            } catch (RuntimeException e) {
                throw new AssertionError("network of seed " + seed + ": " + net.model(), e);
            }
        }
        int bounded = runs.getOrDefault("bounded", 0);
        assertTrue(10 * bounded > 9 * count, () -> "of " + count + " networks " + bounded + " have bounds");
        int read = runs.getOrDefault("ONNX", 0);
        assertTrue(2 * read > count, () -> read + " ONNX files of " + count + " came back");
        return runs;
    }

    @Test
    void enginesRewritesAndFilesAgree() throws IOException {
        check(0, 500, RandomNets::of);
    }

    @Test
    void enginesRewritesAndFilesAgreeOnAnyGraph() throws IOException {
        check(0, 300, RandomNets::graph);
        // Takes a normalised vector, which is an image on the way, by an operator on tensors.
        check(5321, RandomNets.graph(5321), new TreeMap<>());
    }

    @Test
    void enginesRewritesAndFilesAgreeOnAnyWindows() throws IOException {
        check(0, 300, RandomNets::windows);
    }

    @Test
    @Tag("long")
    void enginesRewritesAndFilesAgreeOnManyNetworks() throws IOException {
        long first = Long.getLong("pare.test.seed", 0);
        long count = Long.getLong("pare.test.networks", 20_000);
        for (LongFunction<CompressedWeights> nets : List.<LongFunction<CompressedWeights>>of(RandomNets::of,
                RandomNets::graph, RandomNets::windows)) {
            long start = System.nanoTime();
            Map<String, Integer> runs = check(first, count, nets);
            System.out.printf("networks from seed %d on agree: %s, %d s%n", first, runs,
                    (System.nanoTime() - start) / 1_000_000_000);
        }
    }
}
