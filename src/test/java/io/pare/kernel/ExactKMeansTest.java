package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The exact k-means, which drops places that no optimal solution uses, against the recurrence over all places. */
class ExactKMeansTest {
    enum Kind {
        GAUSSIAN, HEAVY_TAILS, FEW_VALUES, GRID, SYMMETRIC, CLUMPS, FAR_VALUE, NEAR_VALUES, TINY, HUGE, POWERS,
        SUBNORMAL
    }

    private static float[] values(Kind kind, int n, Random random) {
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            double g = random.nextGaussian();
            x[i] = (float) switch (kind) {
                case GAUSSIAN -> g;
                case HEAVY_TAILS -> g / Math.max(1e-3, random.nextDouble());
                case FEW_VALUES -> Math.round(g * 8) * 0.25;
                case GRID -> (i - n / 3) * 0.125;
                case SYMMETRIC -> i % 2 == 0 ? g : -x[i - 1];
                case CLUMPS -> random.nextInt(5) + 1e-4 * g;
                case FAR_VALUE -> i == n / 2 ? -4000 : g;
                case NEAR_VALUES -> 1e6 + random.nextInt(64) * 0.0625;
                case TINY -> g * 1e-22;
                case HUGE -> g * 1e22;
                case POWERS -> Math.scalb(1.0, random.nextInt(40) - 20);
                case SUBNORMAL -> random.nextInt(2000) * (double) Float.MIN_VALUE;
            };
        }
        return x;
    }

    /** Codewords and squared error. */
    private record Found(float[] words, double error) {}

    private static Found find(float[] x, float[] importance, int k, int small) {
        try (Workers workers = new Workers(1); Sorted sorted = new Sorted(workers)) {
            Codebook codebook = new Codebook();
            try (ExactKMeans exact = new ExactKMeans(sorted, codebook, small)) {
                sorted.fill(Memory.floats(x), 0, x.length, importance == null ? null : Memory.floats(importance), 0,
                        false);
                int size = exact.find(k);
                return new Found(Arrays.copyOf(codebook.words, size), codebook.error);
            }
        }
    }

    /**
     * The recurrence over all places in the same arithmetic, of equal costs the first.
     *
     * @param halving whether columns are filled by divide and conquer, or each by trying all starts
     */
    private static Found recurrence(float[] x, float[] importance, int m, boolean halving) {
        int[] order = IntStream.range(0, x.length).boxed().filter(i -> x[i] != 0)
                .sorted((i, j) -> Float.compare(x[i], x[j])).mapToInt(i -> i).toArray();
        double centre = order.length == 0 ? 0 : x[order[order.length / 2]];
        double[] w = new double[order.length + 1];
        double[] s = new double[order.length + 1];
        double[] q = new double[order.length + 1];
        double weight = 0;
        double first = 0;
        double second = 0;
        int points = 0;
        for (int i = 0; i < order.length; i++) {
            double v = x[order[i]] - centre;
            double each = importance == null ? 1 : importance[order[i]];
            weight += each;
            first += each * v;
            second += each * v * v;
            if ((i + 1 == order.length || x[order[i + 1]] != x[order[i]]) && weight > w[points]) {
                points++;
                w[points] = weight;
                s[points] = first;
                q[points] = second;
            }
        }
        int k = Math.min(m, points);
        double[][] cost = new double[k][points + 1];
        int[][] choice = new int[k][points + 1];
        for (int layer = 0; layer < k; layer++) {
            for (int end = 1; end <= points && layer == 0; end++) {
                cost[0][end] = q[end] - s[end] * s[end] / w[end];
            }
            if (layer > 0) {
                if (halving) {
                    halve(layer, layer + 1, points, layer, points - 1, w, s, q, cost, choice);
                } else {
                    for (int end = layer + 1; end <= points; end++) {
                        column(layer, end, layer, end - 1, w, s, q, cost, choice);
                    }
                }
            }
        }
        float[] words = new float[k];
        int end = points;
        for (int cluster = k - 1; cluster >= 0; cluster--) {
            int start = cluster == 0 ? 0 : choice[cluster][end];
            words[cluster] = (float) (centre + (s[end] - s[start]) / (w[end] - w[start]));
            end = start;
        }
        return new Found(words, k == 0 ? 0 : Math.max(0, cost[k - 1][points]));
    }

    private static void halve(int layer, int from, int to, int low, int high, double[] w, double[] s, double[] q,
            double[][] cost, int[][] choice) {
        if (from <= to) {
            int middle = (from + to) >>> 1;
            column(layer, middle, low, high, w, s, q, cost, choice);
            halve(layer, from, middle - 1, low, choice[layer][middle], w, s, q, cost, choice);
            halve(layer, middle + 1, to, choice[layer][middle], high, w, s, q, cost, choice);
        }
    }

    private static void column(int layer, int end, int low, int high, double[] w, double[] s, double[] q,
            double[][] cost, int[][] choice) {
        double best = Double.POSITIVE_INFINITY;
        int at = low;
        for (int start = low; start <= Math.min(high, end - 1); start++) {
            double sum = s[end] - s[start];
            double total = cost[layer - 1][start] + (q[end] - q[start] - sum * sum / (w[end] - w[start]));
            if (total < best) {
                best = total;
                at = start;
            }
        }
        cost[layer][end] = best;
        choice[layer][end] = at;
    }

    private static void assertSame(Found expected, Found found, String what) {
        assertArrayEquals(expected.words, found.words, what);
        assertEquals(expected.error, found.error, what);
    }

    @ParameterizedTest
    @EnumSource
    void everyPlaceOrFewGiveTheSameCodewords(Kind kind) {
        Random random = new Random(kind.ordinal());
        for (int round = 0; round < 120; round++) {
            int n = 1 + random.nextInt(round < 90 ? 60 : 500);
            int k = 1 + random.nextInt(Math.min(n, round % 2 == 0 ? 6 : 80));
            float[] x = values(kind, n, random);
            float[] importance = null;
            if (round % 3 == 0) {
                importance = new float[n];
                for (int i = 0; i < n; i++) {
                    importance[i] = round % 2 == 0 ? random.nextInt(3) : random.nextFloat();
                }
            }
            String what = kind + " n " + n + " k " + k + " round " + round;
            Found expected = recurrence(x, importance, k, false);
            assertSame(expected, recurrence(x, importance, k, true), "by halves, " + what);
            assertSame(expected, find(x, importance, k, Integer.MAX_VALUE), "all places, " + what);
            assertSame(expected, find(x, importance, k, 0), "few places, " + what);
        }
    }

    @ParameterizedTest
    @CsvSource({"GAUSSIAN, 30000, 8", "GAUSSIAN, 30000, 200", "HEAVY_TAILS, 30000, 33", "GRID, 30000, 7",
        "SYMMETRIC, 30001, 16", "CLUMPS, 30000, 9", "FAR_VALUE, 30000, 16", "NEAR_VALUES, 30000, 20"})
    void manyValuesToo(Kind kind, int n, int k) {
        float[] x = values(kind, n, new Random(k));
        float[] importance = new float[n];
        Random random = new Random(n);
        for (int i = 0; i < n; i++) {
            importance[i] = random.nextFloat();
        }
        assertSame(recurrence(x, null, k, true), find(x, null, k, 0), "equal weights");
        assertSame(recurrence(x, importance, k, true), find(x, importance, k, 0), "weighted");
    }

    /** The bound would be worth nothing if it dropped little. */
    @Test
    void aboutOnePlaceOfEachClusterIsLeft() {
        float[] x = values(Kind.GAUSSIAN, 100_000, new Random(3));
        try (Workers workers = new Workers(1); Sorted sorted = new Sorted(workers)) {
            try (ExactKMeans exact = new ExactKMeans(sorted, new Codebook())) {
                sorted.fill(Memory.floats(x), 0, x.length, null, 0, false);
                for (int k : new int[]{3, 8, 50, 256}) {
                    exact.find(k);
                    assertTrue(exact.places() < k + k / 4 + 3, exact.places() + " places are left of " + k);
                }
            }
        }
    }

    /** From a linear start, Lloyd's algorithm ends at 1.2 to 3.4 times the optimum here. */
    @ParameterizedTest
    @CsvSource({"GAUSSIAN, 32, 1.02", "GAUSSIAN, 64, 1.03", "GAUSSIAN, 256, 1.05", "HEAVY_TAILS, 64, 1.05",
        "CLUMPS, 64, 1.05", "SYMMETRIC, 100, 1.05", "FAR_VALUE, 64, 1.05"})
    void lloydFromItsOwnStartEndsNearTheOptimum(Kind kind, int k, double most) {
        int n = 30_000;
        float[] x = values(kind, n, new Random(k));
        float[] importance = new float[n];
        Random random = new Random(n);
        for (int i = 0; i < n; i++) {
            importance[i] = random.nextInt(4);
        }
        MemorySegment in = Memory.floats(x);
        try (Projections p = Projections.open(1)) {
            MemorySegment words = Memory.zeros(k);
            for (MemorySegment weights : Arrays.asList(null, Memory.floats(importance))) {
                double least = p.kMeansExact(in, 0, n, weights, 0, k, words, 0).error();
                double found = p.kMeansCold(in, 0, n, weights, 0, k, words, 0, 100).error();
                assertTrue(found >= least * (1 - 1e-9) && found <= most * least, found / least + " of the optimum");
            }
        }
    }

    @Test
    void aStartOfItsOwnIsLinearBelow32CodewordsAndServesFewElements() {
        float[] x = values(Kind.GAUSSIAN, 5000, new Random(9));
        MemorySegment in = Memory.floats(x);
        try (Projections p = Projections.open(1)) {
            for (int k : new int[]{1, 8, 31}) {
                MemorySegment linear = Memory.zeros(k);
                MemorySegment cold = Memory.zeros(k);
                p.linearStart(in, 0, x.length, k, linear, 0);
                Clusters expected = p.kMeans(in, 0, x.length, null, 0, k, linear, 0, 100);
                assertEquals(expected, p.kMeansCold(in, 0, x.length, null, 0, k, cold, 0, 100));
                assertArrayEquals(Memory.array(linear, 0, k), Memory.array(cold, 0, k));
            }
            MemorySegment words = Memory.zeros(64);
            MemorySegment none = Memory.floats(0, 0, 0, 0, 0, 0, 0);
            MemorySegment few = Memory.floats(3, 0, 3, -1, -0f, -1, 3);
            assertEquals(0, p.kMeansCold(none, 0, 7, null, 0, 64, words, 0, 100).size());
            assertEquals(0, p.kMeansCold(few, 0, 7, none, 0, 64, words, 0, 100).error());
            Clusters found = p.kMeansCold(few, 0, 7, null, 0, 64, words, 0, 100);
            assertEquals(2, found.size());
            assertEquals(0, found.error());
        }
    }
}
