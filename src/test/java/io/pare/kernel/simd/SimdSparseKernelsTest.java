package io.pare.kernel.simd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.Rounding;
import io.pare.kernel.SparseKernels;
import io.pare.kernel.scalar.ScalarSparseKernels;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SimdSparseKernelsTest {
    private final SparseKernels simd = new SimdSparseKernels();
    private final SparseKernels scalar = new ScalarSparseKernels();
    private final Random random = new Random(5);

    private float[] random(int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    @Test
    void sumsOfShiftedRangesAreThoseOfTheOracle() {
        for (int count : new int[]{1, 3, 16, 17, 31, 64, 92, 97, 128, 130, 250, 668}) {
            for (int weights : new int[]{0, 1, 2, 3, 30}) {
                float[] in = random(1000 + count + SparseKernels.SLACK);
                int[] offsets = random.ints(weights, 0, 900).toArray();
                float[] w = random(weights);
                float floor = weights % 2 == 0 ? 0 : Float.NEGATIVE_INFINITY;
                float[] expected = new float[count + 9 + SparseKernels.SLACK];
                float[] actual = expected.clone();
                scalar.accumulate(in, 7, offsets, w, 0, weights, 0.5f, floor, expected, 9, count);
                simd.accumulate(in, 7, offsets, w, 0, weights, 0.5f, floor, actual, 9, count);
                Rounding.assertClose(Arrays.copyOf(expected, count + 9), Arrays.copyOf(actual, count + 9), weights + 1,
                        "accumulate");
                double sum = 0;
                double size = 0;
                for (int k = 0; k < weights; k++) {
                    double term = (double) w[k] * in[7 + offsets[k]];
                    sum += term;
                    size += Math.abs(term);
                }
                Rounding.assertSum(sum, scalar.gather(in, 7, offsets, w, 0, weights), weights + 1, size, "gather");
                Rounding.assertSum(sum, simd.gather(in, 7, offsets, w, 0, weights), weights + 1, size, "gather");
            }
            float[] x = random(count + 3);
            float[] y = random(count + 2);
            double dot = 0;
            double size = 0;
            for (int i = 0; i < count; i++) {
                double term = (double) x[3 + i] * y[2 + i];
                dot += term;
                size += Math.abs(term);
            }
            Rounding.assertSum(dot, scalar.dot(x, 3, y, 2, count), count + 1, size, "dot");
            Rounding.assertSum(dot, simd.dot(x, 3, y, 2, count), count + 1, size, "dot");
        }
    }

    @Test
    void notANumberGoesThrough() {
        float[] in = new float[64];
        in[3] = Float.NaN;
        float[] out = new float[64];
        simd.accumulate(in, 0, new int[]{0}, new float[]{1}, 0, 1, 0, 0, out, 0, 10);
        assertEquals(Float.NaN, out[3]);
        assertEquals(0, out[4]);
        simd.maxPool(in, 0, 8, 2, 2, 1, out, 0, 2, 4);
        assertEquals(Float.NaN, out[1]);
        assertEquals(0, out[0]);
    }

    @Test
    void everyKindOfNumberPassesFloorsAndPools() {
        float[] kinds = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, -Float.MAX_VALUE,
            Float.MIN_VALUE, -Float.MIN_VALUE, 0f, -0f, 1};
        for (int n : new int[]{1, 5, 16, 32}) {
            int rowStride = 6 * n;
            float[] in = new float[4 * rowStride + 2 * SparseKernels.SLACK];
            float[] expected = new float[in.length];
            float[] actual = new float[in.length];
            for (int trial = 0; trial < 300; trial++) {
                // In some trials, one place alone is none of the usual numbers.
                boolean one = trial % 3 == 0;
                for (int i = 0; i < in.length; i++) {
                    in[i] = one ? random.nextInt(3) - 1 : kinds[random.nextInt(trial % 3 == 1 ? kinds.length : 5)];
                }
                in[random.nextInt(4 * rowStride)] = kinds[random.nextInt(kinds.length)];
                scalar.maxPool(in, 0, rowStride, 2, 2, n, expected, 0, 2, 3);
                simd.maxPool(in, 0, rowStride, 2, 2, n, actual, 0, 2, 3);
                for (int i = 0; i < 6 * n; i++) {
                    // Zeros of either sign are the same maximum.
                    assertEquals(expected[i] + 0f, actual[i] + 0f, "n " + n + ", " + i);
                }
                for (float floor : new float[]{0, Float.NEGATIVE_INFINITY}) {
                    scalar.accumulate(in, 0, new int[]{0}, new float[]{1}, 0, 1, 0, floor, expected, 0, rowStride);
                    simd.accumulate(in, 0, new int[]{0}, new float[]{1}, 0, 1, 0, floor, actual, 0, rowStride);
                    assertArrayEquals(Arrays.copyOf(expected, rowStride), Arrays.copyOf(actual, rowStride));
                }
            }
        }
    }

    @Test
    void poolsAreThoseOfTheOracle() {
        for (int n : new int[]{1, 5, 16, 32}) {
            for (int width : new int[]{1, 4, 5, 12, 33}) {
                for (int[] window : new int[][]{{2, 2}, {3, 2}, {3, 1}, {2, 3}}) {
                    int inWidth = (width - 1) * window[1] + window[0];
                    int height = 3;
                    int inHeight = (height - 1) * window[1] + window[0];
                    int rowStride = (inWidth + 2) * n;
                    float[] in = random(4 + inHeight * rowStride + SparseKernels.SLACK);
                    float[] expected = new float[2 + height * width * n + SparseKernels.SLACK];
                    float[] actual = expected.clone();
                    scalar.maxPool(in, 4, rowStride, window[0], window[1], n, expected, 2, height, width);
                    simd.maxPool(in, 4, rowStride, window[0], window[1], n, actual, 2, height, width);
                    int used = 2 + height * width * n;
                    assertArrayEquals(Arrays.copyOf(expected, used), Arrays.copyOf(actual, used));
                }
            }
        }
    }

    private static float[] totals(float[] parts) {
        float[] totals = new float[parts.length / SparseKernels.SLACK];
        for (int i = 0; i < parts.length; i++) {
            totals[i / SparseKernels.SLACK] += parts[i];
        }
        return totals;
    }

    @Test
    void transposedSumsAreThoseOfTheOracle() {
        for (int count : new int[]{0, 1, 3, 15, 16, 17, 31, 32, 33, 64, 67, 127, 128, 512}) {
            for (int weights : new int[]{0, 1, 2, 3, 30}) {
                int[] offsets = random.ints(weights, 0, 900).toArray();
                float[] in = random(1000 + count);
                float[] gradient = random(count + 5);
                float[] w = random(weights);
                float[] parts = random(weights * SparseKernels.SLACK);
                float[] same = parts.clone();
                scalar.accumulateWeights(in, 7, 0, offsets, parts, 0, weights, gradient, 5, 1, count);
                simd.accumulateWeights(in, 7, 0, offsets, same, 0, weights, gradient, 5, 1, count);
                Rounding.assertClose(totals(parts), totals(same), count + 2 + SparseKernels.SLACK, "accumulateWeights");
                float[] scattered = random(1000 + count);
                float[] other = scattered.clone();
                scalar.scatter(gradient, 5, offsets, w, 0, weights, scattered, 7, count);
                simd.scatter(gradient, 5, offsets, w, 0, weights, other, 7, count);
                Rounding.assertClose(scattered, other, weights + 2, "scatter");
            }
            float[] x = random(count + 3);
            double size = IntStream.range(3, count + 3).mapToDouble(i -> Math.abs(x[i])).sum();
            Rounding.assertSum(scalar.sum(x, 3, count), simd.sum(x, 3, count), count, size, "sum");
        }
    }

    @Test
    void theFirstMaximumGetsTheGradient() {
        for (int n : new int[]{1, 5, 16, 32}) {
            for (int kernel : new int[]{1, 2, 3}) {
                int width = 3;
                int rowStride = (width * kernel + 1) * n;
                // Small whole numbers, so that windows have ties.
                float[] in = new float[4 + 2 * kernel * rowStride + SparseKernels.SLACK];
                for (int i = 0; i < in.length; i++) {
                    in[i] = random.nextInt(3);
                }
                float[] out = new float[2 + 2 * width * n + SparseKernels.SLACK];
                scalar.maxPool(in, 4, rowStride, kernel, kernel, n, out, 2, 2, width);
                float[] gradient = random(out.length);
                float[] expected = new float[in.length];
                float[] actual = new float[in.length];
                scalar.maxPoolBackward(in, expected, 4, rowStride, kernel, n, out, gradient, 2, 2, width);
                simd.maxPoolBackward(in, actual, 4, rowStride, kernel, n, out, gradient, 2, 2, width);
                assertArrayEquals(expected, actual);
                double given = 0;
                double wanted = 0;
                double size = 0;
                for (float value : expected) {
                    given += value;
                }
                for (int i = 2; i < 2 + 2 * width * n; i++) {
                    wanted += gradient[i];
                    size += Math.abs(gradient[i]);
                }
                // A place gets a gradient from each window that it is the maximum of.
                Rounding.assertSum(wanted, given, kernel * kernel, size, "sum of the gradient");
            }
        }
    }

    @Test
    void rowsWithGapsAddUpInEveryWeight() {
        for (int weights : new int[]{1, 2, 4, 7, 8, 9, 29}) {
            for (int count : new int[]{1, 16, 48, 67}) {
                int rows = 3;
                int stride = count + 11;
                int[] offsets = random.ints(weights, 0, 200).toArray();
                float[] in = random(300 + rows * stride);
                float[] gradient = random(5 + rows * count);
                float[] expected = random(weights * SparseKernels.SLACK);
                float[] actual = expected.clone();
                double[] sums = new double[weights];
                double[] sizes = new double[weights];
                for (int k = 0; k < weights; k++) {
                    for (int i = 0; i < SparseKernels.SLACK; i++) {
                        sums[k] += expected[k * SparseKernels.SLACK + i];
                        sizes[k] += Math.abs(expected[k * SparseKernels.SLACK + i]);
                    }
                    for (int r = 0; r < rows; r++) {
                        for (int p = 0; p < count; p++) {
                            double term = (double) gradient[5 + r * count + p] * in[7 + r * stride + offsets[k] + p];
                            sums[k] += term;
                            sizes[k] += Math.abs(term);
                        }
                    }
                }
                scalar.accumulateWeights(in, 7, stride, offsets, expected, 0, weights, gradient, 5, rows, count);
                simd.accumulateWeights(in, 7, stride, offsets, actual, 0, weights, gradient, 5, rows, count);
                for (int k = 0; k < weights; k++) {
                    int additions = rows * count + SparseKernels.SLACK;
                    Rounding.assertSum(sums[k], totals(expected)[k], additions, sizes[k], "scalar");
                    Rounding.assertSum(sums[k], totals(actual)[k], additions, sizes[k], "simd");
                }
            }
        }
    }

    @Test
    void placesSpreadTheGradientAsMaxPoolBackwardDoes() {
        for (int n : new int[]{1, 5, 16, 32, 67}) {
            int width = 3;
            int rowStride = (2 * width + 1) * n;
            for (float floor : new float[]{Float.NEGATIVE_INFINITY, 0}) {
                // Small whole numbers, so that windows have ties.
                float[] in = new float[4 + 4 * rowStride + SparseKernels.SLACK];
                for (int i = 0; i < in.length; i++) {
                    in[i] = Math.max(floor, random.nextInt(5) - 3);
                }
                int used = 2 + 2 * width * n;
                float[] out = new float[used + SparseKernels.SLACK];
                float[] gradient = random(out.length);
                scalar.maxPool(in, 4, rowStride, 2, 2, n, out, 2, 2, width);
                float[] wanted = gradient.clone();
                for (int i = 2; i < used; i++) {
                    wanted[i] = out[i] > floor ? gradient[i] : 0;
                }
                float[] expected = new float[in.length];
                scalar.maxPoolBackward(in, expected, 4, rowStride, 2, n, out, wanted, 2, 2, width);
                for (SparseKernels kernels : new SparseKernels[]{scalar, simd}) {
                    float[] maxima = new float[out.length];
                    float[] places = new float[out.length];
                    float[] actual = new float[in.length];
                    kernels.maxPoolPlaces(in, 4, rowStride, n, floor, maxima, places, 2, 2, width);
                    assertArrayEquals(Arrays.copyOf(out, used), Arrays.copyOf(maxima, used), kernels.name());
                    kernels.spread(gradient, places, 2, 2, width, n, actual, 4, rowStride);
                    assertArrayEquals(expected, actual, kernels.name());
                }
            }
        }
    }

    @Test
    void maximaThatAreNoNumbersAreThoseOfTheOracle() {
        float[] kinds = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1, 0};
        float[] expected = new float[32 + SparseKernels.SLACK];
        float[] actual = expected.clone();
        float[] places = expected.clone();
        float[] same = expected.clone();
        for (int trial = 0; trial < 200; trial++) {
            float[] in = new float[4 * 32 + SparseKernels.SLACK];
            for (int i = 0; i < in.length; i++) {
                in[i] = kinds[random.nextInt(kinds.length)];
            }
            scalar.maxPoolPlaces(in, 0, 64, 16, Float.NEGATIVE_INFINITY, expected, places, 0, 1, 2);
            simd.maxPoolPlaces(in, 0, 64, 16, Float.NEGATIVE_INFINITY, actual, same, 0, 1, 2);
            for (int i = 0; i < 32; i++) {
                assertEquals(expected[i] + 0f, actual[i] + 0f);
                assertEquals(places[i], same[i]);
            }
        }
    }

    @Test
    void reluPassesTheGradientOfWhatIsAboveZero() {
        for (int count = 0; count <= 67; count++) {
            float[] out = random(count + 3);
            float[] gradient = random(count + 3);
            float[] expected = new float[count + 5];
            float[] actual = new float[count + 5];
            scalar.reluBackward(out, gradient, 3, expected, 5, count);
            simd.reluBackward(out, gradient, 3, actual, 5, count);
            assertArrayEquals(expected, actual);
            for (int p = 0; p < count; p++) {
                assertEquals(out[3 + p] > 0 ? gradient[3 + p] : 0, expected[5 + p]);
            }
        }
    }
}
