package io.pare.blas;

import io.pare.ffm.lapacke.lapacke_h;
import io.pare.natives.Natives;
import java.lang.foreign.MemorySegment;

/**
 * Factors of symmetric matrices by OpenBLAS's LAPACK, on the calling thread. Row-major; off-heap memory only.
 *
 * <p>LAPACK sees the transpose of what lies here, so its lower triangle is the upper one of these matrices, and nothing is
 * copied. Thread-safe as far as the memory is.
 */
public final class Lapack {
    private static final byte UPPER_HERE = 'L';
    private static final byte WITH_VECTORS = 'V';

    static {
        Natives.require();
    }

    private Lapack() {}

    /**
     * Replaces the upper triangle of A by U, where A = U^T U. What lies below the diagonal is neither read nor written.
     *
     * @param lda elements from one row to the next
     * @throws ArithmeticException if A is not positive definite to float's precision, with the row where that shows
     */
    public static void spotrf(int n, MemorySegment a, int lda) {
        MatrixBounds.matrix("A", a, n, n, lda);
        MatrixBounds.definite(lapacke_h.LAPACKE_spotrf(lapacke_h.LAPACK_COL_MAJOR(), UPPER_HERE, n, a, lda));
    }

    /** Replaces U, as {@link #spotrf} leaves it, by the upper triangle of the inverse of A. */
    public static void spotri(int n, MemorySegment a, int lda) {
        MatrixBounds.matrix("A", a, n, n, lda);
        MatrixBounds.definite(lapacke_h.LAPACKE_spotri(lapacke_h.LAPACK_COL_MAJOR(), UPPER_HERE, n, a, lda));
    }

    /**
     * Solves x A = b for each row b of B, in place.
     *
     * @param a U as {@link #spotrf} leaves it
     * @param rows of B, each of {@code n} elements
     * @param ldb elements from one row of B to the next
     */
    public static void spotrs(int n, int rows, MemorySegment a, int lda, MemorySegment b, int ldb) {
        MatrixBounds.matrix("A", a, n, n, lda);
        MatrixBounds.matrix("B", b, rows, n, ldb);
        MatrixBounds.accepted("spotrs", lapacke_h.LAPACKE_spotrs(lapacke_h.LAPACK_COL_MAJOR(), UPPER_HERE, n, rows, a,
                lda, b, ldb));
    }

    /**
     * Eigenvalues, ascending, and orthonormal eigenvectors. Reads the upper triangle of A.
     *
     * @param a receives an eigenvector in each row
     * @param values receives {@code n} eigenvalues
     * @throws ArithmeticException if the iteration does not converge
     */
    public static void ssyevd(int n, MemorySegment a, int lda, MemorySegment values) {
        MatrixBounds.matrix("A", a, n, n, lda);
        MatrixBounds.vector("values", values, n);
        MatrixBounds.converged(lapacke_h.LAPACKE_ssyevd(lapacke_h.LAPACK_COL_MAJOR(), WITH_VECTORS, UPPER_HERE, n, a,
                lda, values));
    }
}
