package io.pare.blas;

import java.lang.foreign.MemorySegment;

/** Argument checks, once, at the public edge: native code would read or write whatever lies beyond. */
final class MatrixBounds {
    private MatrixBounds() {}

    static void product(boolean transA, boolean transB, int m, int n, int k, MemorySegment a, int lda, MemorySegment b,
            int ldb, MemorySegment c, int ldc) {
        matrix("A", a, transA ? k : m, transA ? m : k, lda);
        matrix("B", b, transB ? n : k, transB ? k : n, ldb);
        matrix("C", c, m, n, ldc);
    }

    /** Checks that a row-major matrix with {@code stride} elements from row to row lies inside its segment. */
    static void matrix(String name, MemorySegment segment, int rows, int columns, int stride) {
        if (rows < 0 || columns < 0 || stride < Math.max(1, columns)) {
            throw new IllegalArgumentException(
                    name + ": " + rows + "x" + columns + " with row stride " + stride + " is no matrix");
        }
        long bytes = rows == 0 || columns == 0 ? 0 : ((long) (rows - 1) * stride + columns) * Float.BYTES;
        if (bytes > segment.byteSize()) {
            throw new IndexOutOfBoundsException(name + ": " + rows + "x" + columns + " with row stride " + stride
                    + " needs " + bytes + " bytes, the segment has " + segment.byteSize());
        }
    }

    /** What a factorisation says: 0, or the number of the row, from 1, whose pivot is not positive. */
    static void definite(int info) {
        if (info > 0) {
            throw new ArithmeticException(
                    "the matrix is not positive definite: pivot of row " + (info - 1) + " is not above 0; add damping");
        }
        accepted("factorisation", info);
    }

    static void converged(int info) {
        if (info > 0) {
            throw new ArithmeticException("the eigenvalues do not converge: " + info + " are left");
        }
        accepted("ssyevd", info);
    }

    /** A negative status names an argument, which bounds have been checked for: NaN, or no memory for LAPACK's own. */
    static void accepted(String call, int info) {
        if (info != 0) {
            throw new ArithmeticException(call + " failed with status " + info
                    + ": the matrix holds NaN, or there is no memory for a copy");
        }
    }

    static void vector(String name, MemorySegment segment, int count) {
        if (count < 0 || (long) count * Float.BYTES > segment.byteSize()) {
            throw new IndexOutOfBoundsException(
                    name + ": " + count + " floats do not fit in " + segment.byteSize() + " bytes");
        }
    }
}
