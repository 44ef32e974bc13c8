package io.pare.blas;

import io.pare.ffm.cblas.cblas_h;
import io.pare.natives.Natives;
import java.lang.foreign.MemorySegment;

/**
 * OpenBLAS. Row-major; off-heap memory only; each segment starts at its matrix's first element (use slices).
 *
 * <p>Thread-safe as far as the memory is. Runs on the calling thread unless {@link #setThreads} says otherwise.
 */
public final class Blas {
    static {
        Natives.require();
    }

    private Blas() {}

    /**
     * C = alpha op(A) op(B) + beta C.
     *
     * @param transA whether op(A) is A transposed: then A is stored k by m, else m by k
     * @param transB whether op(B) is B transposed: then B is stored n by k, else k by n
     * @param lda elements from one stored row of A to the next; likewise ldb, ldc
     * @param beta 0 overwrites C, whatever it holds
     */
    public static void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, MemorySegment a, int lda,
            MemorySegment b, int ldb, float beta, MemorySegment c, int ldc) {
        MatrixBounds.product(transA, transB, m, n, k, a, lda, b, ldb, c, ldc);
        cblas_h.cblas_sgemm(cblas_h.CblasRowMajor(), trans(transA), trans(transB), m, n, k, alpha, a, lda, b, ldb, beta,
                c, ldc);
    }

    /** y = alpha op(A) x + beta y, A stored m by n; x and y contiguous. */
    public static void sgemv(boolean transA, int m, int n, float alpha, MemorySegment a, int lda, MemorySegment x,
            float beta, MemorySegment y) {
        MatrixBounds.matrix("A", a, m, n, lda);
        MatrixBounds.vector("x", x, transA ? m : n);
        MatrixBounds.vector("y", y, transA ? n : m);
        cblas_h.cblas_sgemv(cblas_h.CblasRowMajor(), trans(transA), m, n, alpha, a, lda, x, 1, beta, y, 1);
    }

    /** Sets the size of OpenBLAS's own pool, which exists beside OpenMP's: 1 unless oneDNN is idle. */
    public static void setThreads(int threads) {
        cblas_h.openblas_set_num_threads(threads);
    }

    public static int threads() {
        return cblas_h.openblas_get_num_threads();
    }

    /** Version and build options, e.g. {@code OpenBLAS 0.3.31 NO_AFFINITY ...}. */
    public static String config() {
        return text(cblas_h.openblas_get_config());
    }

    /** The processor for which OpenBLAS chose its kernels, e.g. {@code SkylakeX}. */
    public static String core() {
        return text(cblas_h.openblas_get_corename());
    }

    @SuppressWarnings("restricted")
    private static String text(MemorySegment pointer) {
        return pointer.reinterpret(Long.MAX_VALUE).getString(0);
    }

    private static int trans(boolean transposed) {
        return transposed ? cblas_h.CblasTrans() : cblas_h.CblasNoTrans();
    }
}
