package io.pare.exec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.Rounding;
import io.pare.exec.TapeTest.Memory;
import io.pare.exec.TapeTest.Net;
import io.pare.exec.TapeTest.Params;
import io.pare.exec.backend.Backends;
import io.pare.exec.backend.Precision;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mem.Workspace;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory that is handed on: no bit depends on it, and not much more is taken than lives at one moment. */
class MemoryPlanTest {
    private static final int BATCH = 3;

    static Stream<Net> nets() {
        Function<Params, Value> drops = p -> p.head(Graphs.dropout(Graphs.relu(Graphs.linear(
                Graphs.flatten(Graphs.dropout(
                        Graphs.maxPool(Graphs.relu(p.conv("c", TapeTest.image(3, 8), 16, 3, 1, 1, 1, 1)), 2, 2, 0),
                        0.3f)),
                p.get("a.w", 9, 256), p.get("a.b", 9))), 0.5f));
        Function<Params, Value> deep = p -> {
            Value x = Graphs.relu(p.norm("k", p.plainConv("c", TapeTest.image(3, 8), 16, 3, 1, 1)));
            for (int i = 0; i < 4; i++) {
                Value body = Graphs.relu(p.norm("l" + i, p.plainConv("d" + i, x, 16, 3, 1, 1)));
                body = p.norm("m" + i, p.plainConv("e" + i, body, 16, 3, 1, 1));
                x = Graphs.relu(Graphs.add(body, x));
            }
            return p.head(Graphs.globalAvgPool(x));
        };
        Function<Params, Value> sums = p -> {
            Value x = p.conv("c", TapeTest.image(2, 5), 16, 3, 1, 1, 1, 1);
            Value y = p.conv("d", Graphs.relu(x), 16, 3, 1, 1, 1, 1);
            Value sum = Graphs.add(y, x);
            Value more = p.conv("e", x, 16, 3, 1, 1, 1, 1);
            return p.head(Graphs.add(Graphs.add(sum, more), x));
        };
        return Stream.concat(TapeTest.nets(), Stream.of(false, true).flatMap(useNative -> Stream.of(
                new Net("dropout", useNative, drops), new Net("residual blocks", useNative, deep),
                new Net("sums that share gradients", useNative, sums))));
    }

    /** How a tape is given memory. */
    private enum Way {
        SEPARATE, SHARED, RECOMPUTED
    }

    /** What one run of a tape leaves for its caller. */
    private static final class Run implements AutoCloseable {
        private final Region region = Region.shared("run");
        private final Params params = new Params();
        private final Value logits;
        private final Memory memory;
        private final Tape training;
        private final Tape inference;

        Run(Net net, Way way, Precision precision) {
            logits = net.logits().apply(params);
            Value loss = Graph.softmaxCrossEntropy(logits);
            memory = new Memory(region, params, new Random(4));
            Backend backend = Backends.dense(net.useNative(), precision);
            if (way != Way.SEPARATE) {
                Workspace workspace = new Workspace(region);
                training = Tape.training(region, workspace, loss, memory, backend, 1,
                        way == Way.RECOMPUTED);
                inference = Tape.inference(region, workspace, logits, memory, backend);
                training.poison();
                inference.poison();
            } else {
                training = Tape.separate(region, loss, memory, true, backend);
                inference = Tape.separate(region, logits, memory, false, backend);
            }
        }

        List<float[]> results() {
            List<float[]> results = new ArrayList<>();
            Random random = new Random(9);
            TapeTest.randomize(training.input("x"), random);
            for (int i = 0; i < BATCH; i++) {
                training.labels().setAtIndex(ValueLayout.JAVA_INT, i, i);
            }
            TapeTest.randomize(inference.input("x"), random);
            for (int pass = 0; pass < 3; pass++) {
                if (pass == 1) {
                    training.forward(pass);
                }
                training.forward(pass);
                training.backward();
                results.add(new float[]{(float) training.loss(), training.correct()});
                params.gradients().forEach(name -> results.add(memory.gradient(name).toArray()));
                inference.forward(0);
                results.add(inference.output().toArray());
                results.add(inference.output().toArray());
                params.all().forEach(name -> results.add(memory.value(name).toArray()));
            }
            return results;
        }

        @Override
        public void close() {
            region.close();
        }
    }

    @ParameterizedTest
    @MethodSource("nets")
    void memoryIsHandedOnWithoutAChangeOfBits(Net net) {
        TapeTest.assumeAvailable(net.useNative());
        for (Precision precision : Precision.values()) {
            if (precision == Precision.BF16 && (!net.useNative() || precision.obstacle().isPresent())) {
                continue;
            }
            for (Way way : List.of(Way.SHARED, Way.RECOMPUTED)) {
                try (Run alone = new Run(net, Way.SEPARATE, precision); Run other = new Run(net, way, precision)) {
                    List<float[]> expected = alone.results();
                    List<float[]> actual = other.results();
                    assertEquals(expected.size(), actual.size());
                    for (int i = 0; i < expected.size(); i++) {
                        assertArrayEquals(expected.get(i), actual.get(i), 0f, way + ", " + precision + ", result " + i);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("nets")
    void theFootprintIsWhatTheTapeTakes(Net net) {
        TapeTest.assumeAvailable(net.useNative());
        Params params = new Params();
        Value logits = net.logits().apply(params);
        for (Way way : Way.values()) {
            boolean training = way != Way.SEPARATE;
            boolean recompute = way == Way.RECOMPUTED;
            Value root = training ? Graph.softmaxCrossEntropy(logits) : logits;
            try (Region region = Region.shared("footprint")) {
                Memory memory = new Memory(region, params, new Random(4));
                long live = Region.liveBytes();
                Tape.Footprint footprint = Tape.footprint(root, training, Backends.dense(net.useNative()), 1,
                        recompute);
                assertEquals(live, Region.liveBytes());
                Tape tape = training
                        ? Tape.training(region, new Workspace(region), root, memory, Backends.dense(net.useNative()), 1,
                                recompute)
                        : Tape.inference(region, root, memory, Backends.dense(net.useNative()));
                assertEquals(footprint.shared() + footprint.own(), Region.liveBytes() - live);
                assertTrue(tape.plan().bytes() <= 1.1 * tape.plan().leastBytes() + 1024,
                        tape.plan().bytes() + " bytes planned, " + tape.plan().leastBytes() + " live at once");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void partsOfABatchAddUpToIt(boolean useNative) {
        TapeTest.assumeAvailable(useNative);
        int parts = 3;
        for (Loss kind : Loss.values()) {
            boolean distil = kind == Loss.DISTILLATION;
            Params params = new Params();
            Map<Integer, Value> losses = new HashMap<>();
            for (int batch : new int[]{BATCH, BATCH * parts}) {
                Value logits = kind == Loss.OF_TRANSFORMER
                        ? TensorNets.transformer(params, batch)
                        : twiceTheSameLayer(params, batch);
                losses.put(batch, distil
                        ? Graph.distillation(logits, Graph.input("teacher", batch, logits.size(1)), 2f, 0.4f)
                        : Graph.softmaxCrossEntropy(logits));
            }
            try (Region region = Region.shared("parts")) {
                Memory memory = new Memory(region, params, new Random(4));
                Tape whole = Tape.training(region, losses.get(BATCH * parts), memory, Backends.dense(useNative));
                List<String> inputs = distil ? List.of("x", "teacher") : List.of("x");
                inputs.forEach(input -> TapeTest.randomize(whole.input(input), new Random(8)));
                for (int i = 0; i < BATCH * parts; i++) {
                    whole.labels().setAtIndex(ValueLayout.JAVA_INT, i, i % 4);
                }
                whole.forward(0);
                whole.backward();
                List<float[]> expected =
                        params.gradients().stream().map(name -> memory.gradient(name).toArray()).toList();
                Tape part = Tape.training(region, new Workspace(region), losses.get(BATCH), memory,
                        Backends.dense(useNative), parts, true);
                part.poison();
                params.gradients().forEach(name -> memory.gradient(name).fill(0f));
                double loss = 0;
                for (int p = 0; p < parts; p++) {
                    for (String input : inputs) {
                        FloatTensor all = whole.input(input);
                        part.input(input).copyFrom(all.rows(p * BATCH, (p + 1) * BATCH));
                    }
                    for (int i = 0; i < BATCH; i++) {
                        part.labels().setAtIndex(ValueLayout.JAVA_INT, i, (p * BATCH + i) % 4);
                    }
                    part.forward(0);
                    part.backward();
                    loss += part.loss() / parts;
                }
                Rounding.assertSum(whole.loss(), loss, TapeTest.ROUNDINGS, loss, "loss");
                double largest = expected.stream().mapToDouble(one -> Rounding.largest(Rounding.widened(one))).max()
                        .orElseThrow();
                for (int i = 0; i < expected.size(); i++) {
                    String name = params.gradients().get(i);
                    double[] sum = Rounding.widened(expected.get(i));
                    // Some cancel to zero, as those of keys' biases.
                    Rounding.assertClose(sum, Rounding.widened(memory.gradient(name).toArray()),
                            TapeTest.ROUNDINGS, Math.max(Rounding.largest(sum), 0.01 * largest), name);
                }
            }
        }
    }

    private enum Loss {
        ENTROPY, DISTILLATION, OF_TRANSFORMER
    }

    private static Value twiceTheSameLayer(Params params, int batch) {
        Value x = Graphs.maxPool(Graphs.relu(Graphs.conv2d(Graph.input("x", batch, 2, 6, 6),
                params.get("c.w", 16, 2, 3, 3), params.get("c.b", 16), 1, 0, 1, 1)), 2, 2, 0);
        Value w = params.get("s.w", 64, 64);
        Value b = params.get("s.b", 64);
        return params.head(Graphs.linear(Graphs.relu(Graphs.linear(Graphs.flatten(x), w, b)), w, b));
    }

    @Test
    void aForwardPassServesOneBackwardPass() {
        try (Region region = Region.shared("once")) {
            Params params = new Params();
            Value loss = Graph.softmaxCrossEntropy(params.head(Graph.input("x", BATCH, 3)));
            Tape tape = Tape.training(region, loss, new Memory(region, params, new Random(1)), Backends.dense(false));
            assertThrows(IllegalStateException.class, tape::backward);
            tape.forward(0);
            tape.backward();
            assertThrows(IllegalStateException.class, tape::backward);
        }
    }

    @Test
    void aChainInInferenceTakesItsTwoLargestValues() {
        int values = BATCH * 4 * 32 * 32;
        Params params = new Params();
        Value x = Graph.input("x", BATCH, 4, 32, 32);
        for (int i = 0; i < 10; i++) {
            x = Graphs.maxPool(p(params, i, x), 3, 1, 1);
        }
        Tape.Footprint footprint = Tape.footprint(x, false, Backends.dense(false), 1, false);
        // Plain max-pooling notes its winners beside its output.
        assertTrue(footprint.shared() <= 3L * values * Float.BYTES + 1024, footprint.toString());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsComputedTwiceTakesTheRootOfTheMemory(boolean useNative) {
        TapeTest.assumeAvailable(useNative);
        int layers = 36;
        Params params = new Params();
        Value x = Graph.input("x", BATCH, 16, 16, 16);
        for (int i = 0; i < layers; i++) {
            x = Graphs.avgPool(params.conv("c" + i, x, 16, 3, 1, 1, 1, 1), 3, 1, 1);
        }
        Value loss = Graph.softmaxCrossEntropy(params.head(x));
        long kept = Tape.footprint(loss, true, Backends.dense(useNative), 1, false).shared();
        long twice = Tape.footprint(loss, true, Backends.dense(useNative), 1, true).shared();
        // A border of each of six segments, all values of one, and a few gradients.
        assertTrue(twice < kept * (2 / Math.sqrt(layers) + 0.1), twice + " bytes of " + kept);
    }

    private static Value p(Params params, int i, Value x) {
        return params.conv("c" + i, x, 4, 3, 1, 1, 1, 1);
    }
}
