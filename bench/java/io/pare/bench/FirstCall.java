package io.pare.bench;

import io.pare.kernel.Projections;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * How long the first calls of a process take. Each run is a JVM of its own, because what is compiled stays compiled.
 *
 * <p>Arguments: how many JVMs, calls in each, cases such as {@code topk:400000}, separated by commas, then options of
 * those JVMs. Prints, in milliseconds, the median and the extremes of the first call, the median of the time that all
 * calls take, and medians of some later calls.
 */
public final class FirstCall {
    private static final int CODEWORDS = 16;

    private FirstCall() {}

    public static void main(String[] args) throws Exception {
        if (args[0].equals("one")) {
            one(args[1].split(":"), Integer.parseInt(args[2]));
            return;
        }
        int runs = Integer.parseInt(args[0]);
        String[] cases = args[2].split(",");
        List<List<double[]>> times = new ArrayList<>();
        for (int i = 0; i < cases.length; i++) {
            times.add(new ArrayList<>());
        }
        for (int run = 0; run < runs; run++) {
            for (int i = 0; i < cases.length; i++) {
                times.get(i).add(run(cases[i], args[1], Arrays.asList(args).subList(3, args.length)));
            }
        }
        for (int i = 0; i < cases.length; i++) {
            report(cases[i], times.get(i));
        }
    }

    private static double[] run(String what, String calls, List<String> options) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), FirstCall.class.getName(), "one", what,
                calls));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String out = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new IllegalStateException(what + " failed: " + out);
        }
        return Arrays.stream(out.strip().split(" ")).mapToDouble(Double::parseDouble).toArray();
    }

    private static void report(String what, List<double[]> runs) {
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-18s", what));
        double[] first = sorted(runs, 0, 1);
        int calls = runs.get(0).length;
        line.append(String.format(Locale.ROOT, "first %7.1f (%.1f to %.1f)  all %d: %8.1f ", first[first.length / 2],
                first[0], first[first.length - 1], calls, median(runs, 0, calls)));
        for (int call = 1; call < calls; call *= 2) {
            line.append(String.format(Locale.ROOT, " %d: %.2f", call + 1, median(runs, call, call + 1)));
        }
        line.append(String.format(Locale.ROOT, " last: %.2f", median(runs, calls - 1, calls)));
        System.out.println(line);
    }

    private static double median(List<double[]> runs, int from, int to) {
        double[] sums = sorted(runs, from, to);
        return sums[sums.length / 2];
    }

    private static double[] sorted(List<double[]> runs, int from, int to) {
        return runs.stream().mapToDouble(run -> Arrays.stream(run, from, to).sum()).sorted().toArray();
    }

    private static void one(String[] what, int calls) {
        long n = Long.parseLong(what[1]);
        try (Region region = Region.shared("bench"); Projections projections = Projections.open(1)) {
            MemorySegment x = region.allocate(n * 4);
            MemorySegment u = region.allocate(n * 4);
            MemorySegment z = region.allocate(n * 4);
            MemorySegment codebook = region.allocate(CODEWORDS * 4L);
            float[] some = fill(x, n);
            float[] start = what[0].equals("cold") ? line(some) : clustered(some);
            StringBuilder line = new StringBuilder();
            for (int call = 0; call < calls; call++) {
                MemorySegment.copy(start, 0, codebook, ValueLayout.JAVA_FLOAT, 0, CODEWORDS);
                long from = System.nanoTime();
                switch (what[0]) {
                    case "topk" -> projections.topK(x, 0, z, 0, n, n / 10);
                    case "admm" -> projections.topKAdmm(x, 0, u, 0, z, 0, n, n / 10);
                    case "cold", "warm" -> projections.kMeans(x, 0, n, null, 0, CODEWORDS, codebook, 0, 100_000);
                    case "assign" -> projections.assign(x, 0, n, CODEWORDS, codebook, 0, z, 0, null, 0);
                    default -> throw new IllegalArgumentException(what[0]);
                }
                line.append((System.nanoTime() - from) / 1e6).append(' ');
            }
            System.out.println(line);
        }
    }

    /** Weights of a Gaussian, by bulk copies, which compile nothing that the calls run; returns some of them. */
    private static float[] fill(MemorySegment x, long n) {
        SplittableRandom random = new SplittableRandom(1);
        float[] some = new float[(int) Math.min(n, 400_000)];
        for (int i = 0; i < some.length; i++) {
            some[i] = (float) (0.02 * random.nextGaussian());
        }
        for (long at = 0; at < n; at += some.length) {
            MemorySegment.copy(some, 0, x, ValueLayout.JAVA_FLOAT, at * 4, (int) Math.min(some.length, n - at));
        }
        return some;
    }

    private static float[] line(float[] some) {
        float[] start = new float[CODEWORDS];
        for (int i = 0; i < CODEWORDS; i++) {
            start[i] = -0.08f + 0.16f * i / (CODEWORDS - 1);
        }
        return start;
    }

    /** Where Lloyd's algorithm ends, without any code of Pare. */
    private static float[] clustered(float[] some) {
        float[] sorted = some.clone();
        Arrays.sort(sorted);
        float[] words = line(some);
        for (int round = 0; round < 1000; round++) {
            int at = 0;
            for (int j = 0; j < CODEWORDS; j++) {
                double sum = 0;
                int from = at;
                float end = j + 1 < CODEWORDS ? (words[j] + words[j + 1]) / 2 : Float.POSITIVE_INFINITY;
                while (at < sorted.length && sorted[at] <= end) {
                    sum += sorted[at];
                    at++;
                }
                words[j] = at > from ? (float) (sum / (at - from)) : words[j];
            }
        }
        return words;
    }
}
