package io.pare.kernel.scalar;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.kernel.Adam;
import io.pare.kernel.Bits;
import io.pare.kernel.Kernels;
import io.pare.kernel.Memory;
import io.pare.kernel.Penalty;
import io.pare.kernel.Sgd;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The scalar kernels against formulas written out in double precision. */
class ScalarKernelsTest {
    private final Kernels kernels = new ScalarKernels();

    @Test
    void sgdFollowsItsFormulaOverTwoSteps() {
        MemorySegment w = Memory.floats(1, -2, 3);
        MemorySegment g = Memory.floats(0.5f, 0.25f, -1);
        MemorySegment v = Memory.zeros(3);
        MemorySegment z = Memory.floats(1, 0, 2);
        MemorySegment u = Memory.floats(0.1f, 0.2f, 0.3f);
        double[] weight = {1, -2, 3};
        double[] velocity = new double[3];
        for (int step = 0; step < 2; step++) {
            kernels.sgd(new Sgd(0.9f, 0.01f, true), 0.1f, w, 0, g, 0, v, 0, 3, new Penalty(z, 0, u, 0, 0.5f), null);
            for (int i = 0; i < 3; i++) {
                double pull = 0.5 * (weight[i] - Memory.array(z, 0, 3)[i] + Memory.array(u, 0, 3)[i]);
                double gradient = Memory.array(g, 0, 3)[i] + 0.01 * weight[i] + pull;
                velocity[i] = 0.9 * velocity[i] + gradient;
                weight[i] -= 0.1 * (gradient + 0.9 * velocity[i]);
                assertEquals(weight[i], Memory.array(w, 0, 3)[i], 1e-5);
            }
        }
    }

    @Test
    void adamAndItsDecoupledDecayFollowTheirFormulas() {
        for (boolean decoupled : new boolean[]{false, true}) {
            MemorySegment w = Memory.floats(1, -2);
            MemorySegment g = Memory.floats(0.5f, -0.25f);
            MemorySegment m = Memory.zeros(2);
            MemorySegment v = Memory.zeros(2);
            double[] weight = {1, -2};
            double[] first = new double[2];
            double[] second = new double[2];
            for (int step = 1; step <= 3; step++) {
                kernels.adam(new Adam(0.9f, 0.999f, 1e-8f, 0.1f, decoupled), 0.01f, step, w, 0, g, 0, m, 0, v, 0, 2,
                        null, null);
                for (int i = 0; i < 2; i++) {
                    double gradient = Memory.array(g, 0, 2)[i] + (decoupled ? 0 : 0.1 * weight[i]);
                    first[i] = 0.9 * first[i] + 0.1 * gradient;
                    second[i] = 0.999 * second[i] + 0.001 * gradient * gradient;
                    double size = Math.sqrt(second[i] / (1 - Math.pow(0.999, step))) + 1e-8;
                    weight[i] = weight[i] * (decoupled ? 1 - 0.01 * 0.1 : 1)
                            - 0.01 * first[i] / (1 - Math.pow(0.9, step)) / size;
                    assertEquals(weight[i], Memory.array(w, 0, 2)[i], 1e-5);
                }
            }
        }
    }

    @Test
    void maskedWeightsAreLeftAlone() {
        MemorySegment w = Memory.floats(1, 2, 3);
        MemorySegment v = Memory.floats(9, 9, 9);
        MemorySegment g = Memory.floats(1, Float.NaN, 1);
        kernels.sgd(new Sgd(0.9f, 0, false), 0.1f, w, 0, g, 0, v, 0, 3, null,
                new Bits(Memory.bits(true, false, true), 0));
        assertEquals(2, Memory.array(w, 0, 3)[1]);
        assertEquals(9, Memory.array(v, 0, 3)[1]);
        assertEquals(1 - 0.1f * (0.9f * 9 + 1), Memory.array(w, 0, 3)[0]);
    }

    @Test
    void softmaxGradientIsTheDifferenceQuotientOfTheLoss() {
        float[] logits = {0.5f, -1, 2, 1, 1, -3};
        MemorySegment labels = Memory.ints(2, 0);
        MemorySegment gradient = Memory.zeros(6);
        kernels.softmaxCrossEntropy(Memory.floats(logits), 0, labels, 0, 2, 3, 0.5f, gradient, 0);
        for (int i = 0; i < 6; i++) {
            double above = lossWith(logits, i, 1e-2f, labels);
            double below = lossWith(logits, i, -1e-2f, labels);
            assertEquals(0.5 * (above - below) / 2e-2, Memory.array(gradient, 0, 6)[i], 1e-4);
        }
    }

    private double lossWith(float[] logits, int i, float change, MemorySegment labels) {
        float[] moved = logits.clone();
        moved[i] += change;
        return kernels.softmaxCrossEntropy(Memory.floats(moved), 0, labels, 0, 2, 3, 1, null, 0);
    }

    @Test
    void softmaxSurvivesHugeLogitsAndRefusesLabelsOutOfRange() {
        MemorySegment logits = Memory.floats(3e38f, -3e38f);
        assertEquals(0, kernels.softmaxCrossEntropy(logits, 0, Memory.ints(0), 0, 1, 2, 1, null, 0));
        assertThrows(IllegalArgumentException.class,
                () -> kernels.softmaxCrossEntropy(logits, 0, Memory.ints(2), 0, 1, 2, 1, null, 0));
    }

    @Test
    void theFirstOfEqualLogitsIsThePrediction() {
        MemorySegment logits = Memory.floats(1, 1, 0, 0, 1, 1);
        assertEquals(1, kernels.countCorrect(logits, 0, Memory.ints(0, 2), 0, 2, 3, 1));
        assertEquals(2, kernels.countCorrect(logits, 0, Memory.ints(0, 2), 0, 2, 3, 2));
    }

    @Test
    void theFiveLargestLogitsCountAsRightInTopFive() {
        MemorySegment logits = Memory.floats(6, 5, 4, 3, 2, 1, 0);
        for (int label = 0; label < 7; label++) {
            assertEquals(label < 5 ? 1 : 0, kernels.countCorrect(logits, 0, Memory.ints(label), 0, 1, 7, 5));
        }
        MemorySegment broken = Memory.floats(Float.NaN, 1, Float.NaN);
        assertEquals(0, kernels.countCorrect(broken, 0, Memory.ints(0), 0, 1, 3, 3));
        assertEquals(1, kernels.countCorrect(broken, 0, Memory.ints(1), 0, 1, 3, 1));
    }

    @Test
    void columnSumsAndBiasAreEachOthersTranspose() {
        MemorySegment x = Memory.floats(1, 2, 3, 4, 5, 6);
        MemorySegment sums = Memory.zeros(3);
        kernels.columnSums(x, 0, 2, 3, sums, 0);
        assertArrayEquals(new float[]{5, 7, 9}, Memory.array(sums, 0, 3));
        kernels.biasAddRows(sums, 0, x, 0, 2, 3);
        assertArrayEquals(new float[]{6, 9, 12, 9, 12, 15}, Memory.array(x, 0, 6));
    }

    @Test
    void dropoutDropsItsShareScalesTheRestAndRepeats() {
        int n = 100_000;
        MemorySegment x = Memory.zeros(n);
        kernels.fill(1, x, 0, n);
        MemorySegment y = Memory.zeros(n);
        kernels.dropout(x, 0, y, 0, n, 0.25f, 7, 1000);
        long dropped = 0;
        for (float value : Memory.array(y, 0, n)) {
            assertTrue(value == 0 || value == 1 / 0.75f);
            dropped += value == 0 ? 1 : 0;
        }
        assertEquals(0.25 * n, dropped, 6 * Math.sqrt(n * 0.25 * 0.75));
        MemorySegment part = Memory.zeros(100);
        kernels.dropout(x, 0, part, 0, 100, 0.25f, 7, 1500);
        assertArrayEquals(Memory.array(y, 2000, 100), Memory.array(part, 0, 100));
        kernels.dropout(x, 0, part, 0, 100, 0.25f, 8, 1500);
        assertTrue(!Arrays.equals(Memory.array(y, 2000, 100), Memory.array(part, 0, 100)));
        assertThrows(IllegalArgumentException.class, () -> kernels.dropout(x, 0, y, 0, 1, 1f, 0, 0));
    }
}
