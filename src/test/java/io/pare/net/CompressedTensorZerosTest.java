package io.pare.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tensors of few zeros keep the places of these, others those of their values: nobody sees which. */
class CompressedTensorZerosTest {
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.001, 0.05, 0.12, 0.13, 0.5, 0.99, 1})
    void positionsAndValuesAreThoseOfWhatIsNotZero(double zeros) {
        Random random = new Random(7);
        for (int count = 0; count < 67; count++) {
            check(random, zeros, count);
        }
        check(random, zeros, 5000);
    }

    private static void check(Random random, double zeros, int count) {
        float[] dense = new float[count];
        for (int i = 0; i < count; i++) {
            dense[i] = random.nextDouble() < zeros ? -0f : (float) random.nextGaussian();
        }
        CompressedTensor tensor = CompressedTensor.of(dense, count);
        int at = 0;
        for (int i = 0; i < count; i++) {
            if (dense[i] != 0) {
                assertEquals(i, tensor.position(at));
                assertEquals(dense[i], tensor.value(at++));
            }
        }
        assertEquals(at, tensor.nonzeros());
        assertEquals(at == count, tensor.isDense());
        float[] back = tensor.toArray();
        for (int i = 0; i < count; i++) {
            assertTrue(back[i] == dense[i]);
        }
        assertArrayEquals(back, CompressedTensor.of(back, count).toArray());
    }
}
