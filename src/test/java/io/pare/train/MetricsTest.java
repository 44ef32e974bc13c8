package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Dataset;
import io.pare.data.Targets;
import io.pare.net.Shape;
import io.pare.net.Task;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsTest {
    private static final double ROUNDING = 1e-12;

    @Test
    void classesAreCountedByLabelAndPrediction() {
        Metrics.OfClasses found =
                new Metrics.OfClasses(4, new int[]{0, 0, 0, 1, 1, 2}, new int[]{0, 0, 1, 1, 0, -1}, 1);
        assertEquals(0.5, found.accuracy(), ROUNDING);
        List<Metrics.OfClasses.Row> rows = found.rows();
        assertEquals(3, rows.getFirst().support());
        assertEquals(2.0 / 3, rows.getFirst().recall(), ROUNDING);
        assertEquals(2.0 / 3, rows.getFirst().precision(), ROUNDING);
        assertEquals(2.0 / 3, rows.getFirst().f1(), ROUNDING);
        assertEquals(0.5, rows.get(1).f1(), ROUNDING);
        assertEquals(0, rows.get(2).f1());
        assertTrue(Double.isNaN(rows.get(2).precision()) && Double.isNaN(rows.get(3).recall()));
        // Class 3 has neither samples nor predictions, and does not count.
        assertEquals((2.0 / 3 + 0.5 + 0) / 3, found.macroF1(), ROUNDING);
        assertArrayEquals(new int[][]{{2, 1, 0, 0}, {1, 1, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}, found.confusion());
        assertEquals(List.of("Accuracy", "TopFiveAccuracy", "MacroF1"), List.copyOf(found.values().keySet()));
    }

    @Test
    void labelsAreCountedEachAndTogether() {
        Metrics.OfLabels found =
                new Metrics.OfLabels(new int[]{4, 2, 0}, new int[]{3, 2, 0}, new int[]{3, 1, 0}, 0.25);
        assertEquals((6.0 / 7 + 0.5) / 2, found.macroF1(), ROUNDING);
        assertEquals(8.0 / 11, found.microF1(), ROUNDING);
        assertEquals(found.macroF1(), found.score());
        assertEquals(1, new Metrics.OfLabels(new int[2], new int[2], new int[2], 1).macroF1());
    }

    @Test
    void errorsAreBetterTheSmaller() {
        Metrics.OfNumbers found = new Metrics.OfNumbers(0.25, 0.5, 0.75);
        assertEquals(-0.25, found.score());
        assertEquals(0.25, found.task().shown(found.score()));
        assertEquals("0.2500, RMSE 0.5000, R2 0.7500", found.toString());
    }

    @Test
    void anAnswerThatIsAlwaysTheSameHasAScore() {
        Shape one = Shape.of(1, 1, 1);
        assertEquals(0.75,
                Metrics.ofConstant(Dataset.ofFloats("classes", one, new float[4], 2, new int[]{0, 1, 1, 1})));
        float[] values = {1, 0, 1, 1, 0, 1, 0, 1};
        assertEquals((2.0 / 3 + 6.0 / 7) / 2, Metrics.ofConstant(
                Dataset.ofFloats("labels", one, new float[4], new Targets(Task.MULTILABEL, values, 2))), ROUNDING);
        assertEquals(-(0.5 + 0.375) / 2, Metrics.ofConstant(
                Dataset.ofFloats("numbers", one, new float[4], new Targets(Task.REGRESS, values, 2))), ROUNDING);
    }
}
