package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Dataset;
import io.pare.mem.FloatTensor;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Parameter;
import io.pare.net.RandomNets;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LayerWalkTest {
    private static final int SAMPLES = 7;
    /** Of the largest output: sums of a few hundred products in float, in any order. */
    private static final double TOLERANCE = 1e-4;
    private static final Net MODEL = new NetBuilder("walked", Shape.of(2, 9, 8)).conv("conv1", 6, 3, 2, 1, true)
            .norm("bn1").relu("relu1").residual("block", body -> body.groupedConv("grouped", 6, 3, 1, 2).relu("relu2")
                    .add("dilated", new Op.Conv2d(6, 6, new Window(2, 3, 1, 1, 1, 2, 0, 0, 1, 1), 1, true)),
                    shortcut -> {
                    })
            .dropout("dropout", 0.5f).add("rows", new TensorOp.Reshape(Shape.of(5, 24)))
            .add("projection", new TensorOp.Projection(24, 10, true)).flatten("flatten").linear("fc", 4).build();

    private static Dataset noise(Net net, int samples) {
        float[] inputs = new float[samples * net.input().features()];
        Random random = new Random(5);
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = (float) random.nextGaussian();
        }
        return Dataset.ofFloats("noise", net.input().image(), inputs, 2, new int[samples]);
    }

    /** What each layer takes, as rows. */
    private static Map<String, List<float[]>> rows(Network network, Dataset data, boolean sequential, String cleared) {
        Map<String, List<float[]>> rows = new LinkedHashMap<>();
        LayerWalk.run(network, data, InputScale.UNIT, sequential, (weight, inputs) -> {
            List<float[]> taken = new ArrayList<>();
            inputs.forEach(block -> {
                assertEquals(inputs.width(), block.size(1));
                for (long row = 0; row < block.size(0); row++) {
                    taken.add(block.rows(row, row + 1).toArray());
                }
            });
            rows.put(weight.name(), taken);
            if (weight.name().equals(cleared)) {
                weight.value().fill(0);
            }
        });
        return rows;
    }

    @Test
    void rowsTimesWeightsAreWhatTheLayerGives() {
        for (boolean useNative : new boolean[]{false, Natives.enabled()}) {
            check(MODEL, useNative);
            for (int seed = 0; seed < 5; seed++) {
                check(RandomNets.windows(seed).model(), useNative);
            }
        }
    }

    private static void check(Net net, boolean useNative) {
        Dataset data = noise(net, SAMPLES);
        try (Network network = Network.create(net, 3, useNative)) {
            // Several batches, the last one short.
            network.evaluationBatch(3);
            Map<String, List<float[]>> rows = rows(network, data, true, null);
            assertEquals(LayerWalk.weights(net).stream().map(Parameter::name).toList(), List.copyOf(rows.keySet()));
            float[] inputs = new float[SAMPLES * net.input().features()];
            Random random = new Random(5);
            for (int i = 0; i < inputs.length; i++) {
                inputs[i] = (float) random.nextGaussian();
            }
            for (Node node : net.layers()) {
                if (!node.parameters().isEmpty() && rows.containsKey(node.parameters().getFirst().name())) {
                    compare(node, outputs(net, node, network, inputs), rows.get(node.weight().name()), network);
                }
            }
        }
    }

    private static void compare(Node node, float[] expected, List<float[]> rows, Network network) {
        FloatTensor weight = network.value(node.weight().name());
        int outputs = (int) weight.size(0);
        float[] bias = node.parameters().size() > 1
                ? network.value(node.parameters().get(1).name()).toArray()
                : new float[outputs];
        // A convolution gives channels first, the others outputs last.
        boolean image = node.op() instanceof Op.Conv2d;
        int places = rows.size() / SAMPLES;
        assertEquals(expected.length, rows.size() * outputs);
        double largest = IntStream.range(0, expected.length).mapToDouble(i -> Math.abs(expected[i])).max().orElse(0);
        for (int i = 0; i < rows.size(); i++) {
            for (int o = 0; o < outputs; o++) {
                double sum = bias[o];
                for (int j = 0; j < rows.get(i).length; j++) {
                    sum += (double) rows.get(i)[j] * weight.get((long) o * rows.get(i).length + j);
                }
                int at = image ? (i / places * outputs + o) * places + i % places : i * outputs + o;
                assertEquals(expected[at], sum, TOLERANCE * largest + 1e-30, node.name());
            }
        }
    }

    /** What a node gives, by the network up to it. */
    private static float[] outputs(Net net, Node last, Network network, float[] inputs) {
        TreeSet<Integer> needed = new TreeSet<>(List.of(0, last.place()));
        for (int place = last.place(); place > 0; place--) {
            if (needed.contains(place)) {
                needed.addAll(net.node(place).inputs());
            }
        }
        NetBuilder part = new NetBuilder("part", net.input());
        Map<Integer, Integer> places = new HashMap<>(Map.of(0, 0));
        for (int place : needed.tailSet(1)) {
            Node node = net.node(place);
            part.add(node.name(), node.op(), node.inputs().stream().map(places::get).toList());
            places.put(place, part.at());
        }
        try (Network partly = Network.create(part.build(), 1, false)) {
            partly.weights().forEach(weight -> weight.value().copyFrom(network.value(weight.name())));
            return partly.outputs(inputs, SAMPLES);
        }
    }

    @Test
    void sequentialLayersSeeWhatIsChangedBeforeThemAndParallelOnesDoNot() {
        Dataset data = noise(MODEL, SAMPLES);
        try (Network network = Network.create(MODEL, 3, false)) {
            Map<String, List<float[]>> dense = rows(network, data, false, "projection.weight");
            assertTrue(network.value("projection.weight").get(0) == 0);
            network.copyFrom(dense(3));
            Map<String, List<float[]>> sequential = rows(network, data, true, "projection.weight");
            network.copyFrom(dense(3));
            Map<String, List<float[]>> untouched = rows(network, data, true, null);
            for (String name : dense.keySet()) {
                assertTrue(equal(untouched.get(name), dense.get(name)), name);
                assertEquals(!name.equals("fc.weight"), equal(untouched.get(name), sequential.get(name)), name);
            }
            assertFalse(dense.containsKey("grouped.weight"));
        }
    }

    private static CompressedWeights dense(long seed) {
        try (Network network = Network.create(MODEL, seed, false)) {
            Map<String, FloatTensor> values = new LinkedHashMap<>();
            network.weights().forEach(weight -> values.put(weight.name(), weight.value()));
            return CompressedWeights.of(MODEL, values, InputScale.UNIT);
        }
    }

    private static boolean equal(List<float[]> some, List<float[]> others) {
        return some.size() == others.size()
                && IntStream.range(0, some.size()).allMatch(i -> Arrays.equals(some.get(i), others.get(i)));
    }

    @Test
    void ofManyPlacesSomeAreGivenEvenlySpread() {
        Net net = new NetBuilder("wide", Shape.of(1, 64, 64)).conv("conv", 1, 1, 1, 0, true).flatten("flatten").build();
        float[] inputs = new float[200 * 64 * 64];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = i % (64 * 64);
        }
        Dataset data = Dataset.ofFloats("places", Shape.of(1, 64, 64), inputs, 2, new int[200]);
        try (Network network = Network.create(net, 1, false)) {
            int[] rowsOf = new int[64];
            int[] columnsOf = new int[64];
            List<float[]> rows = rows(network, data, true, null).get("conv.weight");
            rows.forEach(row -> {
                rowsOf[(int) row[0] / 64]++;
                columnsOf[(int) row[0] % 64]++;
            });
            assertTrue(rows.size() >= 1 << 16 && rows.size() < 1 << 17, "rows: " + rows.size());
            for (int i = 0; i < 64; i++) {
                assertEquals(rows.size() / 64, rowsOf[i], 0.02 * rows.size() / 64);
                assertEquals(rows.size() / 64, columnsOf[i], 0.1 * rows.size() / 64);
            }
        }
    }
}
