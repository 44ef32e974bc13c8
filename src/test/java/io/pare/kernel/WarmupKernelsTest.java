package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.pare.kernel.scalar.ScalarKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Work that is cut into slices for two providers gives the bits of one call. */
class WarmupKernelsTest {
    private static final Sgd SGD = new Sgd(0.9f, 5e-4f, true);
    private static final Adam ADAM = new Adam(0.9f, 0.999f, 1e-8f, 1e-2f, true);
    /** Where the ranges begin, in bytes. */
    private static final long[] OFFSETS = {4, 0, 12, 8, 20, 60};

    private interface Step {
        void run(Kernels kernels, MemorySegment[] r, Bits mask);
    }

    private static void same(int n, Step step) {
        // Both twins are plain, so that the result does not depend on how far the compiler is.
        Kernels sharing = new WarmupKernels(new ScalarKernels(), new ScalarKernels());
        // The second time it may go by whole ranges.
        for (int time = 0; time < 2; time++) {
            assertArrayEquals(after(n, step, new ScalarKernels()), after(n, step, sharing));
        }
    }

    /** All bits of all ranges after the step. */
    private static int[] after(int n, Step step, Kernels kernels) {
        MemorySegment[] ranges = new MemorySegment[OFFSETS.length];
        Arrays.setAll(ranges, i -> Memory.floatsAt(OFFSETS[i], Memory.gaussian(n, i)));
        boolean[] bits = new boolean[n];
        Random random = new Random(n);
        for (int i = 0; i < n; i++) {
            bits[i] = random.nextBoolean();
        }
        step.run(kernels, ranges, new Bits(Memory.bits(bits), 0));
        return IntStream.range(0, OFFSETS.length).flatMap(i -> {
            float[] values = Memory.array(ranges[i], OFFSETS[i], n);
            return IntStream.range(0, n).map(at -> Float.floatToRawIntBits(values[at]));
        }).toArray();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 17, 31, 32, 33, 67, 1000, 4097, 20_003})
    void slicesGiveTheSameBits(int n) {
        same(n, (k, r, _) -> k.axpy(0.3f, r[0], 4, r[1], 0, n));
        same(n, (k, r, _) -> k.scale(0.3f, r[0], 4, n));
        same(n, (k, r, _) -> k.add(r[0], 4, r[1], 0, r[2], 12, n));
        same(n, (k, r, _) -> k.subtract(r[0], 4, r[1], 0, r[2], 12, n));
        same(n, (k, r, _) -> k.multiply(r[0], 4, r[1], 0, r[2], 12, n));
        same(n, (k, r, _) -> k.addScaled(r[0], 4, -7f, r[1], 0, r[2], 12, n));
        same(n, (k, r, _) -> k.reluForward(r[0], 4, r[1], 0, n));
        same(n, (k, r, _) -> k.reluBackward(r[0], 4, r[1], 0, r[2], 12, n));
        same(n, (k, r, mask) -> k.applyMask(mask, r[0], 4, n));
        same(n, (k, r, _) -> k.dropout(r[0], 4, r[1], 0, n, 0.3f, 42, (1L << 32) - 19));
        same(n, (k, r, _) -> k.sgd(SGD, 0.1f, r[0], 4, r[1], 0, r[2], 12, n, null, null));
        same(n, (k, r, mask) -> k.sgd(SGD, 0.1f, r[0], 4, r[1], 0, null, 0, n, penalty(r), mask));
        same(n, (k, r, _) -> k.adam(ADAM, 0.1f, 3, r[0], 4, r[1], 0, r[2], 12, r[5], 60, n, null, null));
        same(n, (k, r, mask) -> k.adam(ADAM, 0.1f, 3, r[0], 4, r[1], 0, r[2], 12, r[5], 60, n, penalty(r), mask));
    }

    private static Penalty penalty(MemorySegment[] r) {
        return new Penalty(r[3], 8, r[4], 20, 1e-2f);
    }
}
