package io.pare.blas;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The plain Java twin of {@link Blas}: same contract, any thread. The fallback without native libraries, and the
 * oracle of their self-test.
 *
 * <p>Rows of A and B are copied to small heap panels, which the JIT compiler vectorises well; products are added up in
 * the order of k within a panel.
 */
public final class JavaBlas {
    /** Panel of B: 128 rows of up to 256 columns are 128 KB, at home in a second-level cache. */
    private static final int PANEL_ROWS = 128;
    private static final int PANEL_COLUMNS = 256;

    private JavaBlas() {}

    /** As {@link Blas#sgemm}. */
    public static void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, MemorySegment a, int lda,
            MemorySegment b, int ldb, float beta, MemorySegment c, int ldc) {
        MatrixBounds.product(transA, transB, m, n, k, a, lda, b, ldb, c, ldc);
        scale(m, n, beta, c, ldc);
        if (alpha == 0) {
            return;
        }
        int mostRows = Math.min(PANEL_ROWS, k);
        int mostColumns = Math.min(PANEL_COLUMNS, n);
        float[][] panel = new float[mostRows][mostColumns];
        float[] left = new float[mostRows];
        float[] sums = new float[mostColumns];
        for (int j0 = 0; j0 < n; j0 += PANEL_COLUMNS) {
            int columns = Math.min(PANEL_COLUMNS, n - j0);
            for (int p0 = 0; p0 < k; p0 += PANEL_ROWS) {
                int rows = Math.min(PANEL_ROWS, k - p0);
                load(transB, b, ldb, p0, j0, rows, columns, panel, left);
                for (int i = 0; i < m; i++) {
                    loadLeft(transA, a, lda, i, p0, rows, left);
                    for (int p = 0; p < rows; p++) {
                        left[p] *= alpha;
                    }
                    long row = (long) i * ldc + j0;
                    MemorySegment.copy(c, ValueLayout.JAVA_FLOAT, row * Float.BYTES, sums, 0, columns);
                    addProducts(left, rows, panel, sums, columns);
                    MemorySegment.copy(sums, 0, c, ValueLayout.JAVA_FLOAT, row * Float.BYTES, columns);
                }
            }
        }
    }

    /** As {@link Blas#sgemv}. */
    public static void sgemv(boolean transA, int m, int n, float alpha, MemorySegment a, int lda, MemorySegment x,
            float beta, MemorySegment y) {
        MatrixBounds.matrix("A", a, m, n, lda);
        MatrixBounds.vector("x", x, transA ? m : n);
        MatrixBounds.vector("y", y, transA ? n : m);
        if (transA) {
            sgemm(false, false, 1, n, m, alpha, x, Math.max(1, m), a, lda, beta, y, Math.max(1, n));
            return;
        }
        for (int i = 0; i < m; i++) {
            float sum = 0;
            for (int j = 0; j < n; j++) {
                sum += a.getAtIndex(ValueLayout.JAVA_FLOAT, (long) i * lda + j)
                        * x.getAtIndex(ValueLayout.JAVA_FLOAT, j);
            }
            float old = beta == 0 ? 0 : beta * y.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            y.setAtIndex(ValueLayout.JAVA_FLOAT, i, old + alpha * sum);
        }
    }

    /** @param room for {@code rows} floats */
    private static void load(boolean transB, MemorySegment b, int ldb, int p0, int j0, int rows, int columns,
            float[][] panel, float[] room) {
        if (transB) {
            for (int j = 0; j < columns; j++) {
                MemorySegment.copy(b, ValueLayout.JAVA_FLOAT, ((long) (j0 + j) * ldb + p0) * Float.BYTES, room, 0,
                        rows);
                for (int p = 0; p < rows; p++) {
                    panel[p][j] = room[p];
                }
            }
            return;
        }
        for (int p = 0; p < rows; p++) {
            long from = ((long) (p0 + p) * ldb + j0) * Float.BYTES;
            MemorySegment.copy(b, ValueLayout.JAVA_FLOAT, from, panel[p], 0, columns);
        }
    }

    private static void loadLeft(boolean transA, MemorySegment a, int lda, int i, int p0, int rows, float[] left) {
        if (!transA) {
            MemorySegment.copy(a, ValueLayout.JAVA_FLOAT, ((long) i * lda + p0) * Float.BYTES, left, 0, rows);
            return;
        }
        for (int p = 0; p < rows; p++) {
            left[p] = a.getAtIndex(ValueLayout.JAVA_FLOAT, (long) (p0 + p) * lda + i);
        }
    }

    /** Eight rows of a panel at a time, so that sums are loaded and stored once for eight products. */
    private static void addProducts(float[] left, int rows, float[][] panel, float[] sums, int columns) {
        int p = 0;
        for (; p < rows - 7; p += 8) {
            addEight(left, p, panel[p], panel[p + 1], panel[p + 2], panel[p + 3], panel[p + 4], panel[p + 5],
                    panel[p + 6], panel[p + 7], sums, columns);
        }
        for (; p < rows; p++) {
            addScaled(left[p], panel[p], sums, columns);
        }
    }

    /** Each array has its own index alone: the compiler then knows that no sum is read again as a factor. */
    private static void addEight(float[] left, int p, float[] r0, float[] r1, float[] r2, float[] r3, float[] r4,
            float[] r5, float[] r6, float[] r7, float[] sums, int count) {
        float a = left[p];
        float b = left[p + 1];
        float c = left[p + 2];
        float d = left[p + 3];
        float e = left[p + 4];
        float f = left[p + 5];
        float g = left[p + 6];
        float h = left[p + 7];
        for (int j = 0; j < count; j++) {
            float sum = sums[j] + a * r0[j];
            sum += b * r1[j];
            sum += c * r2[j];
            sum += d * r3[j];
            sum += e * r4[j];
            sum += f * r5[j];
            sum += g * r6[j];
            sums[j] = sum + h * r7[j];
        }
    }

    private static void addScaled(float factor, float[] row, float[] sums, int count) {
        for (int j = 0; j < count; j++) {
            sums[j] += factor * row[j];
        }
    }

    /** By rows, because a matrix may be a part of a wider one. A factor of 0 wipes NaN out too, as BLAS does. */
    private static void scale(int m, int n, float beta, MemorySegment c, int ldc) {
        if (beta == 1) {
            return;
        }
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                long at = (long) i * ldc + j;
                float old = beta == 0 ? 0 : beta * c.getAtIndex(ValueLayout.JAVA_FLOAT, at);
                c.setAtIndex(ValueLayout.JAVA_FLOAT, at, old);
            }
        }
    }
}
