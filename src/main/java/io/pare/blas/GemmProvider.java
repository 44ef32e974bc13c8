package io.pare.blas;

import io.pare.dnnl.DnnlSgemm;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Who computes a matrix product; all three have the contract of {@link Blas#sgemm}. */
public enum GemmProvider {
    /** OpenBLAS on the calling thread. */
    OPENBLAS {
        @Override
        public void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, MemorySegment a, int lda,
                MemorySegment b, int ldb, float beta, MemorySegment c, int ldc) {
            Blas.sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        }
    },
    /** oneDNN on all threads of its pool. */
    ONEDNN {
        @Override
        public void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, MemorySegment a, int lda,
                MemorySegment b, int ldb, float beta, MemorySegment c, int ldc) {
            MatrixBounds.product(transA, transB, m, n, k, a, lda, b, ldb, c, ldc);
            DnnlSgemm.run(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        }
    },
    /** Plain Java on the calling thread. */
    JAVA {
        @Override
        public void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, MemorySegment a, int lda,
                MemorySegment b, int ldb, float beta, MemorySegment c, int ldc) {
            JavaBlas.sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        }
    };

    /** C = alpha op(A) op(B) + beta C, as {@link Blas#sgemm} says. */
    public abstract void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, MemorySegment a,
            int lda, MemorySegment b, int ldb, float beta, MemorySegment c, int ldc);

    /**
     * Computes one small product of odd sizes and compares it with plain Java: a library that picked the wrong kernel
     * for a new processor shows here, and not in a training that does not learn.
     *
     * @throws IllegalStateException if the products differ, with the largest difference and what to do
     */
    public void selfTest() {
        int m = 17;
        int n = 19;
        int k = 23;
        try (Region region = Region.confined("gemm self-test")) {
            MemorySegment a = random(region, m * k, 1);
            MemorySegment b = random(region, k * n, 2);
            MemorySegment expected = region.allocate((long) m * n * Float.BYTES);
            MemorySegment actual = region.allocate((long) m * n * Float.BYTES);
            JavaBlas.sgemm(false, false, m, n, k, 1, a, k, b, n, 0, expected, n);
            sgemm(false, false, m, n, k, 1, a, k, b, n, 0, actual, n);
            float worst = 0;
            for (int i = 0; i < m * n; i++) {
                float difference = Math.abs(actual.getAtIndex(ValueLayout.JAVA_FLOAT, i)
                        - expected.getAtIndex(ValueLayout.JAVA_FLOAT, i));
                worst = Float.isNaN(difference) ? Float.POSITIVE_INFINITY : Math.max(worst, difference);
            }
            if (worst > 1e-4f) {
                throw new IllegalStateException(this + " computes a 17x19x23 product with an error of " + worst
                        + ": its kernels do not suit this processor; set OPENBLAS_CORETYPE=Haswell or"
                        + " ONEDNN_MAX_CPU_ISA=AVX2, or use -Dpare.native=off");
            }
        }
    }

    /**
     * Measures square products for about {@code seconds}.
     *
     * @param size rows and columns, e.g. 512
     * @return 10^9 floating-point operations per second, of the fastest run
     */
    public double gflops(int size, double seconds) {
        try (Region region = Region.confined("gemm probe")) {
            MemorySegment a = random(region, size * size, 1);
            MemorySegment b = random(region, size * size, 2);
            MemorySegment c = region.allocate((long) size * size * Float.BYTES);
            long best = Long.MAX_VALUE;
            long end = System.nanoTime() + (long) (seconds * 1e9);
            do {
                long start = System.nanoTime();
                sgemm(false, false, size, size, size, 1, a, size, b, size, 0, c, size);
                best = Math.min(best, System.nanoTime() - start);
            } while (System.nanoTime() < end);
            return 2.0 * size * size * size / best;
        }
    }

    private static MemorySegment random(Region region, int count, long seed) {
        Random random = new Random(seed);
        MemorySegment values = region.allocate((long) count * Float.BYTES);
        for (int i = 0; i < count; i++) {
            values.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        return values;
    }
}
