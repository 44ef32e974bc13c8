package io.pare.cli;

import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.report.JsonReport;
import io.pare.train.Network;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/** What a network took before groups left it, and what it takes now: sizes, work, and time on the dense engine. */
final class DenseReport {
    private static final int ROUNDS = 5;
    private static final double SECONDS = 0.1;

    private final List<String> names = List.of("parameters", "multiplyAdds", "activations", "microseconds");
    private final Map<String, double[]> rows = new LinkedHashMap<>();
    private final int groups;
    private final int removed;

    /**
     * Measures both.
     *
     * @param before the network with all groups
     * @param after what is left of it
     * @param groups of the network before
     * @param removed of them
     */
    DenseReport(CompressedWeights before, CompressedWeights after, int groups, int removed) {
        this.groups = groups;
        this.removed = removed;
        Net net = before.model();
        Net small = after.model();
        rows.put(names.get(0), new double[]{net.trainedCount(), small.trainedCount()});
        rows.put(names.get(1), new double[]{net.multiplyAdds(), small.multiplyAdds()});
        rows.put(names.get(2), new double[]{activations(net), activations(small)});
        rows.put(names.get(3), times(before, after));
    }

    /** Values of a sample that nodes with weights give, which is what networks are compared by. */
    private static long activations(Net net) {
        return net.layers().stream().filter(node -> net.multiplyAdds(node) > 0).map(Node::output)
                .mapToLong(shape -> shape.features()).sum();
    }

    /** Median microseconds for one sample; the two take turns, so that what else the machine does hits both. */
    private static double[] times(CompressedWeights before, CompressedWeights after) {
        try (Network dense = Network.frozen(before, Natives.enabled());
                Network small = Network.frozen(after, Natives.enabled())) {
            double[][] times = new double[2][ROUNDS];
            float[] sample = new float[before.model().input().features()];
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 0; i < sample.length; i++) {
                sample[i] = (float) random.nextDouble();
            }
            time(dense, sample);
            time(small, sample);
            for (int round = 0; round < ROUNDS; round++) {
                times[0][round] = time(dense, sample);
                times[1][round] = time(small, sample);
            }
            for (double[] each : times) {
                Arrays.sort(each);
            }
            return new double[]{times[0][ROUNDS / 2], times[1][ROUNDS / 2]};
        }
    }

    private static double time(Network network, float[] sample) {
        long begin = System.nanoTime();
        long calls = 0;
        long now = begin;
        while (now - begin < SECONDS * 1e9) {
            network.outputs(sample, 1);
            calls++;
            now = System.nanoTime();
        }
        return (now - begin) / 1e3 / calls;
    }

    void print(PrintWriter out) {
        out.printf(Locale.ROOT, "removed %,d of %,d groups%n", removed, groups);
        out.printf(Locale.ROOT, "%-14s %14s %14s %8s%n", "", "before", "after", "times");
        print(out, "parameters", "%,.0f", rows.get(names.get(0)));
        print(out, "multiply-adds", "%,.0f", rows.get(names.get(1)));
        print(out, "activations", "%,.0f", rows.get(names.get(2)));
        print(out, "us for one", "%,.1f", rows.get(names.get(3)));
    }

    private static void print(PrintWriter out, String name, String form, double[] values) {
        out.printf(Locale.ROOT, "%-14s %14s %14s %8.2f%n", name, String.format(Locale.ROOT, form, values[0]),
                String.format(Locale.ROOT, form, values[1]), values[0] / values[1]);
    }

    void put(JsonReport report) {
        report.put("groups", groups).put("removedGroups", removed);
        rows.forEach((name, values) -> report.put(name, Map.of("before", values[0], "after", values[1])));
    }
}
