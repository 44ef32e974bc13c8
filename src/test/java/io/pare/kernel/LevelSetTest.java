package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class LevelSetTest {
    /** 0.5, 1, 1.5, 2, 3, 4 and 6 of the OCP Microscaling specification, in halves. */
    @Test
    void fourBitFloatsAreThoseOfMicroscaling() {
        assertArrayEquals(new float[]{1, 2, 3, 4, 6, 8, 12}, LevelSet.floats(2, 1).multiples());
    }

    /** The largest number below that specification's NaN is 448, and the least is 2^-9. */
    @Test
    void eightBitFloatsReachFromTheLeastSubnormalToTheLastCode() {
        float[] numbers = LevelSet.floats(4, 3).multiples();
        assertEquals(127, numbers.length);
        assertEquals(1, numbers[0]);
        assertEquals(448 * 512, numbers[125]);
        assertEquals(480 * 512, numbers[126]);
    }

    /** 0, 1, 1/4, 1/16 plus 0, 1/2, 1/8, 1/32: 16 sums, all different, of which 0 is no level. */
    @Test
    void sumsOfTwoPowersAreAllDifferent() {
        assertArrayEquals(new float[]{1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 32, 33, 36, 48},
                LevelSet.sumsOfTwoPowers(2, 2).multiples());
        for (int even = 0; even <= 3; even++) {
            for (int odd = even == 0 ? 1 : 0; odd <= 3; odd++) {
                float[] sums = LevelSet.sumsOfTwoPowers(even, odd).multiples();
                TreeSet<Float> different = new TreeSet<>();
                for (float sum : sums) {
                    different.add(sum);
                }
                assertEquals((1 << even + odd) - 1, different.size(), even + " and " + odd);
                assertEquals(1, sums[0], even + " and " + odd);
            }
        }
    }

    @Test
    void bitsThatNoLevelsHaveAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> LevelSet.sumsOfTwoPowers(0, 0));
        assertThrows(IllegalArgumentException.class, () -> LevelSet.sumsOfTwoPowers(4, 0));
        assertThrows(IllegalArgumentException.class, () -> LevelSet.floats(0, 3));
        assertThrows(IllegalArgumentException.class, () -> LevelSet.floats(4, 4));
    }
}
