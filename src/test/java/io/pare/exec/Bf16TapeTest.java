package io.pare.exec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.exec.backend.Backends;
import io.pare.exec.backend.Precision;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tapes in bf16 against those in fp32 in plain Java, whose gradients others check. */
class Bf16TapeTest {
    /** Half the distance of two neighbouring numbers of 8 significant bits, relative: what one rounding may change. */
    private static final double ROUNDING = 1.0 / 256;
    private static final int DRAWS = 5;
    private static final String COPY = "copy";

    private int regionsBefore;
    private long bytesBefore;

    @BeforeEach
    void count() {
        Assumptions.assumeTrue(Precision.BF16.obstacle().isEmpty(), () -> Precision.BF16.obstacle().get());
        regionsBefore = Region.liveRegions();
        bytesBefore = Region.liveBytes();
    }

    @AfterEach
    void nothingLeaks() {
        assertEquals(regionsBefore, Region.liveRegions(), Region::describeLive);
        assertEquals(bytesBefore, Region.liveBytes());
    }

    private static float rounded(float value) {
        int bits = Float.floatToRawIntBits(value);
        return Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
    }

    private static void round(FloatTensor tensor) {
        for (long i = 0; i < tensor.count(); i++) {
            tensor.set(i, rounded(tensor.get(i)));
        }
    }

    /** Euclidean distance of two tensors, relative to the length of the first. */
    private static double distance(float[] expected, float[] actual) {
        double difference = 0;
        double length = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow((double) expected[i] - actual[i], 2);
            length += Math.pow(expected[i], 2);
        }
        return Math.sqrt(difference) / Math.max(Math.sqrt(length), 1e-6);
    }

    /** What one pass forward and backward gives: loss, gradients and statistics by name. */
    private record Outcome(Map<String, float[]> results) {}

    private static Outcome pass(TapeTest.Params params, Value loss, Precision precision, int seed) {
        try (Region region = Region.shared("pass")) {
            TapeTest.Memory memory = new TapeTest.Memory(region, params, new Random(seed));
            params.shapes.keySet().forEach(name -> round(memory.value(name)));
            if (params.shapes.containsKey(COPY + ".w")) {
                FloatTensor filters = memory.value(COPY + ".w").fill(0f);
                for (long c = 0; c < filters.size(0); c++) {
                    filters.set(c * filters.size(1) + c, 1f);
                }
            }
            FloatTensor head = memory.value("head.w");
            for (long i = 0; i < head.count(); i++) {
                // Else the loss of some draws is all but flat.
                head.set(i, head.get(i) / 8);
            }
            Tape tape = Tape.training(region, loss, memory, Backends.dense(precision == Precision.BF16, precision));
            TapeTest.randomize(tape.input("x"), new Random(seed + DRAWS));
            round(tape.input("x"));
            for (int i = 0; i < TapeTest.BATCH; i++) {
                // All of one class: gradients of biases, sums over the batch, do not cancel to next to nothing.
                tape.labels().setAtIndex(ValueLayout.JAVA_INT, i, 1);
            }
            tape.forward(5);
            tape.backward();
            Map<String, float[]> results = new LinkedHashMap<>();
            results.put("loss", new float[]{(float) tape.loss()});
            params.shapes.keySet().forEach(name -> results.put(name, memory.gradient(name).toArray()));
            params.states.keySet().forEach(name -> results.put(name, memory.value(name).toArray()));
            // The second pass must not see what the first one left behind.
            tape.forward(5);
            tape.backward();
            params.shapes.keySet().forEach(name -> assertArrayEquals(results.get(name),
                    memory.gradient(name).toArray(), "the same pass gives the same bits: " + name));
            return new Outcome(results);
        }
    }

    static Stream<TapeTest.Net> nets() {
        return TapeTest.nets().filter(TapeTest.Net::useNative);
    }

    /**
     * Whole small networks: what is fused, read twice, shared and converted. Of five draws the one in the middle counts:
     * where a rounding makes another pixel the maximum of a window, or an input of a ReLU negative, a gradient of few
     * elements is far off, and rightly so.
     */
    @ParameterizedTest
    @MethodSource("nets")
    void networksAgree(TapeTest.Net net) {
        TapeTest.Params params = new TapeTest.Params();
        Value loss = Graph.softmaxCrossEntropy(net.logits().apply(params));
        Map<String, double[]> distances = new LinkedHashMap<>();
        for (int seed = 0; seed < DRAWS; seed++) {
            Outcome expected = pass(params, loss, Precision.FP32, seed);
            Outcome actual = pass(params, loss, Precision.BF16, seed);
            int draw = seed;
            expected.results().forEach((name, values) -> distances.computeIfAbsent(name,
                    unused -> new double[DRAWS])[draw] = distance(values, actual.results().get(name)));
        }
        distances.forEach((name, found) -> {
            Arrays.sort(found);
            assertTrue(found[0] <= 12 * ROUNDING && found[DRAWS / 2] <= 48 * ROUNDING,
                    name + " is off by " + Arrays.toString(found));
        });
    }

    /** An operation on bf16 images of as many channels, which 512-bit kernels keep in sixteens or not. */
    private record Single(String name, int channels, BiFunction<TapeTest.Params, Value, Value> op) {
        @Override
        public String toString() {
            return name + " of " + channels + " channels";
        }
    }

    static Stream<Single> operations() {
        Map<String, BiFunction<TapeTest.Params, Value, Value>> ops = new LinkedHashMap<>();
        ops.put("relu", (p, x) -> Graphs.relu(Graphs.add(x, x)));
        ops.put("relu on its own", (p, x) -> Graphs.add(Graphs.relu(x), x));
        ops.put("max-pool", (p, x) -> Graphs.maxPool(x, 2, 2, 0));
        ops.put("overlapping max-pool", (p, x) -> Graphs.maxPool(x, 3, 2, 1));
        ops.put("average-pool", (p, x) -> Graphs.avgPool(x, 3, 2, 1));
        ops.put("global average-pool", (p, x) -> Graphs.globalAvgPool(x));
        ops.put("batch norm", (p, x) -> p.norm("n", x));
        ops.put("batch norm and relu", (p, x) -> Graphs.relu(p.norm("n", x)));
        ops.put("batch norm of a vector", (p, x) -> p.norm("n", Graphs.image(Graphs.flatten(x))));
        ops.put("response norm", (p, x) -> Graphs.responseNorm(x, 5, 0.3f, 0.75f, 1.2f));
        ops.put("addition", (p, x) -> Graphs.add(x, Graphs.maxPool(x, 3, 1, 1)));
        ops.put("subsample", (p, x) -> Graphs.subsample(x, x.size(1) + 16, 2));
        ops.put("dropout", (p, x) -> Graphs.dropout(x, 0.4f));
        ops.put("flatten and relu", (p, x) -> Graphs.relu(Graphs.flatten(x)));
        ops.put("convolution", (p, x) -> p.conv("d", x, 24, 3, 1, 1, 1, 1));
        ops.put("strided convolution and relu", (p, x) -> Graphs.relu(p.conv("d", x, 32, 3, 2, 1, 1, 1)));
        ops.put("dilated convolution", (p, x) -> p.conv("d", x, 16, 3, 1, 2, 2, 1));
        ops.put("convolution in two groups", (p, x) -> p.conv("d", x, 32, 5, 1, 2, 1, 2));
        ops.put("convolution without bias", (p, x) -> p.plainConv("d", x, 16, 1, 2, 0));
        ops.put("linear", (p, x) -> {
            Value flat = Graphs.flatten(x);
            return Graphs.relu(Graphs.linear(flat, p.get("d.w", 33, flat.size(1)), p.get("d.b", 33)));
        });
        return ops.entrySet().stream().flatMap(op -> Stream.of(16, 32, 20)
                .map(channels -> new Single(op.getKey(), channels, op.getValue())));
    }

    /** Each operation behind a convolution whose filters only copy, so that both precisions start from the same numbers. */
    @ParameterizedTest
    @MethodSource("operations")
    void operationsAgree(Single single) {
        TapeTest.Params params = new TapeTest.Params();
        Value copy = params.plainConv(COPY, TapeTest.image(single.channels(), 7), single.channels(), 1, 1, 0);
        Value loss = Graph.softmaxCrossEntropy(params.head(single.op().apply(params, copy)));
        Outcome expected = pass(params, loss, Precision.FP32, 1);
        Outcome actual = pass(params, loss, Precision.BF16, 1);
        // These gradients are differences of terms of about the same size: a vector's batch has three values a feature.
        boolean cancels = List.of("response norm", "batch norm of a vector").contains(single.name());
        double bound = cancels ? 8 * ROUNDING : 2 * ROUNDING;
        expected.results().forEach((name, values) -> {
            double distance = distance(values, actual.results().get(name));
            assertTrue(distance <= bound, name + " is off by " + distance);
        });
    }

    /** Products of bf16 numbers are exact in fp32 and summed there: what is off is the rounding of inputs and result. */
    @Test
    void convolutionsRoundInputsAndOutputsOnly() {
        bounded(p -> p.conv("d", TapeTest.image(6, 9), 20, 3, 1, 1, 1, 1));
        bounded(p -> p.conv("d", TapeTest.image(32, 9), 48, 3, 2, 0, 1, 2));
        bounded(p -> p.conv("d", TapeTest.image(3, 12), 16, 5, 1, 0, 2, 1));
    }

    @Test
    void linearLayersRoundInputsAndOutputsOnly() {
        bounded(p -> Graphs.linear(Graph.input("x", TapeTest.BATCH, 500), p.get("d.w", 37, 500), p.get("d.b", 37)));
    }

    private static void bounded(Function<TapeTest.Params, Value> layer) {
        TapeTest.Params params = new TapeTest.Params();
        Value node = layer.apply(params);
        try (Region region = Region.shared("bounded")) {
            TapeTest.Memory memory = new TapeTest.Memory(region, params, new Random(3));
            Tape exact = Tape.inference(region, node, memory, Backends.dense(false));
            Tape tape = Tape.inference(region, node, memory, Backends.dense(true, Precision.BF16));
            TapeTest.randomize(exact.input("x"), new Random(4));
            tape.input("x").copyFrom(exact.input("x"));
            exact.forward(0);
            tape.forward(0);
            float[] expected = exact.output().toArray();
            float[] actual = tape.output().toArray();
            // The same layer on magnitudes gives what rounding each product's two factors may add up to.
            for (FloatTensor tensor : List.of(exact.input("x"), memory.value("d.w"), memory.value("d.b"))) {
                for (long i = 0; i < tensor.count(); i++) {
                    tensor.set(i, Math.abs(tensor.get(i)));
                }
            }
            exact.forward(0);
            float[] magnitudes = exact.output().toArray();
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], actual[i], 1.01 * ROUNDING * (magnitudes[i] + Math.abs(expected[i]) / 2));
            }
            assertTrue(distance(expected, actual) > ROUNDING / 100, "computed in fp32");
        }
    }

    @Test
    void logitsAreNotRounded() {
        TapeTest.Params params = new TapeTest.Params();
        Value logits = params.head(params.conv("c", TapeTest.image(3, 6), 16, 3, 1, 1, 1, 1));
        try (Region region = Region.shared("logits")) {
            TapeTest.Memory memory = new TapeTest.Memory(region, params, new Random(3));
            Tape tape = Tape.inference(region, logits, memory, Backends.dense(true, Precision.BF16));
            TapeTest.randomize(tape.input("x"), new Random(4));
            tape.forward(0);
            int fine = 0;
            for (float value : tape.output().toArray()) {
                fine += value == rounded(value) ? 0 : 1;
            }
            assertTrue(fine > 6, "only " + fine + " of 12 logits have more than 8 significant bits");
        }
    }

    @Test
    void withoutOneDnnThereIsNoBf16() {
        TapeTest.Params params = new TapeTest.Params();
        Value logits = params.head(Graph.input("x", 2, 3));
        try (Region region = Region.shared("no bf16")) {
            TapeTest.Memory memory = new TapeTest.Memory(region, params, new Random(1));
            assertThrows(IllegalArgumentException.class,
                    () -> Tape.inference(region, logits, memory, Backends.dense(false, Precision.BF16)));
        }
    }
}
