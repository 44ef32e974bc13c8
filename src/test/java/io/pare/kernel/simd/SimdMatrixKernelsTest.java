package io.pare.kernel.simd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.Rounding;
import io.pare.kernel.MatrixKernels;
import io.pare.kernel.PackedMatrix;
import io.pare.kernel.scalar.ScalarMatrixKernels;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("providers")
class SimdMatrixKernelsTest {
    private static final float[] ODD = {0f, -0f, Float.MIN_VALUE, -Float.MIN_VALUE, 1e-39f, Float.MAX_VALUE,
        Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN, 1, 1, -1};
    private static final int PLACE = 5;

    private final List<MatrixKernels> all = List.of(new ScalarMatrixKernels(), new SimdMatrixKernels(),
            MatrixKernels.active());
    private final Random random = new Random(3);

    private float[] random(int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private float[] odd(int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = random.nextInt(8) > 0 ? (float) random.nextGaussian() : ODD[random.nextInt(ODD.length)];
        }
        return values;
    }

    /** A product whose rows stand {@code stride} apart, with a mark in every other place. */
    private static float[] product(MatrixKernels kernels, float[] a, int rows, int depth, PackedMatrix b, int stride) {
        float[] out = new float[PLACE + (rows + MatrixKernels.ROWS) * stride];
        Arrays.fill(out, -77);
        kernels.multiply(a, 0, depth, rows, b, out, PLACE, stride);
        // Behind the last row may lie garbage.
        Arrays.fill(out, PLACE + rows * stride, out.length, 0);
        return out;
    }

    private float[] left(float[] values, int rows, int depth) {
        return Arrays.copyOf(values, (rows + MatrixKernels.ROWS) * depth);
    }

    @Test
    void productsAreThoseInDoublePrecision() {
        for (int columns : new int[]{1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 67, 96, 511, 512, 513, 600}) {
            for (int depth : new int[]{1, 3, 8, 31, 67}) {
                int rows = 1 + random.nextInt(20);
                float[] a = left(random(rows * depth), rows, depth);
                float[] weights = random(columns * depth);
                float[] biases = random(columns);
                for (MatrixKernels kernels : all) {
                    PackedMatrix b =
                            new PackedMatrix(kernels).transpose(weights, 0, depth, columns, depth).bias(biases);
                    int stride = columns + 3;
                    float[] out = product(kernels, a, rows, depth, b, stride);
                    for (int i = 0; i < rows; i++) {
                        for (int j = 0; j < columns; j++) {
                            double expected = biases[j];
                            double size = Math.abs(biases[j]);
                            for (int k = 0; k < depth; k++) {
                                double term = (double) a[i * depth + k] * weights[j * depth + k];
                                expected += term;
                                size += Math.abs(term);
                            }
                            assertEquals(expected, out[PLACE + i * stride + j], Rounding.bound(2 * depth, size),
                                    kernels.name() + " " + columns + " x " + depth + " at " + i + ", " + j);
                        }
                        assertEquals(-77, out[PLACE + i * stride + columns], kernels.name());
                    }
                    assertEquals(-77, out[PLACE - 1]);
                }
            }
        }
    }

    @Test
    void allGiveTheSameBitsOfWhateverNumbers() {
        for (int columns = 1; columns <= 67; columns++) {
            int depth = 1 + random.nextInt(67);
            int rows = 1 + random.nextInt(9);
            float[] a = left(odd(rows * depth), rows, depth);
            float[] values = odd(columns * depth);
            float[] expected = null;
            for (MatrixKernels kernels : all) {
                PackedMatrix b = new PackedMatrix(kernels).copy(values, 0, columns, depth, columns);
                float[] out = product(kernels, a, rows, depth, b, columns);
                expected = expected == null ? out : expected;
                assertArrayEquals(expected, out, kernels.name() + " " + columns + " x " + depth);
            }
        }
    }

    @Test
    void aMatrixMayBeFilledAnew() {
        for (MatrixKernels kernels : all) {
            PackedMatrix used = new PackedMatrix(kernels);
            used.transpose(random(600 * 20), 0, 20, 600, 20).bias(random(600));
            float[] values = random(9 * 50);
            used.transpose(values, 2, 8, 50, 7);
            float[] a = left(random(3 * 7), 3, 7);
            PackedMatrix fresh = new PackedMatrix(kernels).transpose(values, 2, 8, 50, 7);
            assertArrayEquals(product(kernels, a, 3, 7, fresh, 50), product(kernels, a, 3, 7, used, 50));
            assertEquals(50, used.columns());
            assertEquals(7, used.depth());
            assertThrows(IllegalArgumentException.class, () -> used.copy(values, 0, 1, 0, 1));
        }
    }

    /** Long enough for the vectors to be compiled and to take over, or not: nobody can tell by the bits. */
    @Test
    void aWarmUpCannotBeSeen() {
        MatrixKernels kernels = MatrixKernels.active();
        float[] a = left(random(16 * 64), 16, 64);
        float[] weights = random(96 * 64);
        PackedMatrix b = new PackedMatrix(kernels).transpose(weights, 0, 64, 96, 64);
        PackedMatrix plain = new PackedMatrix(all.getFirst()).transpose(weights, 0, 64, 96, 64);
        float[] expected = product(all.getFirst(), a, 16, 64, plain, 96);
        for (int i = 0; i < 2000; i++) {
            assertTrue(Arrays.equals(expected, product(kernels, a, 16, 64, b, 96)), "run " + i);
        }
    }
}
