package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.kernel.passes.Passes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every top-k projection against a sort, for every provider, thread count and kind of data. */
@Tag("providers")
class TopKTest {
    /** Kinds of data, the awkward ones included. */
    enum Data {
        GAUSSIAN, ALL_EQUAL, ALL_ZERO, TWO_VALUES, SORTED, REVERSED, HEAVY_TAILS, PRUNED, SIGNED_ZEROS, SUBNORMAL,
        INFINITIES, SIGNS;

        float[] make(int n, long seed) {
            Random random = new Random(seed);
            float[] x = new float[n];
            for (int i = 0; i < n; i++) {
                x[i] = switch (this) {
                    case GAUSSIAN, SORTED, REVERSED -> (float) (0.02 * random.nextGaussian());
                    case ALL_EQUAL -> 0.25f;
                    case ALL_ZERO -> 0;
                    case TWO_VALUES -> random.nextBoolean() ? 1 : -2;
                    case HEAVY_TAILS -> (float) (random.nextGaussian() / (Math.abs(random.nextGaussian()) + 1e-9));
                    case PRUNED -> random.nextInt(100) == 0 ? (float) random.nextGaussian() : 0;
                    case SIGNED_ZEROS -> random.nextInt(3) == 0 ? 1 : random.nextBoolean() ? 0f : -0f;
                    case SUBNORMAL -> Float.intBitsToFloat(random.nextInt(5000));
                    case INFINITIES -> random.nextInt(3) == 0
                            ? Float.NEGATIVE_INFINITY
                            : random.nextInt(2) == 0 ? Float.POSITIVE_INFINITY : random.nextFloat();
                    case SIGNS -> random.nextBoolean() ? i % 7 : -(i % 7);
                };
            }
            if (this == SORTED || this == REVERSED) {
                Arrays.sort(x);
            }
            if (this == REVERSED) {
                for (int i = 0; i < n / 2; i++) {
                    float swap = x[i];
                    x[i] = x[n - 1 - i];
                    x[n - 1 - i] = swap;
                }
            }
            return x;
        }
    }

    /** The elements in the order in which they are kept: magnitude descending, then index ascending. */
    record Ranked(float[] x, long[] order) {
        static Ranked of(float[] x) {
            // As one ascending key.
            long[] order = new long[x.length];
            for (int i = 0; i < x.length; i++) {
                order[i] =
                        (long) (Passes.MAGNITUDE - (Float.floatToRawIntBits(x[i]) & Passes.MAGNITUDE)) << 32 | i;
            }
            Arrays.sort(order);
            return new Ranked(x, order);
        }

        float[] kept(long k) {
            float[] z = new float[x.length];
            for (int i = 0; i < k; i++) {
                int at = (int) order[i];
                z[at] = x[at];
            }
            return z;
        }
    }

    static float[] oracle(float[] x, long k) {
        return Ranked.of(x).kept(k);
    }

    /** One chunk more than threads, so that a thread has two. */
    private static final int CHUNKS = 3 * Passes.CHUNK + 12_345;
    private static final float[] DUAL = Memory.gaussian(CHUNKS, 6);
    private static final float[] OLD = Memory.gaussian(CHUNKS, 7);

    static Stream<Passes> providers() {
        return MixedPasses.all();
    }

    static int[] budgets(int n) {
        return IntStream.of(0, 1, 2, n / 200, n / 100, n / 10, n / 2, n - 1, n).filter(k -> k >= 0 && k <= n).distinct()
                .toArray();
    }

    /** Data of a test, and what an update with ADMM is given, ranked once for all budgets. */
    private record Given(float[] x, Ranked ranked, float[] before, float[] w, float[] u, Ranked sum, float[] old) {
        static Given of(float[] x, long seed) {
            int n = x.length;
            // W + U is x up to rounding, and exactly what the oracle sees is the rounded sum.
            float[] u = Memory.gaussian(n, seed + 1);
            float[] w = new float[n];
            float[] sum = new float[n];
            for (int i = 0; i < n; i++) {
                u[i] = (i & 1) == 0 ? 0 : u[i];
                w[i] = x[i] - u[i];
                sum[i] = w[i] + u[i];
            }
            return new Given(x, Ranked.of(x), Memory.gaussian(n, seed), w, u, Ranked.of(sum),
                    oracle(Memory.gaussian(n, seed + 2), n / 3));
        }
    }

    private static void assertBits(float[] expected, MemorySegment actual, long off, String what) {
        MemorySegment slice = actual.asSlice(off, expected.length * 4L);
        if (MemorySegment.ofArray(expected).mismatch(slice) >= 0) {
            assertArrayEquals(Memory.rawBits(expected), slice.toArray(ValueLayout.JAVA_INT), what);
        }
    }

    private static void everyVariant(Projections p, Given given, int k, long seed) {
        float[] x = given.x();
        int n = x.length;
        float[] expected = given.ranked().kept(k);
        long off = 4 * (seed % 3);
        MemorySegment in = Memory.floatsAt(off, x);
        MemorySegment out = Memory.floatsAt(off, given.before());
        p.topK(in, off, out, off, n, k);
        assertBits(expected, out, off, "copy");
        assertBits(x, in, off, "the input stays");

        assertArrayEquals(Memory.rawBits(expected), Memory.rawBits(byBits(p, in, off, x, k)), "bits");

        if (k > 0) {
            Threshold t = p.threshold(in, off, n, k);
            long above = 0;
            for (float v : x) {
                above += Math.abs(v) > t.magnitude() ? 1 : 0;
            }
            assertEquals(above, t.above());
            assertEquals(k - above, t.ties());
        }
        admm(p, given, k);
        p.topK(in, off, in, off, n, k);
        assertBits(expected, in, off, "in place");
    }

    private static float[] byBits(Projections p, MemorySegment in, long off, float[] x, int k) {
        MemorySegment bits = Memory.bits(new boolean[x.length]);
        p.topKBits(in, off, x.length, k, bits, 0);
        Bits kept = new Bits(bits, 0);
        float[] z = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            z[i] = kept.get(i) ? x[i] : 0;
        }
        return z;
    }

    private static void admm(Projections p, Given given, int k) {
        float[] w = given.w();
        float[] sum = given.sum().x();
        float[] old = given.old();
        int n = w.length;
        float[] z = given.sum().kept(k);
        float[] dual = new float[n];
        double primal = 0;
        double moved = 0;
        for (int i = 0; i < n; i++) {
            boolean kept = Float.floatToRawIntBits(z[i]) != 0;
            dual[i] = kept ? 0 : sum[i];
            primal += ((double) w[i] - z[i]) * ((double) w[i] - z[i]);
            moved += ((double) z[i] - old[i]) * ((double) z[i] - old[i]);
        }
        MemorySegment mw = Memory.floats(w);
        MemorySegment mu = Memory.floatsAt(4, given.u());
        MemorySegment mz = Memory.floats(old);
        Residuals r = p.topKAdmm(mw, 0, mu, 4, mz, 0, n, k);
        assertBits(z, mz, 0, "Z");
        float[] us = Memory.array(mu, 4, n);
        for (int i = 0; i < n; i++) {
            // A surviving +0 looks like a pruned element; both have U = v - Z = 0.
            assertTrue(us[i] == dual[i] && (z[i] != 0 || Float.floatToRawIntBits(us[i]) == Float.floatToRawIntBits(
                    dual[i]) || sum[i] == 0), "U at " + i);
        }
        if (Double.isFinite(primal) && Double.isFinite(moved)) {
            assertEquals(Math.sqrt(primal), r.primal(), 1e-6 * (1 + Math.sqrt(primal)));
            assertEquals(Math.sqrt(moved), r.dual(), 1e-6 * (1 + Math.sqrt(moved)));
        }
    }

    @ParameterizedTest
    @EnumSource(Data.class)
    void shortLengths(Data data) {
        List<Given> given = IntStream.rangeClosed(0, 67).mapToObj(n -> Given.of(data.make(n, n), n)).toList();
        providers().forEach(passes -> {
            try (Projections p = new Projections(passes, 1)) {
                for (int n = 0; n <= 67; n++) {
                    for (int k : budgets(n)) {
                        everyVariant(p, given.get(n), k, n);
                    }
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(Data.class)
    void longLengths(Data data) {
        // All of them are one chunk, which one thread takes however many there are: the longest shows that.
        for (int n : new int[]{1023, 1024, 1025, 9000, 40_000}) {
            Given given = Given.of(data.make(n, n), n);
            providers().forEach(passes -> {
                try (Projections p = new Projections(passes, n == 40_000 ? 3 : 1)) {
                    for (int k : budgets(n)) {
                        everyVariant(p, given, k, n + k);
                    }
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource(Data.class)
    void severalChunksGiveTheSameBitsAtEveryThreadCountAndProvider(Data data) {
        int n = CHUNKS;
        float[] x = data.make(n, 5);
        for (int k : new int[]{n / 100, n / 2}) {
            MemorySegment[] first = null;
            Residuals residuals = null;
            for (Passes passes : providers().toList()) {
                for (int threads = 1; threads <= 3; threads++) {
                    try (Projections p = new Projections(passes, threads)) {
                        MemorySegment in = Memory.floats(x);
                        MemorySegment out = Memory.zeros(n);
                        p.topK(in, 0, out, 0, n, k);
                        MemorySegment dual = Memory.floats(DUAL);
                        MemorySegment z = Memory.floats(OLD);
                        Residuals r = p.topKAdmm(in, 0, dual, 0, z, 0, n, k);
                        p.topK(in, 0, in, 0, n, k);
                        assertEquals(-1, out.mismatch(in), "in place");
                        MemorySegment[] now = {out, dual, z};
                        if (first == null) {
                            first = now;
                            residuals = r;
                            assertEquals(k, survivors(data, x, out, n, k));
                        }
                        for (int i = 0; i < 3; i++) {
                            assertEquals(-1, first[i].mismatch(now[i]),
                                    "output " + i + " with " + threads + " threads");
                        }
                        assertEquals(residuals, r);
                    }
                }
            }
        }
    }

    /** Budgets around the number of elements above a value that many share, where a bracket leaves it out. */
    @ParameterizedTest
    @EnumSource(value = Data.class, names = {"TWO_VALUES", "PRUNED", "SIGNED_ZEROS", "GAUSSIAN"})
    void budgetsAroundAValueThatManyShare(Data data) {
        int n = 2 * Passes.CHUNK + 1_234;
        float[] x = data.make(n, 8);
        float shared = data == Data.TWO_VALUES ? 2 : data == Data.GAUSSIAN ? 0.015f : 0;
        int above = 0;
        int equal = 0;
        for (int i = 0; i < n; i++) {
            if (data == Data.GAUSSIAN && i % 3 > 0) {
                x[i] = (i & 4) == 0 ? shared : -shared;
            }
            above += Math.abs(x[i]) > shared ? 1 : 0;
            equal += Math.abs(x[i]) == shared ? 1 : 0;
        }
        Ranked ranked = Ranked.of(x);
        MemorySegment in = Memory.floats(x);
        MemorySegment out = Memory.zeros(n);
        for (int threads = 1; threads <= 3; threads += 2) {
            try (Projections p = Projections.open(threads)) {
                for (int edge : new int[]{above, above + equal}) {
                    for (int by : new int[]{-2000, -1, 0, 1, 2000}) {
                        int k = edge + by;
                        if (k > 0 && k < n) {
                            p.topK(in, 0, out, 0, n, k);
                            assertBits(ranked.kept(k), out, 0, "k = " + k);
                        }
                    }
                }
            }
        }
    }

    private static long survivors(Data data, float[] x, MemorySegment z, int n, int k) {
        if (data == Data.ALL_ZERO || data == Data.PRUNED || data == Data.SIGNED_ZEROS || data == Data.SIGNS) {
            return k;
        }
        long count = 0;
        for (float v : Memory.array(z, 0, n)) {
            count += v != 0 ? 1 : 0;
        }
        return count;
    }

    @Test
    void nanIsRefusedWithItsIndexAndInPlaceNothingIsWritten() {
        providers().forEach(passes -> {
            for (int n : new int[]{5, 100, 20_000, 600_000}) {
                for (int at : new int[]{0, n / 2, n - 1}) {
                    float[] x = Memory.gaussian(n, 1);
                    x[at] = Float.NaN;
                    MemorySegment in = Memory.floats(x);
                    MemorySegment out = Memory.zeros(n);
                    try (Projections p = new Projections(passes, 2)) {
                        for (int k : new int[]{0, n / 4, n}) {
                            String message = assertThrows(IllegalArgumentException.class,
                                    () -> p.topK(in, 0, out, 0, n, k)).getMessage();
                            assertEquals("NaN at index " + at, message);
                            assertThrows(IllegalArgumentException.class, () -> p.topK(in, 0, in, 0, n, k));
                            assertThrows(IllegalArgumentException.class,
                                    () -> p.topKAdmm(in, 0, Memory.zeros(n), 0, out, 0, n, k));
                            assertEquals("NaN at index " + at + " of the sum of W and U",
                                    assertThrows(IllegalArgumentException.class, () -> p.topKAdmm(Memory.zeros(n), 0,
                                            Memory.floats(x), 0, out, 0, n, k)).getMessage());
                        }
                        assertThrows(IllegalArgumentException.class, () -> p.keepOfGroups(in, 0, in, 0, n, 2, 4));
                    }
                    assertArrayEquals(Memory.rawBits(x), Memory.rawBits(Memory.array(in, 0, n)));
                }
            }
        });
    }

    @Test
    void confinedMemoryIsLentToTheThreadsAndHeapMemoryRefused() throws InterruptedException {
        int n = 3 * Passes.CHUNK;
        float[] x = Memory.gaussian(n, 9);
        try (Arena arena = Arena.ofConfined(); Projections p = Projections.open(3)) {
            MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, x);
            MemorySegment out = arena.allocate(n * 4L, 64);
            p.topK(in, 0, out, 0, n, n / 10);
            assertArrayEquals(oracle(x, n / 10), Memory.array(out, 0, n));
            MemorySegment words = arena.allocate(8 * 4L, 64);
            p.linearStart(in, 0, n, 8, words, 0);
            assertEquals(p.kMeans(in, 0, n, null, 0, 8, words, 0, 100).error(),
                    p.assign(in, 0, n, 8, words, 0, out, 0, null, 0), 1e-6);
            assertThrows(UnsupportedOperationException.class, () -> p.topK(in, 0, out.asReadOnly(), 0, n, 5));
            assertEquals("a segment is on the Java heap, off-heap memory is needed",
                    assertThrows(IllegalArgumentException.class,
                            () -> p.topK(MemorySegment.ofArray(x), 0, out, 0, n, 5)).getMessage());
            Throwable[] thrown = new Throwable[1];
            Thread other = Thread.ofPlatform().start(() -> thrown[0] =
                    assertThrows(WrongThreadException.class, () -> p.topK(in, 0, out, 0, n, 5)));
            other.join();
            assertEquals("a segment is confined to another thread", thrown[0].getMessage());
        }
        try (Projections p = Projections.open(1)) {
            Arena arena = Arena.ofConfined();
            MemorySegment in = arena.allocate(400, 64);
            arena.close();
            assertThrows(IllegalStateException.class, () -> p.topK(in, 0, in, 0, 100, 5));
        }
    }

    @Test
    void aBracketThatMissesCostsTimeOnly() {
        int n = 2 * Passes.CHUNK + 777;
        float[] x = Memory.gaussian(n, 3);
        float[] u = Memory.gaussian(n, 4);
        int k = n / 4;
        float[] sum = new float[n];
        for (int i = 0; i < n; i++) {
            sum[i] = x[i] + u[i];
        }
        float[] kept = oracle(x, k);
        float[] keptOfSum = oracle(sum, k);
        for (double bias : new double[]{-3000, 3000, 1e9, -1e9}) {
            try (Projections p = new Projections(KernelProvider.loops(), 2)) {
                p.selector().bias = bias;
                MemorySegment z = Memory.zeros(n);
                p.topK(Memory.floats(x), 0, z, 0, n, k);
                assertArrayEquals(kept, Memory.array(z, 0, n));
                assertArrayEquals(kept, byBits(p, Memory.floats(x), 0, x, k));
                MemorySegment dual = Memory.floats(u);
                Residuals r = p.topKAdmm(Memory.floats(x), 0, dual, 0, z, 0, n, k);
                assertArrayEquals(keptOfSum, Memory.array(z, 0, n));
                p.selector().bias = 0;
                MemorySegment z2 = Memory.zeros(n);
                p.topK(Memory.floats(x), 0, z2, 0, n, k);
                MemorySegment dual2 = Memory.floats(u);
                Residuals exact = p.topKAdmm(Memory.floats(x), 0, dual2, 0, z2, 0, n, k);
                assertArrayEquals(Memory.array(dual2, 0, n), Memory.array(dual, 0, n));
                assertEquals(exact.primal(), r.primal(), 1e-9 * exact.primal());
                assertTrue(r.dual() >= exact.dual() * (1 - 1e-9), "an upper bound");
            }
        }
    }

    @Test
    void aGlobalBudgetIsTheTopKOfAllTensorsTogether() {
        float[] a = Memory.gaussian(1000, 1);
        float[] b = Memory.gaussian(50_000, 2);
        float[] c = Memory.gaussian(0, 3);
        float[] d = Data.SIGNS.make(700, 4);
        float[] weights = {1, 3.7f, 1, 1e-2f};
        List<float[]> all = List.of(a, b, c, d);
        for (Passes passes : providers().toList()) {
            try (Projections p = new Projections(passes, 2)) {
                for (int k : new int[]{0, 1, 500, 20_000, 51_699, 51_700}) {
                    List<Span> spans = IntStream.range(0, 4).mapToObj(i -> new Span(Memory.floats(all.get(i)), 0, null,
                            0, all.get(i).length, weights[i])).toList();
                    float[] scores = new float[51_700];
                    int at = 0;
                    for (int i = 0; i < 4; i++) {
                        for (float v : all.get(i)) {
                            scores[at++] = v == 0 ? Float.MIN_VALUE : v * weights[i];
                        }
                    }
                    float[] kept = oracle(scores, k);
                    long[] expected = new long[4];
                    at = 0;
                    for (int i = 0; i < 4; i++) {
                        for (int j = 0; j < all.get(i).length; j++) {
                            expected[i] += kept[at++] != 0 ? 1 : 0;
                        }
                    }
                    assertArrayEquals(expected, p.globalBudget(spans, k));
                }
            }
        }
    }

    @Test
    void oneHeavyLayerTakesTheBudgetOnlyByItsWeight() {
        try (Projections p = Projections.open(1)) {
            MemorySegment x = Memory.floats(1, 2, 3, 4);
            MemorySegment y = Memory.floats(1, 2, 3, 4);
            assertArrayEquals(new long[]{2, 2}, p.globalBudget(List.of(Span.of(x, 0, 4), Span.of(y, 0, 4)), 4));
            assertArrayEquals(new long[]{0, 4},
                    p.globalBudget(List.of(Span.of(x, 0, 4), new Span(y, 0, null, 0, 4, 100)), 4));
            assertThrows(IllegalArgumentException.class, () -> p.globalBudget(List.of(Span.of(x, 0, 4)), 5));
        }
    }

    @Test
    void groupsOfNOfM() {
        Random random = new Random(9);
        for (Passes passes : providers().toList()) {
            try (Projections p = new Projections(passes, 1)) {
                for (int group : new int[]{1, 2, 3, 4, 5, 8, 16, 33}) {
                    for (int n : new int[]{0, 1, 7, 64, 1000, 1003}) {
                        int keep = random.nextInt(group + 1);
                        float[] x = random.nextBoolean() ? Memory.gaussian(n, n) : Data.SIGNS.make(n, n);
                        float[] expected = new float[n];
                        for (int from = 0; from < n; from += group) {
                            int to = Math.min(n, from + group);
                            float[] part = oracle(Arrays.copyOfRange(x, from, to), Math.min(keep, to - from));
                            System.arraycopy(part, 0, expected, from, part.length);
                        }
                        MemorySegment in = Memory.floatsAt(4, x);
                        MemorySegment out = Memory.zeros(n);
                        p.keepOfGroups(in, 4, out, 0, n, keep, group);
                        assertArrayEquals(Memory.rawBits(expected), Memory.rawBits(Memory.array(out, 0, n)),
                                keep + ":" + group);
                        p.keepOfGroups(in, 4, in, 4, n, keep, group);
                        assertArrayEquals(Memory.rawBits(expected), Memory.rawBits(Memory.array(in, 4, n)));
                    }
                }
            }
        }
    }

    @Test
    void groupsAreScoredAndKeptWhole() {
        MemorySegment x = Memory.floats(3, 4, 0, 1, 0, 0, 2, 0, -5, 0, 1, 1);
        MemorySegment scores = Memory.zeros(6);
        try (Projections p = Projections.open(1)) {
            p.groupScores(x, 0, Groups.filters(3, 4), Norm.L1, scores, 0);
            assertArrayEquals(new float[]{8, 2, 7}, Memory.array(scores, 0, 3));
            p.groupScores(x, 0, Groups.channels(3, 2, 2), Norm.L2, scores, 0);
            assertArrayEquals(new float[]{(float) Math.sqrt(50), (float) Math.sqrt(7)}, Memory.array(scores, 0, 2));
            p.groupScores(x, 0, new Groups(3, 4, 2, 3), Norm.L1, scores, 0);
            assertArrayEquals(new float[]{9, 1, 6, 1}, Memory.array(scores, 0, 4));
            MemorySegment z = Memory.zeros(12);
            p.topGroups(x, 0, z, 0, new Groups(3, 4, 2, 3), Norm.L1, 2);
            assertArrayEquals(new float[]{3, 4, 0, 0, 0, 0, 2, 0, -5, 0, 1, 0}, Memory.array(z, 0, 12));
            p.topGroups(x, 0, x, 0, Groups.filters(3, 4), Norm.L2, 1);
            assertArrayEquals(new float[]{0, 0, 0, 0, 0, 0, 0, 0, -5, 0, 1, 1}, Memory.array(x, 0, 12));
        }
    }

    @ParameterizedTest
    @MethodSource("providers")
    void impossibleBudgetsAreRefused(Passes passes) {
        try (Projections p = new Projections(passes, 1)) {
            MemorySegment x = Memory.floats(1, 2);
            assertThrows(IllegalArgumentException.class, () -> p.topK(x, 0, x, 0, 2, 3));
            assertThrows(IllegalArgumentException.class, () -> p.topK(x, 0, x, 0, 2, -1));
            assertThrows(IndexOutOfBoundsException.class, () -> p.topK(x, 0, x, 0, 3, 1));
            assertThrows(IllegalArgumentException.class, () -> p.threshold(x, 0, 2, 0));
            assertThrows(IllegalArgumentException.class, () -> p.keepOfGroups(x, 0, x, 0, 2, 5, 4));
        }
        assertThrows(IllegalArgumentException.class, () -> Projections.open(0));
    }
}
