package io.pare.kernel.scalar;

import io.pare.kernel.MatrixKernels;
import io.pare.kernel.PackedMatrix;

/**
 * {@link MatrixKernels} in plain Java.
 *
 * <p>Rows of a panel are copied to arrays of their own: only then does the JIT compiler know that no sum is read again as a
 * factor, and uses vectors. Eight are added at a time, so that sums are loaded and stored once for eight products.
 */
public final class ScalarMatrixKernels implements MatrixKernels {
    /** Long loops, with sums that stay in the caches. */
    private static final int PANEL = 512;
    private static final int LANES = 16;
    /** Rows of the left factor for which rows of a panel are copied once. */
    private static final int BLOCK = 16;
    private static final int DEPTH = 8;

    /** Rows of a panel, then sums. */
    private static final ThreadLocal<float[][]> SCRATCH =
            ThreadLocal.withInitial(() -> new float[DEPTH + BLOCK][PANEL]);

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public int panel() {
        return PANEL;
    }

    @Override
    public int lanes() {
        return LANES;
    }

    @Override
    public void multiply(float[] a, int aAt, int aStride, int rows, PackedMatrix b, int panel, float[] out, int outAt,
            int outStride) {
        float[][] scratch = SCRATCH.get();
        int width = b.width(panel);
        int column = b.column(panel);
        int count = Math.min(width, b.columns() - column);
        for (int row = 0; row < rows; row += BLOCK) {
            int some = Math.min(BLOCK, rows - row);
            for (int i = 0; i < some; i++) {
                System.arraycopy(b.biases(), column, scratch[DEPTH + i], 0, width);
            }
            for (int k = 0; k < b.depth(); k += DEPTH) {
                int depth = Math.min(DEPTH, b.depth() - k);
                for (int p = 0; p < depth; p++) {
                    System.arraycopy(b.values(), b.start(panel) + (k + p) * width, scratch[p], 0, width);
                }
                for (int i = 0; i < some; i++) {
                    add(a, aAt + (row + i) * aStride + k, depth, scratch, scratch[DEPTH + i], width);
                }
            }
            for (int i = 0; i < some; i++) {
                System.arraycopy(scratch[DEPTH + i], 0, out, outAt + (row + i) * outStride + column, count);
            }
        }
    }

    private static void add(float[] a, int at, int depth, float[][] rows, float[] sums, int width) {
        if (depth == DEPTH) {
            addEight(a[at], a[at + 1], a[at + 2], a[at + 3], a[at + 4], a[at + 5], a[at + 6], a[at + 7], rows[0],
                    rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7], sums, width);
            return;
        }
        for (int p = 0; p < depth; p++) {
            addOne(a[at + p], rows[p], sums, width);
        }
    }

    private static void addEight(float a, float b, float c, float d, float e, float f, float g, float h, float[] r0,
            float[] r1, float[] r2, float[] r3, float[] r4, float[] r5, float[] r6, float[] r7, float[] sums,
            int count) {
        for (int j = 0; j < count; j++) {
            float half = Math.fma(d, r3[j], Math.fma(c, r2[j], Math.fma(b, r1[j], Math.fma(a, r0[j], sums[j]))));
            sums[j] = Math.fma(h, r7[j], Math.fma(g, r6[j], Math.fma(f, r5[j], Math.fma(e, r4[j], half))));
        }
    }

    private static void addOne(float a, float[] row, float[] sums, int count) {
        for (int j = 0; j < count; j++) {
            sums[j] = Math.fma(a, row[j], sums[j]);
        }
    }
}
