package io.pare.blas;

import io.pare.natives.Natives;
import java.lang.foreign.MemorySegment;

/** Who factors a symmetric matrix; both have the contract of {@link Lapack}. */
public enum LapackProvider {
    /** OpenBLAS in float, on the calling thread. */
    OPENBLAS {
        @Override
        public void spotrf(int n, MemorySegment a, int lda) {
            Lapack.spotrf(n, a, lda);
        }

        @Override
        public void spotri(int n, MemorySegment a, int lda) {
            Lapack.spotri(n, a, lda);
        }

        @Override
        public void spotrs(int n, int rows, MemorySegment a, int lda, MemorySegment b, int ldb) {
            Lapack.spotrs(n, rows, a, lda, b, ldb);
        }

        @Override
        public void ssyevd(int n, MemorySegment a, int lda, MemorySegment values) {
            Lapack.ssyevd(n, a, lda, values);
        }
    },
    /** Plain Java in double, on the calling thread. */
    JAVA {
        @Override
        public void spotrf(int n, MemorySegment a, int lda) {
            JavaLapack.spotrf(n, a, lda);
        }

        @Override
        public void spotri(int n, MemorySegment a, int lda) {
            JavaLapack.spotri(n, a, lda);
        }

        @Override
        public void spotrs(int n, int rows, MemorySegment a, int lda, MemorySegment b, int ldb) {
            JavaLapack.spotrs(n, rows, a, lda, b, ldb);
        }

        @Override
        public void ssyevd(int n, MemorySegment a, int lda, MemorySegment values) {
            JavaLapack.ssyevd(n, a, lda, values);
        }
    };

    /** OpenBLAS where it can be had. */
    public static LapackProvider active() {
        return Natives.enabled() ? OPENBLAS : JAVA;
    }

    /** As {@link Lapack#spotrf}. */
    public abstract void spotrf(int n, MemorySegment a, int lda);

    /** As {@link Lapack#spotri}. */
    public abstract void spotri(int n, MemorySegment a, int lda);

    /** As {@link Lapack#spotrs}. */
    public abstract void spotrs(int n, int rows, MemorySegment a, int lda, MemorySegment b, int ldb);

    /** As {@link Lapack#ssyevd}. */
    public abstract void ssyevd(int n, MemorySegment a, int lda, MemorySegment values);
}
