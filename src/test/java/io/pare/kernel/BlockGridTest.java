package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockGridTest {
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 8})
    void valuesOnAGridAreFoundAndStay(int bits) {
        SplittableRandom random = new SplittableRandom(bits);
        for (int count = 1; count < 68; count++) {
            BlockGrid grid = new BlockGrid(bits);
            float step = (float) Math.exp(4 * random.nextGaussian());
            int zero = random.nextInt(1 << bits);
            float[] values = new float[count + 2];
            for (int i = 1; i <= count; i++) {
                values[i] = (random.nextInt(1 << bits) - zero) * step;
            }
            assertTrue(grid.find(values, 1, count));
            grid.fit(values, null, 1, count);
            for (int i = 1; i <= count; i++) {
                assertEquals(values[i], grid.value(grid.code(values[i])), 1e-5f * Math.abs(values[i]));
            }
            assertEquals(0, grid.value(grid.zero()));
        }
    }

    /** No more than half a step of the grid that spans the values, squared and summed. */
    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8})
    void theErrorIsAtMostThatOfTheGridThatSpansTheValues(int bits) {
        SplittableRandom random = new SplittableRandom(bits);
        for (int count = 3; count < 68; count++) {
            float[] values = new float[count];
            float least = 0;
            float most = 0;
            for (int i = 0; i < count; i++) {
                values[i] = (float) (random.nextGaussian() + 0.3);
                least = Math.min(least, values[i]);
                most = Math.max(most, values[i]);
            }
            BlockGrid grid = new BlockGrid(bits);
            assertFalse(grid.find(values, 0, count));
            grid.fit(values, null, 0, count);
            double widest = (most - least) / ((1 << bits) - 1);
            double error = 0;
            double spanned = 0;
            for (float value : values) {
                error += Math.pow(value - grid.value(grid.code(value)), 2);
                double steps = Math.clamp(Math.rint(value / widest), -Math.round(-least / widest),
                        (1 << bits) - 1 - Math.round(-least / widest));
                spanned += Math.pow(value - steps * widest, 2);
            }
            assertTrue(error <= spanned * (1 + 1e-4), error + " of " + spanned);
        }
    }

    @Test
    void valuesThatCountMoreAreMetMoreClosely() {
        float[] values = {1, 0.9f, 0.37f, -0.21f, 0.11f, -0.43f};
        BlockGrid grid = new BlockGrid(2);
        grid.fit(values, new float[]{1, 1, 1e6f, 1, 1, 1}, 0, 6);
        assertEquals(0.37f, grid.value(grid.code(0.37f)), 1e-3f);
    }

    @Test
    void zerosAndSubnormalsHaveAGridToo() {
        BlockGrid grid = new BlockGrid(4);
        for (float value : new float[]{0, -0f, Float.MIN_VALUE, 3 * Float.MIN_VALUE, -Float.MIN_NORMAL}) {
            grid.fit(new float[]{value, 0, value / 3}, null, 0, 3);
            assertTrue(grid.step() > 0);
            assertEquals(value, grid.value(grid.code(value)), Float.MIN_NORMAL);
        }
        assertThrows(IllegalArgumentException.class, () -> new BlockGrid(9));
    }
}
