package io.pare.run;

import io.pare.compress.constraint.Budget.Quantity;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Node;
import io.pare.net.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/**
 * How the time of one prediction follows from the weights that layers keep: measures a network in Pare's own engine again and
 * again, with fewer and fewer of each layer's largest weights.
 *
 * <p>A layer's time follows from its weights and from how many of its outputs the next layer reads, for the engine computes no
 * others. So layers keep different shares in some of the networks, and a row has a price of its own.
 */
public final class LayerTimes {
    /** The smallest first, on which the JVM compiles the loops soonest. Linear layers run otherwise above 0.16. */
    private static final double[] SHARES =
            {0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.17, 0.2, 0.3, 0.5, 1};
    /** Of each share so many more networks, in which layers keep more or less than that, up to this factor. */
    private static final int MIXED = 2;
    private static final double FACTOR = 5;
    private static final int PRICES = 64;

    /** Their medians count, after some in which the JVM compiles. */
    private static final int PASSES = 3;
    private static final int MOST_WARM_UPS = 8;
    private static final double FASTER = 0.7;

    private LayerTimes() {}

    /**
     * Measures a network. Layers of several weights, and those that compute with all of them, count as the rest.
     *
     * @param weights of the network
     * @param seconds that it may take, about
     * @param progress told of each measurement in a line
     * @return a table of latency
     */
    public static CostTable of(CompressedWeights weights, double seconds, Consumer<String> progress) {
        Map<String, String> weightOf = new LinkedHashMap<>();
        for (Node node : weights.model().layers()) {
            List<Parameter> own = node.parameters().stream().filter(Parameter::weight).toList();
            if (own.size() == 1) {
                weightOf.put(node.name(), own.getFirst().name());
            }
        }
        List<CompressedWeights> pruned = new ArrayList<>();
        SplittableRandom random = new SplittableRandom(1);
        for (double share : SHARES) {
            pruned.add(pruned(weights, _ -> share));
            for (int i = 0; i < MIXED; i++) {
                pruned.add(pruned(weights,
                        _ -> Math.min(1, share * Math.pow(FACTOR, 2 * random.nextDouble() - 1))));
            }
        }
        // In units of the reference, by pass: what is measured, layer by layer, the rest last.
        double[][][] times = new double[pruned.size()][weightOf.size() + 1][PASSES];
        double[] references = new double[PASSES];
        double each = seconds / pruned.size() / (PASSES + 1) / 2;
        warmUp(pruned, each);
        for (int pass = 0; pass < PASSES; pass++) {
            for (int i = 0; i < pruned.size(); i++) {
                PredictionTime found = PredictionTime.of(pruned.get(i), each);
                if (pass == PASSES - 1 && i % (MIXED + 1) == 0) {
                    progress.accept(String.format(Locale.ROOT, "%5.1f %% of the weights: %.2f us",
                            100 * SHARES[i / (MIXED + 1)], found.microseconds()));
                }
                references[pass] = found.reference();
                double rest = found.ratio();
                int layer = 0;
                for (String name : weightOf.keySet()) {
                    double time = found.layers().getOrDefault(name, 0.0) / found.reference();
                    times[i][layer++][pass] = time;
                    rest -= time;
                }
                times[i][layer][pass] = Math.max(0, rest);
            }
        }
        double reference = PredictionTime.median(references);
        List<Map<String, LiveRows>> live = pruned.stream().map(LiveRows::of).toList();
        Map<String, List<List<Double>>> layers = new LinkedHashMap<>();
        Map<String, Double> rows = new LinkedHashMap<>();
        int layer = 0;
        for (String name : weightOf.values()) {
            List<double[]> points = new ArrayList<>();
            for (int i = 0; i < pruned.size(); i++) {
                LiveRows of = live.get(i).get(name);
                points.add(new double[]{of == null ? pruned.get(i).tensor(name).nonzeros() : of.kept(),
                    PredictionTime.median(times[i][layer]) * reference, of == null ? 0 : of.rows()});
            }
            double price = price(points);
            layers.put(name, ascending(without(points, price)));
            rows.put(name, price);
            layer++;
        }
        double rest = PredictionTime.median(
                Arrays.stream(times).mapToDouble(time -> PredictionTime.median(time[weightOf.size()])).toArray());
        return new CostTable(Quantity.LATENCY.toString(), weights.model().name(), reference, rest * reference, 0, 0,
                layers, rows);
    }

    /**
     * {@return what a row costs, such that what is left of the times follows best from the weights alone}
     *
     * @param points weights, time and rows of each network
     */
    static double price(List<double[]> points) {
        double most = points.stream().filter(point -> point[2] > 0).mapToDouble(point -> point[1] / point[2]).min()
                .orElse(0);
        double best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i <= PRICES; i++) {
            double price = most * i / PRICES;
            List<double[]> left = without(points, price);
            double error = error(points, ascending(left), price);
            if (error < least) {
                least = error;
                best = price;
            }
        }
        return best;
    }

    private static List<double[]> without(List<double[]> points, double price) {
        return points.stream().map(point -> new double[]{point[0], Math.max(0, point[1] - price * point[2])}).toList();
    }

    /** Squared, each over the square of its time. */
    private static double error(List<double[]> points, List<List<Double>> curve, double price) {
        return points.stream().mapToDouble(point -> {
            double found = CostTable.at(curve, point[0]) + price * point[2];
            return point[1] > 0 ? Math.pow((found - point[1]) / point[1], 2) : 0;
        }).sum();
    }

    /** Runs all of them until the reference gets no faster, as it does while the JVM compiles. */
    private static void warmUp(List<CompressedWeights> pruned, double each) {
        double last = Double.POSITIVE_INFINITY;
        for (int round = 0; round < MOST_WARM_UPS; round++) {
            double slowest = 0;
            for (CompressedWeights weights : pruned) {
                slowest = Math.max(slowest, PredictionTime.of(weights, each).reference());
            }
            if (slowest > FASTER * last) {
                return;
            }
            last = slowest;
        }
    }

    /** Least squares among the curves that never fall: neighbours that would are drawn together. */
    static List<List<Double>> ascending(List<double[]> points) {
        List<double[]> sorted = new ArrayList<>(points);
        sorted.sort((a, b) -> Double.compare(a[0], b[0]));
        // Each block: first and last point, mean time, number of points.
        List<double[]> blocks = new ArrayList<>();
        for (double[] point : sorted) {
            blocks.add(new double[]{point[0], point[0], point[1], 1});
            while (blocks.size() > 1 && (blocks.getLast()[2] < blocks.get(blocks.size() - 2)[2]
                    || blocks.getLast()[0] == blocks.get(blocks.size() - 2)[1])) {
                double[] last = blocks.removeLast();
                double[] before = blocks.removeLast();
                double count = before[3] + last[3];
                blocks.add(new double[]{before[0], last[1], (before[2] * before[3] + last[2] * last[3]) / count,
                    count});
            }
        }
        List<List<Double>> curve = new ArrayList<>();
        for (double[] block : blocks) {
            curve.add(List.of(block[0], block[2]));
            if (block[1] > block[0]) {
                curve.add(List.of(block[1], block[2]));
            }
        }
        return curve;
    }

    /** The largest weights of each tensor, where anything reads what comes of them, and all biases. */
    private static CompressedWeights pruned(CompressedWeights weights, ToDoubleFunction<String> share) {
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>(weights.tensors());
        weights.model().parameters().stream().filter(Parameter::weight).forEach(parameter -> {
            float[] values = weights.tensor(parameter.name()).toArray();
            float[] magnitudes = new float[values.length];
            for (int i = 0; i < values.length; i++) {
                magnitudes[i] = Math.abs(values[i]);
            }
            Arrays.sort(magnitudes);
            int kept = (int) Math.max(1, Math.round(share.applyAsDouble(parameter.name()) * values.length));
            float least = magnitudes[values.length - kept];
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.abs(values[i]) >= least ? values[i] : 0f;
            }
            tensors.put(parameter.name(), CompressedTensor.of(values, parameter.shape()));
        });
        return LiveRows.alone(new CompressedWeights(weights.model(), tensors, weights.scale()));
    }
}
