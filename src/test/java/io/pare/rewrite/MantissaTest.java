package io.pare.rewrite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import org.junit.jupiter.api.Test;

class MantissaTest {
    @Test
    void valuesGoToTheNearestOfFewBits() {
        assertEquals(1.25f, Mantissa.round(1.3f, 2));
        assertEquals(-1.5f, Mantissa.round(-1.4f, 2));
        assertEquals(2f, Mantissa.round(1.9f, 2));
        assertEquals(0.1f, Mantissa.round(0.1f, 23));
        assertEquals(0x1.8p-10f, Mantissa.round(0x1.7p-10f, 1));
    }

    @Test
    void multiplesOfAStepStayMultiplesOfAStep() {
        try (Region region = Region.confined("test")) {
            FloatTensor levels = region.tensor(6).copyFrom(new float[]{0, 0.3f, -0.6f, 0.3f, 0.3f, -0.6f});
            Mantissa.round(levels, 1);
            assertArrayEquals(new float[]{0, 0.25f, -0.5f, 0.25f, 0.25f, -0.5f}, levels.toArray());
            FloatTensor free = region.tensor(5).copyFrom(new float[]{0, 0.3f, 0.71f, 0.3f, -5f});
            Mantissa.round(free, 1);
            assertArrayEquals(new float[]{0, 0.25f, 0.75f, 0.25f, -6f}, free.toArray());
        }
    }
}
