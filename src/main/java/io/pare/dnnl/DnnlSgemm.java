package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;
import java.lang.foreign.MemorySegment;

/** oneDNN's matrix product, over the OpenMP pool. */
public final class DnnlSgemm {
    private static final byte PLAIN = 'N';
    private static final byte TRANSPOSED = 'T';

    private DnnlSgemm() {}

    /**
     * C = alpha op(A) op(B) + beta C, all row-major, op(A) m by k, op(B) k by n, C m by n.
     *
     * <p>Sizes are in elements; each segment starts at its matrix's first element. The caller checks bounds
     * ({@code io.pare.blas.Gemm} does).
     */
    public static void run(boolean transA, boolean transB, long m, long n, long k, float alpha, MemorySegment a,
            long lda, MemorySegment b, long ldb, float beta, MemorySegment c, long ldc) {
        int status = dnnl_h.dnnl_sgemm(transA ? TRANSPOSED : PLAIN, transB ? TRANSPOSED : PLAIN, m, n, k, alpha, a, lda,
                b, ldb, beta, c, ldc);
        if (status != 0) {
            throw Dnnl.failure(status, "dnnl_sgemm", m + "x" + n + "x" + k);
        }
    }
}
