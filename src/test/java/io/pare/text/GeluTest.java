package io.pare.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.net.Pointwise;
import org.junit.jupiter.api.Test;

class GeluTest {
    @Test
    void itIsTheFunctionToTheRoundingOfAFloat() {
        float[] values = new float[20_001];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i - 10_000) / 1000f;
        }
        float[] given = values.clone();
        Gelu.apply(given, given.length);
        for (int i = 0; i < values.length; i++) {
            // Eight roundings, and a share that is fitted to 7e-9.
            assertEquals(Pointwise.GELU.of(values[i], 0, 0), given[i], Math.abs(values[i]) * 5e-7, "" + values[i]);
        }
    }

    @Test
    void oddNumbersStayWhatTheyAre() {
        float[] values = {0, -0f, Float.MIN_VALUE, 100, Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NaN, 5};
        Gelu.apply(values, 7);
        assertEquals(0, values[0]);
        assertEquals(-0f, values[1]);
        assertTrue(values[2] <= Float.MIN_VALUE);
        assertEquals(100, values[3], 3e-5);
        assertEquals(Float.MAX_VALUE, values[4], Float.MAX_VALUE * 5e-7);
        assertEquals(Float.POSITIVE_INFINITY, values[5]);
        assertTrue(Float.isNaN(values[6]));
        assertEquals(5, values[7]);
    }
}
