package io.pare.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Factors are checked by what they multiply to, in double. */
class LapackTest {
    /** Added to the diagonal of a random product: the condition number stays below some hundreds. */
    private static final double RIDGE = 0.1;
    private static final int PADDING = 3;

    static Stream<LapackProvider> java() {
        return Stream.of(LapackProvider.JAVA);
    }

    static Stream<LapackProvider> natives() {
        return Stream.of(LapackProvider.OPENBLAS);
    }

    @ParameterizedTest
    @MethodSource("java")
    void theTwinKeepsTheContract(LapackProvider lapack) {
        contract(lapack);
    }

    @ParameterizedTest
    @MethodSource("natives")
    @Tag("native")
    void openBlasKeepsTheContract(LapackProvider lapack) {
        contract(lapack);
    }

    private static void contract(LapackProvider lapack) {
        IntStream.concat(IntStream.rangeClosed(1, 67), IntStream.of(127, 128, 129, 255, 256, 257)).forEach(n -> {
            factors(lapack, n);
            eigen(lapack, n);
        });
        equalEigenvalues(lapack);
        refusals(lapack);
    }

    private static void factors(LapackProvider lapack, int n) {
        try (Region region = Region.confined("factors")) {
            double[][] a = definite(n);
            int lda = n + PADDING;
            FloatTensor u = store(region, a);
            float below = n > 1 ? u.get(lda) : 0;
            lapack.spotrf(n, u.segment(), lda);
            assertEquals(below, n > 1 ? u.get(lda) : 0, "below the diagonal");
            for (int i = 0; i < n; i++) {
                for (int j = i; j < n; j++) {
                    double sum = 0;
                    for (int k = 0; k <= i; k++) {
                        sum += (double) u.get((long) k * lda + i) * u.get((long) k * lda + j);
                    }
                    // Higham, theorem 10.3: |A - U^T U| <= gamma(n + 1) |U^T| |U|, which the diagonal of A bounds.
                    assertEquals(a[i][j], sum, bound(n) * Math.sqrt(a[i][i] * a[j][j]), i + "," + j);
                }
            }
            FloatTensor x = region.tensor(3, n + 1);
            Random random = new Random(n);
            double[][] right = new double[3][n];
            for (int row = 0; row < 3; row++) {
                for (int i = 0; i < n; i++) {
                    right[row][i] = (float) random.nextGaussian();
                    x.set((long) row * (n + 1) + i, (float) right[row][i]);
                }
            }
            lapack.spotrs(n, 3, u.segment(), lda, x.segment(), n + 1);
            lapack.spotri(n, u.segment(), lda);
            double size = trace(a);
            for (int i = 0; i < n; i++) {
                for (int row = 0; row < 3; row++) {
                    double sum = 0;
                    for (int k = 0; k < n; k++) {
                        sum += a[i][k] * x.get((long) row * (n + 1) + k);
                    }
                    assertEquals(right[row][i], sum, bound(n) * n * size / RIDGE, "solution " + row + " at " + i);
                }
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (int k = 0; k < n; k++) {
                        sum += a[i][k] * u.get((long) Math.min(k, j) * lda + Math.max(k, j));
                    }
                    assertEquals(i == j ? 1 : 0, sum, bound(n) * n * size / RIDGE, "inverse at " + i + "," + j);
                }
            }
        }
    }

    private static void eigen(LapackProvider lapack, int n) {
        try (Region region = Region.confined("eigen")) {
            double[][] a = definite(n);
            FloatTensor vectors = store(region, a);
            eigen(lapack, a, vectors, region.tensor(n));
        }
    }

    private static void eigen(LapackProvider lapack, double[][] a, FloatTensor vectors, FloatTensor values) {
        int n = a.length;
        int lda = n + PADDING;
        lapack.ssyevd(n, vectors.segment(), lda, values.segment());
        double bound = bound(n) * (trace(a) + 1) * 4;
        for (int i = 0; i < n; i++) {
            assertTrue(i == 0 || values.get(i) >= values.get(i - 1), "ascending at " + i);
            for (int j = 0; j < n; j++) {
                double product = 0;
                double image = 0;
                for (int k = 0; k < n; k++) {
                    product += (double) vectors.get((long) i * lda + k) * vectors.get((long) j * lda + k);
                    image += a[j][k] * vectors.get((long) i * lda + k);
                }
                assertEquals(i == j ? 1 : 0, product, bound(n) * 4, "orthonormal " + i + "," + j);
                assertEquals((double) values.get(i) * vectors.get((long) i * lda + j), image, bound, i + "," + j);
            }
        }
    }

    /** Diagonal matrices, zero and multiples of one: nothing is left to rotate. */
    private static void equalEigenvalues(LapackProvider lapack) {
        for (double value : new double[]{0, 1, -2, Float.MIN_VALUE}) {
            try (Region region = Region.confined("equal")) {
                double[][] a = new double[9][9];
                for (int i = 0; i < 9; i++) {
                    a[i][i] = value;
                }
                a[8][8] = -0.0;
                FloatTensor values = region.tensor(9);
                eigen(lapack, a, store(region, a), values);
                assertEquals(Math.min(0, value), values.get(0), 1e-6);
                assertEquals(Math.max(0, value), values.get(8), 1e-6);
            }
        }
    }

    private static void refusals(LapackProvider lapack) {
        try (Region region = Region.confined("refusals")) {
            FloatTensor a = region.tensor(4, 4);
            for (int i = 0; i < 4; i++) {
                a.set(i * 5, 1);
            }
            a.set(10, -1);
            ArithmeticException thrown =
                    assertThrows(ArithmeticException.class, () -> lapack.spotrf(4, a.segment(), 4));
            assertTrue(thrown.getMessage().contains("pivot of row 2"), thrown.getMessage());
            assertThrows(IndexOutOfBoundsException.class, () -> lapack.spotrf(5, a.segment(), 5));
            assertThrows(IndexOutOfBoundsException.class,
                    () -> lapack.ssyevd(4, a.segment(), 4, a.segment().asSlice(52)));
            a.set(5, Float.NaN);
            assertThrows(ArithmeticException.class, () -> lapack.spotrf(4, a.segment(), 4));
            assertThrows(ArithmeticException.class, () -> lapack.ssyevd(4, a.segment(), 4, region.tensor(4).segment()));
        }
    }

    /** Roundings of a float product of that length, with a margin for blocked orders. */
    private static double bound(int n) {
        return 4 * (n + 4) * 0x1p-24;
    }

    private static double trace(double[][] a) {
        return IntStream.range(0, a.length).mapToDouble(i -> Math.abs(a[i][i])).sum();
    }

    private static double[][] definite(int n) {
        Random random = new Random(n);
        double[][] x = new double[n + 2][n];
        for (double[] row : x) {
            for (int i = 0; i < n; i++) {
                row[i] = random.nextGaussian();
            }
        }
        double[][] a = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                for (double[] row : x) {
                    a[i][j] += row[i] * row[j] / x.length;
                }
                a[i][j] = (float) a[i][j];
            }
            a[i][i] = (float) (a[i][i] + RIDGE);
        }
        return a;
    }

    private static FloatTensor store(Region region, double[][] a) {
        FloatTensor tensor = region.tensor(a.length, a.length + PADDING);
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a.length; j++) {
                tensor.set((long) i * (a.length + PADDING) + j, (float) a[i][j]);
            }
        }
        return tensor;
    }
}
