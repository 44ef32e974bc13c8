package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.constraint.Budget;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

    @Test
    void bitOperationsAreMultiplyAddsTimesBothWidths() {
        try (Region region = Region.confined("cost")) {
            BitOperations cost = new BitOperations(LENET5, 8);
            assertEquals(24 * 24 * 2 * 8, cost.of("conv1.weight", 500, 1, 2));
            assertEquals(40 * (24 * 24 + 8 * 8 + 1 + 1) * 2 * 8, cost.of(network(region, 40)));
        }
        assertThrows(IllegalArgumentException.class, () -> new BitOperations(LENET5, 33));
    }

    @Test
    void aTableIsReadBetweenItsPointsAndComesBackFromItsFile(@TempDir Path folder) throws Exception {
        CostTable table = new CostTable("energy", "lenet5", 0, 2, 0.5, 0.25,
                Map.of("fc2.weight", List.of(List.of(10.0, 1.0), List.of(30.0, 5.0))), Map.of());
        assertEquals(List.of(1.0, 1.0, 3.0, 5.0, 5.0), List.of(table.at("fc2.weight", 0), table.at("fc2.weight", 10),
                table.at("fc2.weight", 20), table.at("fc2.weight", 30), table.at("fc2.weight", 99)));
        Path file = folder.resolve("cost.json");
        table.write(file);
        assertEquals(table, CostTable.read(file));
        TableCost cost = new TableCost(LENET5, table);
        assertEquals(2, cost.rest());
        assertEquals(3 + 20 * 0.5 + 20 * 4 * 0.25, cost.of("fc2.weight", 5_000, 20, 4));
        try (Region region = Region.confined("cost")) {
            double all = cost.of(network(region, 20));
            assertEquals(2 + 3 + 20 * (24 * 24 + 8 * 8 + 1 + 1) * 0.5 + 4 * 20 * 2 * 0.25, all);
        }
        assertThrows(RunException.class, () -> new TableCost(LENET5,
                new CostTable("latency", null, 0, 0, 0, 0, Map.of("fc9.weight", List.of(List.of(1.0, 1.0))),
                        Map.of())));
        for (String bad : List.of("", "{", "[]", "{\"quantity\": \"joy\"}", "{\"quantity\": \"energy\", \"rest\": -1}",
                "{\"quantity\": \"energy\", \"sum\": 1}", "{\"quantity\": \"latency\", \"layers\": {\"a\": [[1]]}}",
                "{\"quantity\": \"latency\", \"layers\": {\"a\": [[1, null]]}}",
                "{\"quantity\": \"latency\", \"layers\": {\"a\": [[2, 1], [1, 2]]}}")) {
            Files.writeString(file, bad);
            String said = assertThrows(RunException.class, () -> CostTable.read(file), bad).getMessage();
            assertTrue(said.contains("cost.json is no table of costs") && said.lines().count() == 1, said);
        }
    }

    @Test
    void budgetsAreReadInTheirUnits() {
        assertEquals(new Budget(Budget.Quantity.LATENCY, 20), Budget.parse("latency<=20us"));
        assertEquals(new Budget(Budget.Quantity.LATENCY, 1500), Budget.parse("latency <= 1.5 ms"));
        assertEquals(new Budget(Budget.Quantity.MACS, 40e6), Budget.parse("macs<=40M"));
        assertEquals(new Budget(Budget.Quantity.FILE_BYTES, 1536), Budget.parse("file-bytes<=1.5k"));
        for (String text : List.of("latency<=20us", "file-bytes<=1500", "macs<=40000000", "bops<=3", "energy<=0.5uJ")) {
            assertEquals(text, Budget.parse(text).toString());
        }
        for (String text : List.of("", "latency", "latency<20", "joy<=1", "macs<=0", "macs<=1us", "macs<=1e999",
                "macs<=.",
                "latency<=-1")) {
            assertThrows(IllegalArgumentException.class, () -> Budget.parse(text), text);
        }
        assertThrows(IllegalArgumentException.class, () -> Budget.parse(List.of("macs<=1", "macs<=2")));
    }

    /** Against all ways to cut a row into blocks of equal height: the best one that never falls. */
    @Test
    void whereRowsHaveAPriceOnlyThoseCountThatAreRead() {
        CostTable table = new CostTable("latency", null, 1, 2, 0, 0,
                Map.of("fc1.weight", List.of(List.of(0.0, 0.0), List.of(1000.0, 1000.0))), Map.of("fc1.weight", 0.5));
        try (Region region = Region.confined("cost")) {
            Map<String, FloatTensor> tensors = network(region, 40);
            FloatTensor fc1 = tensors.get("fc1.weight");
            FloatTensor fc2 = tensors.get("fc2.weight");
            long rows = 0;
            long kept = 0;
            for (long unit = 0; unit < 500; unit++) {
                boolean read = false;
                for (long consumer = 0; consumer < 10; consumer++) {
                    read |= fc2.get(consumer * 500 + unit) != 0;
                }
                rows += read ? 1 : 0;
                for (long e = unit * 800; read && e < (unit + 1) * 800; e++) {
                    kept += fc1.get(e) == 0 ? 0 : 1;
                }
            }
            assertTrue(rows > 10 && rows <= 40 && kept < 40, rows + " rows, " + kept);
            assertEquals(2 + kept + 0.5 * rows, new TableCost(LENET5, table).of(tensors), 1e-9);
            assertEquals(Map.of("fc1.weight", new LiveRows((int) rows, kept)).entrySet().iterator().next(),
                    Map.entry("fc1.weight",
                            LiveRows.of(CompressedWeights.of(LENET5, tensors, InputScale.UNIT)).get("fc1.weight")));
        }
        assertThrows(IllegalArgumentException.class,
                () -> new CostTable("latency", null, 1, 0, 0, 0, Map.of(), Map.of("fc1.weight", -1.0)));
    }

    @Test
    void thePriceOfARowIsWhatTimesHaveBesidesTheWeights() {
        SplittableRandom random = new SplittableRandom(5);
        List<double[]> points = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            int rows = 1 + random.nextInt(100);
            int weights = rows + random.nextInt(2000);
            points.add(new double[]{weights, 0.01 * weights + 0.2 * rows, rows});
        }
        assertEquals(0.2, LayerTimes.price(points), 0.01);
        points.replaceAll(point -> new double[]{point[0], 0.01 * point[0], point[2]});
        assertEquals(0, LayerTimes.price(points), 1e-3);
    }

    @Test
    void curvesOfTimesNeverFallAndLieNearest() {
        SplittableRandom random = new SplittableRandom(3);
        for (int round = 0; round < 100; round++) {
            int n = 1 + random.nextInt(7);
            List<double[]> points = new ArrayList<>();
            for (int i = 0; i < n; i++) {
                points.add(new double[]{i + 1, random.nextInt(6)});
            }
            CostTable table =
                    new CostTable("latency", null, 1, 0, 0, 0, Map.of("w", LayerTimes.ascending(points)), Map.of());
            double found = points.stream().mapToDouble(p -> Math.pow(p[1] - table.at("w", p[0]), 2)).sum();
            double best = Double.POSITIVE_INFINITY;
            for (int cuts = 0; cuts < 1 << n - 1; cuts++) {
                double error = 0;
                double last = Double.NEGATIVE_INFINITY;
                for (int from = 0, to; from < n; from = to) {
                    to = from + 1;
                    while (to < n && (cuts >> to - 1 & 1) == 0) {
                        to++;
                    }
                    double mean = points.subList(from, to).stream().mapToDouble(p -> p[1]).average().orElseThrow();
                    error += points.subList(from, to).stream().mapToDouble(p -> Math.pow(p[1] - mean, 2)).sum()
                            + (mean < last - 1e-12 ? Double.POSITIVE_INFINITY : 0);
                    last = mean;
                }
                best = Math.min(best, error);
            }
            assertEquals(best, found, 1e-9);
        }
    }

    @Test
    void aPredictionsTimeIsThatOfItsLayersAndMore() {
        try (Region region = Region.confined("cost")) {
            PredictionTime time =
                    PredictionTime.of(CompressedWeights.of(LENET5, network(region, 40), InputScale.UNIT), 0.01);
            assertTrue(time.microseconds() > 0 && time.reference() > 0 && time.ratio() > 0, time.toString());
            assertEquals(Set.of("conv1", "conv2", "fc1", "fc2"), time.layers().keySet());
            assertTrue(time.layers().values().stream().mapToDouble(Double::doubleValue).sum()
                    <= time.ratio() * time.reference() * (1 + 1e-9), time.toString());
        }
    }
}
