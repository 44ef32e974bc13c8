package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.kernel.passes.Passes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The vector quickselect against a sort, for every provider, kind of data, rank and way to begin. */
@Tag("providers")
class QuickselectTest {
    @ParameterizedTest
    @EnumSource(TopKTest.Data.class)
    void everyRankIsThatOfASort(TopKTest.Data data) {
        TopKTest.providers().forEach(passes -> {
            for (int n : new int[]{1, 2, 31, 95, 96, 97, 127, 128, 129, 500, 5000}) {
                int[] keys = keys(data.make(n, n));
                for (Quickselect.Pivoting first : Quickselect.Pivoting.values()) {
                    for (int rank : new int[]{1, 2, n / 3, n / 2, n - 1, n}) {
                        if (rank >= 1 && rank <= n) {
                            check(passes, keys, rank, first, 0, Spans.END);
                            check(passes, keys, rank, first, min(keys), max(keys) + 1);
                        }
                    }
                }
            }
        });
    }

    /** Keys that lie as unevenly as can be: one at each power of two of the range, and all others at one end. */
    @ParameterizedTest
    @EnumSource(Quickselect.Pivoting.class)
    void keysThatLieUnevenly(Quickselect.Pivoting first) {
        int n = 3000;
        int[] low = IntStream.range(0, n).map(i -> i < 31 ? Math.min(Passes.INFINITY, 1 << i) : i % 2).toArray();
        int[] high = Arrays.stream(low).map(key -> Passes.INFINITY - key).toArray();
        int[] far = IntStream.range(0, n).map(i -> i < n / 2 ? i : Passes.INFINITY - i).toArray();
        TopKTest.providers().forEach(passes -> {
            for (int[] keys : new int[][]{low, high, far}) {
                for (int rank = 1; rank <= n; rank += 7) {
                    check(passes, keys, rank, first, 0, Spans.END);
                }
            }
        });
    }

    private static int[] keys(float[] x) {
        int[] keys = new int[x.length];
        for (int i = 0; i < x.length; i++) {
            keys[i] = Float.floatToRawIntBits(x[i]) & Passes.MAGNITUDE;
        }
        return keys;
    }

    private static int min(int[] keys) {
        return Arrays.stream(keys).min().orElseThrow();
    }

    private static int max(int[] keys) {
        return Arrays.stream(keys).max().orElseThrow();
    }

    private static void check(Passes passes, int[] keys, int rank, Quickselect.Pivoting first, int from, int to) {
        int n = keys.length;
        int[] sorted = keys.clone();
        Arrays.sort(sorted);
        int expected = sorted[n - rank];
        Quickselect select = new Quickselect(passes.select());
        Random random = new Random(rank);
        // The passes take elements of any sign.
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = Float.intBitsToFloat(random.nextBoolean() ? keys[i] : keys[i] | 1 << 31);
        }
        MemorySegment in = Memory.floats(x);
        MemorySegment work = Memory.zeros(n + 2 + Passes.SLACK);
        MemorySegment both = Memory.zeros(n + 2 + Passes.SLACK);
        MemorySegment.copy(in, 0, both, 0, n * 4L);
        assertEquals(expected, select.select(in, 0, n, from, to, rank, first, work, 2));
        assertEquals(Arrays.stream(keys).filter(key -> key > expected).count(), select.above);
        assertEquals(Arrays.stream(keys).filter(key -> key == expected).count(), select.equal);
        for (int i = 0; i < n; i++) {
            assertEquals(Float.floatToRawIntBits(x[i]),
                    Float.floatToRawIntBits(in.getAtIndex(ValueLayout.JAVA_FLOAT, i)), "the keys stay");
        }
        assertEquals(expected, select.select(both, 0, n, from, to, rank, first, both, 0), "in place");
    }
}
