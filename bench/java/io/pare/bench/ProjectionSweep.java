package io.pare.bench;

import static io.pare.bench.Baselines.Pivot.MEDIAN;
import static io.pare.bench.Baselines.Pivot.NEAR_RANK;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.pare.kernel.Bits;
import io.pare.kernel.Groups;
import io.pare.kernel.Kernels;
import io.pare.kernel.LevelSet;
import io.pare.kernel.Norm;
import io.pare.kernel.Projections;
import io.pare.kernel.Span;
import io.pare.mem.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * Times over the number of weights, in one JVM and on one thread: {@code peers FILE} the top-k projection beside its
 * peers, {@code check FILE} whether those in C++ keep the same weights, {@code growth FILE} every kernel from 1 M to 64 M, {@code lloyd FILE} k-means to convergence beside C++,
 * {@code adversarial FILE} the projection of data that is not Gaussian, {@code threads FILE} two threads against one (on
 * two cores), {@code selection FILE} top-k and the fused step beside copies, from 1,000 weights on, with medians. The rounds of all candidates take turns, so that a change of the machine's mood hits all of them; the least time counts.
 */
public final class ProjectionSweep {
    /** Of {@code peers}; {@code -Dsweep.n=25000,400000} chooses others. */
    private static final String LENGTHS = System.getProperty("sweep.n", "25000,400000,16800000,37748736,102760448");
    private static final double SECONDS_EACH = Double.parseDouble(System.getProperty("sweep.seconds", "0.4"));

    private final List<String> rows = new ArrayList<>();
    private final Turns calls = new Turns();

    public static void main(String[] arguments) throws Throwable {
        ProjectionSweep sweep = new ProjectionSweep();
        switch (arguments[0]) {
            case "peers" -> sweep.peers();
            case "check" -> sweep.check();
            case "growth" -> sweep.growth();
            case "lloyd" -> sweep.lloyd();
            case "adversarial" -> sweep.adversarial();
            case "threads" -> sweep.threads();
            case "selection" -> sweep.selection();
            default -> throw new IllegalArgumentException(
                    "peers, check, growth, lloyd, adversarial, threads or selection, not " + arguments[0]);
        }
        Files.writeString(Path.of(arguments[1]), "[\n" + String.join(",\n", sweep.rows) + "\n]\n");
    }

    private static void fill(MemorySegment x, long n) {
        fill(x, n, 1);
    }

    static void fill(MemorySegment x, long n, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (long i = 0; i < n; i++) {
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (0.02 * random.nextGaussian()));
        }
    }

    /** What the fused step does, by the same kernels one after the other, without the residuals. */
    static void separateStep(Kernels kernels, Projections p, MemorySegment x, MemorySegment u, MemorySegment z,
            MemorySegment scratch, long n, long k) {
        kernels.add(x, 0, u, 0, scratch, 0, n);
        p.topK(scratch, 0, z, 0, n, k);
        kernels.subtract(scratch, 0, z, 0, u, 0, n);
    }

    /** A plain copy of {@code n} floats by so many threads. */
    static void copy(MemorySegment x, MemorySegment z, long n, int threads) throws InterruptedException {
        Thread[] others = new Thread[threads - 1];
        for (int i = 0; i < others.length; i++) {
            int part = i + 1;
            others[i] = Thread.ofPlatform().start(() -> copyPart(x, z, n, part, threads));
        }
        copyPart(x, z, n, 0, threads);
        for (Thread other : others) {
            other.join();
        }
    }

    private static void copyPart(MemorySegment x, MemorySegment z, long n, int part, int parts) {
        long from = n * part / parts;
        MemorySegment.copy(x, from * 4, z, from * 4, (n * (part + 1) / parts - from) * 4);
    }

    /** Runs all calls in turn until each has had its time, twice at least, and keeps the least time of each. */
    private void measure(long n, String detail) throws Throwable {
        measure(n, detail, SECONDS_EACH);
    }

    private void measure(long n, String detail, double seconds) throws Throwable {
        calls.measure(seconds).forEach((name, times) -> {
            rows.add(String.format("  {\"call\": \"%s\", \"n\": %d%s, \"microseconds\": %.1f, \"runs\": %d}", name, n,
                    detail, times.least() * 1e6, times.runs()));
            System.out.println(rows.getLast());
        });
    }

    private void peers() throws IOException, Throwable {
        System.setProperty("ai.djl.pytorch.num_threads", "1");
        System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
        Baselines cpp = new Baselines();
        long bits = cpp.quickselectBits();
        warmUp();
        for (long n : Arrays.stream(LENGTHS.split(",")).mapToLong(Long::parseLong).toArray()) {
            try (Region region = Region.shared("bench");
                    Projections p = Projections.open(1);
                    NDManager manager = Engine.getEngine("PyTorch").newBaseManager()) {
                MemorySegment x = region.allocate(n * 4);
                MemorySegment z = region.allocate(n * 4);
                MemorySegment scratch = region.allocate(n * 4);
                fill(x, n);
                NDArray torch = manager.create(x.toArray(ValueLayout.JAVA_FLOAT));
                float[] heap = new float[(int) n];
                MemorySegment u = region.allocate(n * 4);
                Kernels kernels = Kernels.active();
                for (double keep : n > 20_000_000 ? new double[]{0.1} : new double[]{0.005, 0.01, 0.1, 0.5}) {
                    long k = Math.round(n * keep);
                    calls.put("copy", () -> MemorySegment.copy(x, 0, z, 0, n * 4));
                    calls.put("pare", () -> p.topK(x, 0, z, 0, n, k));
                    calls.put("pare fused step", () -> p.topKAdmm(x, 0, u, 0, z, 0, n, k));
                    calls.put("pare separate step", () -> separateStep(kernels, p, x, u, z, scratch, n, k));
                    calls.put("nth_element", () -> cpp.nthElement(x, z, scratch, n, k));
                    if (bits > 0) {
                        calls.put("quickselect " + bits, () -> cpp.quickselect(x, z, scratch, n, k, bits, MEDIAN));
                        calls.put("quickselect near rank " + bits,
                                () -> cpp.quickselect(x, z, scratch, n, k, bits, NEAR_RANK));
                    }
                    checkPeers(cpp, p, x, z, scratch, u, n, k);
                    u.fill((byte) 0);
                    calls.put("torch topk", () -> mask(torch, manager, k));
                    if (keep == 0.5) {
                        calls.put("torch median", () -> {
                            try (NDArray magnitude = torch.abs(); NDArray middle = magnitude.median(new int[]{0})) {
                                middle.getFloat();
                            }
                        });
                    }
                    calls.put("Arrays.sort", () -> {
                        for (int i = 0; i < heap.length; i++) {
                            heap[i] = Math.abs(x.getAtIndex(ValueLayout.JAVA_FLOAT, i));
                        }
                        Arrays.sort(heap);
                    });
                    measure(n, ", \"keep\": " + keep);
                    u.fill((byte) 0);
                }
            }
        }
    }

    /** What is compared must be the same: every C++ peer gives Pare's result, bit for bit. */
    static void checkPeers(Baselines cpp, Projections p, MemorySegment x, MemorySegment z,
            MemorySegment scratch, MemorySegment expected, long n, long k) throws Throwable {
        p.topK(x, 0, expected, 0, n, k);
        Map<String, Turns.Call> peers = new LinkedHashMap<>();
        peers.put("nth_element", () -> cpp.nthElement(x, z, scratch, n, k));
        for (long bits : new long[]{256, 512}) {
            for (Baselines.Pivot pivot : Baselines.Pivot.values()) {
                if (cpp.quickselectBits(bits) == bits) {
                    peers.put("quickselect " + bits + " " + pivot,
                            () -> cpp.quickselect(x, z, scratch, n, k, bits, pivot));
                }
            }
        }
        for (Map.Entry<String, Turns.Call> peer : peers.entrySet()) {
            z.fill((byte) 1);
            peer.getValue().run();
            long differs = z.asSlice(0, n * 4).mismatch(expected.asSlice(0, n * 4));
            if (differs >= 0) {
                throw new AssertionError(peer.getKey() + " differs from Pare at element " + differs / 4 + " of " + n
                        + ", " + k + " kept");
            }
        }
    }

    /** {@link #checkPeers} on all kinds of data, for short and long ranges. */
    private void check() throws Throwable {
        Baselines cpp = new Baselines();
        long most = 400_000;
        try (Region region = Region.shared("check"); Projections p = Projections.open(1)) {
            MemorySegment[] ranges = new MemorySegment[4];
            Arrays.setAll(ranges, _ -> region.allocate(most * 4));
            for (Data data : Data.values()) {
                LongStream lengths = LongStream.concat(LongStream.rangeClosed(1, 67),
                        LongStream.of(127, 128, 129, 1023, 1024, 1025, 4095, 4096, 4097, 25_000, most));
                for (long n : lengths.toArray()) {
                    data.fill(ranges[0], n);
                    for (long k : new long[]{0, 1, n / 100, n / 3, n / 2, n - 1, n}) {
                        checkPeers(cpp, p, ranges[0], ranges[1], ranges[2], ranges[3], n, k);
                    }
                }
                rows.add("  \"" + data.name().toLowerCase(Locale.ROOT) + "\"");
                System.out.println("the same weights: " + rows.getLast().strip());
            }
        }
    }

    /** Gives the JIT the time that it takes on one core. */
    static void warmUp() {
        long n = 400_000;
        try (Region region = Region.shared("warm-up"); Projections p = Projections.open(1)) {
            MemorySegment x = region.allocate(n * 4);
            MemorySegment z = region.allocate(n * 4);
            MemorySegment u = region.allocate(n * 4);
            fill(x, n);
            long end = System.nanoTime() + (long) (Double.parseDouble(System.getProperty("sweep.warm", "8")) * 1e9);
            for (int i = 0; System.nanoTime() < end; i++) {
                p.topK(x, 0, z, 0, n, i % 2 == 0 ? n / 100 : n / 2);
                if (i % 8 == 0) {
                    p.topKAdmm(x, 0, u, 0, z, 0, n, n / 10);
                    Kernels.active().add(x, 0, z, 0, u, 0, n);
                    Kernels.active().subtract(x, 0, z, 0, u, 0, n);
                }
            }
        }
    }

    enum Data {
        GAUSSIAN, LAPLACE, TWO_VALUES, SORTED, REVERSED, CAUCHY, STUDENT_T3, EQUAL, ZERO, PRUNED, ODD;

        private static final float[] ODDITIES = {0, -0f, Float.MIN_VALUE, -Float.MIN_VALUE, 1e-40f, Float.MIN_NORMAL,
            1, -1, Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};

        void fill(MemorySegment x, long n) {
            SplittableRandom random = new SplittableRandom(1);
            for (long i = 0; i < n; i++) {
                double v = switch (this) {
                    case GAUSSIAN -> 0.02 * random.nextGaussian();
                    case LAPLACE -> 0.02 * random.nextExponential() * (random.nextBoolean() ? 1 : -1);
                    case TWO_VALUES -> random.nextBoolean() ? 1 : -2;
                    case SORTED -> (double) i / n;
                    case REVERSED -> (double) (n - i) / n;
                    case CAUCHY -> random.nextGaussian() / random.nextGaussian();
                    case STUDENT_T3 -> random.nextGaussian() / Math.sqrt((square(random) + square(random)
                            + square(random)) / 3);
                    case EQUAL -> 0.25;
                    case ZERO -> 0;
                    case PRUNED -> random.nextInt(100) == 0 ? 0.02 * random.nextGaussian() : 0;
                    case ODD -> ODDITIES[random.nextInt(ODDITIES.length)];
                };
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) v);
            }
        }

        private static double square(SplittableRandom random) {
            double v = random.nextGaussian();
            return v * v;
        }
    }

    /** The plain projection of every kind of data, in turn. */
    private void adversarial() throws Throwable {
        warmUp();
        // The short ones come first once more, for as long as the JIT takes with what only they run, and do not count.
        for (long n : new long[]{400_000, 400_000, 16_800_000}) {
            boolean warm = !rows.isEmpty();
            try (Region region = Region.shared("bench"); Projections p = Projections.open(1)) {
                MemorySegment z = region.allocate(n * 4);
                MemorySegment[] inputs = new MemorySegment[Data.values().length];
                for (Data data : Data.values()) {
                    inputs[data.ordinal()] = region.allocate(n * 4);
                    data.fill(inputs[data.ordinal()], n);
                }
                for (double keep : new double[]{0.01, 0.1, 0.5}) {
                    long k = Math.round(n * keep);
                    for (Data data : Data.values()) {
                        MemorySegment x = inputs[data.ordinal()];
                        calls.put(data.name().toLowerCase(Locale.ROOT), () -> p.topK(x, 0, z, 0, n, k));
                    }
                    measure(n, ", \"keep\": " + keep);
                }
            }
            if (!warm) {
                rows.clear();
                rows.add("");
            }
        }
        rows.removeFirst();
    }

    /** Beside the projections, what the machine's second core adds to arithmetic alone and to a plain copy. */
    private void threads() throws Throwable {
        warmUp();
        for (long n : new long[]{2_097_152, 37_748_736}) {
            try (Region region = Region.shared("bench");
                    Projections one = Projections.open(1);
                    Projections two = Projections.open(2)) {
                MemorySegment x = region.allocate(n * 4);
                MemorySegment z = region.allocate(n * 4);
                MemorySegment u = region.allocate(n * 4);
                fill(x, n);
                calls.put("arithmetic, 1 thread", () -> spin(n));
                calls.put("arithmetic, 2 threads", () -> {
                    Thread other = Thread.ofPlatform().start(() -> spin(n / 2));
                    spin(n / 2);
                    other.join();
                });
                calls.put("copy, 1 thread", () -> MemorySegment.copy(x, 0, z, 0, n * 4));
                calls.put("copy, 2 threads", () -> copy(x, z, n, 2));
                for (double keep : new double[]{0.01, 0.1, 0.5}) {
                    long k = Math.round(n * keep);
                    calls.put("topK " + keep + ", 1 thread", () -> one.topK(x, 0, z, 0, n, k));
                    calls.put("topK " + keep + ", 2 threads", () -> two.topK(x, 0, z, 0, n, k));
                }
                calls.put("topKAdmm 0.1, 1 thread", () -> one.topKAdmm(x, 0, u, 0, z, 0, n, n / 10));
                calls.put("topKAdmm 0.1, 2 threads", () -> two.topKAdmm(x, 0, u, 0, z, 0, n, n / 10));
                MemorySegment words = region.allocate(16 * 4);
                for (Projections p : List.of(one, two)) {
                    String threads = p == one ? ", 1 thread" : ", 2 threads";
                    calls.put("kMeans 16 from afar" + threads, () -> {
                        p.linearStart(x, 0, n, 16, words, 0);
                        p.kMeans(x, 0, n, null, 0, 16, words, 0, 100);
                    });
                    calls.put("optimalScale" + threads,
                            () -> p.optimalScale(x, 0, n, null, 0, LevelSet.equidistant(4)));
                }
                measure(n, "");
            }
        }
    }

    /** Calls of one candidate before the next takes its turn: a cache that is warm, as in a loop over small layers. */
    private static final int TURN = 12;
    /** Inputs that take turns where they are short: one alone would be learnt by the branch predictor. */
    private static final int INPUTS = 4;

    /** Top-k, the fused and the separate step beside plain copies of as many bytes: least times and medians. */
    private void selection() throws Throwable {
        Baselines cpp = Baselines.obstacle() == null ? new Baselines() : null;
        String sizes = System.getProperty("sweep.sizes", "1000,5000,25000,100000,400000,16800000");
        for (String size : sizes.split(",")) {
            selection(Long.parseLong(size), cpp, Double.parseDouble(System.getProperty("sweep.warm", "1")));
            rows.clear();
        }
        for (String size : sizes.split(",")) {
            selection(Long.parseLong(size), cpp, SECONDS_EACH);
        }
    }

    private void selection(long n, Baselines cpp, double seconds) throws Throwable {
        int inputs = n > 100_000 ? 1 : INPUTS;
        try (Region region = Region.shared("bench"); Projections p = Projections.open(1)) {
            MemorySegment[] x = new MemorySegment[inputs];
            for (int i = 0; i < inputs; i++) {
                x[i] = region.allocate(n * 4);
                fill(x[i], n, i + 1);
            }
            MemorySegment z = region.allocate(n * 4);
            MemorySegment u = region.allocate(n * 4);
            MemorySegment scratch = region.allocate(n * 4);
            MemorySegment from = region.allocate(n * 10);
            MemorySegment to = region.allocate(n * 10);
            Kernels kernels = Kernels.active();
            for (double keep : new double[]{0.01, 0.1, 0.5}) {
                long k = Math.round(n * keep);
                Map<String, Turn> turns = new LinkedHashMap<>();
                turns.put("copy of 8 bytes", i -> MemorySegment.copy(x[i], 0, z, 0, n * 4));
                turns.put("copy of 20 bytes", i -> MemorySegment.copy(from, 0, to, 0, n * 10));
                turns.put("topK", i -> p.topK(x[i], 0, z, 0, n, k));
                turns.put("topKAdmm", i -> p.topKAdmm(x[i], 0, u, 0, z, 0, n, k));
                turns.put("separate step", i -> separateStep(kernels, p, x[i], u, z, scratch, n, k));
                if (cpp != null) {
                    long bits = cpp.quickselectBits();
                    for (Baselines.Pivot pivot : Baselines.Pivot.values()) {
                        turns.put("quickselect by " + pivot.name().toLowerCase(Locale.ROOT),
                                i -> cpp.quickselect(x[i], z, scratch, n, k, bits, pivot));
                    }
                }
                u.fill((byte) 0);
                turns(n, keep, turns, inputs, seconds);
            }
        }
    }

    private interface Turn {
        void run(int input) throws Throwable;
    }

    private void turns(long n, double keep, Map<String, Turn> turns, int inputs, double seconds) throws Throwable {
        // Short calls are timed several at once: the clock takes part of a microsecond.
        int batch = (int) Math.clamp(100_000 / n, 1, 20);
        List<List<Double>> times = new ArrayList<>();
        turns.forEach((name, turn) -> times.add(new ArrayList<>()));
        long end = System.nanoTime() + (long) (seconds * turns.size() * 1e9);
        while (System.nanoTime() < end || times.getFirst().size() < 3) {
            int at = 0;
            for (Turn turn : turns.values()) {
                for (int call = 0; call < (n > 4_000_000 ? 1 : TURN); call++) {
                    long start = System.nanoTime();
                    for (int i = 0; i < batch; i++) {
                        turn.run((call * batch + i) % inputs);
                    }
                    times.get(at).add((System.nanoTime() - start) * 1e-3 / batch);
                }
                at++;
            }
        }
        int at = 0;
        for (String name : turns.keySet()) {
            List<Double> sorted = times.get(at++).stream().sorted().toList();
            rows.add(String.format(
                    "  {\"call\": \"%s\", \"n\": %d, \"keep\": %s, \"microseconds\": %.2f, \"median\": %.2f, \"runs\": %d}",
                    name, n,
                    keep, sorted.getFirst(), sorted.get(sorted.size() / 2), sorted.size()));
            System.out.println(rows.getLast());
        }
    }

    private static void spin(long steps) {
        long state = 1;
        for (long i = 0; i < steps; i++) {
            state = state * 0xd1342543de82ef95L + i;
        }
        if (state == 0) {
            throw new AssertionError("the steps are not to be optimised away");
        }
    }

    private static void mask(NDArray x, NDManager parent, long k) {
        try (NDManager manager = parent.newSubManager()) {
            x.attach(manager);
            NDArray magnitude = x.abs();
            x.mul(magnitude.gte(magnitude.topK((int) k, 0, true, false).get(0).min()));
            x.attach(parent);
        }
    }

    private void growth() throws Throwable {
        // 1 M comes first once more, for as long as the JIT takes, and does not count.
        for (long millions : new long[]{1, 1, 2, 4, 8, 16, 32, 64}) {
            long n = millions << 20;
            boolean warm = !rows.isEmpty();
            try (Region region = Region.shared("bench"); Projections p = Projections.open(1)) {
                MemorySegment x = region.allocate(n * 4);
                MemorySegment z = region.allocate(n * 4);
                MemorySegment u = region.allocate(n * 4);
                MemorySegment bits = region.allocate(Bits.bytes(n));
                MemorySegment scores = region.allocate(n / 512 * 4);
                MemorySegment start = region.allocate(16 * 4);
                MemorySegment words = region.allocate(16 * 4);
                MemorySegment fixed = region.allocate(16 * 4);
                fill(x, n);
                p.linearStart(x, 0, n, 8, start, 0);
                fixed.copyFrom(start);
                p.kMeans(x, 0, n, null, 0, 8, fixed, 0, 100_000);
                long q = n / 4;
                List<Span> quarters = List.of(Span.of(x, 0, q), Span.of(x, q * 4, q), Span.of(x, q * 8, q),
                        Span.of(x, q * 12, q));
                calls.put("copy", () -> MemorySegment.copy(x, 0, z, 0, n * 4));
                calls.put("topK 1 %", () -> p.topK(x, 0, z, 0, n, n / 100));
                calls.put("topK 50 %", () -> p.topK(x, 0, z, 0, n, n / 2));
                calls.put("topK in place", () -> {
                    MemorySegment.copy(x, 0, z, 0, n * 4);
                    p.topK(z, 0, z, 0, n, n / 2);
                });
                calls.put("threshold", () -> p.threshold(x, 0, n, n / 10));
                calls.put("topKBits", () -> p.topKBits(x, 0, n, n / 10, bits, 0));
                calls.put("topKAdmm", () -> p.topKAdmm(x, 0, u, 0, z, 0, n, n / 10));
                calls.put("globalBudget", () -> p.globalBudget(quarters, n / 10));
                calls.put("groupScores", () -> p.groupScores(x, 0, Groups.filters(n / 512, 512), Norm.L2, scores, 0));
                calls.put("keepOfGroups 2:4", () -> p.keepOfGroups(x, 0, z, 0, n, 2, 4));
                calls.put("assign 8", () -> p.assign(x, 0, n, 8, fixed, 0, z, 0, null, 0));
                calls.put("kMeans 8, one round warm", () -> {
                    words.copyFrom(fixed);
                    p.kMeans(x, 0, n, null, 0, 8, words, 0, 100_000);
                });
                calls.put("kMeans 8, 50 rounds cold", () -> {
                    words.copyFrom(start);
                    p.kMeans(x, 0, n, null, 0, 8, words, 0, 50);
                });
                calls.put("optimalScale 4", () -> p.optimalScale(x, 0, n, null, 0, LevelSet.equidistant(4)));
                if (millions <= 8) {
                    calls.put("kMeansExact 4", () -> p.kMeansExact(x, 0, n, null, 0, 4, words, 0));
                    calls.put("joint, 2 rounds", () -> {
                        words.copyFrom(fixed);
                        p.joint(x, 0, n, n / 10, 8, false, words, 0, 2, z, 0, null, 0);
                    });
                }
                measure(n, "", warm ? SECONDS_EACH : Double.parseDouble(System.getProperty("sweep.warm", "2")));
                if (!warm) {
                    rows.clear();
                    rows.add("");
                }
            }
        }
        rows.removeFirst();
    }

    private void lloyd() throws Throwable {
        Baselines cpp = new Baselines();
        long n = 16_800_000;
        int m = 16;
        try (Region region = Region.shared("bench"); Projections p = Projections.open(1)) {
            MemorySegment x = region.allocate(n * 4);
            MemorySegment z = region.allocate(n * 4);
            MemorySegment start = region.allocate(m * 4L);
            MemorySegment words = region.allocate(m * 4L);
            fill(x, n);
            p.linearStart(x, 0, n, m, start, 0);
            for (int run = 0; run < 3; run++) {
                words.copyFrom(start);
                long begin = System.nanoTime();
                int rounds = p.kMeans(x, 0, n, null, 0, m, words, 0, 100_000).rounds();
                p.assign(x, 0, n, m, words, 0, z, 0, null, 0);
                rows.add(String.format("  {\"call\": \"pare\", \"n\": %d, \"k\": %d, \"rounds\": %d, "
                        + "\"microseconds\": %.1f}", n, m, rounds, (System.nanoTime() - begin) * 1e-3));
                System.out.println(rows.getLast());
            }
            words.copyFrom(start);
            long begin = System.nanoTime();
            long rounds = cpp.lloyd(x, z, n, words, m, 100_000);
            rows.add(String.format("  {\"call\": \"C++ Lloyd\", \"n\": %d, \"k\": %d, \"rounds\": %d, "
                    + "\"microseconds\": %.1f}", n, m, rounds, (System.nanoTime() - begin) * 1e-3));
            System.out.println(rows.getLast());
        }
    }
}
