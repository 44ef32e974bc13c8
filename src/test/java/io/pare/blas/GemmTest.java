package io.pare.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.Rounding;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GemmTest {
    /** What every provider of the product looks like. */
    @FunctionalInterface
    interface Provider {
        void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, MemorySegment a,
                int lda, MemorySegment b, int ldb, float beta, MemorySegment c,
                int ldc);
    }

    @ParameterizedTest
    @CsvSource({"17,19,23", "1,1,1", "64,500,800", "3,257,129", "130,5,300", "1,10,500", "7,1,3"})
    void productsAgreeWithTheDefinition(int m, int n, int k) {
        allSixteen(m, n, k, JavaBlas::sgemm, Gemm::sgemm);
    }

    @ParameterizedTest
    @CsvSource({"17,19,23", "1,1,1", "64,500,800", "3,257,129", "130,5,300", "1,10,500", "7,1,3"})
    @Tag("native")
    void nativeProductsAgreeWithTheDefinition(int m, int n, int k) {
        allSixteen(m, n, k, Blas::sgemm, GemmProvider.ONEDNN::sgemm);
    }

    private static void allSixteen(int m, int n, int k, Provider... providers) {
        for (Provider provider : providers) {
            for (int bits = 0; bits < 16; bits++) {
                check(provider, (bits & 1) != 0, (bits & 2) != 0, m, n, k, (bits & 4) != 0 ? 0.5f : 1f,
                        (bits & 8) != 0 ? -2f : 0f);
            }
        }
    }

    private static void check(Provider provider, boolean ta, boolean tb, int m, int n, int k, float alpha, float beta) {
        try (Region region = Region.confined("gemm")) {
            Random random = new Random(m * 31L + n * 17L + k);
            int lda = (ta ? m : k) + 3;
            int ldb = (tb ? k : n) + 1;
            int ldc = n + 2;
            FloatTensor a = fill(region.tensor(ta ? k : m, lda), random);
            FloatTensor b = fill(region.tensor(tb ? n : k, ldb), random);
            FloatTensor c = fill(region.tensor(m, ldc), random);
            if (beta == 0) {
                c.fill(Float.NaN);
            }
            float[] before = c.toArray();
            provider.sgemm(ta, tb, m, n, k, alpha, a.segment(), lda, b.segment(), ldb, beta, c.segment(), ldc);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < ldc; j++) {
                    long at = (long) i * ldc + j;
                    if (j >= n) {
                        assertEquals(before[(int) at], c.get(at), 0f, "beyond the row");
                        continue;
                    }
                    double sum = 0;
                    double size = 0;
                    for (int p = 0; p < k; p++) {
                        double term = (double) a.get(ta ? (long) p * lda + i : (long) i * lda + p)
                                * b.get(tb ? (long) j * ldb + p : (long) p * ldb + j);
                        sum += term;
                        size += Math.abs(term);
                    }
                    double old = beta == 0 ? 0 : beta * before[(int) at];
                    Rounding.assertSum(alpha * sum + old, c.get(at), k + 3, Math.abs(alpha) * size + Math.abs(old),
                            i + "," + j);
                }
            }
        }
    }

    @Test
    @Tag("native")
    void matrixTimesVector() {
        try (Region region = Region.confined("gemv")) {
            Random random = new Random(3);
            int m = 13;
            int n = 29;
            FloatTensor a = fill(region.tensor(m, n), random);
            for (boolean trans : new boolean[]{false, true}) {
                FloatTensor x = fill(region.tensor(trans ? m : n), random);
                FloatTensor y = fill(region.tensor(trans ? n : m), random);
                FloatTensor z = region.tensor(y.count()).copyFrom(y);
                Blas.sgemv(trans, m, n, 1.5f, a.segment(), n, x.segment(), 0.5f, y.segment());
                JavaBlas.sgemv(trans, m, n, 1.5f, a.segment(), n, x.segment(), 0.5f, z.segment());
                Rounding.assertClose(z.toArray(), y.toArray(), (trans ? m : n) + 3, "trans " + trans);
            }
        }
    }

    @Test
    @Tag("native")
    void refusesToReachBeyondASegment() {
        try (Region region = Region.confined("bounds")) {
            FloatTensor four = region.tensor(2, 2);
            assertThrows(IndexOutOfBoundsException.class, () -> Gemm.sgemm(false, false, 2, 2, 3, 1, four.segment(), 3,
                    four.segment(), 2, 0, four.segment(), 2));
            assertThrows(IllegalArgumentException.class, () -> Blas.sgemm(false, false, 2, 2, 2, 1, four.segment(), 1,
                    four.segment(), 2, 0, four.segment(), 2));
            assertThrows(IndexOutOfBoundsException.class,
                    () -> Blas.sgemv(false, 2, 3, 1, four.segment(), 3, four.segment(), 0, four.segment()));
        }
    }

    @Test
    @Tag("native")
    void smallProductsStayOnTheCallingThread() {
        assertEquals(GemmProvider.OPENBLAS, Gemm.provider(64, 10, 500));
        assertEquals(GemmProvider.ONEDNN, Gemm.provider(64, 500, 800));
        assertEquals(GemmProvider.ONEDNN, Gemm.provider(Integer.MAX_VALUE, Integer.MAX_VALUE, 1));
    }

    @Test
    @Tag("native")
    void nativeProvidersPassTheirSelfTest() {
        GemmProvider.OPENBLAS.selfTest();
        GemmProvider.ONEDNN.selfTest();
    }

    @Test
    void javaPassesItsSelfTestAndHasASpeed() {
        GemmProvider.JAVA.selfTest();
        assertTrue(GemmProvider.JAVA.gflops(64, 0.01) > 0);
    }

    @Test
    @Tag("native")
    void describesItself() {
        assertTrue(Blas.config().startsWith("OpenBLAS 0.3"), Blas.config());
        assertTrue(!Blas.core().isBlank());
    }

    private static FloatTensor fill(FloatTensor tensor, Random random) {
        for (long i = 0; i < tensor.count(); i++) {
            tensor.set(i, (float) random.nextGaussian());
        }
        return tensor;
    }
}
