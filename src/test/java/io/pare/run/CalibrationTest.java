package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.pare.text.TinyEncoder;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CalibrationTest {
    private static final int TOKENS = 7;
    private static final int WIDTH = 15;

    private static Calibration calibration(List<Integer> lengths) {
        return new Calibration(TinyEncoder.weights(), null, Optional.empty(), Optional.empty(), lengths);
    }

    /** Two windows of two texts, whose tokens have their number as every value. */
    @Test
    void meansOfTokensCountWhereInputsAreTexts() {
        float[] outputs = new float[2 * TOKENS * WIDTH];
        for (int i = 0; i < outputs.length; i++) {
            outputs[i] = i / WIDTH;
        }
        float[] means = calibration(List.of(4, 3)).counted(outputs);
        float[] expected = {1.5f, 5, 8.5f, 12};
        assertEquals(expected.length * WIDTH, means.length);
        for (int i = 0; i < means.length; i++) {
            assertEquals(expected[i / WIDTH], means[i], 1e-5f);
        }
        assertSame(outputs, calibration(List.of()).counted(outputs));
    }
}
