package io.pare.kernel.simd;

import io.pare.kernel.SparseKernels;
import io.pare.kernel.scalar.ScalarSparseKernels;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops of sparse layers with the Vector API.
 *
 * <p>Sums stay in registers over all weights of an output: one load and one multiply-add per weight and vector. Tails
 * are whole vectors too, which the slack behind every array allows.
 *
 * <p>No method takes or returns a vector. Where a call is rare for its caller, as after a loop or in a tail, the compiler
 * keeps it, and boxes the vector each time: 32 KB a step of training with masks, for as long as the process runs.
 *
 * <p>A limit from below is a comparison and a choice instead of {@code max}, which agrees bit by bit where the limit is a
 * number. On x86 {@code max} is six instructions, because it settles NaN and zeros of either sign for both operands.
 */
public final class SimdSparseKernels implements SparseKernels {
    private static final VectorSpecies<Float> F = Species.F32;
    private static final int L = F.length();
    private static final VectorShuffle<Float> EVEN = VectorShuffle.fromOp(F, i -> 2 * i % F.length());
    private static final VectorShuffle<Float> ODD = VectorShuffle.fromOp(F, i -> (2 * i + 1) % F.length());
    private static final ScalarSparseKernels SCALAR = new ScalarSparseKernels();

    @Override
    public String name() {
        return "simd(" + Species.BITS + ")";
    }

    @Override
    public void accumulate(float[] in, int inAt, int[] offsets, float[] weights, int from, int to, float bias,
            float floor, float[] out, int outAt, int count) {
        int p = 0;
        for (; p < count - 7 * L; p += 8 * L) {
            eight(in, inAt + p, offsets, weights, from, to, bias, floor, out, outAt + p);
        }
        if (p < count - 5 * L) {
            six(in, inAt + p, offsets, weights, from, to, bias, floor, out, outAt + p);
            p += 6 * L;
        }
        if (p < count - 3 * L) {
            four(in, inAt + p, offsets, weights, from, to, bias, floor, out, outAt + p);
            p += 4 * L;
        }
        if (p < count - L) {
            two(in, inAt + p, offsets, weights, from, to, bias, floor, out, outAt + p);
            p += 2 * L;
        }
        if (p < count) {
            one(in, inAt + p, offsets, weights, from, to, bias, floor, out, outAt + p);
        }
    }

    private static void eight(float[] in, int inAt, int[] offsets, float[] weights, int from, int to, float bias,
            float floor, float[] out, int outAt) {
        FloatVector a0 = FloatVector.broadcast(F, bias);
        FloatVector a1 = FloatVector.broadcast(F, bias);
        FloatVector a2 = FloatVector.broadcast(F, bias);
        FloatVector a3 = FloatVector.broadcast(F, bias);
        FloatVector a4 = FloatVector.broadcast(F, bias);
        FloatVector a5 = FloatVector.broadcast(F, bias);
        FloatVector a6 = FloatVector.broadcast(F, bias);
        FloatVector a7 = FloatVector.broadcast(F, bias);
        for (int k = from; k < to; k++) {
            int at = inAt + offsets[k];
            FloatVector w = FloatVector.broadcast(F, weights[k]);
            a0 = FloatVector.fromArray(F, in, at).fma(w, a0);
            a1 = FloatVector.fromArray(F, in, at + L).fma(w, a1);
            a2 = FloatVector.fromArray(F, in, at + 2 * L).fma(w, a2);
            a3 = FloatVector.fromArray(F, in, at + 3 * L).fma(w, a3);
            a4 = FloatVector.fromArray(F, in, at + 4 * L).fma(w, a4);
            a5 = FloatVector.fromArray(F, in, at + 5 * L).fma(w, a5);
            a6 = FloatVector.fromArray(F, in, at + 6 * L).fma(w, a6);
            a7 = FloatVector.fromArray(F, in, at + 7 * L).fma(w, a7);
        }
        a0.blend(floor, a0.compare(VectorOperators.LE, floor)).intoArray(out, outAt);
        a1.blend(floor, a1.compare(VectorOperators.LE, floor)).intoArray(out, outAt + L);
        a2.blend(floor, a2.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 2 * L);
        a3.blend(floor, a3.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 3 * L);
        a4.blend(floor, a4.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 4 * L);
        a5.blend(floor, a5.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 5 * L);
        a6.blend(floor, a6.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 6 * L);
        a7.blend(floor, a7.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 7 * L);
    }

    private static void six(float[] in, int inAt, int[] offsets, float[] weights, int from, int to, float bias,
            float floor, float[] out, int outAt) {
        FloatVector a0 = FloatVector.broadcast(F, bias);
        FloatVector a1 = FloatVector.broadcast(F, bias);
        FloatVector a2 = FloatVector.broadcast(F, bias);
        FloatVector a3 = FloatVector.broadcast(F, bias);
        FloatVector a4 = FloatVector.broadcast(F, bias);
        FloatVector a5 = FloatVector.broadcast(F, bias);
        for (int k = from; k < to; k++) {
            int at = inAt + offsets[k];
            FloatVector w = FloatVector.broadcast(F, weights[k]);
            a0 = FloatVector.fromArray(F, in, at).fma(w, a0);
            a1 = FloatVector.fromArray(F, in, at + L).fma(w, a1);
            a2 = FloatVector.fromArray(F, in, at + 2 * L).fma(w, a2);
            a3 = FloatVector.fromArray(F, in, at + 3 * L).fma(w, a3);
            a4 = FloatVector.fromArray(F, in, at + 4 * L).fma(w, a4);
            a5 = FloatVector.fromArray(F, in, at + 5 * L).fma(w, a5);
        }
        a0.blend(floor, a0.compare(VectorOperators.LE, floor)).intoArray(out, outAt);
        a1.blend(floor, a1.compare(VectorOperators.LE, floor)).intoArray(out, outAt + L);
        a2.blend(floor, a2.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 2 * L);
        a3.blend(floor, a3.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 3 * L);
        a4.blend(floor, a4.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 4 * L);
        a5.blend(floor, a5.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 5 * L);
    }

    private static void four(float[] in, int inAt, int[] offsets, float[] weights, int from, int to, float bias,
            float floor, float[] out, int outAt) {
        FloatVector a0 = FloatVector.broadcast(F, bias);
        FloatVector a1 = FloatVector.broadcast(F, bias);
        FloatVector a2 = FloatVector.broadcast(F, bias);
        FloatVector a3 = FloatVector.broadcast(F, bias);
        for (int k = from; k < to; k++) {
            int at = inAt + offsets[k];
            FloatVector w = FloatVector.broadcast(F, weights[k]);
            a0 = FloatVector.fromArray(F, in, at).fma(w, a0);
            a1 = FloatVector.fromArray(F, in, at + L).fma(w, a1);
            a2 = FloatVector.fromArray(F, in, at + 2 * L).fma(w, a2);
            a3 = FloatVector.fromArray(F, in, at + 3 * L).fma(w, a3);
        }
        a0.blend(floor, a0.compare(VectorOperators.LE, floor)).intoArray(out, outAt);
        a1.blend(floor, a1.compare(VectorOperators.LE, floor)).intoArray(out, outAt + L);
        a2.blend(floor, a2.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 2 * L);
        a3.blend(floor, a3.compare(VectorOperators.LE, floor)).intoArray(out, outAt + 3 * L);
    }

    private static void two(float[] in, int inAt, int[] offsets, float[] weights, int from, int to, float bias,
            float floor, float[] out, int outAt) {
        FloatVector a0 = FloatVector.broadcast(F, bias);
        FloatVector a1 = FloatVector.broadcast(F, bias);
        for (int k = from; k < to; k++) {
            int at = inAt + offsets[k];
            FloatVector w = FloatVector.broadcast(F, weights[k]);
            a0 = FloatVector.fromArray(F, in, at).fma(w, a0);
            a1 = FloatVector.fromArray(F, in, at + L).fma(w, a1);
        }
        a0.blend(floor, a0.compare(VectorOperators.LE, floor)).intoArray(out, outAt);
        a1.blend(floor, a1.compare(VectorOperators.LE, floor)).intoArray(out, outAt + L);
    }

    /** Two sums, because one would wait for each multiply-add in turn. */
    private static void one(float[] in, int inAt, int[] offsets, float[] weights, int from, int to, float bias,
            float floor, float[] out, int outAt) {
        FloatVector a0 = FloatVector.broadcast(F, bias);
        FloatVector a1 = FloatVector.zero(F);
        int k = from;
        for (; k < to - 1; k += 2) {
            a0 = FloatVector.fromArray(F, in, inAt + offsets[k]).fma(FloatVector.broadcast(F, weights[k]), a0);
            a1 = FloatVector.fromArray(F, in, inAt + offsets[k + 1]).fma(FloatVector.broadcast(F, weights[k + 1]), a1);
        }
        if (k < to) {
            a0 = FloatVector.fromArray(F, in, inAt + offsets[k]).fma(FloatVector.broadcast(F, weights[k]), a0);
        }
        FloatVector sum = a0.add(a1);
        sum.blend(floor, sum.compare(VectorOperators.LE, floor)).intoArray(out, outAt);
    }

    /** Plain loads beat the gather instruction at the few weights per output that a sparse layer has. */
    @Override
    public float gather(float[] in, int inAt, int[] offsets, float[] weights, int from, int to) {
        float sum0 = 0;
        float sum1 = 0;
        float sum2 = 0;
        float sum3 = 0;
        int k = from;
        for (; k < to - 3; k += 4) {
            sum0 += weights[k] * in[inAt + offsets[k]];
            sum1 += weights[k + 1] * in[inAt + offsets[k + 1]];
            sum2 += weights[k + 2] * in[inAt + offsets[k + 2]];
            sum3 += weights[k + 3] * in[inAt + offsets[k + 3]];
        }
        for (; k < to; k++) {
            sum0 += weights[k] * in[inAt + offsets[k]];
        }
        return sum0 + sum1 + (sum2 + sum3);
    }

    /** Four sums hide the latency of the multiply-add. */
    @Override
    public float dot(float[] weights, int weightsAt, float[] in, int inAt, int count) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = FloatVector.zero(F);
        FloatVector a2 = FloatVector.zero(F);
        FloatVector a3 = FloatVector.zero(F);
        int i = 0;
        for (; i <= count - 4 * L; i += 4 * L) {
            int w = weightsAt + i;
            int x = inAt + i;
            a0 = FloatVector.fromArray(F, weights, w).fma(FloatVector.fromArray(F, in, x), a0);
            a1 = FloatVector.fromArray(F, weights, w + L).fma(FloatVector.fromArray(F, in, x + L), a1);
            a2 = FloatVector.fromArray(F, weights, w + 2 * L).fma(FloatVector.fromArray(F, in, x + 2 * L), a2);
            a3 = FloatVector.fromArray(F, weights, w + 3 * L).fma(FloatVector.fromArray(F, in, x + 3 * L), a3);
        }
        for (; i <= count - L; i += L) {
            a0 = FloatVector.fromArray(F, weights, weightsAt + i).fma(FloatVector.fromArray(F, in, inAt + i), a0);
        }
        FloatVector all = a0.add(a1).add(a2.add(a3));
        FloatVector by8 = L > 8 ? all.add(all.rearrange(Lanes.FLOATS_BY_8)) : all;
        FloatVector by4 = L > 4 ? by8.add(by8.rearrange(Lanes.FLOATS_BY_4)) : by8;
        FloatVector by2 = by4.add(by4.rearrange(Lanes.FLOATS_BY_2));
        float sum = by2.add(by2.rearrange(Lanes.FLOATS_BY_1)).lane(0);
        for (; i < count; i++) {
            sum += weights[weightsAt + i] * in[inAt + i];
        }
        return sum;
    }

    @Override
    public void maxPool(float[] in, int inAt, int rowStride, int kernel, int stride, int n, float[] out, int outAt,
            int outHeight, int outWidth) {
        if (n % L == 0 && kernel != 2) {
            samples(in, inAt, rowStride, kernel, stride, n, out, outAt, outHeight, outWidth);
            return;
        }
        boolean done = n % L == 0
                ? quads(in, inAt, rowStride, stride, n, out, outAt, outHeight, outWidth)
                : n == 1 && kernel == 2 && stride == 2 && pairs(in, inAt, rowStride, out, outAt, outHeight, outWidth);
        if (!done) {
            SCALAR.maxPool(in, inAt, rowStride, kernel, stride, n, out, outAt, outHeight, outWidth);
        }
    }

    /**
     * One sample: neighbours of a row are brought together by two shuffles. Returns whether the result holds: not if the
     * sum of the values is not finite, for then one may be NaN.
     */
    private static boolean pairs(float[] in, int inAt, int rowStride, float[] out, int outAt, int outHeight,
            int outWidth) {
        FloatVector upperSum = FloatVector.zero(F);
        FloatVector lowerSum = FloatVector.zero(F);
        int halves = (outWidth + L / 2 - 1) / (L / 2);
        int from = inAt;
        int to = outAt;
        int x = 0;
        // One loop over rows and halves: an inner one of one or two turns would take as long to set up as to run.
        for (int i = 0; i < outHeight * halves; i++) {
            FloatVector u = FloatVector.fromArray(F, in, from + 2 * x);
            FloatVector l = FloatVector.fromArray(F, in, from + rowStride + 2 * x);
            upperSum = upperSum.add(u);
            lowerSum = lowerSum.add(l);
            FloatVector v = u.blend(l, l.compare(VectorOperators.GT, u));
            FloatVector even = v.rearrange(EVEN);
            FloatVector odd = v.rearrange(ODD);
            even.blend(odd, odd.compare(VectorOperators.GT, even)).intoArray(out, to + x);
            x += L / 2;
            if (x >= outWidth) {
                x = 0;
                from += 2 * rowStride;
                to += outWidth;
            }
        }
        FloatVector sum = upperSum.add(lowerSum);
        return sum.sub(sum).compare(VectorOperators.EQ, 0).allTrue();
    }

    /** Windows of two by two. Returns whether the result holds, as {@link #pairs}. */
    private static boolean quads(float[] in, int inAt, int rowStride, int stride, int n, float[] out, int outAt,
            int outHeight, int outWidth) {
        FloatVector upperSum = FloatVector.zero(F);
        FloatVector lowerSum = FloatVector.zero(F);
        int to = outAt;
        for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int upper = inAt + y * stride * rowStride + x * stride * n;
                int lower = upper + rowStride;
                for (int i = 0; i < n; i += L) {
                    FloatVector a = FloatVector.fromArray(F, in, upper + i);
                    FloatVector b = FloatVector.fromArray(F, in, upper + n + i);
                    FloatVector c = FloatVector.fromArray(F, in, lower + i);
                    FloatVector d = FloatVector.fromArray(F, in, lower + n + i);
                    upperSum = upperSum.add(a.add(b));
                    lowerSum = lowerSum.add(c.add(d));
                    FloatVector first = a.blend(b, b.compare(VectorOperators.GT, a));
                    FloatVector last = c.blend(d, d.compare(VectorOperators.GT, c));
                    first.blend(last, last.compare(VectorOperators.GT, first)).intoArray(out, to);
                    to += L;
                }
            }
        }
        FloatVector sum = upperSum.add(lowerSum);
        return sum.sub(sum).compare(VectorOperators.EQ, 0).allTrue();
    }

    private static void samples(float[] in, int inAt, int rowStride, int kernel, int stride, int n, float[] out,
            int outAt, int outHeight, int outWidth) {
        int to = outAt;
        for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int window = inAt + y * stride * rowStride + x * stride * n;
                for (int i = 0; i < n; i += L) {
                    FloatVector max = FloatVector.fromArray(F, in, window + i);
                    for (int ky = 0; ky < kernel; ky++) {
                        for (int kx = ky == 0 ? 1 : 0; kx < kernel; kx++) {
                            max = max.max(FloatVector.fromArray(F, in, window + ky * rowStride + kx * n + i));
                        }
                    }
                    max.intoArray(out, to);
                    to += L;
                }
            }
        }
    }

    @Override
    public float sum(float[] in, int inAt, int count) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = FloatVector.zero(F);
        int i = 0;
        for (; i <= count - 2 * L; i += 2 * L) {
            a0 = a0.add(FloatVector.fromArray(F, in, inAt + i));
            a1 = a1.add(FloatVector.fromArray(F, in, inAt + i + L));
        }
        FloatVector all = a0.add(a1);
        FloatVector by8 = L > 8 ? all.add(all.rearrange(Lanes.FLOATS_BY_8)) : all;
        FloatVector by4 = L > 4 ? by8.add(by8.rearrange(Lanes.FLOATS_BY_4)) : by8;
        FloatVector by2 = by4.add(by4.rearrange(Lanes.FLOATS_BY_2));
        float sum = by2.add(by2.rearrange(Lanes.FLOATS_BY_1)).lane(0);
        for (; i < count; i++) {
            sum += in[inAt + i];
        }
        return sum;
    }

    /** Eight weights at a time share the loads of the gradient, and keep their sums in registers over all rows. */
    @Override
    public void accumulateWeights(float[] in, int inAt, int rowStride, int[] offsets, float[] sums, int from, int to,
            float[] gradient, int gradientAt, int rows, int count) {
        if (count % L != 0) {
            SCALAR.accumulateWeights(in, inAt, rowStride, offsets, sums, from, to, gradient, gradientAt, rows, count);
            return;
        }
        int k = from;
        for (; k < to - 7; k += 8) {
            eight(in, inAt, rowStride, offsets, sums, k, gradient, gradientAt, rows, count);
        }
        if (k < to - 3) {
            four(in, inAt, rowStride, offsets, sums, k, gradient, gradientAt, rows, count);
            k += 4;
        }
        for (; k < to; k++) {
            one(in, inAt, rowStride, offsets, sums, k, gradient, gradientAt, rows, count);
        }
    }

    /**
     * Of rows that follow each other with gaps, in one loop: a vector that lives across two is boxed. So is one that is given to a
     * method, wherever the compiler chooses not to inline it.
     */
    private static void eight(float[] in, int inAt, int rowStride, int[] offsets, float[] sums, int k, float[] gradient,
            int gradientAt, int rows, int count) {
        int at0 = inAt + offsets[k];
        int at1 = inAt + offsets[k + 1];
        int at2 = inAt + offsets[k + 2];
        int at3 = inAt + offsets[k + 3];
        int at4 = inAt + offsets[k + 4];
        int at5 = inAt + offsets[k + 5];
        int at6 = inAt + offsets[k + 6];
        int at7 = inAt + offsets[k + 7];
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = FloatVector.zero(F);
        FloatVector a2 = FloatVector.zero(F);
        FloatVector a3 = FloatVector.zero(F);
        FloatVector a4 = FloatVector.zero(F);
        FloatVector a5 = FloatVector.zero(F);
        FloatVector a6 = FloatVector.zero(F);
        FloatVector a7 = FloatVector.zero(F);
        int end = gradientAt + rows * count;
        int p = 0;
        int rest = count;
        for (int at = gradientAt; at < end; at += L) {
            FloatVector g = FloatVector.fromArray(F, gradient, at);
            a0 = FloatVector.fromArray(F, in, at0 + p).fma(g, a0);
            a1 = FloatVector.fromArray(F, in, at1 + p).fma(g, a1);
            a2 = FloatVector.fromArray(F, in, at2 + p).fma(g, a2);
            a3 = FloatVector.fromArray(F, in, at3 + p).fma(g, a3);
            a4 = FloatVector.fromArray(F, in, at4 + p).fma(g, a4);
            a5 = FloatVector.fromArray(F, in, at5 + p).fma(g, a5);
            a6 = FloatVector.fromArray(F, in, at6 + p).fma(g, a6);
            a7 = FloatVector.fromArray(F, in, at7 + p).fma(g, a7);
            p += L;
            rest -= L;
            if (rest == 0) {
                rest = count;
                p += rowStride - count;
            }
        }
        a0.add(FloatVector.fromArray(F, sums, k * SLACK)).intoArray(sums, k * SLACK);
        a1.add(FloatVector.fromArray(F, sums, (k + 1) * SLACK)).intoArray(sums, (k + 1) * SLACK);
        a2.add(FloatVector.fromArray(F, sums, (k + 2) * SLACK)).intoArray(sums, (k + 2) * SLACK);
        a3.add(FloatVector.fromArray(F, sums, (k + 3) * SLACK)).intoArray(sums, (k + 3) * SLACK);
        a4.add(FloatVector.fromArray(F, sums, (k + 4) * SLACK)).intoArray(sums, (k + 4) * SLACK);
        a5.add(FloatVector.fromArray(F, sums, (k + 5) * SLACK)).intoArray(sums, (k + 5) * SLACK);
        a6.add(FloatVector.fromArray(F, sums, (k + 6) * SLACK)).intoArray(sums, (k + 6) * SLACK);
        a7.add(FloatVector.fromArray(F, sums, (k + 7) * SLACK)).intoArray(sums, (k + 7) * SLACK);
    }

    private static void four(float[] in, int inAt, int rowStride, int[] offsets, float[] sums, int k, float[] gradient,
            int gradientAt, int rows, int count) {
        int at0 = inAt + offsets[k];
        int at1 = inAt + offsets[k + 1];
        int at2 = inAt + offsets[k + 2];
        int at3 = inAt + offsets[k + 3];
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = FloatVector.zero(F);
        FloatVector a2 = FloatVector.zero(F);
        FloatVector a3 = FloatVector.zero(F);
        int end = gradientAt + rows * count;
        int p = 0;
        int rest = count;
        for (int at = gradientAt; at < end; at += L) {
            FloatVector g = FloatVector.fromArray(F, gradient, at);
            a0 = FloatVector.fromArray(F, in, at0 + p).fma(g, a0);
            a1 = FloatVector.fromArray(F, in, at1 + p).fma(g, a1);
            a2 = FloatVector.fromArray(F, in, at2 + p).fma(g, a2);
            a3 = FloatVector.fromArray(F, in, at3 + p).fma(g, a3);
            p += L;
            rest -= L;
            if (rest == 0) {
                rest = count;
                p += rowStride - count;
            }
        }
        a0.add(FloatVector.fromArray(F, sums, k * SLACK)).intoArray(sums, k * SLACK);
        a1.add(FloatVector.fromArray(F, sums, (k + 1) * SLACK)).intoArray(sums, (k + 1) * SLACK);
        a2.add(FloatVector.fromArray(F, sums, (k + 2) * SLACK)).intoArray(sums, (k + 2) * SLACK);
        a3.add(FloatVector.fromArray(F, sums, (k + 3) * SLACK)).intoArray(sums, (k + 3) * SLACK);
    }

    private static void one(float[] in, int inAt, int rowStride, int[] offsets, float[] sums, int k, float[] gradient,
            int gradientAt, int rows, int count) {
        int at0 = inAt + offsets[k];
        FloatVector a0 = FloatVector.zero(F);
        int end = gradientAt + rows * count;
        int p = 0;
        int rest = count;
        for (int at = gradientAt; at < end; at += L) {
            FloatVector g = FloatVector.fromArray(F, gradient, at);
            a0 = FloatVector.fromArray(F, in, at0 + p).fma(g, a0);
            p += L;
            rest -= L;
            if (rest == 0) {
                rest = count;
                p += rowStride - count;
            }
        }
        a0.add(FloatVector.fromArray(F, sums, k * SLACK)).intoArray(sums, k * SLACK);
    }

    @Override
    public void scatter(float[] gradient, int gradientAt, int[] offsets, float[] weights, int from, int to,
            float[] out, int outAt, int count) {
        for (int k = from; k < to; k++) {
            add(gradient, gradientAt, weights[k], out, outAt + offsets[k], count);
        }
    }

    private static void add(float[] gradient, int gradientAt, float weight, float[] out, int at, int count) {
        FloatVector w = FloatVector.broadcast(F, weight);
        int p = 0;
        for (; p <= count - L; p += L) {
            FloatVector.fromArray(F, gradient, gradientAt + p).fma(w, FloatVector.fromArray(F, out, at + p))
                    .intoArray(out, at + p);
        }
        for (; p < count; p++) {
            out[at + p] = Math.fma(gradient[gradientAt + p], weight, out[at + p]);
        }
    }

    @Override
    public void maxPoolPlaces(float[] in, int inAt, int rowStride, int n, float floor, float[] out, float[] places,
            int outAt, int outHeight, int outWidth) {
        if (n % L != 0 || !quadPlaces(in, inAt, rowStride, floor, n, out, places, outAt, outHeight, outWidth)) {
            SCALAR.maxPoolPlaces(in, inAt, rowStride, n, floor, out, places, outAt, outHeight, outWidth);
        }
    }

    /** As {@link #quads}, with places. It is one loop, since a vector that lives across two is boxed. */
    private static boolean quadPlaces(float[] in, int inAt, int rowStride, float floor, int n, float[] out,
            float[] places,
            int outAt, int outHeight, int outWidth) {
        FloatVector sum = FloatVector.zero(F);
        int end = outAt + outHeight * outWidth * n;
        int upper = inAt;
        int inPixel = 0;
        int inRow = 0;
        for (int to = outAt; to < end; to += L) {
            int lower = upper + rowStride;
            FloatVector a = FloatVector.fromArray(F, in, upper);
            FloatVector b = FloatVector.fromArray(F, in, upper + n);
            FloatVector c = FloatVector.fromArray(F, in, lower);
            FloatVector d = FloatVector.fromArray(F, in, lower + n);
            sum = sum.add(a.add(b).add(c.add(d)));
            VectorMask<Float> second = b.compare(VectorOperators.GT, a);
            VectorMask<Float> fourth = d.compare(VectorOperators.GT, c);
            FloatVector first = a.blend(b, second);
            FloatVector last = c.blend(d, fourth);
            VectorMask<Float> below = last.compare(VectorOperators.GT, first);
            FloatVector max = first.blend(last, below);
            FloatVector place = FloatVector.zero(F).blend(1, second)
                    .blend(FloatVector.broadcast(F, 2).blend(3, fourth), below);
            max.intoArray(out, to);
            place.blend(NOWHERE, max.compare(VectorOperators.LE, floor)).intoArray(places, to);
            upper += L;
            inPixel += L;
            if (inPixel == n) {
                inPixel = 0;
                upper += n;
                if (++inRow == outWidth) {
                    inRow = 0;
                    upper += 2 * (rowStride - outWidth * n);
                }
            }
        }
        return sum.sub(sum).compare(VectorOperators.EQ, 0).allTrue();
    }

    @Override
    public void spread(float[] dOut, float[] places, int outAt, int outHeight, int outWidth, int n, float[] dIn,
            int inAt, int rowStride) {
        if (n % L != 0) {
            SCALAR.spread(dOut, places, outAt, outHeight, outWidth, n, dIn, inAt, rowStride);
            return;
        }
        int from = outAt;
        for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int window = inAt + 2 * (y * rowStride + x * n);
                for (int i = window; i < window + n; i += L, from += L) {
                    spread(dOut, places, from, n, dIn, i, rowStride);
                }
            }
        }
    }

    private static void spread(float[] dOut, float[] places, int from, int right, float[] dIn, int at, int down) {
        FloatVector zero = FloatVector.zero(F);
        FloatVector given = FloatVector.fromArray(F, dOut, from);
        FloatVector place = FloatVector.fromArray(F, places, from);
        zero.blend(given, place.compare(VectorOperators.EQ, 0)).intoArray(dIn, at);
        zero.blend(given, place.compare(VectorOperators.EQ, 1)).intoArray(dIn, at + right);
        zero.blend(given, place.compare(VectorOperators.EQ, 2)).intoArray(dIn, at + down);
        zero.blend(given, place.compare(VectorOperators.EQ, 3)).intoArray(dIn, at + down + right);
    }

    @Override
    public void reluBackward(float[] out, float[] dOut, int at, float[] dIn, int inAt, int count) {
        FloatVector zero = FloatVector.zero(F);
        int p = 0;
        for (; p <= count - L; p += L) {
            zero.blend(FloatVector.fromArray(F, dOut, at + p),
                    FloatVector.fromArray(F, out, at + p).compare(VectorOperators.GT, 0)).intoArray(dIn, inAt + p);
        }
        for (; p < count; p++) {
            dIn[inAt + p] = out[at + p] > 0 ? dOut[at + p] : 0;
        }
    }

    @Override
    public void maxPoolBackward(float[] in, float[] dIn, int inAt, int rowStride, int kernel, int n, float[] out,
            float[] dOut, int outAt, int outHeight, int outWidth) {
        if (n % L != 0 || kernel != 2) {
            SCALAR.maxPoolBackward(in, dIn, inAt, rowStride, kernel, n, out, dOut, outAt, outHeight, outWidth);
            return;
        }
        for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int window = inAt + 2 * (y * rowStride + x * n);
                int from = outAt + (y * outWidth + x) * n;
                for (int i = 0; i < n; i += L) {
                    window(in, dIn, window + i, n, rowStride, out, dOut, from + i);
                }
            }
        }
    }

    /**
     * Gives the gradient to the first of four values that equals the maximum, and zero to the others.
     * Written out, because a vector that lives across a loop of unknown length is boxed.
     */
    private static void window(float[] in, float[] dIn, int at, int right, int down, float[] out, float[] dOut,
            int from) {
        FloatVector zero = FloatVector.zero(F);
        FloatVector max = FloatVector.fromArray(F, out, from);
        FloatVector given0 = FloatVector.fromArray(F, dOut, from);
        VectorMask<Float> equal0 = FloatVector.fromArray(F, in, at).eq(max);
        zero.blend(given0, equal0).intoArray(dIn, at);
        FloatVector given1 = given0.blend(zero, equal0);
        VectorMask<Float> equal1 = FloatVector.fromArray(F, in, at + right).eq(max);
        zero.blend(given1, equal1).intoArray(dIn, at + right);
        FloatVector given2 = given1.blend(zero, equal1);
        VectorMask<Float> equal2 = FloatVector.fromArray(F, in, at + down).eq(max);
        zero.blend(given2, equal2).intoArray(dIn, at + down);
        FloatVector given3 = given2.blend(zero, equal2);
        VectorMask<Float> equal3 = FloatVector.fromArray(F, in, at + down + right).eq(max);
        zero.blend(given3, equal3).intoArray(dIn, at + down + right);
    }
}
