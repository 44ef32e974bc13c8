package io.pare.exec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.Rounding;
import io.pare.exec.backend.Backends;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.Op;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every gradient rule, in plain Java and on oneDNN, against central differences of a double-precision forward pass. */
class TapeTest {
    static final int BATCH = 3;
    static final int CLASSES = 4;
    /** The terms of the longest sums that a value goes through in these networks, forwards and backwards. */
    static final int ROUNDINGS = 200;
    /** By the name of what is checked: differences take longer than all the rest. */
    private static final Map<String, Expected> EXPECTED = new HashMap<>();

    /** A small network that ends in logits [BATCH, CLASSES], by name. */
    record Net(String name, boolean useNative, Function<Params, Value> logits) {
        @Override
        public String toString() {
            return name + (useNative ? " on oneDNN" : " in Java");
        }
    }

    /** Collects the parameters that a net asks for. */
    static final class Params {
        final Map<String, long[]> shapes = new LinkedHashMap<>();
        final Map<String, long[]> states = new LinkedHashMap<>();

        List<String> gradients() {
            return List.copyOf(shapes.keySet());
        }

        List<String> all() {
            return Stream.concat(shapes.keySet().stream(), states.keySet().stream()).toList();
        }

        Value state(String name, long... shape) {
            states.put(name, shape);
            return Graph.state(name, shape);
        }

        Value norm(String name, Value x) {
            int c = x.size(1);
            return Graphs.batchNorm(x, get(name + ".w", c), get(name + ".b", c), state(name + ".mean", c),
                    state(name + ".var", c), 1e-5f);
        }

        Value plainConv(String name, Value x, int out, int kernel, int stride, int padding) {
            return Graphs.conv2d(x, get(name + ".w", out, x.size(1), kernel, kernel), stride, padding, 1, 1);
        }

        Value get(String name, long... shape) {
            shapes.put(name, shape);
            return Graph.parameter(name, shape);
        }

        Value head(Value x) {
            Value flat = x.rank() == 2 ? x : Graphs.flatten(x);
            return Graphs.linear(flat, get("head.w", CLASSES, flat.size(1)), get("head.b", CLASSES));
        }

        Value conv(String name, Value x, int out, int kernel, int stride, int padding, int dilation, int groups) {
            return Graphs.conv2d(x, get(name + ".w", out, x.size(1) / groups, kernel, kernel), get(name + ".b", out),
                    stride, padding, dilation, groups);
        }
    }

    static Value image(int channels, int size) {
        return Graph.input("x", BATCH, channels, size, size);
    }

    static Stream<Net> nets() {
        Map<String, Function<Params, Value>> nets = new LinkedHashMap<>();
        nets.put("linear", p -> p.head(Graph.input("x", BATCH, 7)));
        nets.put("linear relu", p -> p.head(Graphs.relu(
                Graphs.linear(Graph.input("x", BATCH, 5), p.get("a.w", 6, 5), p.get("a.b", 6)))));
        nets.put("conv", p -> p.head(p.conv("c", image(2, 6), 3, 3, 1, 0, 1, 1)));
        nets.put("conv relu pool conv relu pool", p -> p.head(Graphs.maxPool(Graphs.relu(p.conv("d",
                Graphs.maxPool(Graphs.relu(p.conv("c", image(1, 12), 3, 3, 1, 0, 1, 1)), 2, 2, 0), 5, 2, 1, 0, 1, 1)),
                2,
                2, 0)));
        nets.put("conv stride 2 padding 1", p -> p.head(p.conv("c", image(3, 7), 4, 3, 2, 1, 1, 1)));
        nets.put("conv dilation 2", p -> p.head(p.conv("c", image(2, 8), 3, 3, 1, 2, 2, 1)));
        nets.put("conv 2 groups",
                p -> p.head(p.conv("d", p.conv("c", image(4, 5), 6, 3, 1, 1, 1, 2), 4, 3, 1, 0, 1, 2)));
        nets.put("max-pool overlapping",
                p -> p.head(Graphs.maxPool(p.conv("c", image(2, 7), 3, 2, 1, 0, 1, 1), 3, 2, 1)));
        nets.put("average-pool", p -> p.head(Graphs.avgPool(p.conv("c", image(2, 7), 3, 2, 1, 0, 1, 1), 3, 2, 1)));
        nets.put("conv of any window", p -> p.head(Graphs.conv2d(image(4, 8), p.get("c.w", 6, 2, 3, 2), p.get("c.b", 6),
                Window.of(3, 2).by(2, 1).padded(2, 0, 1, 3).dilated(1, 3), 2)));
        nets.put("max-pool of any window", p -> p.head(Graphs.apply(new Op.MaxPool(
                Window.of(3, 2).by(1, 3).padded(0, 1, 2, 1)), p.conv("c", image(2, 7), 3, 2, 1, 0, 1, 1))));
        nets.put("dilated max-pool", p -> p.head(Graphs.apply(new Op.MaxPool(
                Window.of(2, 3).by(2, 1).padded(1, 1, 0, 2).dilated(3, 2)),
                p.conv("c", image(2, 7), 3, 2, 1, 0, 1, 1))));
        Window any = Window.of(2, 3).by(3, 2).padded(1, 0, 1, 2);
        nets.put("average-pool that counts its padding", p -> p.head(Graphs.apply(new Op.AvgPool(any, true),
                p.conv("c", image(2, 7), 3, 2, 1, 0, 1, 1))));
        nets.put("average-pool that does not count its padding", p -> p.head(Graphs.apply(new Op.AvgPool(any, false),
                p.conv("c", image(2, 7), 3, 2, 1, 0, 1, 1))));
        nets.put("average-pool that counts a part of its padding", p -> p.head(Graphs.apply(
                new Op.AvgPool(any, true, 1, 1), p.conv("c", image(2, 7), 3, 2, 1, 0, 1, 1))));
        nets.put("dilated average-pool", p -> p.head(Graphs.apply(new Op.AvgPool(any.dilated(2, 3), false),
                p.conv("c", image(2, 7), 3, 2, 1, 0, 1, 1))));
        nets.put("residual add", p -> {
            Value x = p.conv("c", image(2, 5), 3, 3, 1, 1, 1, 1);
            return p.head(Graphs.relu(Graphs.add(x, p.conv("d", Graphs.relu(x), 3, 3, 1, 1, 1, 1))));
        });
        nets.put("conv relu, read twice", p -> {
            Value x = Graphs.relu(p.conv("c", image(2, 5), 3, 3, 1, 1, 1, 1));
            return p.head(Graphs.add(p.conv("d", x, 3, 3, 1, 1, 1, 1), p.conv("e", x, 3, 1, 1, 0, 1, 1)));
        });
        nets.put("one value added to itself and read once more", p -> {
            Value x = p.conv("c", image(2, 5), 16, 3, 1, 1, 1, 1);
            return p.head(Graphs.add(Graphs.add(x, x), Graphs.relu(x)));
        });
        nets.put("conv without bias", p -> p.head(p.plainConv("c", image(2, 6), 5, 3, 2, 1)));
        nets.put("global average-pool",
                p -> p.head(Graphs.globalAvgPool(p.conv("c", Graph.input("x", BATCH, 2, 6, 4), 5, 2, 1, 0, 1, 1))));
        nets.put("batch norm of the input", p -> p.head(p.norm("n", image(3, 4))));
        nets.put("conv, batch norm", p -> p.head(p.norm("n", p.plainConv("c", image(2, 5), 4, 3, 1, 1))));
        nets.put("conv, batch norm, relu, conv, batch norm, relu", p -> p.head(Graphs.relu(p.norm("m", p.plainConv("d",
                Graphs.relu(p.norm("n", p.plainConv("c", image(3, 6), 16, 3, 1, 1))), 17, 3, 2, 1)))));
        nets.put("linear, relu, batch norm of a vector", p -> p.head(p.norm("n", Graphs.image(Graphs.relu(
                Graphs.linear(Graph.input("x", BATCH, 6), p.get("a.w", 17, 6), p.get("a.b", 17)))))));
        nets.put("conv, batch norm of a vector, relu, linear", p -> p.head(Graphs.relu(p.norm("n",
                Graphs.image(Graphs.flatten(p.plainConv("c", image(2, 4), 3, 3, 1, 0)))))));
        nets.put("linear, conv, add", p -> {
            Value x = Graphs.linear(Graph.input("x", BATCH, 6), p.get("a.w", 16, 6), p.get("a.b", 16));
            return p.head(Graphs.add(x, Graphs.flatten(p.conv("c", Graphs.image(x), 16, 1, 1, 0, 1, 1))));
        });
        nets.put("response norm", p -> p.head(
                Graphs.responseNorm(p.conv("c", image(2, 4), 7, 3, 1, 1, 1, 1), 5, 0.3f, 0.75f, 1.2f)));
        nets.put("conv relu response norm pool", p -> p.head(Graphs.maxPool(Graphs.responseNorm(
                Graphs.relu(p.conv("c", image(1, 6), 16, 3, 1, 1, 1, 1)), 3, 0.5f, 0.5f, 1f), 2, 2, 0)));
        nets.put("sigmoid behind a convolution and a sum", p -> {
            Value x = Graphs.sigmoid(p.conv("c", image(2, 5), 3, 3, 1, 1, 1, 1));
            return p.head(Graphs.sigmoid(Graphs.add(x, p.conv("d", x, 3, 1, 1, 0, 1, 1))));
        });
        nets.put("concatenation, of one value twice too", p -> {
            Value x = Graphs.relu(p.conv("c", image(2, 5), 3, 3, 1, 1, 1, 1));
            return p.head(Graphs.concat(x, p.conv("d", x, 4, 1, 1, 0, 1, 1), x));
        });
        nets.put("subsample", p -> p.head(Graphs.subsample(p.conv("c", image(2, 5), 3, 3, 1, 1, 1, 1), 8, 2)));
        nets.put("residual block with an option A shortcut", p -> {
            Value x = Graphs.relu(p.norm("k", p.plainConv("c", image(3, 6), 16, 3, 1, 1)));
            Value body = Graphs.relu(p.norm("l", p.plainConv("d", x, 32, 3, 2, 1)));
            body = p.norm("m", p.plainConv("e", body, 32, 3, 1, 1));
            return p.head(Graphs.globalAvgPool(Graphs.relu(Graphs.add(body, Graphs.subsample(x, 32, 2)))));
        });
        nets.put("residual block with a projected shortcut", p -> {
            Value x = Graphs.maxPool(Graphs.relu(p.norm("k", p.plainConv("c", image(3, 9), 16, 3, 1, 1))), 3, 2, 1);
            Value body = Graphs.relu(p.norm("l", p.plainConv("d", x, 16, 3, 2, 1)));
            body = p.norm("m", p.plainConv("e", body, 32, 1, 1, 0));
            Value shortcut = p.norm("s", p.plainConv("t", x, 32, 1, 2, 0));
            return p.head(Graphs.globalAvgPool(Graphs.relu(Graphs.add(body, shortcut))));
        });
        nets.put("shared weights", p -> {
            Value w = p.get("s.w", 5, 5);
            Value b = p.get("s.b", 5);
            return p.head(Graphs.linear(Graphs.relu(Graphs.linear(Graph.input("x", BATCH, 5), w, b)), w, b));
        });
        nets.put("dropout of rate 0", p -> p.head(Graphs.dropout(p.conv("c", image(1, 4), 2, 3, 1, 0, 1, 1), 0f)));
        TensorNets.into(nets);
        return nets.entrySet().stream().flatMap(net -> Stream.of(false, true)
                .map(useNative -> new Net(net.getKey(), useNative, net.getValue())));
    }

    /** Memory for the parameters of a net, random values in it, and the same in double precision. */
    static final class Memory implements Binding {
        private final Map<String, FloatTensor> values = new HashMap<>();
        private final Map<String, FloatTensor> gradients = new HashMap<>();
        private final Map<String, double[]> doubles = new HashMap<>();

        Memory(Region region, Params params, Random random) {
            params.shapes.forEach((name, shape) -> {
                FloatTensor value = region.tensor(shape);
                doubles.put(name, randomize(value, random));
                values.put(name, value);
                // What is there before the pass must not matter.
                gradients.put(name, region.tensor(shape).fill(Float.NaN));
            });
            params.states.forEach((name, shape) -> {
                FloatTensor value = region.tensor(shape).fill(name.endsWith("var") ? 1f : 0f);
                // Where they count values of a pair.
                for (int i = 0; name.endsWith("indices") && i < value.count(); i++) {
                    value.set(i, i % 2);
                }
                doubles.put(name, Rounding.widened(value.toArray()));
                values.put(name, value);
            });
        }

        @Override
        public FloatTensor value(String parameter) {
            return values.get(parameter);
        }

        @Override
        public FloatTensor gradient(String parameter) {
            return gradients.get(parameter);
        }
    }

    static double[] randomize(FloatTensor tensor, Random random) {
        double[] copy = new double[(int) tensor.count()];
        for (int i = 0; i < copy.length; i++) {
            tensor.set(i, (float) random.nextGaussian() * 0.5f);
            copy[i] = tensor.get(i);
        }
        return copy;
    }

    static void assumeAvailable(boolean useNative) {
        Assumptions.assumeTrue(!useNative || Natives.status().available(), "oneDNN is switched off");
    }

    @ParameterizedTest
    @MethodSource("nets")
    void gradientsAgreeWithCentralDifferences(Net net) {
        assumeAvailable(net.useNative());
        Params params = new Params();
        Value loss = Graph.softmaxCrossEntropy(net.logits().apply(params));
        check(net.name(), params, loss, net.useNative());
    }

    @Test
    void gradientsOfDistillationAgreeWithCentralDifferences() {
        for (float share : new float[]{0f, 0.3f, 1f}) {
            Params params = new Params();
            Value student = params.head(Graph.input("x", BATCH, 6));
            Value loss = Graph.distillation(student, Graph.input("teacher", BATCH, CLASSES), 2.5f, share);
            check("distillation " + share, params, loss, false);
        }
    }

    @Test
    void gradientsOfLossesOfTargetsAgreeWithCentralDifferences() {
        for (boolean useNative : new boolean[]{false, Natives.status().available()}) {
            for (BinaryOperator<Value> loss : List.<BinaryOperator<Value>>of(Graph::binaryCrossEntropy,
                    Graph::squaredError)) {
                Params params = new Params();
                Value outputs = params.head(Graph.input("x", BATCH, 6));
                Value of = loss.apply(outputs, Graph.input("targets", BATCH, CLASSES));
                check(of.op().toString(), params, of, useNative);
            }
        }
    }

    @Test
    void lossesOfTargetsAreFiniteForAnyLogit() {
        try (Region region = Region.shared("tape test")) {
            Params params = new Params();
            Value logits = Graphs.linear(Graph.input("x", 2, 1), params.get("w", 2, 1), params.get("b", 2));
            Memory memory = new Memory(region, params, new Random(1));
            Tape tape = Tape.training(region, Graph.binaryCrossEntropy(logits, Graph.input("targets", 2, 2)), memory,
                    Backends.dense(false));
            memory.value("w").fill(1e30f);
            memory.value("b").fill(0f);
            tape.input("x").set(0, 1f);
            tape.input("x").set(1, -1f);
            float[] targets = {1, 1, 0, 0};
            for (int i = 0; i < targets.length; i++) {
                tape.input("targets").set(i, targets[i]);
            }
            tape.forward(0);
            tape.backward();
            assertEquals(0, tape.loss());
            assertEquals(2, tape.correct());
            assertEquals(0f, memory.gradient("b").get(0));
            tape.input("targets").set(0, 0f);
            tape.forward(0);
            tape.backward();
            assertEquals(1e30 / 4, tape.loss(), 1e24);
            assertEquals(1, tape.correct());
            assertEquals(0.25f, memory.gradient("b").get(0));
        }
    }

    /** What the oracle makes of tensors. */
    private record Expected(Map<String, double[]> tensors, double loss, Map<String, double[]> gradients) {
        static Expected of(Params params, Value loss, Map<String, double[]> tensors, int[] labels) {
            DoubleReference reference = new DoubleReference(tensors, labels);
            Map<String, double[]> gradients = new HashMap<>();
            params.shapes.keySet().forEach(name -> gradients.put(name, sample(reference, loss, name,
                    tensors.get(name).length)));
            return new Expected(tensors, reference.evaluate(loss)[0], gradients);
        }
    }

    private static void check(String name, Params params, Value loss, boolean useNative) {
        Random random = new Random(7);
        try (Region region = Region.shared("tape test")) {
            Memory memory = new Memory(region, params, random);
            Tape tape = Tape.training(region, loss, memory, Backends.dense(useNative));
            Map<String, double[]> tensors = new HashMap<>(memory.doubles);
            for (String input : List.of("x", "teacher", "targets")) {
                if (loss.inputs().stream().anyMatch(value -> value.op().equals(new Operation.Input(input)))
                        || input.equals("x")) {
                    tensors.put(input, randomize(tape.input(input), random));
                }
            }
            int[] labels = {2, 0, 3};
            for (int i = 0; i < labels.length; i++) {
                tape.labels().setAtIndex(ValueLayout.JAVA_INT, i, labels[i]);
            }
            Expected known = EXPECTED.computeIfAbsent(name, _ -> Expected.of(params, loss, tensors, labels));
            // The oracle knows nothing of backends, which are given the same.
            tensors.forEach((tensor, values) -> assertArrayEquals(known.tensors().get(tensor), values, tensor));
            double expectedLoss = known.loss();
            Map<String, double[]> expected = known.gradients();
            // A gradient can cancel to zero, as of a bias before batch norm; its terms are those of other gradients.
            double largest = expected.values().stream().mapToDouble(Rounding::largest).max().orElse(0);
            // Twice: the second pass must not see what the first one left behind.
            for (int pass = 0; pass < 2; pass++) {
                tape.forward(pass);
                tape.backward();
                Rounding.assertSum(expectedLoss, tape.loss(), ROUNDINGS, Math.max(1, expectedLoss), "loss");
                expected.forEach((parameter, gradient) -> {
                    float[] actual = memory.gradient(parameter).toArray();
                    float[] sampled = new float[gradient.length];
                    for (int i = 0; i < gradient.length; i++) {
                        sampled[i] = actual[i * step(actual.length)];
                    }
                    Rounding.assertClose(gradient, Rounding.widened(sampled), ROUNDINGS,
                            Math.max(Rounding.largest(gradient), 0.01 * largest), parameter);
                });
            }
        }
    }

    /** Small tensors are checked in full, of large ones some 100 elements: odd steps reach every row and column. */
    private static int step(int count) {
        return count <= 100 ? 1 : count / 100 | 1;
    }

    private static double[] sample(DoubleReference reference, Value loss, String name, int count) {
        double[] gradient = new double[(count - 1) / step(count) + 1];
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] = reference.gradient(loss, name, i * step(count), 1e-6);
        }
        return gradient;
    }

    /** Inference computes them with the convolutions. */
    @ParameterizedTest
    @MethodSource("io.pare.exec.TensorNets#activations")
    void functionsBehindConvolutionsAreTheSameInJavaAndOnDnnl(TensorOp.Map function) {
        assumeAvailable(true);
        Params params = new Params();
        Value first = params.conv("c", image(2, 5), 16, 3, 1, 1, 1, 1);
        Value second = params.conv("d", Graph.apply(function, List.of(first), List.of()), 3, 3, 1, 1, 1, 1);
        Value output = Graph.apply(function, List.of(second), List.of());
        try (Region region = Region.shared("functions")) {
            Memory memory = new Memory(region, params, new Random(4));
            Tape java = Tape.inference(region, output, memory, Backends.dense(false));
            Tape dnnl = Tape.inference(region, output, memory, Backends.dense(true));
            randomize(java.input("x"), new Random(5));
            dnnl.input("x").copyFrom(java.input("x"));
            java.forward(0);
            dnnl.forward(0);
            Rounding.assertClose(java.output().toArray(), dnnl.output().toArray(), ROUNDINGS, function.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void trainingGathersTheStatisticsThatInferenceUses(boolean useNative) {
        assumeAvailable(useNative);
        Params params = new Params();
        Value normal =
                Graphs.relu(params.norm("n", Graphs.conv2d(image(2, 3), params.get("c.w", 16, 2, 1, 1), 1, 0, 1, 1)));
        Value loss = Graph.softmaxCrossEntropy(params.head(normal));
        Random random = new Random(3);
        try (Region region = Region.shared("statistics")) {
            Memory memory = new Memory(region, params, random);
            Tape training = Tape.training(region, loss, memory, Backends.dense(useNative));
            double[] x = randomize(training.input("x"), random);
            float[] weight = memory.value("c.w").toArray();
            int count = BATCH * 9;
            double[] mean = new double[16];
            double[] variance = new double[16];
            double[] z = new double[BATCH * 16 * 9];
            for (int i = 0; i < z.length; i++) {
                int c = i / 9 % 16;
                int at = i / 9 / 16 * 18 + i % 9;
                z[i] = weight[2 * c] * x[at] + weight[2 * c + 1] * x[at + 9];
                mean[c] += z[i] / count;
            }
            for (int i = 0; i < z.length; i++) {
                variance[i / 9 % 16] += Math.pow(z[i] - mean[i / 9 % 16], 2) / (count - 1);
            }
            training.forward(0);
            training.forward(0);
            double left = 0.9 * 0.9;
            for (int c = 0; c < 16; c++) {
                Rounding.assertSum((1 - left) * mean[c], memory.value("n.mean").get(c), ROUNDINGS, 1, "mean");
                Rounding.assertSum(left + (1 - left) * variance[c], memory.value("n.var").get(c), ROUNDINGS, 1,
                        "variance");
            }
            float[] gathered = memory.value("n.var").toArray();
            Tape inference = Tape.inference(region, normal, memory, Backends.dense(useNative));
            inference.input("x").copyFrom(training.input("x"));
            inference.forward(0);
            for (int i = 0; i < z.length; i++) {
                int c = i / 9 % 16;
                double y = memory.value("n.w").get(c) * (z[i] - memory.value("n.mean").get(c))
                        / Math.sqrt(memory.value("n.var").get(c) + 1e-5) + memory.value("n.b").get(c);
                z[i] = Math.max(0, y);
            }
            Rounding.assertClose(z, inference.output().toArray(), ROUNDINGS, "normalised");
            assertArrayEquals(gathered, memory.value("n.var").toArray(), "inference changes nothing");
        }
    }

    @Test
    void largeLinearLayersComputeTheSameInBothWays() {
        assumeAvailable(true);
        Params params = new Params();
        Value x = Graphs.linear(Graph.input("x", BATCH, 1100), params.get("a.w", 1000, 1100), params.get("a.b", 1000));
        Value loss = Graph.softmaxCrossEntropy(params.head(Graphs.relu(x)));
        try (Region region = Region.shared("large")) {
            Memory memory = new Memory(region, params, new Random(5));
            double[] losses = new double[2];
            float[][] gradients = new float[2][];
            for (int way = 0; way < 2; way++) {
                Tape tape = Tape.training(region, loss, memory, Backends.dense(way == 1));
                randomize(tape.input("x"), new Random(6));
                tape.forward(0);
                tape.backward();
                losses[way] = tape.loss();
                gradients[way] = memory.gradient("a.w").toArray();
            }
            Rounding.assertSum(losses[0], losses[1], 1100, losses[0], "loss");
            Rounding.assertClose(gradients[0], gradients[1], 1100, "gradient of a.w");
        }
    }

    @Test
    void dropoutZeroesTheSameValuesForwardAndBackward() {
        try (Region region = Region.shared("dropout")) {
            int features = 2000;
            Params params = new Params();
            Value x =
                    Graphs.linear(Graph.input("x", 1, 1), params.get("a.w", features, 1), params.get("a.b", features));
            Value loss = Graph.softmaxCrossEntropy(Graphs.linear(Graphs.dropout(x, 0.25f),
                    params.get("head.w", CLASSES, features), params.get("head.b", CLASSES)));
            Memory memory = new Memory(region, params, new Random(1));
            memory.value("a.w").fill(1f);
            memory.value("a.b").fill(0f);
            Tape tape = Tape.training(region, loss, memory, Backends.dense(false));
            tape.input("x").fill(1f);
            tape.forward(11);
            tape.backward();
            // d loss / d head.w is dlogits times the dropped activations; d loss / d a.b passes the same zeros.
            float[] kept = memory.gradient("head.w").rows(0, 1).toArray();
            float[] through = memory.gradient("a.b").toArray();
            int zeros = 0;
            for (int i = 0; i < features; i++) {
                assertEquals(kept[i] == 0, through[i] == 0, "feature " + i);
                zeros += kept[i] == 0 ? 1 : 0;
            }
            assertTrue(zeros > 430 && zeros < 570, zeros + " of 2000 dropped at rate 0.25");
            tape.forward(11);
            tape.backward();
            assertArrayEquals(through, memory.gradient("a.b").toArray());
            tape.forward(12);
            tape.backward();
            int moved = 0;
            float[] other = memory.gradient("a.b").toArray();
            for (int i = 0; i < features; i++) {
                moved += other[i] == 0 != (through[i] == 0) ? 1 : 0;
            }
            assertTrue(moved > 300, "another key drops other values: " + moved);
        }
    }

    @Test
    void deepGraphsDoNotNeedADeepThreadStack() {
        Value x = Graph.input("x", 1, 1);
        for (int i = 0; i < 100_000; i++) {
            x = Graphs.flatten(x);
        }
        try (Region region = Region.shared("deep")) {
            Tape tape =
                    Tape.inference(region, x, new Memory(region, new Params(), new Random(1)), Backends.dense(false));
            tape.input("x").set(0, 3f);
            tape.forward(0);
            assertEquals(3f, tape.output().get(0));
        }
    }

    @Test
    void shapesThatDoNotFitAreRefusedWithBothShapes() {
        Value x = Graph.input("x", 2, 3, 8, 8);
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Graphs.conv2d(x,
                Graph.parameter("w", 4, 2, 3, 3), Graph.parameter("b", 4), 1, 0, 1, 1));
        assertTrue(e.getMessage().contains("[2, 3, 8, 8]") && e.getMessage().contains("[4, 2, 3, 3]"), e.getMessage());
    }

    @Test
    void anInferenceTapeHasNoBackwardPass() {
        try (Region region = Region.shared("inference")) {
            Params params = new Params();
            Value logits = params.head(Graph.input("x", 2, 3));
            Tape tape =
                    Tape.inference(region, logits, new Memory(region, params, new Random(1)), Backends.dense(false));
            assertThrows(IllegalStateException.class, tape::backward);
        }
    }
}
