package io.pare.blas;

import io.pare.natives.Natives;
import java.lang.foreign.MemorySegment;

/**
 * The matrix product that the rest of Pare calls: picks the provider by what is there and by the work.
 *
 * <p>Measured on two cores of an AMD Zen 4 (EPYC), microseconds, OpenBLAS on one thread against oneDNN on one and on
 * two, for the fully connected layers of LeNet-5 (forward, gradient of the input, gradient of the weights):
 *
 * <pre>
 * batch 64,  800 x 500:  597  586  519 |  514  444  461 |  319  226  234
 * batch 256, 800 x 500: 2038 2008 1987 | 2061 1776 1787 | 1033  903  909
 * batch 64,  500 x 10:   6.3  6.6  6.0 | 16.3  7.6  6.5 | 11.1  5.3  4.8
 * batch 256, 500 x 10:    52   36   66 |   55   29   26 |   30   17   15
 * </pre>
 *
 * <p>So small products go to OpenBLAS, and the others to oneDNN whatever the thread count. OpenBLAS's own second
 * thread (335, 316, 291 for the first row) is no faster than oneDNN's, and its pool would fight with OpenMP's for the
 * cores. {@link io.pare.dnnl.InnerProduct} in plain layouts is as fast as the best of these (501, 445, 466 on one
 * thread; 256, 226, 239 on two), needs no reorder, and adds the bias and applies the ReLU on the way.
 */
public final class Gemm {
    /** Multiply-adds up to which OpenBLAS's shorter way to the kernel wins. */
    private static final long SMALL = 1L << 20;

    private Gemm() {}

    /** The provider for a product of m by k and k by n. */
    public static GemmProvider provider(int m, int n, int k) {
        if (!Natives.enabled()) {
            return GemmProvider.JAVA;
        }
        return (long) m * n * k <= SMALL ? GemmProvider.OPENBLAS : GemmProvider.ONEDNN;
    }

    /** C = alpha op(A) op(B) + beta C, as {@link Blas#sgemm} says. */
    public static void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, MemorySegment a, int lda,
            MemorySegment b, int ldb, float beta, MemorySegment c, int ldc) {
        provider(m, n, k).sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }
}
