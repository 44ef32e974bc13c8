package io.pare.kernel.simd;

import io.pare.kernel.MatrixKernels;
import io.pare.kernel.PackedMatrix;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link MatrixKernels} with the Vector API.
 *
 * <p>The sums of four rows and up to three vectors of columns stay in registers: sixteen of these have room for twelve sums,
 * three vectors of a panel and one value of the left factor. Eight rows, which AVX-512 has the registers for, took a quarter
 * longer (2,048 rows, 384 by 1,536, Zen 5: 134 against 172 GFLOPS).
 */
public final class SimdMatrixKernels implements MatrixKernels {
    private static final VectorSpecies<Float> F = Species.F32;
    private static final int L = F.length();
    /** Processors of shorter vectors may have 16 registers, and four rows of three vectors would need all. */
    private static final int PANEL = Species.BITS == 512 ? 3 * L : 2 * L;

    /**
     * Receives whole vectors where a matrix ends within one. Stores under a mask by a method of their own had the JIT box all
     * sums wherever it did not inline that: products then took ten times as long.
     */
    private static final ThreadLocal<float[]> PART = ThreadLocal.withInitial(() -> new float[ROWS * PANEL]);

    @Override
    public String name() {
        return "simd(" + Species.BITS + ")";
    }

    @Override
    public int panel() {
        return PANEL;
    }

    @Override
    public int lanes() {
        return L;
    }

    @Override
    public void multiply(float[] a, int aAt, int aStride, int rows, PackedMatrix b, int panel, float[] out, int outAt,
            int outStride) {
        float[] values = b.values();
        int start = b.start(panel);
        int column = b.column(panel);
        int width = b.width(panel);
        int count = Math.min(width, b.columns() - column);
        float[] target = count < width ? PART.get() : out;
        int stride = count < width ? width : outStride;
        for (int row = 0; row < rows; row += ROWS) {
            int at = aAt + row * aStride;
            int place = outAt + row * outStride + column;
            int to = count < width ? 0 : place;
            if (width == 3 * L) {
                three(a, at, aStride, values, start, b.depth(), b.biases(), column, target, to, stride);
            } else if (width == 2 * L) {
                two(a, at, aStride, values, start, b.depth(), b.biases(), column, target, to, stride);
            } else {
                one(a, at, aStride, values, start, b.depth(), b.biases(), column, target, to, stride);
            }
            for (int i = 0; count < width && i < ROWS; i++) {
                System.arraycopy(target, i * width, out, place + i * outStride, count);
            }
        }
    }

    private static void three(float[] a, int at, int stride, float[] b, int bAt, int depth, float[] biases, int bias,
            float[] out, int outAt, int outStride) {
        FloatVector s00 = FloatVector.fromArray(F, biases, bias);
        FloatVector s01 = FloatVector.fromArray(F, biases, bias + L);
        FloatVector s02 = FloatVector.fromArray(F, biases, bias + 2 * L);
        FloatVector s10 = s00;
        FloatVector s11 = s01;
        FloatVector s12 = s02;
        FloatVector s20 = s00;
        FloatVector s21 = s01;
        FloatVector s22 = s02;
        FloatVector s30 = s00;
        FloatVector s31 = s01;
        FloatVector s32 = s02;
        int a1 = at + stride;
        int a2 = a1 + stride;
        int a3 = a2 + stride;
        int from = bAt;
        for (int k = 0; k < depth; k++, from += 3 * L) {
            FloatVector b0 = FloatVector.fromArray(F, b, from);
            FloatVector b1 = FloatVector.fromArray(F, b, from + L);
            FloatVector b2 = FloatVector.fromArray(F, b, from + 2 * L);
            FloatVector x = FloatVector.broadcast(F, a[at + k]);
            s00 = b0.fma(x, s00);
            s01 = b1.fma(x, s01);
            s02 = b2.fma(x, s02);
            x = FloatVector.broadcast(F, a[a1 + k]);
            s10 = b0.fma(x, s10);
            s11 = b1.fma(x, s11);
            s12 = b2.fma(x, s12);
            x = FloatVector.broadcast(F, a[a2 + k]);
            s20 = b0.fma(x, s20);
            s21 = b1.fma(x, s21);
            s22 = b2.fma(x, s22);
            x = FloatVector.broadcast(F, a[a3 + k]);
            s30 = b0.fma(x, s30);
            s31 = b1.fma(x, s31);
            s32 = b2.fma(x, s32);
        }
        s00.intoArray(out, outAt);
        s01.intoArray(out, outAt + L);
        s02.intoArray(out, outAt + 2 * L);
        s10.intoArray(out, outAt + outStride);
        s11.intoArray(out, outAt + outStride + L);
        s12.intoArray(out, outAt + outStride + 2 * L);
        s20.intoArray(out, outAt + 2 * outStride);
        s21.intoArray(out, outAt + 2 * outStride + L);
        s22.intoArray(out, outAt + 2 * outStride + 2 * L);
        s30.intoArray(out, outAt + 3 * outStride);
        s31.intoArray(out, outAt + 3 * outStride + L);
        s32.intoArray(out, outAt + 3 * outStride + 2 * L);
    }

    private static void two(float[] a, int at, int stride, float[] b, int bAt, int depth, float[] biases, int bias,
            float[] out, int outAt, int outStride) {
        FloatVector s00 = FloatVector.fromArray(F, biases, bias);
        FloatVector s01 = FloatVector.fromArray(F, biases, bias + L);
        FloatVector s10 = s00;
        FloatVector s11 = s01;
        FloatVector s20 = s00;
        FloatVector s21 = s01;
        FloatVector s30 = s00;
        FloatVector s31 = s01;
        int a1 = at + stride;
        int a2 = a1 + stride;
        int a3 = a2 + stride;
        int from = bAt;
        for (int k = 0; k < depth; k++, from += 2 * L) {
            FloatVector b0 = FloatVector.fromArray(F, b, from);
            FloatVector b1 = FloatVector.fromArray(F, b, from + L);
            FloatVector x = FloatVector.broadcast(F, a[at + k]);
            s00 = b0.fma(x, s00);
            s01 = b1.fma(x, s01);
            x = FloatVector.broadcast(F, a[a1 + k]);
            s10 = b0.fma(x, s10);
            s11 = b1.fma(x, s11);
            x = FloatVector.broadcast(F, a[a2 + k]);
            s20 = b0.fma(x, s20);
            s21 = b1.fma(x, s21);
            x = FloatVector.broadcast(F, a[a3 + k]);
            s30 = b0.fma(x, s30);
            s31 = b1.fma(x, s31);
        }
        s00.intoArray(out, outAt);
        s01.intoArray(out, outAt + L);
        s10.intoArray(out, outAt + outStride);
        s11.intoArray(out, outAt + outStride + L);
        s20.intoArray(out, outAt + 2 * outStride);
        s21.intoArray(out, outAt + 2 * outStride + L);
        s30.intoArray(out, outAt + 3 * outStride);
        s31.intoArray(out, outAt + 3 * outStride + L);
    }

    private static void one(float[] a, int at, int stride, float[] b, int bAt, int depth, float[] biases, int bias,
            float[] out, int outAt, int outStride) {
        FloatVector s00 = FloatVector.fromArray(F, biases, bias);
        FloatVector s10 = s00;
        FloatVector s20 = s00;
        FloatVector s30 = s00;
        int a1 = at + stride;
        int a2 = a1 + stride;
        int a3 = a2 + stride;
        int from = bAt;
        for (int k = 0; k < depth; k++, from += L) {
            FloatVector b0 = FloatVector.fromArray(F, b, from);
            FloatVector x = FloatVector.broadcast(F, a[at + k]);
            s00 = b0.fma(x, s00);
            x = FloatVector.broadcast(F, a[a1 + k]);
            s10 = b0.fma(x, s10);
            x = FloatVector.broadcast(F, a[a2 + k]);
            s20 = b0.fma(x, s20);
            x = FloatVector.broadcast(F, a[a3 + k]);
            s30 = b0.fma(x, s30);
        }
        s00.intoArray(out, outAt);
        s10.intoArray(out, outAt + outStride);
        s20.intoArray(out, outAt + 2 * outStride);
        s30.intoArray(out, outAt + 3 * outStride);
    }
}
