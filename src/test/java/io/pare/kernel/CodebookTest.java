package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.kernel.passes.Passes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** K-means, levels and the joint projection against exhaustive search, brute force and each other. */
@Tag("providers")
class CodebookTest {
    static Stream<Passes> providers() {
        return MixedPasses.all();
    }

    private static float[] awkward(Random random, int n) {
        float[] x = new float[n];
        int kind = random.nextInt(5);
        for (int i = 0; i < n; i++) {
            x[i] = switch (kind) {
                case 0 -> (float) random.nextGaussian();
                case 1 -> random.nextInt(4) - 2;
                case 2 -> random.nextInt(3) == 0 ? (float) random.nextGaussian() : 0;
                case 3 -> 1e6f + random.nextFloat();
                default -> random.nextBoolean() ? random.nextFloat() : -0f;
            };
        }
        return x;
    }

    /** Least cost of any division of the sorted non-zero values into at most m intervals, by trying all. */
    private static double exhaustive(float[] x, float[] importance, int m) {
        Integer[] order = IntStream.range(0, x.length).boxed().filter(i -> x[i] != 0)
                .sorted((i, j) -> Float.compare(x[i], x[j])).toArray(Integer[]::new);
        return divide(order, 0, x, importance, m);
    }

    private static double divide(Integer[] order, int from, float[] x, float[] importance, int m) {
        if (from == order.length) {
            return 0;
        }
        if (m == 0) {
            return Double.POSITIVE_INFINITY;
        }
        double best = Double.POSITIVE_INFINITY;
        for (int to = from + 1; to <= order.length; to++) {
            double w = 0;
            double s = 0;
            for (int i = from; i < to; i++) {
                w += importance[order[i]];
                s += (double) importance[order[i]] * x[order[i]];
            }
            double cost = 0;
            for (int i = from; i < to && w > 0; i++) {
                cost += importance[order[i]] * Math.pow(x[order[i]] - s / w, 2);
            }
            best = Math.min(best, cost + divide(order, to, x, importance, m - 1));
        }
        return best;
    }

    @Test
    void exactKMeansCostsWhatExhaustiveSearchFinds() {
        Random random = new Random(1);
        try (Projections p = Projections.open(1)) {
            for (int round = 0; round < 1000; round++) {
                int n = random.nextInt(11);
                int m = 1 + random.nextInt(5);
                float[] x = awkward(random, n);
                float[] importance = new float[n];
                boolean weighted = random.nextBoolean();
                for (int i = 0; i < n; i++) {
                    importance[i] = weighted ? random.nextInt(4) : 1;
                }
                MemorySegment codebook = Memory.zeros(m);
                Clusters found = p.kMeansExact(Memory.floatsAt(4, x), 4, n, weighted ? Memory.floats(importance) : null,
                        0, m, codebook, 0);
                double scale = 0;
                for (float v : x) {
                    scale = Math.max(scale, (double) v * v);
                }
                double expected = exhaustive(x, importance, m);
                assertEquals(expected, found.error(), 1e-9 * (expected + 1e-3 * scale), Arrays.toString(x));
                // Lloyd from a linear start costs no less, up to the rounding of codewords to floats.
                MemorySegment start = Memory.zeros(m);
                p.linearStart(Memory.floats(x), 0, n, m, start, 0);
                Clusters lloyd = p.kMeans(Memory.floats(x), 0, n, weighted ? Memory.floats(importance) : null, 0, m,
                        start, 0, 100);
                assertTrue(lloyd.error() >= found.error() * (1 - 1e-9) - 1e-9 * scale, "Lloyd beats the optimum");
            }
        }
    }

    @Test
    void lloydNeverRaisesTheErrorAndEndsWhereEveryCodewordIsTheMean() {
        float[] x = Memory.gaussian(20_000, 5);
        for (int i = 0; i < x.length; i += 3) {
            x[i] = 0;
        }
        MemorySegment in = Memory.floats(x);
        for (Passes passes : providers().toList()) {
            try (Projections p = new Projections(passes, 2)) {
                for (int m : new int[]{1, 2, 8, 16, 100, 256}) {
                    MemorySegment codebook = Memory.zeros(m);
                    p.linearStart(in, 0, x.length, m, codebook, 0);
                    double last = Double.POSITIVE_INFINITY;
                    for (int round = 0; round < 12; round++) {
                        Clusters now = p.kMeans(in, 0, x.length, null, 0, m, codebook, 0, 1);
                        assertTrue(now.error() <= last * (1 + 1e-9), "round " + round);
                        last = now.error();
                        double assigned = p.assign(in, 0, x.length, now.size(), codebook, 0, null, 0, null, 0);
                        assertEquals(assigned, now.error(), 1e-5 * assigned);
                    }
                    Clusters end = p.kMeans(in, 0, x.length, null, 0, m, codebook, 0, 10_000);
                    float[] before = Memory.array(codebook, 0, m);
                    Clusters again = p.kMeans(in, 0, x.length, null, 0, m, codebook, 0, 10_000);
                    assertEquals(1, again.rounds());
                    assertArrayEquals(before, Memory.array(codebook, 0, m));
                    assertTrue(end.size() <= m);
                }
            }
        }
    }

    @Test
    void aWarmStartReachesTheSameFixedPointAsTheSortedOne() {
        int n = 3 * Passes.CHUNK + 1001;
        float[] x = Memory.gaussian(n, 8);
        for (int i = 0; i < n; i += 2) {
            x[i] = 0;
        }
        float[] moved = x.clone();
        Random random = new Random(4);
        for (int i = 1; i < n; i += 2) {
            moved[i] += (float) (1e-3 * random.nextGaussian());
        }
        MemorySegment first = Memory.floats(x);
        MemorySegment second = Memory.floats(moved);
        float[] expected = null;
        for (Passes passes : providers().toList()) {
            for (int threads = 1; threads <= 2; threads++) {
                try (Projections p = new Projections(passes, threads)) {
                    MemorySegment codebook = Memory.zeros(8);
                    p.linearStart(first, 0, n, 8, codebook, 0);
                    p.kMeans(first, 0, n, null, 0, 8, codebook, 0, 10_000);
                    Clusters warm = p.kMeans(second, 0, n, null, 0, 8, codebook, 0, 10_000);
                    double cost = p.assign(second, 0, n, 8, codebook, 0, null, 0, null, 0);
                    assertEquals(cost, warm.error(), 1e-6 * cost);
                    float[] words = Memory.array(codebook, 0, 8);
                    if (expected == null) {
                        expected = words;
                    }
                    assertArrayEquals(expected, words, "the same bits for every provider and thread count");
                    // Every codeword is the mean of the elements nearest to it.
                    double[] sums = new double[8];
                    long[] counts = new long[8];
                    for (float v : moved) {
                        if (v != 0) {
                            int nearest = nearest(v, words);
                            sums[nearest] += v;
                            counts[nearest]++;
                        }
                    }
                    for (int j = 0; j < 8; j++) {
                        assertEquals(sums[j] / counts[j], words[j], 1e-7);
                    }
                }
            }
        }
    }

    /** Sorting is forced by importances that are all one. */
    @ParameterizedTest
    @ValueSource(ints = {2, 5, 8, 9, 16, 17, 32})
    void aWarmStartEndsWhereSortingDoesForAllSizesAndScales(int m) {
        int n = 2 * Passes.CHUNK + 77;
        MemorySegment ones = Memory.zeros(n);
        Kernels.active().fill(1, ones, 0, n);
        float[] gaussian = Memory.gaussian(n, m);
        for (String kind : new String[]{"gaussian", "one far value", "few values", "tiny", "huge"}) {
            float[] x = gaussian.clone();
            for (int i = 0; i < n; i++) {
                switch (kind) {
                    case "few values" -> x[i] = Math.round(x[i] * 20 + 0.5f) * 0x1.000002p-3f;
                    case "tiny" -> x[i] *= 1e-20f;
                    case "huge" -> x[i] *= 1e20f;
                    default -> x[i] = i % 3 == 0 ? 0 : x[i];
                }
            }
            if (kind.equals("one far value")) {
                x[n / 2] = -3000;
            }
            MemorySegment in = Memory.floats(x);
            MemorySegment start = Memory.zeros(m);
            try (Projections p = Projections.open(1)) {
                p.linearStart(in, 0, n, m, start, 0);
                p.kMeans(in, 0, n, ones, 0, m, start, 0, 40);
            }
            for (Passes passes : providers().toList()) {
                MemorySegment sorted = null;
                Clusters expected = null;
                for (int threads = 1; threads <= 3; threads++) {
                    try (Projections p = new Projections(passes, threads)) {
                        // Sorting takes the longest: one kind is sorted by any number of threads.
                        if (expected == null || kind.equals("gaussian")) {
                            sorted = Memory.floats(Memory.array(start, 0, m));
                            expected = p.kMeans(in, 0, n, ones, 0, m, sorted, 0, 2);
                        }
                        MemorySegment warm = Memory.floats(Memory.array(start, 0, m));
                        Clusters found = p.kMeans(in, 0, n, null, 0, m, warm, 0, 2);
                        assertEquals(expected.size(), found.size(), kind);
                        double exact = kind.equals("one far value") ? 1e-5 : 1e-6;
                        assertEquals(expected.error(), found.error(), exact * expected.error(), kind);
                        for (int j = 0; j < m; j++) {
                            float word = sorted.getAtIndex(ValueLayout.JAVA_FLOAT, j);
                            // Fixed point numbers resolve less of the small where something is great.
                            double close = Math.max(2 * Math.ulp(word), kind.equals("one far value") ? 1e-6 : 0);
                            assertEquals(word, warm.getAtIndex(ValueLayout.JAVA_FLOAT, j), close, kind);
                        }
                    }
                }
            }
        }
    }

    private static int nearest(float v, float[] words) {
        int best = 0;
        for (int j = 1; j < words.length; j++) {
            if (Math.abs((double) v - words[j]) < Math.abs((double) v - words[best])) {
                best = j;
            }
        }
        return best;
    }

    @ParameterizedTest
    @MethodSource("providers")
    void assignmentTakesTheNearestCodewordAndLeavesZeros(Passes passes) {
        Random random = new Random(2);
        try (Projections p = new Projections(passes, 1)) {
            for (int m : new int[]{1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 40, 255, 256}) {
                for (int n : new int[]{0, 1, 7, 15, 16, 17, 33, 67, 1000}) {
                    float[] words = new float[m];
                    for (int j = 0; j < m; j++) {
                        words[j] = j % 3 == 0 ? random.nextInt(9) - 4 : (float) random.nextGaussian();
                    }
                    Arrays.sort(words);
                    float[] x = random.nextBoolean() ? awkward(random, n) : new float[n];
                    for (int i = 0; i < n; i += 5) {
                        // Exactly in the middle of two codewords, where it can be represented.
                        x[i] = m == 1 ? 1 : (words[0] + words[1]) / 2;
                    }
                    MemorySegment in = Memory.floatsAt(4, x);
                    MemorySegment codes = Memory.zeros(n / 4 + 8);
                    MemorySegment values = Memory.zeros(n);
                    double error = p.assign(in, 4, n, m, Memory.floats(words), 0, values, 0, codes, 3);
                    double expected = 0;
                    float[] got = Memory.array(values, 0, n);
                    for (int i = 0; i < n; i++) {
                        int code = codes.get(ValueLayout.JAVA_BYTE, 3 + i) & 0xff;
                        if (x[i] == 0) {
                            assertEquals(0, Float.floatToRawIntBits(got[i]));
                            assertEquals(0, code);
                        } else {
                            assertEquals(words[code], got[i]);
                            assertEquals(words[nearest(x[i], words)], got[i], "of " + x[i]);
                            expected += Math.pow(x[i] - got[i], 2);
                        }
                    }
                    assertEquals(expected, error, 1e-6 * expected);
                    p.assign(in, 4, n, m, Memory.floats(words), 0, in, 4, null, 0);
                    assertArrayEquals(got, Memory.array(in, 4, n), "in place");
                }
            }
        }
    }

    @Test
    void fewerDistinctValuesThanCodewords() {
        MemorySegment x = Memory.floats(3, 0, 3, -1, -0f, -1, 3);
        try (Projections p = Projections.open(1)) {
            MemorySegment codebook = Memory.zeros(5);
            Clusters exact = p.kMeansExact(x, 0, 7, null, 0, 5, codebook, 0);
            assertEquals(new Clusters(2, 0, 0), exact);
            assertArrayEquals(new float[]{-1, 3, 3, 3, 3}, Memory.array(codebook, 0, 5));
            p.linearStart(x, 0, 7, 5, codebook, 0);
            Clusters lloyd = p.kMeans(x, 0, 7, null, 0, 5, codebook, 0, 100);
            assertEquals(2, lloyd.size());
            assertEquals(0, lloyd.error());
            MemorySegment zeros = Memory.zeros(4);
            assertEquals(0, p.kMeansExact(zeros, 0, 4, null, 0, 3, codebook, 0).size());
            assertEquals(0, p.kMeans(zeros, 0, 4, null, 0, 3, codebook, 0, 10).size());
        }
    }

    @Test
    void whatIsNotFiniteIsRefused() {
        try (Projections p = Projections.open(1)) {
            MemorySegment codebook = Memory.zeros(2);
            for (float bad : new float[]{Float.NaN, Float.NEGATIVE_INFINITY}) {
                MemorySegment x = Memory.floats(1, 2, bad, 3);
                assertTrue(assertThrows(IllegalArgumentException.class,
                        () -> p.kMeansExact(x, 0, 4, null, 0, 2, codebook, 0)).getMessage().contains("index 2"));
                assertThrows(IllegalArgumentException.class,
                        () -> p.kMeans(x, 0, 4, null, 0, 2, codebook, 0, 5));
                assertThrows(IllegalArgumentException.class,
                        () -> p.optimalScale(x, 0, 4, null, 0, LevelSet.binary()));
            }
            MemorySegment one = Memory.floats(1);
            assertThrows(IllegalArgumentException.class,
                    () -> p.kMeansExact(one, 0, 1, Memory.floats(-1), 0, 2, codebook, 0));
            assertThrows(IllegalArgumentException.class, () -> p.kMeansExact(one, 0, 1, null, 0, 257, codebook, 0));
            assertThrows(IllegalArgumentException.class,
                    () -> p.assign(one, 0, 1, 2, Memory.floats(2, 1), 0, null, 0, null, 0));
        }
    }

    @Test
    void theScaleIsTheBestOfAllAndNeverWorseThanThePublishedScan() {
        Random random = new Random(6);
        LevelSet[] sets = {LevelSet.binary(), LevelSet.ternary(), LevelSet.equidistant(4),
            LevelSet.equidistantWithZero(3), LevelSet.powersOfTwo(4), new LevelSet(false, 0.5f, 1.7f, 9f)};
        try (Projections p = Projections.open(1)) {
            for (int round = 0; round < 300; round++) {
                LevelSet set = sets[random.nextInt(sets.length)];
                int n = random.nextInt(40);
                float[] x = awkward(random, n);
                MemorySegment in = Memory.floats(x);
                float q = p.optimalScale(in, 0, n, null, 0, set);
                double best = p.scaleError();
                MemorySegment levels = Memory.zeros(set.size());
                int size = Projections.levels(set, q, levels, 0);
                double assigned = p.assign(in, 0, n, size, levels, 0, null, 0, null, 0);
                assertEquals(assigned, best, 1e-5 * assigned + 1e-12);
                double scanned = Double.POSITIVE_INFINITY;
                for (boolean zeros : new boolean[]{false, true}) {
                    p.scannedScale(in, 0, n, set, zeros);
                    scanned = Math.min(scanned, p.scaleError());
                }
                assertTrue(best <= scanned * (1 + 1e-12), "the scan found better");
                // The brute force may take any real scale; ours is the best float, and its sums round.
                double greatest = 0;
                for (float v : x) {
                    greatest = Math.max(greatest, Math.abs(v));
                }
                double rounding = n * Math.pow(2e-7 * greatest, 2);
                assertTrue(best <= bruteForce(x, set) * (1 + 1e-9) + rounding, set + " of " + Arrays.toString(x));
            }
        }
    }

    @Test
    void importanceCountsInTheScaleAsManyEqualElements() {
        Random random = new Random(16);
        try (Projections p = Projections.open(1)) {
            for (int round = 0; round < 100; round++) {
                int n = 1 + random.nextInt(30);
                float[] x = awkward(random, n);
                float[] importance = new float[n];
                float[] repeated = new float[4 * n];
                int all = 0;
                for (int i = 0; i < n; i++) {
                    int times = random.nextInt(4);
                    importance[i] = times;
                    Arrays.fill(repeated, all, all + times, x[i]);
                    all += times;
                }
                LevelSet levels = round % 2 == 0 ? LevelSet.equidistant(3) : LevelSet.ternary();
                p.optimalScale(Memory.floats(x), 0, n, Memory.floats(importance), 0, levels);
                double weighted = p.scaleError();
                p.optimalScale(Memory.floats(repeated), 0, all, null, 0, levels);
                // Levels are rounded to floats, which the search for the least error leaves out.
                assertEquals(p.scaleError(), weighted, 1e-6 * weighted + 1e-12, Arrays.toString(x));
            }
        }
    }

    @Test
    void structuresCodebooksAndTheJointProjectionDoNotDependOnThreads() {
        int n = 3 * Passes.CHUNK + 4321;
        float[] x = Memory.gaussian(n, 12);
        String first = null;
        for (int threads = 1; threads <= 3; threads++) {
            try (Projections p = Projections.open(threads)) {
                MemorySegment in = Memory.floats(x);
                MemorySegment z = Memory.zeros(n);
                MemorySegment codes = Memory.zeros(n / 4 + 1);
                MemorySegment words = Memory.zeros(5);
                StringBuilder all = new StringBuilder();
                p.topGroups(in, 0, z, 0, Groups.filters(n / 100, 100), Norm.L2, n / 500);
                all.append(Arrays.hashCode(Memory.array(z, 0, n))).append(' ');
                p.keepOfGroups(in, 0, z, 0, n, 2, 4);
                all.append(Arrays.hashCode(Memory.array(z, 0, n))).append(' ');
                p.linearStart(in, 0, n, 5, words, 0);
                all.append(p.assign(in, 0, n, 5, words, 0, z, 0, codes, 0)).append(' ');
                all.append(Arrays.hashCode(codes.toArray(ValueLayout.JAVA_BYTE))).append(' ');
                all.append(p.joint(in, 0, n, n / 20, 5, false, words, 0, 3, z, 0, codes, 0)).append(' ');
                all.append(Arrays.hashCode(Memory.array(z, 0, n)));
                first = first == null ? all.toString() : first;
                assertEquals(first, all.toString(), threads + " threads");
            }
        }
    }

    /** Zeros that lie unevenly leave gaps between the workers' stretches; equal values meet at their borders. */
    @Test
    void sortedCodebooksAndScalesDoNotDependOnThreads() {
        int n = 100_003;
        float[] x = Memory.gaussian(n, 13);
        float[] importance = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = i < n / 3 || i % 7 == 0 ? 0 : i % 3 == 0 ? Math.round(x[i] * 8) / 8f : x[i];
            importance[i] = i % 5;
        }
        String first = null;
        for (int threads = 1; threads <= 4; threads++) {
            try (Projections p = Projections.open(threads)) {
                MemorySegment words = Memory.zeros(6);
                StringBuilder all = new StringBuilder();
                for (MemorySegment weights : new MemorySegment[]{null, Memory.floats(importance)}) {
                    MemorySegment in = Memory.floats(x);
                    p.linearStart(in, 0, n, 6, words, 0);
                    all.append(p.kMeans(in, 0, n, weights, 0, 6, words, 0, 1000)).append(' ');
                    all.append(Arrays.toString(Memory.array(words, 0, 6))).append(' ');
                    all.append(p.kMeansExact(in, 0, n, weights, 0, 6, words, 0)).append(' ');
                    all.append(Arrays.toString(Memory.array(words, 0, 6))).append(' ');
                    all.append(p.optimalScale(in, 0, n, weights, 0, LevelSet.equidistantWithZero(2))).append(' ');
                    all.append(p.scaleError()).append('\n');
                    in.setAtIndex(ValueLayout.JAVA_FLOAT, n - 2, Float.NaN);
                    in.setAtIndex(ValueLayout.JAVA_FLOAT, n / 2 + 9, Float.POSITIVE_INFINITY);
                    all.append(assertThrows(IllegalArgumentException.class,
                            () -> p.kMeansExact(in, 0, n, weights, 0, 6, words, 0)).getMessage());
                    assertTrue(all.toString().endsWith("Infinity at index " + (n / 2 + 9)), all.toString());
                }
                first = first == null ? all.toString() : first;
                assertEquals(first, all.toString(), threads + " threads");
            }
        }
    }

    /** Least error over the minima of all quadratics: one for each assignment that some scale produces. */
    private static double bruteForce(float[] x, LevelSet set) {
        float[] multiples = set.multiples();
        double best = Double.POSITIVE_INFINITY;
        double[] steps = new double[multiples.length + 1];
        for (int j = 0; j < multiples.length; j++) {
            steps[j + 1] = multiples[j];
        }
        for (float a : x) {
            for (int j = set.zero() ? 0 : 1; j < multiples.length; j++) {
                double at = 2 * Math.abs(a) / (steps[j] + steps[j + 1]);
                for (double q : new double[]{at * (1 - 1e-9), at * (1 + 1e-9)}) {
                    best = Math.min(best, minimum(x, q, steps, set.zero() ? 0 : 1));
                }
            }
        }
        for (double q : new double[]{1e-30, 1e30}) {
            best = Math.min(best, minimum(x, q, steps, set.zero() ? 0 : 1));
        }
        return best;
    }

    private static double minimum(float[] x, double q, double[] steps, int first) {
        double cross = 0;
        double square = 0;
        double own = 0;
        for (float v : x) {
            if (v == 0) {
                continue;
            }
            double a = Math.abs(v);
            double nearest = steps[first];
            for (double step : steps) {
                if (step >= steps[first] && Math.abs(a - q * step) < Math.abs(a - q * nearest)) {
                    nearest = step;
                }
            }
            cross += a * nearest;
            square += nearest * nearest;
            own += a * a;
        }
        return square == 0 ? own : Math.max(0, own - cross * cross / square);
    }

    @Test
    void theJointProjectionBeatsOneAfterTheOtherAndKeepsBothConstraints() {
        for (long seed = 0; seed < 20; seed++) {
            int n = 500;
            float[] x = Memory.gaussian(n, seed);
            MemorySegment in = Memory.floats(x);
            try (Projections p = Projections.open(1)) {
                int k = 60;
                int m = 3;
                MemorySegment codebook = Memory.zeros(m);
                MemorySegment z = Memory.zeros(n);
                MemorySegment codes = Memory.zeros(n / 4 + 1);
                Joint joint = p.joint(in, 0, n, k, m, false, codebook, 0, 50, z, 0, codes, 0);
                float[] words = Memory.array(codebook, 0, m);
                float[] result = Memory.array(z, 0, n);
                double error = 0;
                int survivors = 0;
                for (int i = 0; i < n; i++) {
                    float v = result[i];
                    if (v != 0) {
                        survivors++;
                        assertEquals(words[codes.get(ValueLayout.JAVA_BYTE, i)], v);
                    }
                    error += Math.pow(x[i] - v, 2);
                }
                assertTrue(survivors <= k);
                assertEquals(survivors, joint.survivors());
                assertEquals(error, joint.error(), 1e-9);
                // One after the other: top-k, then k-means on the survivors.
                MemorySegment kept = Memory.zeros(n);
                p.topK(in, 0, kept, 0, n, k);
                MemorySegment start = Memory.zeros(m);
                p.linearStart(kept, 0, n, m, start, 0);
                Clusters clusters = p.kMeans(kept, 0, n, null, 0, m, start, 0, 1000);
                double pruned = 0;
                float[] keptValues = Memory.array(kept, 0, n);
                for (int i = 0; i < n; i++) {
                    pruned += keptValues[i] == 0 ? (double) x[i] * x[i] : 0;
                }
                assertTrue(joint.error() <= (pruned + clusters.error()) * (1 + 1e-6));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("providers")
    void theWeightedJointProjectionKeepsBothConstraintsAndMoreRoundsNeverHurt(Passes passes) {
        for (int n : new int[]{1, 2, 15, 16, 17, 63, 64, 65, 500}) {
            MemorySegment in = Memory.floats(Memory.gaussian(n, n));
            float[] weights = Memory.gaussian(n, n + 1000);
            for (int i = 0; i < n; i++) {
                weights[i] = (float) Math.exp(2 * weights[i]);
            }
            MemorySegment importance = Memory.floats(weights);
            int k = Math.max(1, n / 8);
            double last = Double.POSITIVE_INFINITY;
            for (int rounds = 1; rounds <= 4; rounds++) {
                float[] alone = null;
                for (int threads = 1; threads <= 2; threads++) {
                    try (Projections p = new Projections(passes, threads)) {
                        MemorySegment z = Memory.zeros(n);
                        Joint joint = p.joint(in, 0, n, importance, 0, k, 3, false, Memory.zeros(3), 0, rounds, z, 0,
                                null, 0);
                        float[] result = Memory.array(z, 0, n);
                        double error = 0;
                        for (int i = 0; i < n; i++) {
                            double d = (double) in.getAtIndex(ValueLayout.JAVA_FLOAT, i) - result[i];
                            error += weights[i] * d * d;
                        }
                        assertTrue(joint.survivors() <= k && joint.size() <= 3);
                        assertEquals(error, joint.error(), 1e-9 * (1 + error));
                        assertTrue(error <= last * (1 + 1e-6) + 1e-12, n + " elements, round " + rounds);
                        if (alone != null) {
                            assertArrayEquals(alone, result);
                            last = error;
                        }
                        alone = result;
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("providers")
    void whatIsPrunedToNothingIsClusteredByNoCodeword(Passes passes) {
        int n = 1000;
        MemorySegment zeros = Memory.zeros(n);
        zeros.setAtIndex(ValueLayout.JAVA_FLOAT, 7, -0f);
        MemorySegment codebook = Memory.zeros(8);
        MemorySegment z = Memory.floats(Memory.gaussian(n, 1));
        MemorySegment codes = Memory.floats(Memory.gaussian(n / 4, 2));
        try (Projections p = new Projections(passes, 2)) {
            p.linearStart(zeros, 0, n, 8, codebook, 0);
            Clusters found = p.kMeans(zeros, 0, n, null, 0, 8, codebook, 0, 1_000);
            assertEquals(0, found.size());
            assertEquals(0, found.error());
            assertEquals(new Clusters(0, 0, 0), p.kMeansExact(zeros, 0, n, null, 0, 8, codebook, 0));
            assertEquals(0, p.assign(zeros, 0, n, found.size(), codebook, 0, z, 0, codes, 0));
            assertArrayEquals(new int[n], Memory.rawBits(Memory.array(z, 0, n)));
            assertArrayEquals(new byte[n], codes.toArray(ValueLayout.JAVA_BYTE));
            z.fill((byte) 1);
            codes.fill((byte) 1);
            assertEquals(new Joint(0, 0, 0, 1), p.joint(zeros, 0, n, 10, 8, false, codebook, 0, 50, z, 0, codes, 0));
            assertArrayEquals(new int[n], Memory.rawBits(Memory.array(z, 0, n)));
            assertArrayEquals(new byte[n], codes.toArray(ValueLayout.JAVA_BYTE));
            zeros.setAtIndex(ValueLayout.JAVA_FLOAT, 9, 1);
            assertEquals("no codeword was given for 1 non-zero elements",
                    assertThrows(IllegalArgumentException.class,
                            () -> p.assign(zeros, 0, n, 0, codebook, 0, zeros, 0, codes, 0)).getMessage());
            zeros.setAtIndex(ValueLayout.JAVA_FLOAT, 9, Float.NaN);
            assertEquals("NaN at index 9", assertThrows(IllegalArgumentException.class,
                    () -> p.assign(zeros, 0, n, 0, codebook, 0, null, 0, null, 0)).getMessage());
        }
    }

    @Test
    void aWarmStartMayFollowOneOfFewerElements() {
        int n = 200_000;
        float[] x = new float[n];
        Random random = new Random(5);
        for (int i = 0; i < n; i++) {
            // Nearly all lie close to the middle of the two codewords.
            x[i] = (i % 100 == 0 ? 1 : 0.005f) * (2 * random.nextFloat() - 1);
        }
        float[] start = {-1, 1};
        int[][] found = new int[2][];
        for (int before = 0; before < 2; before++) {
            try (Projections p = Projections.open(1)) {
                MemorySegment in = Memory.floats(x);
                for (int size : before == 0 ? new int[]{n} : new int[]{20_000, n}) {
                    MemorySegment codebook = Memory.floats(start);
                    p.kMeans(in, 0, size, null, 0, 2, codebook, 0, 100);
                    found[before] = Memory.rawBits(Memory.array(codebook, 0, 2));
                }
            }
        }
        assertArrayEquals(found[0], found[1]);
    }
}
