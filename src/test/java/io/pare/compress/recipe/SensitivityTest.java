package io.pare.compress.recipe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.Blobs;
import io.pare.compress.Training;
import io.pare.compress.constraint.Cost;
import io.pare.compress.stage.AdmmPrune;
import io.pare.mem.FloatTensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SensitivityTest {
    private static Sensitivity.Row pruned(String name, long count, double share, double loss) {
        return new Sensitivity.Row(name, count, share, 32, 1 - loss, loss);
    }

    /** One tensor that bears everything, one that bears little. */
    private static Sensitivity curves() {
        return new Sensitivity(new Training.Evaluation(1, 0),
                List.of(pruned("soft", 1000, 0.5, 0), pruned("soft", 1000, 0.1, 0.01), pruned("soft", 1000, 0.01, 0.1),
                        pruned("hard", 1000, 0.5, 0.2), pruned("hard", 1000, 0.1, 0.6), pruned("hard", 1000, 0.01, 2),
                        new Sensitivity.Row("soft", 1000, 1, 1, 0.9, 0.002),
                        new Sensitivity.Row("hard", 1000, 1, 1, 0.9, 0.9),
                        new Sensitivity.Row("hard", 1000, 1, 2, 0.9, 0.001)));
    }

    @Test
    void whatBearsMoreKeepsLess() {
        Map<String, Long> counts = curves().counts(400);
        assertTrue(counts.get("soft") < 20 && counts.get("hard") > 300, counts.toString());
        long total = counts.values().stream().mapToLong(Long::longValue).sum();
        assertTrue(total <= 400 && total > 380, "total " + total);
    }

    @Test
    void countsBelowTheScanShrinkAlike() {
        assertEquals(Map.of("soft", 2L, "hard", 2L), curves().counts(4));
    }

    @Test
    void bitsAreTheFewestThatCostNoMoreThanAllowed() {
        assertEquals(Map.of("soft", 1, "hard", 2), curves().bits(0.01));
    }

    @Test
    void aByteBudgetIsKept() {
        Recipe recipe = curves().recipe("m", 50);
        AdmmPrune prune = (AdmmPrune) recipe.stages().getFirst();
        double kept = prune.keep().layers().values().stream().mapToDouble(Double::doubleValue).sum();
        assertTrue(kept * 2 / 8 <= 50 && kept * 2 / 8 > 40, "kept " + kept);
        assertEquals(5, recipe.stages().size());
    }

    @Test
    void anyCostMayBeTheBudget() {
        Cost twice = new Cost() {
            @Override
            public String unit() {
                return "doubled bytes";
            }

            @Override
            public double of(Map<String, FloatTensor> tensors) {
                throw new UnsupportedOperationException("nothing is measured");
            }

            @Override
            public double of(String tensor, long elements, long kept, int bits) {
                assertEquals(1000, elements);
                return 2 * Cost.WEIGHT_DATA.of(tensor, elements, kept, bits);
            }

            @Override
            public double rest() {
                return 20;
            }
        };
        assertEquals(curves().recipe("m", 40).stages(), curves().recipe("m", 100, twice).stages());
    }

    @Test
    void aScanLeavesTheWeightsAsTheyWere() {
        try (Blobs blobs = new Blobs().dense(3)) {
            float[] before = blobs.w1.toArray();
            Sensitivity found = Sensitivity.scan(blobs.training, List.of(0.5, 0.1), List.of(1, 4));
            assertArrayEquals(before, blobs.w1.toArray());
            assertEquals(List.of("w1.weight", "w2.weight"), found.tensors());
            assertEquals(8, found.rows().size());
            assertTrue(found.rows().get(1).loss() > found.rows().get(0).loss());
            assertTrue(found.base().accuracy() > 0.9);
        }
    }
}
