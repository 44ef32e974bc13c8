package io.pare.reconstruct;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pare.Rounding;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HessianTest {
    /** Rows on both sides of a block's 256, given in one call or in several. */
    @ParameterizedTest
    @CsvSource({"1, 1", "1, 7", "3, 5", "255, 17", "256, 17", "257, 17", "700, 33"})
    void sumsAreThoseOfTheDefinition(int rows, int d) {
        try (Region region = Region.confined("hessian")) {
            FloatTensor x = Problems.gaussian(region, rows, rows, d);
            Hessian whole = new Hessian(region, d);
            whole.add(x);
            Hessian batches = new Hessian(region, d);
            batches.add(x.rows(0, rows / 3));
            batches.add(x.rows(rows / 3, rows));
            assertEquals(rows, batches.rows());
            for (int i = 0; i < d; i++) {
                for (int j = 0; j < d; j++) {
                    double sum = 0;
                    double size = 0;
                    for (long row = 0; row < rows; row++) {
                        double term = (double) x.get(row * d + i) * x.get(row * d + j);
                        sum += term;
                        size += Math.abs(term);
                    }
                    Rounding.assertSum(sum, whole.at(i, j), 258, size, i + "," + j);
                    Rounding.assertSum(sum, batches.at(i, j), 258, size, i + "," + j);
                    assertEquals(whole.at(i, j), whole.at(j, i));
                }
            }
        }
    }

    /** A float sum of 2^25 ones would stop at 2^24. */
    @Test
    void manyRowsCostNoPrecision() {
        try (Region region = Region.confined("hessian")) {
            int rows = 1 << 16;
            FloatTensor ones = region.tensor(rows, 1).fill(1);
            Hessian hessian = new Hessian(region, 1);
            for (int batch = 0; batch < 300; batch++) {
                hessian.add(ones);
            }
            assertEquals(300.0 * rows, hessian.at(0, 0));
            assertEquals(300.0 * rows, hessian.meanDiagonal());
        }
    }

    @Test
    void aRowThatIsNotFiniteIsNamedAndNothingIsAdded() {
        try (Region region = Region.confined("hessian")) {
            Hessian hessian = new Hessian(region, 3);
            hessian.add(region.tensor(10, 3).fill(1));
            for (float bad : new float[]{Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                FloatTensor x = region.tensor(5, 3).fill(1);
                x.set(7, bad);
                String message = assertThrows(IllegalArgumentException.class, () -> hessian.add(x)).getMessage();
                assertEquals("row 12 of the calibration has " + bad
                        + " as input 1: leave it out, or look for where it comes from", message);
            }
            assertEquals(10, hessian.rows());
            assertEquals(10, hessian.at(1, 2));
        }
    }

    /** What is left of each input's error is what no later input explains: conditional variances, whose product is the determinant. */
    @Test
    void feedbackLeavesTheConditionalVariances() {
        try (Region region = Region.confined("hessian")) {
            Hessian hessian = new Hessian(region, 3);
            hessian.add(Problems.gaussian(region, 5, 9, 3));
            double[] left = hessian.leftByFeedback(0);
            double c = hessian.at(2, 2);
            double b = hessian.at(1, 1) - hessian.at(1, 2) * hessian.at(1, 2) / c;
            double determinant = hessian.at(0, 0) * (hessian.at(1, 1) * c - hessian.at(1, 2) * hessian.at(1, 2))
                    - hessian.at(0, 1) * (hessian.at(0, 1) * c - hessian.at(1, 2) * hessian.at(0, 2))
                    + hessian.at(0, 2) * (hessian.at(0, 1) * hessian.at(1, 2) - hessian.at(1, 1) * hessian.at(0, 2));
            assertEquals(c, left[2], 1e-4 * c);
            assertEquals(b, left[1], 1e-4 * b);
            assertEquals(determinant / b / c, left[0], 1e-4 * left[0]);
        }
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        try (Region region = Region.confined("hessian")) {
            Hessian hessian = new Hessian(region, 3);
            assertThrows(IllegalArgumentException.class, () -> hessian.add(region.tensor(3)));
            assertThrows(IllegalArgumentException.class, () -> hessian.add(region.tensor(2, 4)));
            assertThrows(IllegalArgumentException.class, () -> new Hessian(region, 0));
        }
    }
}
