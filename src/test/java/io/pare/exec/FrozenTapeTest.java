package io.pare.exec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.Rounding;
import io.pare.dnnl.Reorder;
import io.pare.exec.TapeTest.Memory;
import io.pare.exec.TapeTest.Net;
import io.pare.exec.TapeTest.Params;
import io.pare.exec.backend.Backends;
import io.pare.exec.backend.Precision;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mem.Workspace;
import io.pare.net.Models;
import io.pare.net.Pairwise;
import io.pare.net.Parameter;
import io.pare.net.TensorOp;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Tapes whose parameters never change: the same outputs, and little that is converted in a pass. */
class FrozenTapeTest {
    static Stream<Net> nets() {
        Function<Params, Value> squeezed = p -> {
            Value x = Graphs.relu(p.conv("c", TapeTest.image(3, 8), 20, 3, 1, 1, 1, 1));
            Value squeeze = Graphs.image(Graph.vector(Graphs.globalAvgPool(x)));
            Value gate = Graphs.sigmoid(p.conv("g", squeeze, 20, 1, 1, 0, 1, 1));
            Value one = Graph.apply(new TensorOp.Zip(Pairwise.MULTIPLY), List.of(x, gate), List.of());
            Value other = Graph.apply(new TensorOp.Zip(Pairwise.MULTIPLY), List.of(gate, one), List.of());
            return p.head(Graphs.globalAvgPool(p.conv("e", Graphs.add(other, x), 20, 3, 1, 1, 1, 1)));
        };
        Function<Params, Value> row = p -> Graphs.linear(Graphs.linear(
                Graph.vector(p.conv("c", TapeTest.image(3, 5), 20, 3, 1, 1, 1, 1)), p.get("a.w", 1, 500),
                p.get("a.b", 1)), p.get("b.w", 4, 1), p.get("b.b", 4));
        // An input that is added to what is made of it, and read again later.
        Function<Params, Value> shared = p -> {
            Value x = Graphs.relu(p.conv("c", TapeTest.image(3, 8), 16, 3, 1, 1, 1, 1));
            Value one = Graphs.relu(Graphs.add(p.conv("d", x, 16, 3, 1, 1, 1, 1), x));
            Value two = Graphs.relu(Graphs.add(one, p.conv("e", one, 16, 3, 1, 1, 1, 1)));
            return p.head(Graphs.globalAvgPool(Graphs.add(p.conv("f", two, 16, 3, 1, 1, 1, 1), x)));
        };
        return Stream.concat(MemoryPlanTest.nets(), Stream.of(false, true).flatMap(useNative -> Stream.of(
                new Net("squeeze-and-excitation", useNative, squeezed), new Net("a single row", useNative, row),
                new Net("shared shortcuts", useNative, shared))));
    }

    @ParameterizedTest
    @MethodSource("nets")
    void givesWhatInferenceGives(Net net) {
        TapeTest.assumeAvailable(net.useNative());
        try (Region region = Region.shared("frozen")) {
            Params params = new Params();
            Value logits = net.logits().apply(params);
            Memory memory = new Memory(region, params, new Random(4));
            Backend backend = Backends.dense(net.useNative(), Precision.FP32);
            Tape inference = Tape.inference(region, logits, memory, backend);
            Tape frozen = Tape.frozen(region, new Workspace(region), logits, memory, backend);
            frozen.poison();
            TapeTest.randomize(inference.input("x"), new Random(5));
            frozen.input("x").copyFrom(inference.input("x").toArray());
            inference.forward(0);
            frozen.forward(0);
            float[] expected = inference.output().toArray();
            float[] first = frozen.output().toArray();
            if (net.useNative()) {
                double[] exact = Rounding.widened(expected);
                Rounding.assertClose(exact, Rounding.widened(first), TapeTest.ROUNDINGS, Rounding.largest(exact),
                        net.toString());
            } else {
                assertArrayEquals(expected, first);
            }
            frozen.forward(0);
            assertArrayEquals(first, frozen.output().toArray());
            assertThrows(IllegalStateException.class, frozen::backward);
            assertTrue(frozen.reorders() <= inference.reorders(), frozen.reorders() + " reorders");
        }
    }

    /** Images into the layout of the first layer, and what plain Java subsamples; filters and rows are there, in theirs. */
    @ParameterizedTest
    @Tag("native")
    @CsvSource({"lenet5,0", "resnet20,5", "resnet18,1", "vgg16,1"})
    void convertsTheImagesAtMost(String name, int most) {
        io.pare.net.Net net = Models.byName(name);
        try (Region region = Region.shared("frozen")) {
            Map<String, FloatTensor> values = new HashMap<>();
            for (Parameter parameter : net.parameters()) {
                values.put(parameter.name(), region.tensor(parameter.shape()).fill(0.01f));
            }
            Tape tape = Tape.frozen(region, new Workspace(region), Graph.logits(net, "x", 1, false),
                    new Binding() {
                        @Override
                        public FloatTensor value(String parameter) {
                            return values.get(parameter);
                        }

                        @Override
                        public FloatTensor gradient(String parameter) {
                            throw new AssertionError("nothing comes back");
                        }
                    }, Backends.dense(true));
            tape.input("x").fill(1f);
            assertEquals(most, tape.reorders());
            long before = Reorder.executed();
            tape.forward(0);
            tape.output();
            assertEquals(most, Reorder.executed() - before);
        }
    }
}
