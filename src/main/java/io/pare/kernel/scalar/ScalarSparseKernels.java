package io.pare.kernel.scalar;

import io.pare.kernel.SparseKernels;

/** {@link SparseKernels} in plain Java. */
public final class ScalarSparseKernels implements SparseKernels {
    private static final int BLOCK = 8;

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public void accumulate(float[] in, int inAt, int[] offsets, float[] weights, int from, int to, float bias,
            float floor, float[] out, int outAt, int count) {
        for (int p = 0; p < count; p++) {
            out[outAt + p] = bias;
        }
        for (int k = from; k < to; k++) {
            float weight = weights[k];
            int at = inAt + offsets[k];
            for (int p = 0; p < count; p++) {
                out[outAt + p] += weight * in[at + p];
            }
        }
        if (floor > Float.NEGATIVE_INFINITY) {
            for (int p = 0; p < count; p++) {
                out[outAt + p] = Math.max(floor, out[outAt + p]);
            }
        }
    }

    @Override
    public float gather(float[] in, int inAt, int[] offsets, float[] weights, int from, int to) {
        float sum0 = 0;
        float sum1 = 0;
        int k = from;
        for (; k < to - 1; k += 2) {
            sum0 += weights[k] * in[inAt + offsets[k]];
            sum1 += weights[k + 1] * in[inAt + offsets[k + 1]];
        }
        return k < to ? sum0 + sum1 + weights[k] * in[inAt + offsets[k]] : sum0 + sum1;
    }

    @Override
    public float dot(float[] weights, int weightsAt, float[] in, int inAt, int count) {
        float total = 0;
        int i = 0;
        for (; i + BLOCK <= count; i += BLOCK) {
            float sum = 0;
            for (int j = i; j < i + BLOCK; j++) {
                sum += weights[weightsAt + j] * in[inAt + j];
            }
            total += sum;
        }
        for (; i < count; i++) {
            total += weights[weightsAt + i] * in[inAt + i];
        }
        return total;
    }

    @Override
    public float sum(float[] in, int inAt, int count) {
        float total = 0;
        int i = 0;
        for (; i + BLOCK <= count; i += BLOCK) {
            float sum = 0;
            for (int j = i; j < i + BLOCK; j++) {
                sum += in[inAt + j];
            }
            total += sum;
        }
        for (; i < count; i++) {
            total += in[inAt + i];
        }
        return total;
    }

    @Override
    public void accumulateWeights(float[] in, int inAt, int rowStride, int[] offsets, float[] sums, int from, int to,
            float[] gradient, int gradientAt, int rows, int count) {
        for (int k = from; k < to; k++) {
            for (int r = 0; r < rows; r++) {
                sums[k * SLACK] += dot(in, inAt + r * rowStride + offsets[k], gradient, gradientAt + r * count, count);
            }
        }
    }

    @Override
    public void scatter(float[] gradient, int gradientAt, int[] offsets, float[] weights, int from, int to,
            float[] out, int outAt, int count) {
        for (int k = from; k < to; k++) {
            int at = outAt + offsets[k];
            for (int p = 0; p < count; p++) {
                out[at + p] += weights[k] * gradient[gradientAt + p];
            }
        }
    }

    @Override
    public void maxPoolPlaces(float[] in, int inAt, int rowStride, int n, float floor, float[] out, float[] places,
            int outAt, int outHeight, int outWidth) {
        maxPool(in, inAt, rowStride, 2, 2, n, out, outAt, outHeight, outWidth);
        for (int y = 0, to = outAt; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int window = inAt + 2 * (y * rowStride + x * n);
                for (int i = window; i < window + n; i++, to++) {
                    float max = out[to];
                    int place = in[i] == max ? 0 : in[i + n] == max ? 1 : in[i + rowStride] == max ? 2 : 3;
                    places[to] = max > floor ? place : NOWHERE;
                }
            }
        }
    }

    @Override
    public void spread(float[] dOut, float[] places, int outAt, int outHeight, int outWidth, int n, float[] dIn,
            int inAt, int rowStride) {
        for (int y = 0, from = outAt; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int window = inAt + 2 * (y * rowStride + x * n);
                for (int i = window; i < window + n; i++, from++) {
                    for (int place = 0; place < 4; place++) {
                        dIn[i + place / 2 * rowStride + place % 2 * n] = places[from] == place ? dOut[from] : 0;
                    }
                }
            }
        }
    }

    @Override
    public void reluBackward(float[] out, float[] dOut, int at, float[] dIn, int inAt, int count) {
        for (int p = 0; p < count; p++) {
            dIn[inAt + p] = out[at + p] > 0 ? dOut[at + p] : 0;
        }
    }

    @Override
    public void maxPoolBackward(float[] in, float[] dIn, int inAt, int rowStride, int kernel, int n, float[] out,
            float[] dOut, int outAt, int outHeight, int outWidth) {
        int from = outAt;
        for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int window = inAt + y * kernel * rowStride + x * kernel * n;
                for (int i = 0; i < n; i++, from++) {
                    boolean given = false;
                    for (int ky = 0; ky < kernel; ky++) {
                        for (int kx = 0; kx < kernel; kx++) {
                            int at = window + ky * rowStride + kx * n + i;
                            boolean first = !given && in[at] == out[from];
                            dIn[at] = first ? dOut[from] : 0;
                            given |= first;
                        }
                    }
                }
            }
        }
    }

    @Override
    public void maxPool(float[] in, int inAt, int rowStride, int kernel, int stride, int n, float[] out, int outAt,
            int outHeight, int outWidth) {
        int to = outAt;
        for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int window = inAt + y * stride * rowStride + x * stride * n;
                for (int i = 0; i < n; i++) {
                    float max = in[window + i];
                    for (int ky = 0; ky < kernel; ky++) {
                        for (int kx = 0; kx < kernel; kx++) {
                            max = Math.max(max, in[window + ky * rowStride + kx * n + i]);
                        }
                    }
                    out[to++] = max;
                }
            }
        }
    }
}
