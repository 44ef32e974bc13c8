package io.pare.bench;

import io.pare.kernel.Clusters;
import io.pare.kernel.Projections;
import io.pare.mem.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * 1-D k-means, in turns with what it is measured in: {@code exact N:K ...} the global optimum beside public C++ codes,
 * {@code start} errors of Lloyd's algorithm over the optimum, {@code warm N:K ...} warm k-means and assignment beside a top-k
 * projection. Everything on one thread.
 *
 * <p>{@code -Dkmeans.peers=PATH} names a shared library with {@code peer_ckmeans(double *x, long n, long k, int *clusters,
 * double *centres)} and {@code peer_kmeans1d}, the same with {@code long *clusters}: two lines around
 * {@code kmeans_1d_dp(..., "linear", L2)} of Ckmeans.1d.dp and {@code cluster} of kmeans1d.
 */
public final class KMeansSweep {
    private static final int ROUNDS = Integer.getInteger("sweep.rounds", 3);
    private static final double SECONDS_EACH = Double.parseDouble(System.getProperty("sweep.seconds", "3"));

    private interface Call {
        void run() throws Throwable;
    }

    private KMeansSweep() {}

    public static void main(String[] args) throws Throwable {
        List<String> shapes = Arrays.asList(args).subList(1, args.length);
        switch (args[0]) {
            case "exact" -> {
                for (String shape : shapes) {
                    exact(Integer.parseInt(shape.split(":")[0]), Integer.parseInt(shape.split(":")[1]));
                }
            }
            case "warm" -> {
                for (String shape : shapes) {
                    warm(Long.parseLong(shape.split(":")[0]), Integer.parseInt(shape.split(":")[1]));
                }
            }
            case "start" -> start();
            default -> throw new IllegalArgumentException("exact, warm or start, not " + args[0]);
        }
    }

    private static void exact(int n, int k) throws Throwable {
        try (Region region = Region.shared("bench"); Projections p = Projections.open(1);
                Arena arena = Arena.ofShared()) {
            MemorySegment x = region.allocate(n * 4L);
            fill(x, n, "gaussian");
            MemorySegment doubles = region.allocate(n * 8L);
            for (int i = 0; i < n; i++) {
                doubles.setAtIndex(ValueLayout.JAVA_DOUBLE, i, x.getAtIndex(ValueLayout.JAVA_FLOAT, i));
            }
            MemorySegment words = region.allocate(k * 4L);
            MemorySegment values = region.allocate(n * 4L);
            MemorySegment codes = region.allocate(n);
            MemorySegment ints = region.allocate(n * 4L);
            MemorySegment longs = region.allocate(n * 8L);
            MemorySegment centres = region.allocate(k * 8L);
            MemorySegment others = region.allocate(k * 8L);
            Map<String, Call> calls = new LinkedHashMap<>();
            double least = p.kMeansExact(x, 0, n, null, 0, k, words, 0).error();
            calls.put("pare", () -> {
                p.kMeansExact(x, 0, n, null, 0, k, words, 0);
                p.assign(x, 0, n, k, words, 0, values, 0, codes, 0);
            });
            String library = System.getProperty("kmeans.peers");
            if (library != null) {
                MethodHandle ckmeans = handle(library, "peer_ckmeans", arena);
                MethodHandle kmeans1d = handle(library, "peer_kmeans1d", arena);
                calls.put("Ckmeans.1d.dp", () -> { ckmeans.invokeExact(doubles, (long) n, (long) k, ints, centres); });
                calls.put("kmeans1d", () -> { kmeans1d.invokeExact(doubles, (long) n, (long) k, longs, others); });
            }
            long warm = System.nanoTime() + (long) (Double.parseDouble(System.getProperty("sweep.warm", "2")) * 1e9);
            while (System.nanoTime() < warm) {
                calls.get("pare").run();
            }
            measure(calls, n + " k " + k);
            if (library != null) {
                same(doubles, n, i -> ints.getAtIndex(ValueLayout.JAVA_INT, i), centres, least);
                same(doubles, n, i -> (int) longs.getAtIndex(ValueLayout.JAVA_LONG, i), others, least);
            }
        }
    }

    private interface Codes {
        int of(int i);
    }

    private static void same(MemorySegment x, int n, Codes codes, MemorySegment centres, double expected) {
        double error = 0;
        for (int i = 0; i < n; i++) {
            double d = x.getAtIndex(ValueLayout.JAVA_DOUBLE, i)
                    - centres.getAtIndex(ValueLayout.JAVA_DOUBLE, codes.of(i));
            error += d * d;
        }
        if (Math.abs(error - expected) > 1e-9 * expected) {
            throw new AssertionError("the peer's error is " + error + ", ours " + expected);
        }
    }

    private static MethodHandle handle(String library, String name, Arena arena) {
        return Linker.nativeLinker()
                .downcallHandle(SymbolLookup.libraryLookup(Path.of(library), arena).find(name).orElseThrow(),
                        FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
                                ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    }

    private static void warm(long n, int k) throws Throwable {
        try (Region region = Region.shared("bench"); Projections p = Projections.open(1)) {
            MemorySegment x = region.allocate(n * 4);
            MemorySegment moved = region.allocate(n * 4);
            MemorySegment z = region.allocate(n * 4);
            MemorySegment fixed = region.allocate(k * 4L);
            MemorySegment words = region.allocate(k * 4L);
            fill(x, n, "gaussian");
            SplittableRandom random = new SplittableRandom(2);
            for (long i = 0; i < n; i++) {
                moved.setAtIndex(ValueLayout.JAVA_FLOAT, i,
                        x.getAtIndex(ValueLayout.JAVA_FLOAT, i) + (float) (2e-4 * random.nextGaussian()));
            }
            p.linearStart(x, 0, n, k, fixed, 0);
            p.kMeans(x, 0, n, null, 0, k, fixed, 0, 100_000);
            Map<String, Call> calls = new LinkedHashMap<>();
            calls.put("topK 10 %", () -> p.topK(moved, 0, z, 0, n, n / 10));
            calls.put("warm k-means", () -> {
                words.copyFrom(fixed);
                p.kMeans(moved, 0, n, null, 0, k, words, 0, 100);
            });
            calls.put("assign", () -> p.assign(moved, 0, n, k, fixed, 0, z, 0, null, 0));
            calls.put("both", () -> {
                words.copyFrom(fixed);
                p.kMeans(moved, 0, n, null, 0, k, words, 0, 100);
                p.assign(moved, 0, n, k, words, 0, z, 0, null, 0);
            });
            calls.put("copy", () -> MemorySegment.copy(moved, 0, z, 0, n * 4));
            long warm = System.nanoTime() + (long) (Double.parseDouble(System.getProperty("sweep.warm", "2")) * 1e9);
            while (System.nanoTime() < warm) {
                for (Call call : calls.values()) {
                    call.run();
                }
            }
            measure(calls, n + " k " + k);
        }
    }

    private static void start() {
        int n = 100_000;
        for (String kind : List.of("gaussian", "laplace", "uniform", "two peaks")) {
            for (int k : new int[]{16, 32, 64, 128, 256}) {
                try (Region region = Region.shared("bench"); Projections p = Projections.open(1)) {
                    MemorySegment x = region.allocate(n * 4);
                    MemorySegment words = region.allocate(k * 4L);
                    fill(x, n, kind);
                    double least = p.kMeansExact(x, 0, n, null, 0, k, words, 0).error();
                    Clusters cold = p.kMeansCold(x, 0, n, null, 0, k, words, 0, 100_000);
                    double soon = p.kMeansCold(x, 0, n, null, 0, k, words, 0, 100).error();
                    p.linearStart(x, 0, n, k, words, 0);
                    Clusters linear = p.kMeans(x, 0, n, null, 0, k, words, 0, 100_000);
                    System.out.printf(Locale.ROOT,
                            "%s, k %d: %.4f of the optimum in %d rounds, %.4f in 100; from a linear start %.4f in %d%n",
                            kind,
                            k, cold.error() / least, cold.rounds(), soon / least, linear.error() / least,
                            linear.rounds());
                }
            }
        }
    }

    private static void fill(MemorySegment x, long n, String kind) {
        SplittableRandom random = new SplittableRandom(1);
        for (long i = 0; i < n; i++) {
            double v = switch (kind) {
                case "gaussian" -> random.nextGaussian();
                case "laplace" -> random.nextExponential() * (random.nextBoolean() ? 1 : -1);
                case "uniform" -> random.nextDouble() - 0.5;
                case "two peaks" -> random.nextGaussian() * 0.2 + (random.nextBoolean() ? 1 : -1);
                default -> throw new IllegalArgumentException(kind);
            };
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (0.02 * v));
        }
    }

    /** Runs all calls in turn until all have had their time together. */
    private static void measure(Map<String, Call> calls, String what) throws Throwable {
        Map<String, List<Double>> times = new LinkedHashMap<>();
        double spent = 0;
        for (int round = 0; round < ROUNDS || spent < SECONDS_EACH; round++) {
            for (Map.Entry<String, Call> call : calls.entrySet()) {
                long begin = System.nanoTime();
                call.getValue().run();
                double taken = (System.nanoTime() - begin) * 1e-6;
                times.computeIfAbsent(call.getKey(), name -> new ArrayList<>()).add(taken);
                spent += taken * 1e-3;
            }
        }
        double first = 0;
        for (Map.Entry<String, List<Double>> entry : times.entrySet()) {
            List<Double> sorted = entry.getValue().stream().sorted().toList();
            double median = sorted.get(sorted.size() / 2);
            first = first == 0 ? median : first;
            System.out.printf(Locale.ROOT, "%s, %s: least %.3f ms, median %.3f ms, %.3f of the first%n", what,
                    entry.getKey(), sorted.getFirst(), median, median / first);
        }
    }
}
