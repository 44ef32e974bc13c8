package io.pare.run;

import io.pare.infer.CompressedModel;
import io.pare.infer.Session;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * How long one prediction takes in Pare's own engine, on the calling thread, and where that time goes.
 *
 * <p>A network takes turns with a small fixed one. What slows the machine down slows both, so the ratio of their times
 * says more than either: a figure of one day is that ratio times the small network's time of another day.
 *
 * @param microseconds of one prediction, median over turns
 * @param reference microseconds of the small network, median over turns
 * @param ratio of the two, median over turns
 * @param layers microseconds of each layer that takes some, by its name; they add up to {@code microseconds} or less
 */
public record PredictionTime(double microseconds, double reference, double ratio, Map<String, Double> layers) {
    private static final long TURN = 3_000_000;
    private static final int MOST_CALLS = 512;
    private static final int LEAST_TURNS = 5;
    /** Where a loop is not compiled yet, it takes a hundred times as long. */
    private static final double COMPILED = 2;
    /** What has got no faster than this for so many seconds is compiled too. */
    private static final double FASTER = 0.9;
    private static final double SETTLED = 1;
    private static final double MOST_SECONDS = 60;

    /** Keeps the order. */
    public PredictionTime {
        layers = new LinkedHashMap<>(layers);
    }

    /**
     * Measures a network.
     *
     * @param weights of the network
     * @param seconds that the measurement may take, about; as much again to warm up
     * @return what was found
     */
    public static PredictionTime of(CompressedWeights weights, double seconds) {
        return of(weights, seconds, Double.POSITIVE_INFINITY);
    }

    /**
     * Measures a network once the small one is about as fast as it was: until then the JVM compiles.
     *
     * @param weights of the network
     * @param seconds as of {@link #of(CompressedWeights, double)}; to warm up a minute at most
     * @param known microseconds of the small network, as another measurement found them
     * @return what was found
     */
    public static PredictionTime of(CompressedWeights weights, double seconds, double known) {
        try (CompressedModel model = CompressedModel.of(weights); CompressedModel small = CompressedModel.of(small())) {
            Turn whole = new Turn(model);
            Turn reference = new Turn(small);
            long begin = System.nanoTime();
            double slow;
            double fastest = Double.POSITIVE_INFINITY;
            long improved = begin;
            do {
                slow = reference.run() / known;
                double found = whole.run();
                if (found < FASTER * fastest) {
                    improved = System.nanoTime();
                }
                fastest = Math.min(fastest, found);
            } while (System.nanoTime() - begin < seconds * 1e9
                    || System.nanoTime() - begin < MOST_SECONDS * 1e9 && known < Double.POSITIVE_INFINITY
                            && (slow > COMPILED || System.nanoTime() - improved < SETTLED * 1e9));
            List<double[]> turns = new ArrayList<>();
            List<double[]> steps = new ArrayList<>();
            begin = System.nanoTime();
            do {
                double unit = reference.run();
                double found = whole.run();
                turns.add(new double[]{found, unit, found / unit});
                steps.add(Arrays.stream(whole.steps()).map(time -> time / unit).toArray());
            } while (turns.size() < LEAST_TURNS || System.nanoTime() - begin < seconds * 1e9);
            return found(model.steps(), turns, steps);
        }
    }

    private static PredictionTime found(List<String> owners, List<double[]> turns, List<double[]> steps) {
        double small = median(turns.stream().mapToDouble(turn -> turn[1]).toArray());
        double ratio = median(turns.stream().mapToDouble(turn -> turn[2]).toArray());
        Map<String, Double> layers = new LinkedHashMap<>();
        for (int i = 0; i < owners.size(); i++) {
            int step = i;
            layers.merge(owners.get(i), small * median(steps.stream().mapToDouble(turn -> turn[step]).toArray()),
                    Double::sum);
        }
        // The clock is read between steps: what all of them take together is known without it.
        double all = layers.values().stream().mapToDouble(Double::doubleValue).sum();
        if (all > ratio * small) {
            layers.replaceAll((_, time) -> time * ratio * small / all);
        }
        return new PredictionTime(median(turns.stream().mapToDouble(turn -> turn[0]).toArray()), small, ratio, layers);
    }

    /** The upper one of two; the array stays as it is. */
    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /**
     * Some predictions of one network in a row. Each is timed by itself and their median counts: what else the machine does
     * falls on few of them.
     */
    private static final class Turn {
        private final Session session;
        private final float[] image;
        private final float[] logits;
        private final double[][] times;
        private final long[] spent;
        private int calls;

        Turn(CompressedModel model) {
            session = model.session();
            image = new float[model.model().input().features()];
            logits = new float[model.model().classes()];
            spent = new long[model.steps().size()];
            times = new double[spent.length + 1][MOST_CALLS];
            boolean ids = model.model().readers().getFirst().stream()
                    .anyMatch(place -> model.model().node(place).op().looksUp());
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 0; i < image.length; i++) {
                image[i] = ids ? 0 : (float) random.nextDouble();
            }
        }

        /** Microseconds of one prediction; every other one is timed step by step. */
        double run() {
            long begin = System.nanoTime();
            for (calls = 0; calls < MOST_CALLS && (calls == 0 || System.nanoTime() - begin < TURN); calls++) {
                long before = System.nanoTime();
                session.logits(image, 1, logits);
                times[spent.length][calls] = (System.nanoTime() - before) / 1e3;
                session.time(image, spent);
                for (int step = 0; step < spent.length; step++) {
                    times[step][calls] = spent[step] / 1e3;
                }
            }
            return median(Arrays.copyOf(times[spent.length], calls));
        }

        /** Microseconds of each step in the last turn. */
        double[] steps() {
            return Arrays.stream(times, 0, spent.length).mapToDouble(each -> median(Arrays.copyOf(each, calls)))
                    .toArray();
        }
    }

    /** A convolution and two linear layers, one of few weights, which together run through all loops. */
    private static CompressedWeights small() {
        Net net = new NetBuilder("reference", Shape.of(8, 14, 14)).conv("conv", 16, 3, 1, 0, true).relu("relu")
                .flatten("flatten").linear("few", 64).linear("many", 64).build();
        SplittableRandom random = new SplittableRandom(1);
        Map<String, CompressedTensor> tensors = new HashMap<>();
        net.parameters().forEach(parameter -> {
            float[] values = new float[Math.toIntExact(parameter.count())];
            for (int i = 0; i < values.length; i++) {
                int one = parameter.name().startsWith("few") ? 40 : 4;
                values[i] = parameter.weight() && random.nextInt(one) > 0 ? 0f : (float) random.nextDouble() - 0.5f;
            }
            tensors.put(parameter.name(), CompressedTensor.of(values, parameter.shape()));
        });
        return new CompressedWeights(net, tensors, InputScale.UNIT);
    }
}
