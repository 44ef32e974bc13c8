package io.pare.blas;

import io.pare.dnnl.DnnlSgemm;
import io.pare.natives.NativeThreads;
import io.pare.natives.Natives;
import java.lang.foreign.MemorySegment;

/** The matrix product that the rest of Pare calls: picks the provider by what is there and by the thread count. */
public final class Gemm {
    private Gemm() {}

    /** As {@link Blas#sgemm}, on OpenBLAS with one thread, on oneDNN with more, in Java without native libraries. */
    public static void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, MemorySegment a, int lda,
            MemorySegment b, int ldb, float beta, MemorySegment c, int ldc) {
        if (!Natives.enabled()) {
            JavaBlas.sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        } else if (NativeThreads.get() == 1) {
            Blas.sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        } else {
            MatrixBounds.product(transA, transB, m, n, k, a, lda, b, ldb, c, ldc);
            DnnlSgemm.run(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        }
    }
}
