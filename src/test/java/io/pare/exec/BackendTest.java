package io.pare.exec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pare.exec.backend.Backends;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A backend from outside: a factory for two operators on a device whose memory no other step can see. */
class BackendTest {
    /** A device, here the Java heap. */
    private static final class Device implements StepFactory {
        private final Building building;
        private final List<Value> computed;

        Device(Building building, List<Value> computed) {
            this.building = building;
            this.computed = computed;
        }

        @Override
        public Optional<Step> step(Value node) {
            boolean covered = node.op() instanceof Operation.Apply(Op.Add _)
                    || node.op() instanceof Operation.Apply(Op.Relu _);
            if (covered) {
                computed.add(node);
            }
            return covered ? Optional.of(new Sum(building, node)) : Optional.empty();
        }
    }

    private record OnDevice(float[] numbers) implements Buffer {
        @Override
        public Source plain(Building building, Value node) {
            FloatTensor host = building.tensor(node.shape());
            return new Source(host, () -> MemorySegment.copy(numbers, 0, host.segment(), ValueLayout.JAVA_FLOAT, 0,
                    numbers.length));
        }
    }

    /** Numbers on the device, and what copies them there. */
    private record Upload(float[] numbers, Runnable refresh) {
        static Upload of(Building building, Buffer buffer, Value node) {
            if (buffer instanceof OnDevice(float[] numbers)) {
                return new Upload(numbers, Source.NOTHING);
            }
            Source host = buffer.plain(building, node);
            return of(host, (int) node.count());
        }

        static Upload of(Source host, int count) {
            float[] numbers = new float[count];
            return new Upload(numbers, () -> {
                host.refresh().run();
                MemorySegment.copy(host.tensor().segment(), ValueLayout.JAVA_FLOAT, 0, numbers, 0, count);
            });
        }
    }

    /** The sum of all inputs, of which a ReLU has one and cuts it at zero. */
    private static final class Sum implements Step {
        private final Building building;
        private final Value node;
        private final boolean relu;
        private final List<Upload> inputs;
        private final float[] y;
        private Upload dy;
        private float[] dx;

        Sum(Building building, Value node) {
            this.building = building;
            this.node = node;
            this.relu = node.inputs().size() == 1;
            this.inputs = node.inputs().stream().map(input -> Upload.of(building, building.value(input), input))
                    .toList();
            this.y = new float[(int) node.count()];
            building.value(node, new OnDevice(y));
        }

        @Override
        public void forward() {
            inputs.forEach(input -> input.refresh().run());
            for (int i = 0; i < y.length; i++) {
                float x = inputs.getFirst().numbers()[i];
                y[i] = !relu ? x + inputs.getLast().numbers()[i] : x > 0 ? x : 0;
            }
        }

        @Override
        public void prepareBackward() {
            List<Buffer> parts = building.contributions(node);
            dy = parts.size() == 1
                    ? Upload.of(building, parts.getFirst(), node)
                    : Upload.of(building.gradient(node), y.length);
            dx = relu ? new float[y.length] : dy.numbers();
            node.inputs().forEach(input -> building.contribute(input, new OnDevice(dx)));
        }

        @Override
        public void backward() {
            dy.refresh().run();
            for (int i = 0; i < dx.length; i++) {
                dx[i] = y[i] > 0 || !relu ? dy.numbers()[i] : 0;
            }
        }
    }

    private static List<float[]> results(TapeTest.Params params, Value loss, Backend backend) {
        try (Region region = Region.shared("backend")) {
            TapeTest.Memory memory = new TapeTest.Memory(region, params, new Random(2));
            Tape tape = Tape.training(region, loss, memory, backend);
            tape.poison();
            TapeTest.randomize(tape.input("x"), new Random(3));
            for (int i = 0; i < TapeTest.BATCH; i++) {
                tape.labels().setAtIndex(ValueLayout.JAVA_INT, i, i);
            }
            List<float[]> results = new ArrayList<>();
            for (int pass = 0; pass < 2; pass++) {
                tape.forward(pass);
                tape.backward();
                results.add(new float[]{(float) tape.loss()});
                params.gradients().forEach(name -> results.add(memory.gradient(name).toArray()));
            }
            return results;
        }
    }

    private static Backend with(Function<Building, StepFactory> first, Backend others) {
        List<Function<Building, StepFactory>> all = new ArrayList<>(List.of(first));
        all.addAll(others.factories());
        return new Backend(true, all);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFactoryBeforeTheOthersComputesWhatItCovers(boolean useNative) {
        TapeTest.assumeAvailable(useNative);
        TapeTest.Params params = new TapeTest.Params();
        Value a = params.conv("a", TapeTest.image(3, 8), 16, 3, 1, 1, 1, 1);
        Value b = Graphs.maxPool(params.conv("b", TapeTest.image(3, 8), 16, 3, 1, 1, 1, 1), 3, 1, 1);
        Value cut = Graphs.relu(Graphs.add(a, b));
        // Two readers of one value on the device, one of which oneDNN would take elsewhere.
        Value both = Graphs.add(Graphs.maxPool(cut, 2, 2, 0), Graphs.maxPool(cut, 2, 2, 0));
        Value loss = Graph.softmaxCrossEntropy(params.head(params.conv("c", both, 16, 3, 1, 1, 1, 1)));
        List<Value> computed = new ArrayList<>();
        Backend dense = Backends.dense(useNative);
        List<float[]> expected = results(params, loss, dense);
        List<float[]> actual = results(params, loss, with(building -> new Device(building, computed), dense));
        // The compiler builds twice, and two sums and a ReLU each time.
        assertEquals(6, computed.size(), computed.toString());
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), actual.get(i), 0f, "result " + i);
        }
    }

    @Test
    void whatNoFactoryCoversIsRefused() {
        TapeTest.Params params = new TapeTest.Params();
        Value logits = params.head(Graph.input("x", 2, 3));
        Backend partial = new Backend(true, List.of(building -> new Device(building, new ArrayList<>())));
        try (Region region = Region.shared("partial")) {
            TapeTest.Memory memory = new TapeTest.Memory(region, params, new Random(1));
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                    () -> Tape.inference(region, logits, memory, partial));
            assertEquals("the backend has no step for " + logits, e.getMessage());
        }
    }

    @Test
    void aBackendWithoutAPlanHasNoFootprint() {
        Value x = Graph.input("x", 32, 4);
        assertThrows(IllegalArgumentException.class, () -> Tape.footprint(x, false, Backends.sparse(), 1, false));
    }
}
