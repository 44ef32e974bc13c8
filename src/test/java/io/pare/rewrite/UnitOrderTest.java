package io.pare.rewrite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.format.pare.PareFile;
import io.pare.infer.ReferenceNet;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.CompressedWeights;
import io.pare.net.Models;
import io.pare.net.PrunedNets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UnitOrderTest {
    private static CompressedWeights withoutDeadPaths(CompressedWeights weights) {
        try (Region region = Region.confined("test")) {
            Map<String, FloatTensor> parameters = weights.dense(region);
            DeadPaths.remove(weights.model(), parameters);
            return CompressedWeights.of(weights.model(), parameters, weights.scale());
        }
    }

    @Test
    void sortedUnitsComputeTheSameInASmallerFile() {
        for (CompressedWeights before : List.of(
                withoutDeadPaths(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1.5, 3)),
                withoutDeadPaths(PrunedNets.of(Models.lenet300(), Map.of("fc1.weight", 900, "fc2.weight", 400), 4, 1,
                        5)))) {
            CompressedWeights after = UnitOrder.sort(before);
            byte[] file = PareFile.encode(after);
            int size = PareFile.encode(before).length;
            assertTrue(file.length < 0.97 * size, file.length + " bytes after " + size);
            before.tensors().forEach((name, tensor) -> {
                float[] was = tensor.toArray();
                float[] is = after.tensor(name).toArray();
                Arrays.sort(was);
                Arrays.sort(is);
                assertArrayEquals(was, is, name);
            });
            float[] image = new float[before.model().input().features()];
            for (int i = 0; i < image.length; i++) {
                image[i] = (float) Math.sin(i * 1.3);
            }
            double[] expected = new ReferenceNet(before).logits(image);
            double[] actual = new ReferenceNet(after).logits(image);
            for (int c = 0; c < expected.length; c++) {
                assertEquals(expected[c], actual[c], 1e-9 * (1 + Math.abs(expected[c])), "class " + c);
            }
            PrunedNets.assertSame(after, PareFile.decode(file));
        }
    }

    @Test
    void sortingAgainGainsAndLosesLittle() {
        CompressedWeights sorted = UnitOrder.sort(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1.5, 3));
        assertTrue(PareFile.encode(UnitOrder.sort(sorted)).length <= 1.01 * PareFile.encode(sorted).length);
    }
}
