package io.pare.kernel.simd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.kernel.Adam;
import io.pare.kernel.Bits;
import io.pare.kernel.Kernels;
import io.pare.kernel.Memory;
import io.pare.kernel.Penalty;
import io.pare.kernel.Sgd;
import io.pare.kernel.scalar.ScalarKernels;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every vector kernel gives the bits of its scalar twin, at every tail length and at unaligned offsets. */
class SimdKernelsTest {
    private static final Kernels SIMD = new SimdKernels();
    private static final Kernels SCALAR = new ScalarKernels();
    private static final float[] SPECIAL = {0f, -0f, Float.MIN_VALUE, -Float.MIN_VALUE, Float.MAX_VALUE,
        Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN, 1f, -1f};

    static Stream<Integer> lengths() {
        return Stream.concat(IntStream.rangeClosed(0, 67).boxed(), Stream.of(127, 128, 129, 1000, 1023, 1024, 1025));
    }

    /** Six ranges at different unaligned offsets, some elements special. */
    private static final class Ranges {
        static final long[] OFFSETS = {4, 0, 12, 8, 20, 60};
        final List<MemorySegment> memory = new ArrayList<>();
        final Bits mask;

        Ranges(int n, boolean special) {
            Random random = new Random(n);
            for (long offset : OFFSETS) {
                float[] values = Memory.gaussian(n, random.nextLong());
                for (int i = 0; special && i < n; i++) {
                    if (random.nextInt(4) == 0) {
                        values[i] = SPECIAL[random.nextInt(SPECIAL.length)];
                    }
                }
                memory.add(Memory.floatsAt(offset, values));
            }
            boolean[] bits = new boolean[n];
            for (int i = 0; i < n; i++) {
                bits[i] = random.nextBoolean();
            }
            mask = new Bits(Memory.bits(bits), 0);
        }

        MemorySegment at(int i) {
            return memory.get(i);
        }
    }

    @FunctionalInterface
    private interface Step {
        void run(Kernels kernels, Ranges r);
    }

    private static void same(int n, Step step) {
        for (boolean special : new boolean[]{false, true}) {
            Ranges left = new Ranges(n, special);
            Ranges right = new Ranges(n, special);
            step.run(SCALAR, left);
            step.run(SIMD, right);
            for (int i = 0; i < Ranges.OFFSETS.length; i++) {
                assertArrayEquals(canonical(left.at(i), Ranges.OFFSETS[i], n),
                        canonical(right.at(i), Ranges.OFFSETS[i], n), "range " + i);
            }
        }
    }

    /** Bits, with one pattern for all NaNs: which payload survives is the hardware's choice. */
    private static int[] canonical(MemorySegment segment, long offset, int n) {
        float[] values = Memory.array(segment, offset, n);
        return IntStream.range(0, n).map(i -> Float.floatToIntBits(values[i])).toArray();
    }

    @ParameterizedTest
    @MethodSource("lengths")
    void elementwise(int n) {
        same(n, (k, r) -> k.axpy(0.3f, r.at(0), 4, r.at(1), 0, n));
        same(n, (k, r) -> k.scale(0.3f, r.at(0), 4, n));
        same(n, (k, r) -> k.add(r.at(0), 4, r.at(1), 0, r.at(2), 12, n));
        same(n, (k, r) -> k.subtract(r.at(0), 4, r.at(1), 0, r.at(2), 12, n));
        same(n, (k, r) -> k.multiply(r.at(0), 4, r.at(1), 0, r.at(2), 12, n));
        same(n, (k, r) -> k.addScaled(r.at(0), 4, -7f, r.at(1), 0, r.at(2), 12, n));
        same(n, (k, r) -> k.fill(2.5f, r.at(0), 4, n));
        same(n, (k, r) -> k.fill(0f, r.at(0), 4, n));
        same(n, (k, r) -> k.reluForward(r.at(0), 4, r.at(1), 0, n));
        same(n, (k, r) -> k.reluBackward(r.at(0), 4, r.at(1), 0, r.at(2), 12, n));
        same(n, (k, r) -> k.applyMask(r.mask, r.at(0), 4, n));
    }

    @ParameterizedTest
    @MethodSource("lengths")
    void rowsAndColumns(int n) {
        same(n, (k, r) -> k.biasAddRows(r.at(0), 4, r.at(1), 0, 1, n));
        int columns = Math.max(1, n / 3);
        same(n, (k, r) -> k.biasAddRows(r.at(0), 4, r.at(1), 0, n / columns, Math.min(n, columns)));
        same(n, (k, r) -> k.columnSums(r.at(0), 4, n / columns, Math.min(n, columns), r.at(1), 0));
    }

    @ParameterizedTest
    @MethodSource("lengths")
    void dropout(int n) {
        same(n, (k, r) -> k.dropout(r.at(0), 4, r.at(1), 0, n, 0.3f, 42, 7));
        same(n, (k, r) -> k.dropout(r.at(0), 4, r.at(1), 0, n, 0.5f, -1, (1L << 32) - 19));
    }

    @ParameterizedTest
    @MethodSource("lengths")
    void optimisers(int n) {
        for (boolean pulled : new boolean[]{false, true}) {
            for (boolean masked : new boolean[]{false, true}) {
                for (boolean nesterov : new boolean[]{false, true}) {
                    Sgd sgd = new Sgd(0.9f, 5e-4f, nesterov);
                    Adam adam = new Adam(0.9f, 0.999f, 1e-8f, 1e-2f, nesterov);
                    same(n, (k, r) -> k.sgd(sgd, 0.1f, r.at(0), 4, r.at(1), 0, r.at(2), 12, n, penalty(r, pulled),
                            masked ? r.mask : null));
                    same(n, (k, r) -> k.sgd(sgd, 0.1f, r.at(0), 4, r.at(1), 0, null, 0, n, penalty(r, pulled),
                            masked ? r.mask : null));
                    same(n, (k, r) -> k.adam(adam, 0.1f, 3, r.at(0), 4, r.at(1), 0, r.at(2), 12, r.at(5), 60, n,
                            penalty(r, pulled), masked ? r.mask : null));
                }
            }
        }
    }

    private static Penalty penalty(Ranges r, boolean pulled) {
        return pulled ? new Penalty(r.at(3), 8, r.at(4), 20, 1e-2f) : null;
    }

    @ParameterizedTest
    @MethodSource("lengths")
    void sums(int n) {
        Ranges r = new Ranges(n, false);
        double expected = SCALAR.dot(r.at(0), 4, r.at(1), 0, n);
        assertEquals(expected, SIMD.dot(r.at(0), 4, r.at(1), 0, n), 1e-15 * (n + 1));
        assertEquals(SCALAR.sumOfSquares(r.at(0), 4, n), SIMD.sumOfSquares(r.at(0), 4, n), 1e-15 * (n + 1));
    }
}
