package io.pare.compress.stage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.Variable;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.kernel.Bits;
import io.pare.kernel.Penalty;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class StepBudgetTest {
    private static final ScaledLevels SET = new ScaledLevels(1, 0);
    private static final int ROWS = 40;
    private static final int COLUMNS = 30;

    private record Matrix(String name, FloatTensor value) implements Variable {
        @Override
        public FloatTensor gradient() {
            return value;
        }

        @Override
        public boolean compressible() {
            return true;
        }

        @Override
        public void penalize(@Nullable Penalty penalty) {}

        @Override
        public void mask(@Nullable Bits kept) {}
    }

    private static Matrix matrix(Region region, String name) {
        FloatTensor value = region.tensor(ROWS, COLUMNS);
        Random random = new Random(name.hashCode());
        for (long i = 0; i < value.count(); i++) {
            value.set(i, (float) random.nextGaussian());
        }
        return new Matrix(name, value);
    }

    /** Outputs are all weights, those of the first matrix times a factor. */
    private static float[] outputs(List<Matrix> matrices, float factor) {
        float[] first = matrices.getFirst().value.toArray();
        float[] both = Arrays.copyOf(first, 2 * first.length);
        for (int i = 0; i < first.length; i++) {
            both[i] *= factor;
        }
        System.arraycopy(matrices.getLast().value.toArray(), 0, both, first.length, first.length);
        return both;
    }

    private static StepBudget measured(List<Matrix> matrices, float factor) {
        StepBudget budget = new StepBudget(() -> factor == 0 ? null : outputs(matrices, factor));
        double[] each = new double[COLUMNS];
        Arrays.fill(each, 1);
        budget.layer(matrices.getFirst(), SET, each);
        budget.table(matrices.getLast(), SET, null);
        return budget;
    }

    /** Where an error counts 16 times, a step is a fourth: its square is what rounding errs. */
    @Test
    void stepsAreAsFineAsOutputsAskFor() {
        try (Region region = Region.shared("matrices")) {
            List<Matrix> matrices = List.of(matrix(region, "a"), matrix(region, "b"));
            float[] before = outputs(matrices, 4);
            Map<String, ScaledLevels> same = measured(matrices, 1).spend(900);
            assertEquals(same.get("a").step(), same.get("b").step(), 0.2 * same.get("a").step());
            Map<String, ScaledLevels> four = measured(matrices, 4).spend(900);
            assertEquals(4, four.get("b").step() / four.get("a").step(), 1);
            assertArrayEquals(before, outputs(matrices, 4));
        }
    }

    @Test
    void stepsAreTheSameWhereOutputsAreNotKnown() {
        try (Region region = Region.shared("matrices")) {
            List<Matrix> matrices = List.of(matrix(region, "a"), matrix(region, "b"));
            Map<String, ScaledLevels> found = measured(matrices, 0).spend(900);
            assertEquals(found.get("a").step(), found.get("b").step(), 0.2 * found.get("a").step());
        }
    }

    @Test
    void moreBytesGiveFinerStepsAndTooFewAreRefused() {
        try (Region region = Region.shared("matrices")) {
            StepBudget budget = measured(List.of(matrix(region, "a"), matrix(region, "b")), 1);
            double last = Double.POSITIVE_INFINITY;
            for (double bytes : new double[]{600, 700, 900, 1100}) {
                double step = budget.spend(bytes).get("a").step();
                assertTrue(step < last, bytes + " bytes: " + step);
                last = step;
            }
            assertTrue(assertThrows(RecipeException.class, () -> budget.spend(100)).getMessage()
                    .startsWith("the coarsest levels take "));
        }
    }
}
