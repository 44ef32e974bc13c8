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
        float[] panel = new float[PANEL_ROWS * PANEL_COLUMNS];
        float[] left = new float[PANEL_ROWS];
        float[] sums = new float[PANEL_COLUMNS];
        for (int j0 = 0; j0 < n; j0 += PANEL_COLUMNS) {
            int columns = Math.min(PANEL_COLUMNS, n - j0);
            for (int p0 = 0; p0 < k; p0 += PANEL_ROWS) {
                int rows = Math.min(PANEL_ROWS, k - p0);
                load(transB, b, ldb, p0, j0, rows, columns, panel);
                for (int i = 0; i < m; i++) {
                    for (int p = 0; p < rows; p++) {
                        long at = transA ? (long) (p0 + p) * lda + i : (long) i * lda + p0 + p;
                        left[p] = alpha * a.getAtIndex(ValueLayout.JAVA_FLOAT, at);
                    }
                    long row = (long) i * ldc + j0;
                    MemorySegment.copy(c, ValueLayout.JAVA_FLOAT, row * Float.BYTES, sums, 0, columns);
                    for (int p = 0; p < rows; p++) {
                        addScaled(left[p], panel, p * columns, sums, columns);
                    }
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

    private static void load(boolean transB, MemorySegment b, int ldb, int p0, int j0, int rows, int columns,
            float[] panel) {
        for (int p = 0; p < rows; p++) {
            if (transB) {
                for (int j = 0; j < columns; j++) {
                    panel[p * columns + j] = b.getAtIndex(ValueLayout.JAVA_FLOAT, (long) (j0 + j) * ldb + p0 + p);
                }
            } else {
                long from = ((long) (p0 + p) * ldb + j0) * Float.BYTES;
                MemorySegment.copy(b, ValueLayout.JAVA_FLOAT, from, panel, p * columns, columns);
            }
        }
    }

    private static void addScaled(float factor, float[] panel, int at, float[] sums, int count) {
        for (int j = 0; j < count; j++) {
            sums[j] += factor * panel[at + j];
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
