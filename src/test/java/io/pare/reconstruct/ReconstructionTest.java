package io.pare.reconstruct;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.constraint.BlockLevels;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.Quantization.Levels;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.compress.constraint.SparseClustering;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.StructuredSparsity;
import io.pare.compress.constraint.StructuredSparsity.Unit;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ReconstructionTest {
    private static final int OUTPUTS = 24;
    private static final int D = 64;
    private static final int ROWS = 300;

    private int regionsBefore;
    private long bytesBefore;
    private Region region;
    private FloatTensor x;
    private FloatTensor w;
    private FloatTensor z;
    private Hessian hessian;

    @BeforeEach
    void open() {
        regionsBefore = Region.liveRegions();
        bytesBefore = Region.liveBytes();
        region = Region.shared("reconstruction test");
        x = Problems.inputs(region, ROWS, D, 1, 3);
        w = Problems.gaussian(region, 4, OUTPUTS, D);
        z = region.tensor(OUTPUTS, D);
        hessian = new Hessian(region, D);
        hessian.add(x);
    }

    @AfterEach
    void nothingIsLeft() {
        region.close();
        assertEquals(regionsBefore, Region.liveRegions(), Region::describeLive);
        assertEquals(bytesBefore, Region.liveBytes());
    }

    static Stream<Reconstruction> supports() {
        return Stream.of(Reconstruction.onto(Sparsity.share(0.3)), Reconstruction.onto(Sparsity.count(0)),
                Reconstruction.onto(Sparsity.count(1)), Reconstruction.onto(Sparsity.share(1)),
                Reconstruction.onto(Sparsity.share(0.3)).parts(Parts.ROWS),
                Reconstruction.onto(Sparsity.share(0.25)).parts(Parts.groups(8)),
                Reconstruction.onto(Sparsity.share(0.4)).parts(Parts.groups(10)),
                Reconstruction.onto(StructuredSparsity.nOfM(2, 4)), Reconstruction.onto(StructuredSparsity.nOfM(1, 3)),
                Reconstruction.onto(StructuredSparsity.nOfM(2, 4)).parts(Parts.ROWS),
                Reconstruction.onto(StructuredSparsity.of(Unit.COLUMN, 0.5)),
                Reconstruction.onto(StructuredSparsity.of(Unit.ROW, 0.5)),
                Reconstruction.onto(StructuredSparsity.blocks(4, 8, 0.4)));
    }

    /** The error is that of the inputs themselves, no worse than the projection's, and equal arguments give equal bits. */
    @ParameterizedTest
    @MethodSource("supports")
    void admmGivesAProvedSupportOfLessErrorThanItsProjection(Reconstruction admm) {
        for (int swaps : new int[]{0, 20}) {
            Reconstruction used = admm.method(Method.ADMM.swaps(swaps));
            Reconstruction.Outcome outcome = used.solve(w, hessian, z);
            assertTrue(outcome.feasibility().holds(), outcome.feasibility().detail());
            assertEquals(Problems.error(x, w, z), outcome.error(), 1e-4 * outcome.error() + 1e-6);
            double projected = admm.method(new Method.Wanda()).solve(w, hessian, region.tensor(OUTPUTS, D)).error();
            assertTrue(outcome.error() <= projected + 1e-6, outcome.error() + " is more than " + projected);
            FloatTensor again = region.tensor(OUTPUTS, D);
            used.solve(w, hessian, again);
            assertArrayEquals(z.toArray(), again.toArray());
        }
    }

    static Stream<Reconstruction> values() {
        Quantization levels = Quantization.bits(3);
        return Stream.of(Reconstruction.onto(new Clustering(8)), Reconstruction.onto(new Clustering(1)),
                Reconstruction.onto(new Clustering(4)).parts(Parts.ROWS),
                Reconstruction.onto(new Clustering(4)).parts(Parts.groups(32)),
                Reconstruction.onto(new ScaledLevels(0.8, 0)), Reconstruction.onto(new ScaledLevels(0.5, 16)),
                Reconstruction.onto(Sparsity.share(0.5)).then(new ScaledLevels(0.7, 0)),
                Reconstruction.onto(levels).parts(Parts.ROWS), Reconstruction.onto(levels).parts(Parts.groups(24)),
                Reconstruction.onto(Quantization.bits(1)).parts(Parts.ROWS),
                Reconstruction.onto(new Quantization(Levels.TERNARY, 1, true, true)).parts(Parts.ROWS),
                Reconstruction.onto(new Quantization(Levels.POWERS, 3, false, false)),
                Reconstruction.onto(new BlockLevels(3, 16)), Reconstruction.onto(new BlockLevels(4, 24)),
                Reconstruction.onto(Sparsity.share(0.5)).then(new BlockLevels(3, 32)),
                Reconstruction.onto(new SparseClustering(Sparsity.share(0.5), 8)),
                Reconstruction.onto(StructuredSparsity.nOfM(2, 4)).then(new Clustering(16)).parts(Parts.ROWS),
                Reconstruction.onto(Sparsity.share(0.4)).parts(Parts.ROWS).then(levels).parts(Parts.groups(32)));
    }

    @ParameterizedTest
    @MethodSource("values")
    void admmGivesProvedValuesOfLessErrorThanTheirProjection(Reconstruction admm) {
        Reconstruction.Outcome outcome = admm.solve(w, hessian, z);
        assertTrue(outcome.feasibility().holds(), outcome.feasibility().detail());
        assertEquals(Problems.error(x, w, z), outcome.error(), 1e-4 * outcome.error() + 1e-6);
        for (Method peer : List.of(new Method.Wanda(), new Method.Magnitude(), new Method.Columns())) {
            FloatTensor other = region.tensor(OUTPUTS, D);
            Reconstruction.Outcome projected = admm.method(peer).solve(w, hessian, other);
            assertTrue(projected.feasibility().holds(), projected.feasibility().detail());
            assertTrue(outcome.error() <= projected.error() + 1e-6, peer + " has " + projected + ", ADMM " + outcome);
        }
        FloatTensor again = region.tensor(OUTPUTS, D);
        admm.solve(w, hessian, again);
        assertArrayEquals(z.toArray(), again.toArray());
    }

    /** No other value of a weight lowers the error of the damped problem, once descent has come to rest. */
    @Test
    void codesAreTheBestOnesByOne() {
        Reconstruction.onto(new Clustering(6)).method(new Method.Admm(1, 25, 20, 60, 0)).solve(w, hessian, z);
        float[] values = Projector.distinct(z, 6);
        double damping = 0.01 * hessian.meanDiagonal();
        for (int row = 0; row < OUTPUTS; row++) {
            for (int i = 0; i < D; i++) {
                double gradient = 0;
                double size = 0;
                for (int j = 0; j < D; j++) {
                    double h = hessian.at(i, j) + (i == j ? damping : 0);
                    double change = z.get((long) row * D + j) - w.get((long) row * D + j);
                    gradient += h * change;
                    size += Math.abs(h * change);
                }
                double curvature = hessian.at(i, i) + damping;
                for (float value : values) {
                    double step = value - z.get((long) row * D + i);
                    assertTrue(curvature * step * step + 2 * gradient * step >= -1e-4 * size * Math.abs(step),
                            row + "," + i + " would rather be " + value);
                }
            }
        }
    }

    @Test
    void alpsFindsSupportsLikeAdmm() {
        for (Reconstruction each : List.of(Reconstruction.onto(Sparsity.share(0.3)),
                Reconstruction.onto(StructuredSparsity.nOfM(2, 4)))) {
            Reconstruction.Outcome alps = each.method(new Method.Alps()).solve(w, hessian, z);
            assertTrue(alps.feasibility().holds(), alps.feasibility().detail());
            double sparseGpt = each.method(new Method.Columns()).solve(w, hessian, z).error();
            assertTrue(alps.error() < 0.8 * sparseGpt, alps.error() + " beside " + sparseGpt);
        }
        Reconstruction values = Reconstruction.onto(new Clustering(4)).method(new Method.Alps());
        assertThrows(IllegalArgumentException.class, () -> values.solve(w, hessian, z));
        assertThrows(IllegalArgumentException.class, () -> new Method.Alps(0, 1, 1));
    }

    /** The codebook of the weighted k-means, and each rounding error made good by all later columns, in double. */
    @Test
    void gptqIsWhatItsPaperSays() {
        Reconstruction clustered = Reconstruction.onto(new Clustering(8));
        clustered.method(new Method.Wanda()).solve(w, hessian, z);
        float[] words = Projector.distinct(z, 8);
        clustered.method(new Method.Columns(24)).solve(w, hessian, z);
        int different = 0;
        for (int row = 0; row < OUTPUTS; row++) {
            double[] left = new double[D];
            for (int i = 0; i < D; i++) {
                left[i] = w.get((long) row * D + i);
            }
            for (int i = 0; i < D; i++) {
                float nearest = words[0];
                for (float word : words) {
                    nearest = Math.abs(word - left[i]) < Math.abs(nearest - left[i]) ? word : nearest;
                }
                double[] inverse = firstRowOfInverse(i);
                double factor = (left[i] - nearest) / inverse[0];
                for (int j = i; j < D; j++) {
                    left[j] -= factor * inverse[j - i];
                }
                different += z.get((long) row * D + i) == nearest ? 0 : 1;
            }
        }
        // A weight at the middle of two values may be rounded to either, and with it those that follow.
        assertTrue(different <= OUTPUTS * D / 100, different + " weights differ");
    }

    @Test
    void swapsLowerTheErrorFurther() {
        Reconstruction admm = Reconstruction.onto(Sparsity.share(0.3));
        double plain = admm.solve(w, hessian, z).error();
        double swapped = admm.method(Method.ADMM.swaps(50)).solve(w, hessian, z).error();
        assertTrue(swapped < 0.98 * plain, plain + " and with swaps " + swapped);
    }

    /** No weight of the support has a gradient left: these are the least squares, of the damped Hessian. */
    @Test
    void valuesOnTheSupportAreLeastSquares() {
        Reconstruction.onto(Sparsity.share(0.3)).method(new Method.Admm(1, 25, 20, 200, 0)).solve(w, hessian, z);
        double damping = 0.01 * hessian.meanDiagonal();
        for (int row = 0; row < OUTPUTS; row++) {
            for (int i = 0; i < D; i++) {
                double gradient = 0;
                double size = 0;
                for (int j = 0; j < D; j++) {
                    double h = hessian.at(i, j) + (i == j ? damping : 0);
                    double change = z.get((long) row * D + j) - w.get((long) row * D + j);
                    gradient += h * change;
                    size += Math.abs(h * change);
                }
                if (z.get((long) row * D + i) != 0) {
                    assertEquals(0, gradient, 1e-4 * size, row + "," + i);
                }
            }
        }
    }

    @Test
    void filtersOfAnyRankMayBeReplacedInPlace() {
        FloatTensor filters = w.reshape(OUTPUTS, 16, 2, 2);
        FloatTensor expected = region.tensor(OUTPUTS, 16, 2, 2);
        Reconstruction channels = Reconstruction.onto(StructuredSparsity.of(Unit.CHANNEL, 0.5));
        assertTrue(channels.solve(filters, hessian, expected).feasibility().holds());
        channels.solve(filters, hessian, filters);
        assertArrayEquals(expected.toArray(), filters.toArray());
    }

    @Test
    void inputsThatAreAlwaysZeroDoNoHarm() {
        for (long row = 0; row < ROWS; row++) {
            x.set(row * D + 5, 0);
        }
        Hessian dead = new Hessian(region, D);
        dead.add(x);
        for (double damping : new double[]{0, 0.01}) {
            for (Method method : List.of(Method.ADMM, Method.ADMM.swaps(10), new Method.Wanda())) {
                Reconstruction.Outcome outcome =
                        Reconstruction.onto(Sparsity.share(0.5)).damping(damping).method(method)
                                .solve(w, dead, z);
                assertTrue(outcome.feasibility().holds() && outcome.error() < 0.2, outcome.toString());
            }
        }
    }

    @Test
    void magnitudeAndWandaKeepTheWeightsOfTheirScores() {
        Constraint set = Sparsity.count(16);
        for (boolean wanda : new boolean[]{false, true}) {
            Method method = wanda ? new Method.Wanda() : new Method.Magnitude();
            Reconstruction.onto(set).parts(Parts.ROWS).damping(0).method(method).solve(w, hessian, z);
            for (int row = 0; row < OUTPUTS; row++) {
                double[] scores = new double[D];
                for (int i = 0; i < D; i++) {
                    scores[i] = Math.abs(w.get((long) row * D + i)) * (wanda ? Math.sqrt(hessian.at(i, i)) : 1);
                }
                double[] sorted = scores.clone();
                Arrays.sort(sorted);
                for (int i = 0; i < D; i++) {
                    float expected = scores[i] >= sorted[D - 16] ? w.get((long) row * D + i) : 0;
                    assertEquals(expected, z.get((long) row * D + i), 2 * Math.ulp(expected), row + "," + i);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource
    void sparseGptIsWhatItsPaperSays(Reconstruction sparseGpt, int width, int keptOfARow) {
        double[][] expected = slowSparseGpt(width, keptOfARow);
        Reconstruction.Outcome outcome = sparseGpt.solve(w, hessian, z);
        assertTrue(outcome.feasibility().holds(), outcome.feasibility().detail());
        for (int row = 0; row < OUTPUTS; row++) {
            for (int i = 0; i < D; i++) {
                assertEquals(expected[row][i], z.get((long) row * D + i), 1e-3, row + "," + i);
            }
        }
    }

    static Stream<Arguments> sparseGptIsWhatItsPaperSays() {
        return Stream.of(
                Arguments.of(
                        Reconstruction.onto(Sparsity.share(0.25)).parts(Parts.ROWS).method(new Method.Columns(16)), 16,
                        4),
                Arguments
                        .of(Reconstruction.onto(StructuredSparsity.nOfM(2, 4)).method(new Method.Columns()), 4, 2));
    }

    /** Row by row and column by column, with the inverse of what is left of the Hessian computed anew each time. */
    private double[][] slowSparseGpt(int width, int kept) {
        double[][] result = new double[OUTPUTS][D];
        double[][] first = new double[D][];
        for (int i = 0; i < D; i++) {
            first[i] = firstRowOfInverse(i);
        }
        for (int row = 0; row < OUTPUTS; row++) {
            double[] left = result[row];
            for (int i = 0; i < D; i++) {
                left[i] = w.get((long) row * D + i);
            }
            for (int start = 0; start < D; start += width) {
                double[] scores = new double[width];
                for (int i = 0; i < width; i++) {
                    scores[i] = left[start + i] * left[start + i] / first[start + i][0];
                }
                double[] sorted = scores.clone();
                Arrays.sort(sorted);
                for (int i = start; i < start + width; i++) {
                    if (scores[i - start] < sorted[width - kept]) {
                        double factor = left[i] / first[i][0];
                        for (int j = i; j < D; j++) {
                            left[j] -= factor * first[i][j - i];
                        }
                        left[i] = 0;
                    }
                }
            }
        }
        return result;
    }

    /** Of the damped Hessian without the inputs before {@code from}, by Gauss and Jordan. */
    private double[] firstRowOfInverse(int from) {
        int n = D - from;
        double[][] a = new double[n][2 * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                a[i][j] = hessian.at(from + i, from + j);
            }
            a[i][i] += 0.01 * hessian.meanDiagonal();
            a[i][n + i] = 1;
        }
        for (int p = 0; p < n; p++) {
            double pivot = a[p][p];
            for (int j = 0; j < 2 * n; j++) {
                a[p][j] /= pivot;
            }
            for (int i = 0; i < n; i++) {
                double factor = a[i][p];
                if (i != p) {
                    for (int j = 0; j < 2 * n; j++) {
                        a[i][j] -= factor * a[p][j];
                    }
                }
            }
        }
        return Arrays.copyOfRange(a[0], n, 2 * n);
    }

    @Test
    void theColumnsMethodKeepsToTheCountOfTheMatrix() {
        for (int count : new int[]{0, 1, 7, 511, OUTPUTS * D}) {
            Reconstruction.Outcome outcome =
                    Reconstruction.onto(Sparsity.count(count)).method(new Method.Columns(9)).solve(w, hessian, z);
            assertTrue(outcome.feasibility().holds(), outcome.feasibility().detail());
        }
    }

    @Test
    void badInputIsRefusedInOneLine() {
        Reconstruction half = Reconstruction.onto(Sparsity.share(0.5));
        Hessian few = new Hessian(region, D);
        few.add(x.rows(0, 50));
        assertEquals("calibration of 50 rows is too small for 64 inputs: their rank needs 14 rows more",
                assertThrows(IllegalStateException.class, () -> half.solve(w, few, z)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> half.solve(region.tensor(3, 7), hessian, z));
        assertThrows(IllegalArgumentException.class, () -> half.solve(w, hessian, region.tensor(D, OUTPUTS)));
        assertThrows(IllegalArgumentException.class, () -> half.damping(Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> Method.ADMM.penalty(0));
        assertThrows(IllegalArgumentException.class, () -> new Method.Admm(1, 10, 11, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> new Method.Columns(0));
        assertThrows(IllegalArgumentException.class, () -> Parts.groups(0));
        Reconstruction columns = Reconstruction.onto(StructuredSparsity.of(Unit.ROW, 0.5)).method(new Method.Columns());
        assertThrows(IllegalArgumentException.class, () -> columns.solve(w, hessian, z));
        Reconstruction filling = Reconstruction.onto(Sparsity.share(0.5));
        assertThrows(IllegalArgumentException.class,
                () -> filling.then(new Quantization(Levels.UNIFORM, 3, false, true)));
        w.set(3, Float.NaN);
        assertThrows(IllegalArgumentException.class, () -> half.solve(w, hessian, z));
    }
}
