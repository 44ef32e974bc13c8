package io.pare.rewrite;

import io.pare.format.pare.PareFile;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Flow;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Puts the units between layers (filters of a convolution, outputs of a linear layer) into an order in which a
 * {@code .pare} file needs fewer bytes.
 *
 * <p>The outputs stay the same but for the rounding of sums, whose order changes with that of the units. So evaluate a
 * network after this and not before. Units in a chosen order say nothing that a file would have to hold: up to
 * log2(n!) bits for n units.
 */
public final class UnitOrder {
    private static final int ROUNDS = 4;

    private final Net model;
    private final Map<String, float[]> values = new LinkedHashMap<>();
    private final InputScale scale;

    private UnitOrder(CompressedWeights weights) {
        this.model = weights.model();
        this.scale = weights.scale();
        weights.tensors().forEach((name, tensor) -> values.put(name, tensor.toArray()));
    }

    /** A layer whose units may change places, and the only one that reads them, {@code perUnit} values of each. */
    private record Link(Node producer, int units, Node consumer, int perUnit) {}

    /**
     * Sorts the units of all layers but the last. Units that compute nothing and are not read come last.
     *
     * @param weights of the network; left as they are
     * @return the same network with other orders of units
     */
    public static CompressedWeights sort(CompressedWeights weights) {
        UnitOrder order = new UnitOrder(weights);
        boolean changed = true;
        for (int round = 0; changed && round < ROUNDS; round++) {
            changed = false;
            for (Link link : links(weights.model())) {
                changed |= order.sort(link);
            }
        }
        return order.weights();
    }

    private static List<Link> links(Net model) {
        List<Link> links = new ArrayList<>();
        for (Net.Link link : model.links()) {
            Flow.Mix from = (Flow.Mix) model.flow(link.producer());
            Flow.Mix to = (Flow.Mix) model.flow(link.consumer());
            if (from.groups() == 1) {
                links.add(new Link(link.producer(), from.out(), link.consumer(), to.in() / from.out() * to.taps()));
            }
        }
        return links;
    }

    private float[] weight(Node node) {
        return values.get(node.weight().name());
    }

    private CompressedWeights weights() {
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        model.parameters().forEach(parameter -> tensors.put(parameter.name(),
                CompressedTensor.of(values.get(parameter.name()), parameter.shape())));
        return new CompressedWeights(model, tensors, scale);
    }

    /** Tries orders that make one of the two tensors cheaper, and keeps the best; returns whether that is another one. */
    private boolean sort(Link link) {
        if (PareFile.isCodedByGaps(weight(link.producer()).length)
                || PareFile.isCodedByGaps(weight(link.consumer()).length)) {
            return false;
        }
        int width = weight(link.producer()).length / link.units();
        float[] own = weight(link.producer());
        boolean[] dead = new boolean[link.units()];
        double[] begin = new double[link.units()];
        double[] size = new double[link.units()];
        double[] read = new double[link.units()];
        for (int unit = 0; unit < link.units(); unit++) {
            begin[unit] = width;
            for (int k = width - 1; k >= 0; k--) {
                if (own[unit * width + k] != 0) {
                    begin[unit] = k;
                    size[unit]++;
                }
            }
            read[unit] = read(link, unit);
            dead[unit] = size[unit] == 0 && read[unit] == 0;
        }
        List<IntToDoubleFunction> keys = List.of(unit -> unit, unit -> begin[unit], unit -> read[unit],
                unit -> -read[unit], unit -> size[unit], unit -> -size[unit]);
        Map<String, float[]> before = new LinkedHashMap<>(values);
        Map<String, float[]> best = before;
        double least = bits(link);
        for (IntToDoubleFunction key : keys) {
            int[] order = IntStream.range(0, link.units()).boxed()
                    .sorted(Comparator.comparing((Integer unit) -> dead[unit])
                            .thenComparingDouble(key::applyAsDouble))
                    .mapToInt(Integer::intValue).toArray();
            permute(link, order);
            double bits = bits(link);
            if (bits < least) {
                least = bits;
                best = new LinkedHashMap<>(values);
            }
            values.putAll(before);
        }
        values.putAll(best);
        return best != before;
    }

    /** Of the two tensors whose coding depends on the order. */
    private double bits(Link link) {
        return bits(link.producer()) + bits(link.consumer());
    }

    private double bits(Node node) {
        Parameter weight = node.weight();
        return PareFile.bits(model, node, CompressedTensor.of(values.get(weight.name()), weight.shape()));
    }

    private int read(Link link, int unit) {
        float[] consumer = weight(link.consumer());
        int row = link.units() * link.perUnit();
        int read = 0;
        for (int from = unit * link.perUnit(); from < consumer.length; from += row) {
            for (int k = from; k < from + link.perUnit(); k++) {
                read += consumer[k] != 0 ? 1 : 0;
            }
        }
        return read;
    }

    private void permute(Link link, int[] order) {
        for (Parameter parameter : link.producer().parameters()) {
            float[] from = values.get(parameter.name());
            values.put(parameter.name(), moved(from, order, from.length / order.length));
        }
        float[] from = weight(link.consumer());
        float[] to = new float[from.length];
        int row = link.units() * link.perUnit();
        for (int at = 0; at < from.length; at += row) {
            float[] one = moved(Arrays.copyOfRange(from, at, at + row), order, link.perUnit());
            System.arraycopy(one, 0, to, at, row);
        }
        values.put(link.consumer().weight().name(), to);
    }

    private static float[] moved(float[] from, int[] order, int size) {
        float[] to = new float[from.length];
        for (int i = 0; i < order.length; i++) {
            System.arraycopy(from, order[i] * size, to, i * size, size);
        }
        return to;
    }
}
