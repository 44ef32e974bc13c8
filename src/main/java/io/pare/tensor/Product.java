package io.pare.tensor;

import io.pare.blas.Blas;
import io.pare.blas.JavaBlas;
import java.lang.foreign.MemorySegment;

/** Who computes matrix products. */
@FunctionalInterface
public interface Product {
    /** Plain Java, on heap or off it. */
    Product JAVA = JavaBlas::sgemm;

    /** C = alpha op(A) op(B) + beta C, as {@link Blas#sgemm} says. */
    void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, MemorySegment a, int lda,
            MemorySegment b, int ldb, float beta, MemorySegment c, int ldc);
}
