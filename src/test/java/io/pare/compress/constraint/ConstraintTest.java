package io.pare.compress.constraint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.LayerRow;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ConstraintTest {
    private final Region region = Region.confined("test");
    private final Projections kernels = Projections.open(1);

    @AfterEach
    void close() {
        kernels.close();
        region.close();
    }

    private FloatTensor tensor(long[] shape, float... values) {
        return region.tensor(shape).copyFrom(values);
    }

    private FloatTensor random(long seed, long... shape) {
        SplittableRandom random = new SplittableRandom(seed);
        FloatTensor tensor = region.tensor(shape);
        for (long i = 0; i < tensor.count(); i++) {
            tensor.set(i, (float) random.nextGaussian());
        }
        return tensor;
    }

    private List<FloatTensor> project(Constraint constraint, ProjectionState memory, FloatTensor... from) {
        List<FloatTensor> to = Arrays.stream(from).map(tensor -> region.tensor(tensor.shape())).toList();
        constraint.project(List.of(from), to, memory, kernels);
        return to;
    }

    private static double distance(FloatTensor a, FloatTensor b) {
        double sum = 0;
        for (long i = 0; i < a.count(); i++) {
            sum += Math.pow(a.get(i) - b.get(i), 2);
        }
        return sum;
    }

    static List<Constraint> all() {
        return List.of(Sparsity.count(7), Sparsity.share(0.25), StructuredSparsity.of(StructuredSparsity.Unit.ROW, 0.5),
                StructuredSparsity.of(StructuredSparsity.Unit.CHANNEL, 0.5),
                StructuredSparsity.of(StructuredSparsity.Unit.COLUMN, 0.25),
                StructuredSparsity.blocks(2, 3, 0.4), StructuredSparsity.nOfM(2, 4), new Clustering(3),
                Quantization.bits(2),
                new Quantization(Quantization.Levels.POWERS, 3, true, true),
                new Quantization(Quantization.Levels.BINARY, 1, false, true),
                new SparseClustering(Sparsity.count(9), 2),
                new GlobalSparsity(11, GlobalSparsity.Score.MAGNITUDE, List.of()),
                new GlobalSparsity(11, GlobalSparsity.Score.LAMP, List.of()),
                new GlobalBudget(30, 1, 3, GlobalSparsity.Score.MAGNITUDE));
    }

    @ParameterizedTest
    @MethodSource("all")
    void aProjectionLiesInTheSetAndStaysWhereItIs(Constraint constraint) {
        for (long seed = 0; seed < 20; seed++) {
            ProjectionState memory = new ProjectionState();
            List<FloatTensor> once = project(constraint, memory, random(seed, 6, 3, 2, 2));
            Feasibility measured = constraint.measure(once, memory);
            assertTrue(measured.holds(), constraint.describe() + ": " + measured.detail());
            List<FloatTensor> twice = project(constraint, memory, once.getFirst());
            assertArrayEquals(once.getFirst().toArray(), twice.getFirst().toArray(), 1e-6f, constraint.describe());
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void whatIsOutOfTheSetIsMeasuredAsSuch(Constraint constraint) {
        ProjectionState memory = new ProjectionState();
        project(constraint, memory, random(1, 6, 3, 2, 2));
        Feasibility measured = constraint.measure(List.of(random(2, 6, 3, 2, 2)), memory);
        assertFalse(measured.holds(), constraint.describe());
        assertTrue(measured.excess() > 0);
    }

    @ParameterizedTest
    @MethodSource("all")
    void aProjectionDoesNoMoreThanTheConstraintSays(Constraint constraint) {
        for (long seed = 0; seed < 20; seed++) {
            FloatTensor from = random(seed, 6, 3, 2, 2);
            for (long e = 0; e < from.count(); e += 3) {
                from.set(e, 0);
            }
            FloatTensor to = project(constraint, new ProjectionState(), from).getFirst();
            for (long e = 0; e < from.count(); e++) {
                boolean filled = from.get(e) == 0 && to.get(e) != 0;
                boolean zeroed = from.get(e) != 0 && to.get(e) == 0;
                assertFalse(filled && !constraint.changes().contains(WeightChange.FILLS_ZEROS), constraint.describe());
                assertFalse(zeroed && !constraint.changes().contains(WeightChange.MAKES_ZEROS), constraint.describe());
            }
            assertTrue(Projector.distinct(to, 1000).length <= constraint.values(), constraint.describe());
            assertTrue(constraint.contains(constraint), constraint.describe());
        }
    }

    @Test
    void aSetContainsTheNarrowerOnesOfItsKind() {
        assertTrue(
                new Clustering(4).contains(Quantization.bits(2)) && !new Clustering(3).contains(Quantization.bits(2)));
        assertTrue(Quantization.bits(3).contains(Quantization.bits(2))
                && !Quantization.bits(2).contains(Quantization.bits(3))
                && !Quantization.bits(3).contains(new Quantization(Quantization.Levels.POWERS, 2, true, true)));
        assertTrue(StructuredSparsity.of(StructuredSparsity.Unit.ROW, 0.5)
                .contains(StructuredSparsity.of(StructuredSparsity.Unit.ROW, 0.25)));
        assertFalse(StructuredSparsity.of(StructuredSparsity.Unit.ROW, 0.5)
                .contains(StructuredSparsity.of(StructuredSparsity.Unit.COLUMN, 0.25)));
        assertTrue(new GlobalBudget(30, 1, 3, GlobalSparsity.Score.LAMP)
                .contains(new GlobalBudget(20, 1, 3, GlobalSparsity.Score.LAMP)));
    }

    @Test
    void sparsityIsTheNearestOfAllSupports() {
        FloatTensor x = random(3, 10);
        FloatTensor z = project(Sparsity.count(4), new ProjectionState(), x).getFirst();
        double best = Double.POSITIVE_INFINITY;
        for (int support = 0; support < 1 << 10; support++) {
            if (Integer.bitCount(support) == 4) {
                double error = 0;
                for (int i = 0; i < 10; i++) {
                    error += (support >> i & 1) == 0 ? Math.pow(x.get(i), 2) : 0;
                }
                best = Math.min(best, error);
            }
        }
        assertEquals(best, distance(x, z), 1e-9);
    }

    @Test
    void countsComeFromAShareByRounding() {
        assertEquals(3, Sparsity.share(0.25).kept(10));
        assertEquals(0, Sparsity.share(0).kept(10));
        assertEquals(10, Sparsity.share(1).kept(10));
        assertEquals(10, Sparsity.count(99).kept(10));
        assertThrows(IllegalArgumentException.class, () -> Sparsity.share(1.5));
        assertThrows(IllegalArgumentException.class, () -> Sparsity.count(-1));
    }

    @Test
    void structuresKeepTheGroupsOfLargestNorm() {
        FloatTensor x = tensor(new long[]{2, 2, 2}, 1, 1, 5, 0, 2, 2, 2, 2);
        assertArrayEquals(new float[]{1, 1, 5, 0, 0, 0, 0, 0},
                project(StructuredSparsity.of(StructuredSparsity.Unit.FILTER, 0.5), new ProjectionState(), x).getFirst()
                        .toArray());
        assertArrayEquals(new float[]{0, 0, 5, 0, 0, 0, 2, 2},
                project(StructuredSparsity.of(StructuredSparsity.Unit.CHANNEL, 0.5), new ProjectionState(), x)
                        .getFirst()
                        .toArray());
        assertArrayEquals(new float[]{0, 0, 5, 0, 0, 0, 2, 0},
                project(StructuredSparsity.of(StructuredSparsity.Unit.COLUMN, 0.25), new ProjectionState(), x)
                        .getFirst()
                        .toArray());
        assertArrayEquals(new float[]{1, 0, 5, 0, 2, 0, 2, 0},
                project(StructuredSparsity.nOfM(1, 2), new ProjectionState(), x).getFirst().toArray());
    }

    @Test
    void clusteringKeepsZerosAndFindsTheMeans() {
        FloatTensor x = tensor(new long[]{6}, 0, 1, 1.5f, -3, -3.5f, 0);
        ProjectionState memory = new ProjectionState();
        assertArrayEquals(new float[]{0, 1.25f, 1.25f, -3.25f, -3.25f, 0},
                project(new Clustering(2), memory, x).getFirst().toArray());
        assertArrayEquals(new double[]{-3.25, 1.25}, memory.get(Clustering.CODEBOOK, 0));
    }

    @Test
    void aCodebookFollowsTheWeights() {
        ProjectionState memory = new ProjectionState();
        Clustering constraint = new Clustering(2);
        project(constraint, memory, tensor(new long[]{4}, -1, -1, 1, 1));
        project(constraint, memory, tensor(new long[]{4}, -2, -2, 3, 3));
        assertArrayEquals(new double[]{-2, 3}, memory.get(Clustering.CODEBOOK, 0));
    }

    @Test
    void quantizationFindsTheIntervalOfLeastError() {
        FloatTensor x = tensor(new long[]{5}, 0.52f, -0.98f, 1.01f, 0, -0.49f);
        ProjectionState memory = new ProjectionState();
        FloatTensor z = project(Quantization.bits(2), memory, x).getFirst();
        double q = memory.get(Quantization.INTERVAL, 0)[0];
        // Levels 1, -2, 2, -1 for the non-zeros: q = sum(level x) / sum(level^2).
        assertEquals((0.52 + 2 * 0.98 + 2 * 1.01 + 0.49) / 10, q, 1e-6);
        assertEquals(0, z.get(3));
        assertEquals(-2 * q, z.get(1), 1e-6);
    }

    @Test
    void anIntervalThatDoesNotFollowStays() {
        ProjectionState memory = new ProjectionState();
        Quantization fixed = new Quantization(Quantization.Levels.BINARY, 1, true, false);
        project(fixed, memory, tensor(new long[]{2}, -1, 1));
        FloatTensor z = project(fixed, memory, tensor(new long[]{2}, -5, 5)).getFirst();
        assertArrayEquals(new float[]{-1, 1}, z.toArray());
    }

    @Test
    void binaryWithoutZerosGivesEachZeroALevel() {
        FloatTensor z = project(new Quantization(Quantization.Levels.BINARY, 1, false, true), new ProjectionState(),
                tensor(new long[]{4}, 2, 0, -2, 2)).getFirst();
        assertEquals(2, Math.abs(z.get(1)));
    }

    @Test
    void jointIsNoWorseThanSparsityAndThenClustering() {
        for (long seed = 0; seed < 50; seed++) {
            FloatTensor x = random(seed, 40);
            FloatTensor z = project(new SparseClustering(Sparsity.count(12), 2), new ProjectionState(), x).getFirst();
            FloatTensor sparse = project(Sparsity.count(12), new ProjectionState(), x).getFirst();
            FloatTensor sequence = project(new Clustering(2), new ProjectionState(), sparse).getFirst();
            assertTrue(distance(x, z) <= distance(x, sequence) + 1e-6, "seed " + seed);
        }
    }

    @Test
    void aGlobalCountByMagnitudeIsTheTopOfTheUnion() {
        FloatTensor a = random(5, 20);
        FloatTensor b = random(6, 30);
        List<FloatTensor> z =
                project(new GlobalSparsity(9, GlobalSparsity.Score.MAGNITUDE, List.of()), new ProjectionState(), a,
                        b);
        List<Float> magnitudes = new ArrayList<>();
        for (FloatTensor tensor : List.of(a, b)) {
            for (float value : tensor.toArray()) {
                magnitudes.add(Math.abs(value));
            }
        }
        magnitudes.sort((x, y) -> Float.compare(y, x));
        float least = magnitudes.get(8);
        for (int t = 0; t < 2; t++) {
            FloatTensor from = t == 0 ? a : b;
            for (long i = 0; i < from.count(); i++) {
                assertEquals(Math.abs(from.get(i)) >= least ? from.get(i) : 0, z.get(t).get(i));
            }
        }
    }

    @Test
    void lampComparesTensorsWhateverTheirScale() {
        FloatTensor a = random(7, 50);
        FloatTensor b = region.tensor(50);
        for (long i = 0; i < 50; i++) {
            b.set(i, 1000 * a.get(i));
        }
        List<FloatTensor> z =
                project(new GlobalSparsity(20, GlobalSparsity.Score.LAMP, List.of()), new ProjectionState(), a, b);
        assertEquals(10, Projector.nonzeros(z.get(0)));
        assertEquals(10, Projector.nonzeros(z.get(1)));
    }

    @Test
    void deadUnitsGiveTheirWeightsToOthers() {
        // Unit 0 is strong but nobody reads it; unit 1 is read but reads nothing; unit 2 is alive.
        FloatTensor producer = tensor(new long[]{3, 2}, 9, 9, 0, 0, 1, 0.5f);
        FloatTensor consumer = tensor(new long[]{2, 3}, 0, 8, 2, 0, 7, 0.4f);
        List<FloatTensor> z = project(
                new GlobalSparsity(4, GlobalSparsity.Score.MAGNITUDE, List.of(new GlobalSparsity.Dependency(0, 1))),
                new ProjectionState(), producer, consumer);
        assertArrayEquals(new float[]{0, 0, 0, 0, 1, 0.5f}, z.get(0).toArray());
        assertArrayEquals(new float[]{0, 0, 2, 0, 0, 0.4f}, z.get(1).toArray());
    }

    @Test
    void aBudgetIsSpentOnValuesAndCounts() {
        FloatTensor a = random(8, 60);
        FloatTensor b = random(9, 60);
        ProjectionState memory = new ProjectionState();
        GlobalBudget budget = new GlobalBudget(80, 1, 4, GlobalSparsity.Score.MAGNITUDE);
        List<FloatTensor> z = project(budget, memory, a, b);
        long used = 0;
        for (FloatTensor tensor : z) {
            used += Projector.nonzeros(tensor) * LayerRow.of("t", tensor).bits();
        }
        assertTrue(used <= 80 && used > 60, "bits used: " + used);
        // Never worse than any single width for both.
        for (int bits = 1; bits <= 4; bits++) {
            List<FloatTensor> same = project(
                    new GlobalBudget(80, bits, bits, GlobalSparsity.Score.MAGNITUDE), new ProjectionState(), a, b);
            double uniform = distance(a, same.get(0)) + distance(b, same.get(1));
            double chosen = distance(a, z.get(0)) + distance(b, z.get(1));
            assertTrue(bits == 2 ? chosen <= uniform * 1.02 : chosen <= uniform * 1.2,
                    bits + " bits: " + uniform + " against " + chosen);
        }
    }

    @Test
    void bitsTellValuesApart() {
        assertEquals(1, Projector.bitsFor(0));
        assertEquals(1, Projector.bitsFor(1));
        assertEquals(1, Projector.bitsFor(2));
        assertEquals(2, Projector.bitsFor(3));
        assertEquals(2, Projector.bitsFor(4));
        assertEquals(3, Projector.bitsFor(5));
        assertEquals(8, Projector.bitsFor(256));
        assertEquals(32, Projector.bitsFor(257));
    }
}
