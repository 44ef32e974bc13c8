package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.Guarantee;
import io.pare.compress.constraint.ScaledSigns;
import io.pare.format.pare.PareFile;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ScaledTensorsTest {
    private static final int ROWS = 600;
    private static final int COLUMNS = 40;

    /** Signs of 600 scales, some rows empty: as floats they take thirty times as much. */
    @Test
    void signsWithRowScalesAreStoredAsSignsAndScales() {
        Net net = new NetBuilder("wide", Shape.of(COLUMNS)).linear("fc", ROWS).build();
        SplittableRandom random = new SplittableRandom(1);
        float[] values = new float[ROWS * COLUMNS];
        for (int row = 0; row < ROWS; row++) {
            float scale = row % 7 == 0 ? 0 : 0.5f + (float) random.nextDouble();
            for (int column = 0; column < COLUMNS; column++) {
                values[row * COLUMNS + column] = (random.nextInt(3) - 1) * scale;
            }
        }
        Map<String, CompressedTensor> tensors = new HashMap<>();
        tensors.put("fc.weight", CompressedTensor.of(values, ROWS, COLUMNS));
        tensors.put("fc.bias", CompressedTensor.of(new float[ROWS], ROWS));
        CompressedWeights plain = new CompressedWeights(net, tensors, InputScale.UNIT);
        CompressedWeights coded = ScaledTensors.code(plain,
                List.of(new Guarantee(new ScaledSigns(true), List.of("fc.weight"), Map.of())));
        assertTrue(coded.tensor("fc.weight").isScaled());
        assertArrayEquals(plain.tensor("fc.weight").toArray(), coded.tensor("fc.weight").toArray());
        int small = PareFile.encode(coded).length;
        int large = PareFile.encode(plain).length;
        assertTrue(5 * small < large, small + " and " + large + " bytes");
        values[COLUMNS + 3] = 9;
        tensors.put("fc.weight", CompressedTensor.of(values, ROWS, COLUMNS));
        assertFalse(ScaledTensors.code(new CompressedWeights(net, tensors, InputScale.UNIT),
                List.of(new Guarantee(new ScaledSigns(true), List.of("fc.weight"), Map.of()))).tensor("fc.weight")
                .isScaled());
    }
}
