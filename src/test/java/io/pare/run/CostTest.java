package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.constraint.Cost;
import io.pare.compress.constraint.GlobalBudget;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.ProjectionState;
import io.pare.format.pare.PareFile;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Parameter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CostTest {
    private static final Net LENET5 = Models.lenet5();

    /** Each weight with so many non-zeros of three values, biases of zero. */
    private static Map<String, FloatTensor> network(Region region, int kept) {
        Map<String, FloatTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : LENET5.parameters()) {
            FloatTensor tensor = region.tensor(parameter.shape());
            for (int i = 0; parameter.weight() && i < kept; i++) {
                tensor.set((i * 97L + i) % tensor.count(), 0.25f * (1 + i % 3));
            }
            tensors.put(parameter.name(), tensor);
        }
        return tensors;
    }

    @Test
    void weightDataIsBitsTimesNonzeros() {
        try (Region region = Region.confined("cost")) {
            Map<String, FloatTensor> tensors = network(region, 40);
            assertEquals(4 * 40 * 2 / 8.0, Cost.WEIGHT_DATA.of(tensors));
            assertEquals(10, Cost.WEIGHT_DATA.of("conv1.weight", 500, 40, 2));
            FloatTensor fc2 = tensors.get("fc2.weight");
            assertEquals("80 bits, 100 allowed", new GlobalBudget(100, 1, 3, GlobalSparsity.Score.MAGNITUDE)
                    .measure(List.of(fc2), new ProjectionState()).detail());
        }
    }

    @Test
    void bytesOfTheFileAreThoseThatAreWritten(@TempDir Path folder) throws Exception {
        try (Region region = Region.confined("cost")) {
            Map<String, FloatTensor> tensors = network(region, 40);
            FileBytes cost = new FileBytes(LENET5, InputScale.UNIT);
            Path file = folder.resolve("lenet5.pare");
            PareFile.write(file, CompressedWeights.of(LENET5, tensors, InputScale.UNIT));
            assertEquals(Files.size(file), cost.of(tensors));
        }
    }

    @Test
    void theForecastOfAFileIsAboutWhatRandomPlacesTake() {
        try (Region region = Region.confined("cost")) {
            FileBytes cost = new FileBytes(LENET5, InputScale.UNIT);
            Map<String, FloatTensor> tensors = network(region, 0);
            FloatTensor fc1 = tensors.get("fc1.weight");
            SplittableRandom random = new SplittableRandom(1);
            double before = cost.of(tensors);
            for (int i = 0; i < 1000; i++) {
                fc1.set(random.nextLong(fc1.count()), 0.25f * (1 + i % 4));
            }
            double forecast = cost.of("fc1.weight", fc1.count(), 1000, 2);
            assertEquals(1, (cost.of(tensors) - before) / forecast, 0.1);
            assertTrue(cost.of("fc1.weight", fc1.count(), 1001, 2) > forecast);
            assertTrue(cost.of("fc1.weight", fc1.count(), 1000, 3) > forecast);
            assertTrue(cost.rest() > 0 && cost.rest() < 250, "rest " + cost.rest());
        }
    }

    @Test
    void multiplyAddsCountAWeightOfAConvolutionForEachPlace() {
        try (Region region = Region.confined("cost")) {
            MultiplyAdds cost = new MultiplyAdds(LENET5);
            assertEquals(24 * 24, cost.of("conv1.weight", 500, 1, 32));
            assertEquals(7 * 8 * 8, cost.of("conv2.weight", 25_000, 7, 2));
            assertEquals(3, cost.of("fc2.weight", 5_000, 3, 2));
            assertEquals(40 * (24 * 24 + 8 * 8 + 1 + 1), cost.of(network(region, 40)));
            assertEquals(LENET5.multiplyAdds(), LENET5.parameters().stream().filter(Parameter::weight)
                    .mapToDouble(each -> cost.of(each.name(), each.count(), each.count(), 32)).sum());
        }
    }
}
