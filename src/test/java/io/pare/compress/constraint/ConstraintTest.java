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
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
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

    private FloatTensor importance(long seed, long... shape) {
        FloatTensor tensor = random(seed, shape);
        for (long i = 0; i < tensor.count(); i++) {
            tensor.set(i, (float) Math.exp(3 * tensor.get(i)));
        }
        return tensor;
    }

    private List<FloatTensor> projectWeighted(Constraint constraint, ProjectionState memory, List<FloatTensor> from,
            List<FloatTensor> importance) {
        List<FloatTensor> to = from.stream().map(tensor -> region.tensor(tensor.shape())).toList();
        constraint.projectWeighted(from, importance, to, memory, kernels);
        return to;
    }

    private static double distance(FloatTensor a, FloatTensor b, FloatTensor importance) {
        double sum = 0;
        for (long i = 0; i < a.count(); i++) {
            sum += importance.get(i) * Math.pow(a.get(i) - b.get(i), 2);
        }
        return sum;
    }

    static List<Constraint> all() {
        return List.of(Sparsity.count(7), Sparsity.share(0.25), StructuredSparsity.of(StructuredSparsity.Unit.ROW, 0.5),
                StructuredSparsity.of(StructuredSparsity.Unit.CHANNEL, 0.5),
                StructuredSparsity.of(StructuredSparsity.Unit.COLUMN, 0.25),
                StructuredSparsity.blocks(2, 3, 0.4), StructuredSparsity.nOfM(2, 4), new Clustering(3),
                Quantization.bits(2), new BlockLevels(3, 8), new BlockLevels(2, 1 << 20),
                new Quantization(Quantization.Levels.POWERS, 3, true, true),
                new Quantization(Quantization.Levels.SUMS, 4, true, true),
                new Quantization(Quantization.Levels.E2, 4, true, true),
                new Quantization(Quantization.Levels.BINARY, 1, false, true),
                new SparseClustering(Sparsity.count(9), 2), new KernelPatterns(2, 2), new BlockCirculant(2),
                new BlockCirculant(4),
                new GlobalSparsity(11, GlobalSparsity.Score.MAGNITUDE, List.of()),
                new GlobalSparsity(11, GlobalSparsity.Score.LAMP, List.of()),
                new GlobalSparsity(11, GlobalSparsity.Score.FISHER, List.of()),
                new GlobalSparsity(11, GlobalSparsity.Score.FISHER, List.of(), List.of(), List.of(), 1),
                new GlobalBudget(30, 1, 3, GlobalSparsity.Score.MAGNITUDE),
                new GlobalBudget(30, 1, 3, GlobalSparsity.Score.FISHER),
                new CodedBudget(70, List.of(2), true, List.of()), new CodedBudget(70, List.of(3), false, List.of()),
                groups(6, 0, GroupSparsity.Measure.GROUPS, 3, GroupSparsity.Score.MAGNITUDE),
                groups(3, 1, GroupSparsity.Measure.MULTIPLY_ADDS, 4 * 3 * 6, GroupSparsity.Score.FISHER),
                new ScaledLevels(0.7, 0), new ScaledLevels(1.5, 5), new NofMClustering(2, 4, 3),
                new NofMClustering(1, 5, 2), new ScaledSigns(true), new ScaledSigns(false), new FixedPoint(2),
                new FixedPoint(5), new HierarchicalBlocks(7, 4, 0.5, 2, 0.5),
                new HierarchicalBlocks(1, 3, 0.4, 1, 0.3));
    }

    /** A group for each index of a dimension of a tensor of six rows, or for each of some; twelve multiply-adds in each. */
    private static GroupSparsity groups(int size, int dimension, GroupSparsity.Measure measure, long allowed,
            GroupSparsity.Score score) {
        List<Integer> axis = IntStream.range(0, size).boxed().toList();
        return new GroupSparsity(new UnitGroups(size, List.of(axis), List.of(new UnitGroups.Slices(0, dimension, 0)),
                List.of(new UnitGroups.Work(36, List.of(0)))), measure, allowed, score, List.of(), 0);
    }

    @ParameterizedTest
    @MethodSource("all")
    void aWeightedProjectionLiesInTheSetAndStaysWhereItIs(Constraint constraint) {
        for (long seed = 0; seed < 20; seed++) {
            ProjectionState memory = new ProjectionState();
            List<FloatTensor> importance = List.of(importance(seed + 100, 6, 3, 2, 2));
            List<FloatTensor> once = projectWeighted(constraint, memory, List.of(random(seed, 6, 3, 2, 2)), importance);
            Feasibility measured = constraint.measure(once, memory);
            assertTrue(measured.holds(), constraint.describe() + ": " + measured.detail());
            List<FloatTensor> twice = projectWeighted(constraint, memory, once, importance);
            assertArrayEquals(once.getFirst().toArray(), twice.getFirst().toArray(), 1e-6f, constraint.describe());
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void aWeightedProjectionDependsOnRatiosOfWeightsOnly(Constraint constraint) {
        for (long seed = 0; seed < 20; seed++) {
            FloatTensor x = random(seed, 6, 3, 2, 2);
            FloatTensor importance = importance(seed + 100, 6, 3, 2, 2);
            FloatTensor larger = region.tensor(importance.shape());
            for (long i = 0; i < importance.count(); i++) {
                larger.set(i, 64 * importance.get(i));
            }
            // A power of four only shifts exponents, of the roots too: all bits are the same.
            assertArrayEquals(
                    projectWeighted(constraint, new ProjectionState(), List.of(x), List.of(importance)).getFirst()
                            .toArray(),
                    projectWeighted(constraint, new ProjectionState(), List.of(x), List.of(larger)).getFirst()
                            .toArray(),
                    constraint.describe());
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void withEqualWeightsItIsThePlainProjection(Constraint constraint) {
        for (long seed = 0; seed < 20; seed++) {
            FloatTensor x = random(seed, 6, 3, 2, 2);
            FloatTensor ones = region.tensor(x.shape());
            ones.fill(1f);
            assertArrayEquals(project(constraint, new ProjectionState(), x).getFirst().toArray(),
                    projectWeighted(constraint, new ProjectionState(), List.of(x), List.of(ones)).getFirst().toArray(),
                    1e-6f, constraint.describe());
        }
    }

    /** All cells of a small matrix one by one, against the sums over equally full rows and columns. */
    @Test
    void theBitsOfPlacesAreThoseOfDensitiesOfRowsAndColumns() {
        FloatTensor z = tensor(new long[]{3, 4}, 1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0);
        double[] rows = {2, 0, 1};
        double[] columns = {2, 0, 1, 0};
        double bits = 0;
        for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 4; c++) {
                double p = Math.min(0.7, 4 * (rows[r] + 0.4) / (3 + 1.2) * (columns[c] + 0.4) / (3 + 1.6));
                bits -= Math.log(z.get(r * 4 + c) != 0 ? p : 1 - p) / Math.log(2);
            }
        }
        assertEquals(bits + 3 * 2, new CodedBudget(99, List.of(2), true, List.of()).length(List.of(z)), 1e-9);
    }

    @Test
    void aCodedBudgetIsSpentToTheLastWeightThatFits() {
        for (long seed = 0; seed < 20; seed++) {
            FloatTensor x = random(seed, 30, 40);
            FloatTensor y = random(seed + 50, 10, 30);
            CodedBudget set = new CodedBudget(900, List.of(3, 2), true, List.of());
            ProjectionState memory = new ProjectionState();
            List<FloatTensor> z = project(set, memory, x, y);
            double length = set.length(z);
            assertTrue(set.measure(z, memory).holds() && length > 900 - 25, "length " + length);
            assertTrue(Projector.distinct(z.get(0), 99).length <= 8 && Projector.distinct(z.get(1), 99).length <= 4);
            assertFalse(set.measure(List.of(x, y), memory).holds());
            CodedBudget free = new CodedBudget(900, List.of(3, 2), false, List.of());
            FloatTensor kept = project(free, new ProjectionState(), x, y).getFirst();
            for (long e = 0; e < kept.count(); e++) {
                assertTrue(kept.get(e) == 0 || kept.get(e) == x.get(e));
            }
            assertTrue(set.contains(new CodedBudget(800, List.of(3, 2), true, List.of())) && !set.contains(free));
        }
    }

    @Test
    void aCodedBudgetKeepsMoreOfFullRowsThanOfThinOnes() {
        // Equal magnitudes everywhere: those of two full rows are cheaper than those of a diagonal.
        FloatTensor x = region.tensor(20, 20);
        for (int c = 0; c < 20; c++) {
            for (int r : new int[]{3, 9, c}) {
                x.set(r * 20L + c, 1 + 0.001f * c);
            }
        }
        CodedBudget set = new CodedBudget(90, List.of(1), false, List.of());
        FloatTensor z = project(set, new ProjectionState(), x).getFirst();
        int full = 0;
        int thin = 0;
        for (int e = 0; e < 400; e++) {
            if (z.get(e) != 0) {
                full += e / 20 == 3 || e / 20 == 9 ? 1 : 0;
                thin += e / 20 == 3 || e / 20 == 9 ? 0 : 1;
            }
        }
        assertTrue(full > 30 && thin < 6, full + " and " + thin);
    }

    @Test
    void aCodedBudgetLeavesNoUnitWithoutInputOrConsumer() {
        for (long seed = 0; seed < 20; seed++) {
            FloatTensor x = random(seed, 12, 20);
            FloatTensor y = random(seed + 50, 5, 12);
            List<GlobalSparsity.Dependency> wires = List.of(new GlobalSparsity.Dependency(0, 1));
            CodedBudget set = new CodedBudget(200, List.of(2, 2), false, wires);
            ProjectionState memory = new ProjectionState();
            List<FloatTensor> z = project(set, memory, x, y);
            assertTrue(set.measure(z, memory).holds());
            for (boolean dead : DeadUnits.find(z, wires)[0]) {
                assertFalse(dead);
            }
        }
    }

    @Test
    void aRateDividesTheScoreByTheBitsOfThePlace() {
        GlobalSparsity rated =
                new GlobalSparsity(6, GlobalSparsity.Score.MAGNITUDE, List.of(), List.of(), List.of(), 1);
        ProjectionState memory = new ProjectionState();
        // Six in the first row: the last one has to give way to one of the second row, or not.
        project(rated, memory, tensor(new long[]{2, 8}, 9, 8, 7, 6, 5, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
        double all = 6;
        double living = Math.min(0.7, (all + 1) * (6.4 / 6.8) * (1.4 / 9.2));
        double dead = (all + 1) * (0.4 / 6.8) * (0.4 / 9.2);
        double ratio = Math.sqrt(bits(dead) / bits(living));
        assertTrue(ratio > 1.2, "otherwise the larger one would stay in any case: " + ratio);
        for (double factor : new double[]{0.99, 1.01}) {
            ProjectionState copy = new ProjectionState();
            copy.replace(memory.all());
            float other = (float) (4 * ratio * factor);
            FloatTensor z = project(rated, copy,
                    tensor(new long[]{2, 8}, 9, 8, 7, 6, 5, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, other)).getFirst();
            assertEquals(factor < 1 ? 4 : 0, z.get(5), "factor " + factor);
            assertEquals(factor < 1 ? 0 : other, z.get(15), "factor " + factor);
        }
    }

    private static double bits(double density) {
        return Math.log((1 - density) / density) / Math.log(2) + 2;
    }

    @Test
    void aRateDrainsThinRowsAndColumns() {
        FloatTensor x = random(11, 40, 60);
        int[] used = new int[2];
        for (int rate = 0; rate < 2; rate++) {
            GlobalSparsity set =
                    new GlobalSparsity(150, GlobalSparsity.Score.MAGNITUDE, List.of(), List.of(), List.of(),
                            rate);
            ProjectionState memory = new ProjectionState();
            FloatTensor z = null;
            for (int i = 0; i < 20; i++) {
                z = project(set, memory, x).getFirst();
            }
            assertEquals(150, Projector.nonzeros(z));
            used[rate] = used(z);
        }
        assertTrue(used[1] < used[0], Arrays.toString(used));
    }

    /** Rows and columns that are not empty. */
    private static int used(FloatTensor matrix) {
        boolean[] rows = new boolean[(int) matrix.size(0)];
        boolean[] columns = new boolean[(int) matrix.size(1)];
        for (int e = 0; e < matrix.count(); e++) {
            rows[e / columns.length] |= matrix.get(e) != 0;
            columns[e % columns.length] |= matrix.get(e) != 0;
        }
        int count = 0;
        for (boolean row : rows) {
            count += row ? 1 : 0;
        }
        for (boolean column : columns) {
            count += column ? 1 : 0;
        }
        return count;
    }

    /** Sets of supports over elements that are few enough to try all of them. */
    static List<Constraint> supports() {
        return List.of(Sparsity.count(4), StructuredSparsity.of(StructuredSparsity.Unit.ROW, 0.5),
                StructuredSparsity.of(StructuredSparsity.Unit.COLUMN, 0.34), StructuredSparsity.blocks(2, 2, 0.5),
                StructuredSparsity.nOfM(1, 2), new GlobalSparsity(5, GlobalSparsity.Score.MAGNITUDE, List.of()),
                new GlobalSparsity(5, GlobalSparsity.Score.FISHER, List.of()),
                groups(4, 0, GroupSparsity.Measure.GROUPS, 2, GroupSparsity.Score.FISHER),
                groups(3, 1, GroupSparsity.Measure.MULTIPLY_ADDS, 72, GroupSparsity.Score.MAGNITUDE));
    }

    /** Two layers that share groups, of which one index of the second stays in any case. */
    private static UnitGroups tied() {
        List<List<Integer>> axes = List.of(List.of(0, 1, 2, 3), List.of(0, 1, -1, 2, 2), List.of(4, 5));
        return new UnitGroups(6, axes, List.of(new UnitGroups.Slices(0, 1, 0), new UnitGroups.Slices(1, 0, 1),
                new UnitGroups.Slices(2, 0, 2)),
                List.of(new UnitGroups.Work(3, List.of(0, 1)),
                        new UnitGroups.Work(10, List.of(1, 2))));
    }

    @Test
    void groupsOfSeveralTensorsAreTheNearestOfAllChoices() {
        UnitGroups tied = tied();
        for (GroupSparsity.Measure measure : GroupSparsity.Measure.values()) {
            for (long seed = 0; seed < 10; seed++) {
                List<FloatTensor> x = List.of(random(seed, 2, 4), random(seed + 50, 5), random(seed + 70, 2, 3));
                List<FloatTensor> importance =
                        List.of(importance(seed + 100, 2, 4), importance(seed + 150, 5), importance(seed + 170, 2, 3));
                long allowed = measure == GroupSparsity.Measure.GROUPS ? 3 : 90;
                GroupSparsity set = new GroupSparsity(tied, measure, allowed, GroupSparsity.Score.FISHER, List.of(), 0);
                List<FloatTensor> z = projectWeighted(set, new ProjectionState(), x, importance);
                assertTrue(set.measure(z, new ProjectionState()).holds());
                boolean[] used = set.used(z);
                double found = squares(x, importance, tied, used);
                double best = 0;
                for (int choice = 0; choice < 1 << 6; choice++) {
                    boolean[] kept = new boolean[6];
                    for (int group = 0; group < 6; group++) {
                        kept[group] = (choice >> group & 1) != 0;
                    }
                    boolean fits = measure == GroupSparsity.Measure.GROUPS
                            ? Integer.bitCount(choice) <= allowed
                            : tied.multiplyAdds(kept) <= allowed;
                    // An axis keeps an index: those of the first and the last belong to groups alone.
                    fits &= (choice & 15) != 0 && (choice & 48) != 0;
                    best = fits ? Math.max(best, squares(x, importance, tied, kept)) : best;
                }
                // Counts are met exactly; a knapsack by the greedy rule need not be the best one.
                assertTrue(found >= (measure == GroupSparsity.Measure.GROUPS ? 1 - 1e-6 : 0.5) * best,
                        measure + " seed " + seed + ": " + found + " of " + best);
                assertTrue(found <= best * (1 + 1e-6));
            }
        }
    }

    private static double squares(List<FloatTensor> x, List<FloatTensor> importance, UnitGroups groups,
            boolean[] kept) {
        double sum = 0;
        for (UnitGroups.Slices slices : groups.slices()) {
            FloatTensor tensor = x.get(slices.tensor());
            List<Integer> axis = groups.axes().get(slices.axis());
            long behind = slices.dimension() == tensor.rank() - 1 ? 1 : tensor.size(tensor.rank() - 1);
            for (long e = 0; e < tensor.count(); e++) {
                int group = axis.get((int) (e / behind % axis.size()));
                sum += group >= 0 && kept[group]
                        ? importance.get(slices.tensor()).get(e) * Math.pow(tensor.get(e), 2)
                        : 0;
            }
        }
        return sum;
    }

    @Test
    void groupsOfTheSameAxesGoSoManyAtATime() {
        List<Integer> axis = IntStream.range(0, 6).boxed().toList();
        UnitGroups units = new UnitGroups(6, List.of(axis), List.of(new UnitGroups.Slices(0, 0, 0)),
                List.of(new UnitGroups.Work(1, List.of(0))));
        for (int multiple = 1; multiple <= 4; multiple++) {
            for (long allowed = 1; allowed < 6; allowed++) {
                GroupSparsity set = new GroupSparsity(units, GroupSparsity.Measure.MULTIPLY_ADDS, allowed,
                        GroupSparsity.Score.MAGNITUDE, List.of(), 0, multiple);
                List<FloatTensor> z = project(set, new ProjectionState(), tensor(new long[]{6}, 3, 6, 1, 5, 2, 4));
                int left = 6;
                while (left > allowed && left - multiple >= 1) {
                    left -= multiple;
                }
                boolean[] used = set.used(z);
                for (int group = 0; group < 6; group++) {
                    assertEquals(new int[]{3, 6, 1, 5, 2, 4}[group] > 6 - left, used[group], multiple + ", " + allowed);
                }
                assertEquals(left <= allowed, set.measure(z, new ProjectionState()).holds());
                assertEquals(left <= allowed, set.reachable() <= allowed);
            }
        }
        assertThrows(IllegalArgumentException.class, () -> new GroupSparsity(units, GroupSparsity.Measure.GROUPS, 1,
                GroupSparsity.Score.MAGNITUDE, List.of(), 0, 0));
    }

    @Test
    void anAxisKeepsItsLeastAndWorkIsThatOfWhatStays() {
        UnitGroups tied = tied();
        assertEquals(3 * 4 * 5 + 10 * 5 * 2, tied.multiplyAdds());
        assertEquals(3 * 3 * 3 + 10 * 3 * 1, tied.multiplyAdds(new boolean[]{true, true, false, true, false, true}));
        GroupSparsity none =
                new GroupSparsity(tied, GroupSparsity.Measure.GROUPS, 0, GroupSparsity.Score.MAGNITUDE, List.of(), 0);
        assertEquals(2, none.reachable(), "one of the first axis and one of the last");
        assertEquals(5, new GroupSparsity(tied, GroupSparsity.Measure.GROUPS, 0, GroupSparsity.Score.MAGNITUDE,
                List.of(), 0.6).reachable());
        // A factor counts as its square root times all weights of the group.
        List<FloatTensor> x =
                List.of(tensor(new long[]{2, 4}, 1, 2, 3, 4, 1, 2, 3, 4), tensor(new long[]{5}, 0, 0, 0, 0, 0),
                        tensor(new long[]{2, 3}, 1, 1, 1, 2, 2, 2));
        GroupSparsity scaled = new GroupSparsity(tied, GroupSparsity.Measure.GROUPS, 2, GroupSparsity.Score.SCALE,
                List.of(100.0, 1.0, 1.0, 1.0, 9.0, 1.0), 0);
        List<FloatTensor> z = project(scaled, new ProjectionState(), x.toArray(FloatTensor[]::new));
        assertArrayEquals(new boolean[]{true, false, false, false, true, false}, scaled.used(z));
        assertThrows(IllegalArgumentException.class,
                () -> new UnitGroups(1, List.of(List.of(1)), List.of(), List.of()));
    }

    @ParameterizedTest
    @MethodSource("supports")
    void noOtherSupportIsNearerByWeights(Constraint constraint) {
        int n = 12;
        for (long seed = 0; seed < 5; seed++) {
            FloatTensor x = random(seed, 4, 3);
            FloatTensor importance = importance(seed + 100, 4, 3);
            ProjectionState memory = new ProjectionState();
            FloatTensor z = projectWeighted(constraint, memory, List.of(x), List.of(importance)).getFirst();
            FloatTensor other = region.tensor(4, 3);
            double best = Double.POSITIVE_INFINITY;
            for (int support = 0; support < 1 << n; support++) {
                for (int i = 0; i < n; i++) {
                    other.set(i, (support >> i & 1) == 0 ? 0 : x.get(i));
                }
                if (constraint.measure(List.of(other), memory).holds()) {
                    best = Math.min(best, distance(x, other, importance));
                }
            }
            // Roots and products are rounded to floats: of two supports as near as that either may be chosen.
            assertEquals(best, distance(x, z, importance), 1e-5 * best, constraint.describe() + ", seed " + seed);
        }
    }

    /** All pairs of the six patterns of two in four taps. */
    @Test
    void patternsKeepTheShareThatIsProvenAndNearlyAllThatCanBeKept() {
        int[] pairs = {0b0011, 0b0101, 0b0110, 0b1001, 0b1010, 0b1100};
        double shares = 0;
        for (long seed = 0; seed < 200; seed++) {
            FloatTensor x = random(seed, 3, 2, 2, 2);
            double most = 0;
            for (int first : pairs) {
                for (int second : pairs) {
                    double kept = 0;
                    for (int kernel = 0; kernel < 6; kernel++) {
                        kept += Math.max(kept(x, kernel, first), kept(x, kernel, second));
                    }
                    most = Math.max(most, kept);
                }
            }
            FloatTensor z = project(new KernelPatterns(2, 2), new ProjectionState(), x).getFirst();
            double found = 0;
            for (int kernel = 0; kernel < 6; kernel++) {
                found += kept(z, kernel, 0b1111);
            }
            assertTrue(found >= (1 - 1 / Math.E) * most && found <= most * (1 + 1e-6), "seed " + seed);
            shares += found / most;
        }
        assertEquals(1, shares / 200, 0.01);
    }

    private static double kept(FloatTensor x, int kernel, int taps) {
        double sum = 0;
        for (int tap = 0; tap < 4; tap++) {
            sum += (taps >> tap & 1) == 0 ? 0 : Math.pow(x.get(4L * kernel + tap), 2);
        }
        return sum;
    }

    @Test
    void patternsOfMatricesAndOfAllTapsChangeNothing() {
        FloatTensor matrix = random(3, 6, 5);
        assertArrayEquals(matrix.toArray(),
                project(new KernelPatterns(1, 1), new ProjectionState(), matrix).getFirst().toArray());
        FloatTensor kernels = random(3, 2, 3, 3, 3);
        assertArrayEquals(kernels.toArray(),
                project(new KernelPatterns(1, 9), new ProjectionState(), kernels).getFirst().toArray());
        // 25 taps have more patterns of 12 than are tried: the kernels' own are.
        FloatTensor large = random(5, 4, 2, 5, 5);
        ProjectionState memory = new ProjectionState();
        KernelPatterns own = new KernelPatterns(8, 12);
        FloatTensor z = project(own, memory, large).getFirst();
        assertTrue(own.measure(List.of(z), memory).holds());
        assertEquals(8 * 12, Projector.nonzeros(z));
    }

    /** The nearest point of a linear space: what is left is orthogonal to the space, here on each diagonal. */
    @Test
    void circulantBlocksHaveTheMeansOfTheirDiagonals() {
        FloatTensor x = tensor(new long[]{3, 4}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
        assertArrayEquals(new float[]{3.5f, 3.5f, 5.5f, 5.5f, 3.5f, 3.5f, 5.5f, 5.5f, 9, 10, 11, 12},
                project(new BlockCirculant(2), new ProjectionState(), x).getFirst().toArray());
        for (long seed = 0; seed < 20; seed++) {
            FloatTensor tensor = random(seed, 5, 7, 1, 2);
            FloatTensor importance = importance(seed + 100, 5, 7, 1, 2);
            FloatTensor z = projectWeighted(new BlockCirculant(3), new ProjectionState(), List.of(tensor),
                    List.of(importance)).getFirst();
            for (int tap = 0; tap < 2; tap++) {
                for (int diagonal = 0; diagonal < 3; diagonal++) {
                    double left = 0;
                    double scale = 0;
                    for (int row = 0; row < 3; row++) {
                        long e = (row * 7L + (row + diagonal) % 3) * 2 + tap;
                        left += importance.get(e) * (tensor.get(e) - z.get(e));
                        scale += importance.get(e) * Math.abs(tensor.get(e));
                    }
                    assertEquals(0, left, 1e-6 * scale, "seed " + seed);
                }
            }
        }
    }

    @Test
    void aGlobalCountIsTheBestOfAllTensorsTogetherByWeights() {
        for (long seed = 0; seed < 10; seed++) {
            List<FloatTensor> x = List.of(random(seed, 5), random(seed + 50, 6));
            List<FloatTensor> importance = List.of(importance(seed + 100, 5), importance(seed + 150, 6));
            List<FloatTensor> z = projectWeighted(new GlobalSparsity(4, GlobalSparsity.Score.FISHER, List.of()),
                    new ProjectionState(), x, importance);
            double best = Double.POSITIVE_INFINITY;
            for (int support = 0; support < 1 << 11; support++) {
                if (Integer.bitCount(support) == 4) {
                    double error = 0;
                    for (int i = 0; i < 11; i++) {
                        int t = i < 5 ? 0 : 1;
                        int e = i < 5 ? i : i - 5;
                        error += (support >> i & 1) == 0
                                ? importance.get(t).get(e) * Math.pow(x.get(t).get(e), 2)
                                : 0;
                    }
                    best = Math.min(best, error);
                }
            }
            double found = distance(x.get(0), z.get(0), importance.get(0))
                    + distance(x.get(1), z.get(1), importance.get(1));
            assertEquals(best, found, 1e-5 * best, "seed " + seed);
        }
    }

    @Test
    void weightedCodewordsAreTheBestOfAllCuts() {
        for (long seed = 0; seed < 20; seed++) {
            FloatTensor x = random(seed, 10);
            FloatTensor importance = importance(seed + 100, 10);
            FloatTensor z = projectWeighted(new Clustering(3), new ProjectionState(), List.of(x), List.of(importance))
                    .getFirst();
            Integer[] order = new Integer[10];
            Arrays.setAll(order, i -> i);
            Arrays.sort(order, (a, b) -> Float.compare(x.get(a), x.get(b)));
            double best = Double.POSITIVE_INFINITY;
            for (int first = 0; first <= 10; first++) {
                for (int second = first; second <= 10; second++) {
                    best = Math.min(best, spread(x, importance, order, 0, first)
                            + spread(x, importance, order, first, second) + spread(x, importance, order, second, 10));
                }
            }
            assertEquals(best, distance(x, z, importance), 1e-5 * best + 1e-10, "seed " + seed);
        }
    }

    /** Weighted squared error of a run of sorted elements about their weighted mean. */
    private static double spread(FloatTensor x, FloatTensor importance, Integer[] order, int from, int to) {
        double weight = 0;
        double sum = 0;
        double squares = 0;
        for (int i = from; i < to; i++) {
            double f = importance.get(order[i]);
            double v = x.get(order[i]);
            weight += f;
            sum += f * v;
            squares += f * v * v;
        }
        return weight == 0 ? 0 : Math.max(0, squares - sum * sum / weight);
    }

    @Test
    void jointIsNoWorseThanSparsityAndThenClusteringByWeights() {
        for (long seed = 0; seed < 50; seed++) {
            FloatTensor x = random(seed, 40);
            List<FloatTensor> importance = List.of(importance(seed + 100, 40));
            FloatTensor z = projectWeighted(new SparseClustering(Sparsity.count(12), 2), new ProjectionState(),
                    List.of(x), importance).getFirst();
            List<FloatTensor> sparse =
                    projectWeighted(Sparsity.count(12), new ProjectionState(), List.of(x), importance);
            ProjectionState start = new ProjectionState();
            MemorySegment words = region.allocate(2L * Float.BYTES);
            kernels.kMeansCold(sparse.getFirst().segment(), 0, 40, importance.getFirst().segment(), 0, 2, words, 0,
                    1000);
            start.put(Clustering.CODEBOOK, 0, words.getAtIndex(ValueLayout.JAVA_FLOAT, 0),
                    words.getAtIndex(ValueLayout.JAVA_FLOAT, 1));
            FloatTensor sequence = projectWeighted(new Clustering(2), start, sparse, importance).getFirst();
            double one = distance(x, sequence, importance.getFirst());
            assertTrue(distance(x, z, importance.getFirst()) <= one * (1 + 1e-5), "seed " + seed);
        }
    }

    @Test
    void aWeightedStepMovesWhatIsLeftIntoTheDual() {
        FloatTensor w = tensor(new long[]{4}, 3, 2, -1, 0.5f);
        FloatTensor u = tensor(new long[]{4}, 0, 0.5f, 0, -0.25f);
        FloatTensor z = tensor(new long[]{4}, 3, 0, 0, 0);
        FloatTensor importance = tensor(new long[]{4}, 0.01f, 1, 16, 1);
        double[] primal = new double[1];
        double[] dual = new double[1];
        // Weighted squares of w + u: 0.09, 6.25, 16 and 0.0625.
        Sparsity.count(2).stepWeighted(List.of(w), List.of(u), List.of(importance), List.of(z),
                List.of(region.tensor(4)), new ProjectionState(), kernels, primal, dual);
        assertArrayEquals(new float[]{0, 2.5f, -1, 0}, z.toArray());
        assertArrayEquals(new float[]{3, 0, 0, 0.25f}, u.toArray());
        assertEquals(Math.sqrt(9 + 0.25 + 0.25), primal[0], 1e-6);
        assertEquals(Math.sqrt(9 + 6.25 + 1), dual[0], 1e-6);
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

    /** Against all supports and all signs: with the weights, the scale of each is the mean. */
    @Test
    void scaledSignsAreTheNearestOfAllSupports() {
        for (long seed = 0; seed < 50; seed++) {
            FloatTensor x = random(seed, 1, 9);
            x.set(seed % 9, 0f);
            FloatTensor importance = importance(seed + 100, 1, 9);
            double best = Double.POSITIVE_INFINITY;
            double all = 0;
            for (int kept = 0; kept < 1 << 9; kept++) {
                double sum = 0;
                double weights = 0;
                double squares = 0;
                for (int e = 0; e < 9; e++) {
                    double weight = importance.get(e);
                    squares += weight * x.get(e) * x.get(e);
                    sum += (kept >> e & 1) * weight * Math.abs(x.get(e));
                    weights += (kept >> e & 1) * weight;
                }
                double distance = squares - (weights == 0 ? 0 : sum * sum / weights);
                best = Math.min(best, distance);
                all = kept == ((1 << 9) - 1 ^ 1 << (int) (seed % 9)) ? distance : all;
            }
            List<FloatTensor> ternary =
                    projectWeighted(new ScaledSigns(true), new ProjectionState(), List.of(x), List.of(importance));
            assertEquals(best, distance(x, ternary.getFirst(), importance), 1e-5 * best);
            List<FloatTensor> binary =
                    projectWeighted(new ScaledSigns(false), new ProjectionState(), List.of(x), List.of(importance));
            assertEquals(all, distance(x, binary.getFirst(), importance), 1e-5 * all);
            assertEquals(8, Projector.nonzeros(binary.getFirst()));
        }
    }

    @Test
    void fixedPointIsTheNearestOfAllPowers() {
        for (int bits : new int[]{2, 3, 6}) {
            for (long seed = 0; seed < 30; seed++) {
                FloatTensor x = random(seed, 3, 5);
                for (long e = 0; e < 15 && seed % 3 == 1; e++) {
                    x.set(e, Math.scalb(x.get(e), -30));
                }
                FloatTensor importance = importance(seed + 100, 3, 5);
                double best = Double.POSITIVE_INFINITY;
                for (int power = -60; power < 10; power++) {
                    double step = Math.scalb(1.0, power);
                    double sum = 0;
                    for (long e = 0; e < 15; e++) {
                        int most = (1 << bits - 1) - 1;
                        double near = Math.clamp(Math.rint(x.get(e) / step), -most, most) * step;
                        sum += importance.get(e) * Math.pow(x.get(e) - near, 2);
                    }
                    best = Math.min(best, sum);
                }
                FixedPoint set = new FixedPoint(bits);
                List<FloatTensor> z = projectWeighted(set, new ProjectionState(), List.of(x), List.of(importance));
                assertEquals(best, distance(x, z.getFirst(), importance), 1e-9 * best);
                assertTrue(set.measure(z, new ProjectionState()).holds());
            }
        }
        FixedPoint three = new FixedPoint(3);
        assertTrue(
                three.measure(List.of(tensor(new long[]{4}, 0.75f, -0.25f, 0, 0.5f)), new ProjectionState()).holds());
        assertFalse(three.measure(List.of(tensor(new long[]{2}, 1f, 0.25f)), new ProjectionState()).holds());
        assertTrue(three.measure(List.of(tensor(new long[]{2}, Float.MIN_VALUE, 0)), new ProjectionState()).holds());
        assertThrows(IllegalArgumentException.class, () -> new FixedPoint(1));
    }

    @Test
    void supportAndValuesTogetherAreNoFartherThanOneAfterTheOther() {
        int nearer = 0;
        for (long seed = 0; seed < 50; seed++) {
            FloatTensor x = random(seed, 4, 12);
            NofMClustering set = new NofMClustering(2, 4, 2);
            FloatTensor together = project(set, new ProjectionState(), x).getFirst();
            FloatTensor sparse = project(set.support(), new ProjectionState(), x).getFirst();
            FloatTensor after = project(set.clustering(), new ProjectionState(), sparse).getFirst();
            assertTrue(distance(x, together) <= distance(x, after) * (1 + 1e-6));
            nearer += distance(x, together) < distance(x, after) * 0.999 ? 1 : 0;
        }
        assertTrue(nearer > 10, nearer + " of 50");
    }

    @Test
    void blocksOfASeedAreAsManyInEachRowAndOtherForOtherSeeds() {
        FloatTensor ones = region.tensor(32, 64);
        ones.fill(1f);
        HierarchicalBlocks set = new HierarchicalBlocks(3, 16, 0.25, 4, 0.5);
        float[] mask = project(set, new ProjectionState(), ones).getFirst().toArray();
        for (int row = 0; row < 32; row++) {
            float kept = 0;
            for (int column = 0; column < 64; column++) {
                kept += mask[row * 64 + column];
                assertEquals(mask[row / 4 * 4 * 64 + column / 4 * 4], mask[row * 64 + column]);
            }
            assertEquals(64 * 0.25f * 0.5f, kept);
        }
        assertFalse(
                Arrays.equals(mask, project(new HierarchicalBlocks(4, 16, 0.25, 4, 0.5), new ProjectionState(), ones)
                        .getFirst().toArray()));
        assertThrows(IllegalArgumentException.class, () -> new HierarchicalBlocks(1, 2, 0.5, 4, 0.5));
    }
}
