package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.pare.compress.constraint.Budget;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.recipe.Sensitivity;
import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.RecipeException;
import io.pare.descent.Stop;
import io.pare.descent.StoppedException;
import io.pare.file.FileException;
import io.pare.file.FolderLock;
import io.pare.format.pare.PareFile;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.train.Network;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompressionJobTest {
    private static final Recipe HALF = Recipe.parse("half", """
            name: half
            dense: {epochs: 1, batchSize: 16}
            train: {epochs: 1, batchSize: 16}
            stages:
              - admm-prune: {keep: {ratio: 2}}
              - mask-retrain: {}
            """);

    private final DataSets.Opened data = OwnNet.data();

    @TempDir
    Path temporary;

    private Path folder;

    @BeforeEach
    void folder() {
        folder = temporary.resolve("out");
    }

    private CompressionJob job() {
        return new CompressionJob(data.model(), data.corpus(), folder).recipe(HALF).seed(7);
    }

    @Test
    void aNetworkOfOnesOwnIsTrainedCompressedAndWritten() throws IOException {
        CompressionResult result;
        try (CompressionJob job = job()) {
            result = job.run();
            assertEquals(result.test().accuracy(), Engine.SPARSE.evaluate(PareFile.read(result.file()),
                    data.corpus().test(), data.corpus().scale(), OwnNet.SETTINGS.precision()).accuracy());
        }
        assertEquals(folder.resolve("own.pare"), result.file());
        assertEquals(76, result.found().nonzeros(), 4, "of " + result.found().weights());
        assertTrue(result.denseSeconds() > 0 && !result.packing().isEmpty(), result.toString());
        byte[] file = Files.readAllBytes(result.file());
        try (CompressionJob again = job()) {
            CompressionResult same = again.run();
            assertEquals(0, same.denseSeconds(), "the dense network was kept");
            assertEquals(result.found().stages(), same.found().stages(), "the stages were kept");
        }
        assertEquals(-1, Files.mismatch(result.file(), Files.write(folder.resolve("before"), file)));
        try (CompressionJob anew = job().anew().unpacked()) {
            CompressionResult unpacked = anew.run();
            assertTrue(unpacked.packing().isEmpty() && unpacked.fileBytes() > file.length, unpacked.toString());
        }
    }

    @Test
    void networksOfOtherKindsTeach() throws IOException {
        Path one = teacher("one", 1, 3);
        Path two = teacher("two", 2, 3);
        String text = """
                dense: {epochs: 1, batchSize: 16}
                distill: {teacher: [%s, %s], copies: 2}
                train: {epochs: 2, batchSize: 16, distill: 0.5, shift: 1, zoom: 0.1}
                stages:
                  - admm-prune: {keep: {ratio: 2}}
                  - mask-retrain: {}
                """;
        Recipe both = Recipe.parse("taught", text.formatted(one, two));
        byte[] expected;
        try (CompressionJob job = job().recipe(both)) {
            expected = Files.readAllBytes(job.run().file());
        }
        folder = temporary.resolve("stopped");
        try (CompressionJob job = job().recipe(both).progress(new PipelineListener() {
            private int epochs;

            @Override
            public void epoch(EpochRow row) {
                if (++epochs == 4) {
                    throw new IllegalStateException("stopped");
                }
            }
        })) {
            assertThrows(IllegalStateException.class, job::run);
        }
        try (CompressionJob job = job().recipe(Recipe.parse("taught", text.formatted(one, one)))) {
            String refusal = assertThrows(RecipeException.class, job::run).getMessage();
            assertTrue(refusal.contains("'distill:' of its recipe"), refusal);
        }
        try (CompressionJob job = job().recipe(both)) {
            assertArrayEquals(expected, Files.readAllBytes(job.run().file()));
        }
    }

    @Test
    void teachersThatCannotTeachAreRefusedInALine() throws IOException {
        Path four = teacher("four", 1, 4);
        for (String[] each : new String[][]{{four.toString(), "and tells 4 classes apart, own takes 1x4x4"},
            {"no/such/run", "recipe taught distils from no/such/run, which is not there: train it first"},
            {"no/mnist-teacher", "recipe taught distils from no/mnist-teacher, which is not there: make it once by"
                    + " 'pare train mnist-teacher --epochs 18 --shift 1 --rotate 10 --out no/mnist-teacher'"}}) {
            Recipe taught = Recipe.parse("taught", "{distill: {teacher: [" + each[0]
                    + "]}, stages: [mask-retrain: {train: {distill: 0.5}}]}");
            try (CompressionJob job = job().recipe(taught)) {
                String refusal = assertThrows(RunException.class, job::run).getMessage();
                assertTrue(refusal.contains(each[1]), refusal);
            }
        }
    }

    /** The file of a network with other layers than the student's. */
    private Path teacher(String name, long seed, int classes) throws IOException {
        Net model = new NetBuilder(name, data.model().input()).conv("conv1", 2, 3, 1, 1, true).relu("relu1")
                .flatten("flatten").linear("fc1", classes).build();
        Path file = temporary.resolve(name + ".pare");
        try (Network network = Network.create(model, seed, false)) {
            Map<String, FloatTensor> values = new LinkedHashMap<>();
            network.weights().forEach(weight -> values.put(weight.name(), weight.value()));
            PareFile.write(file, CompressedWeights.of(model, values, data.corpus().scale()));
        }
        return file;
    }

    /** Stopped by all ways, in the dense training and in stages, until it comes through: the same bits in the end. */
    @Test
    void aJobThatIsStoppedAgainAndAgainEndsWithTheSameFile() throws IOException {
        Recipe longer = Recipe.parse("half", """
                name: half
                dense: {epochs: 3, batchSize: 16}
                train: {epochs: 3, batchSize: 16}
                stages:
                  - admm-prune: {keep: {ratio: 2}}
                  - mask-retrain: {}
                """);
        byte[] expected;
        try (CompressionJob job = job().recipe(longer)) {
            expected = Files.readAllBytes(job.run().file());
        }
        folder = temporary.resolve("stopped");
        try (CompressionJob job = job().recipe(longer).stop(Stop.BY_INTERRUPT.after(Duration.ZERO))) {
            assertEquals("stopped: its deadline has come", assertThrows(StoppedException.class, job::run).getMessage());
        }
        Thread.currentThread().interrupt();
        try (CompressionJob job = job().recipe(longer)) {
            assertEquals("stopped: its thread was interrupted",
                    assertThrows(StoppedException.class, job::run).getMessage());
        } finally {
            assertTrue(Thread.interrupted(), "the interrupt stays");
        }
        int stops = 0;
        CompressionResult result = null;
        while (result == null) {
            // One epoch more each time: what an epoch saved is not lost.
            AtomicInteger epochs = new AtomicInteger();
            PipelineListener counting = new PipelineListener() {
                @Override
                public void epoch(EpochRow row) {
                    epochs.incrementAndGet();
                }
            };
            try (CompressionJob job = job().recipe(longer).progress(counting)
                    .stop(Stop.BY_INTERRUPT.when(() -> epochs.get() > 0))) {
                result = job.run();
            } catch (StoppedException e) {
                assertEquals("stopped: it was asked to stop", e.getMessage());
                stops++;
                assertTrue(stops < 50, "no progress");
            }
        }
        assertTrue(stops >= 5, stops + " stops");
        assertArrayEquals(expected, Files.readAllBytes(result.file()));
    }

    @Test
    void theFolderIsTheJobsUntilItIsClosed() throws IOException {
        try (CompressionJob job = job(); CompressionJob second = job()) {
            assertFalse(job.begun());
            job.begin();
            assertTrue(job.begun());
            assertThrows(FileException.class, second::begin);
            assertFalse(second.begun());
            assertThrows(IllegalStateException.class, job::begin);
            assertDoesNotThrow(job::close);
            try (FolderLock _ = FolderLock.take(folder)) {
                assertDoesNotThrow(job::close);
                assertThrows(FileException.class, () -> FolderLock.take(folder), "a second close takes nothing away");
            }
        }
    }

    @Test
    void aFolderThatWasBegunWithOtherSettingsIsRefused() throws IOException {
        try (CompressionJob job = job()) {
            job.begin();
        }
        try (CompressionJob other = job().seed(8)) {
            String message = assertThrows(RecipeException.class, other::begin).getMessage();
            assertTrue(message.contains("was begun with --seed 7"), message);
        }
    }

    @Test
    void aSearchReachesItsRatio() throws IOException {
        try (CompressionJob job = new CompressionJob(data.model(), data.corpus(), folder).toRatio(3, 0).unpacked()) {
            CompressionResult result = job.run();
            // Units that die on the way take some more weights with them.
            long nonzeros = result.found().nonzeros();
            assertTrue(nonzeros <= result.found().weights() / 3 && nonzeros > result.found().weights() / 4,
                    nonzeros + " of " + result.found().weights());
            assertNotEquals(HALF, result.recipe());
        }
    }

    @Test
    void aSearchKeepsWithinItsBudgetsAndSaysWhatItPromised() throws IOException {
        CostTable energy = new CostTable("energy", null, 0, 1, 0, 0.01, Map.of(), Map.of());
        long all = data.model().multiplyAdds();
        List<Budget> budgets = Budget.parse(List.of("macs<=" + all / 4, "energy<=5", "file-bytes<=9k"));
        try (CompressionJob job = new CompressionJob(data.model(), data.corpus(), folder)
                .within(budgets, List.of(energy), 0).unpacked()) {
            CompressionResult result = job.run();
            assertEquals(List.of("macs", "energy", "file-bytes"),
                    result.budgets().stream().map(row -> row.quantity().toString()).toList());
            for (BudgetRow row : result.budgets()) {
                assertTrue(row.holds() && row.promised() <= row.allowed() && row.measured() <= row.promised(),
                        row.toString());
            }
            // Each weight is one multiply-add here. Some die with their units.
            assertTrue(result.found().nonzeros() >= all / 6, result.found().nonzeros() + " of " + all);
        }
    }

    private Recipe kept(String stage, String keep) {
        return Recipe.parse("kept", """
                name: kept
                dense: {epochs: 1, batchSize: 16}
                train: {epochs: 2, batchSize: 16}
                stages:
                  - %s: {keep: %s}
                  - mask-retrain: {}
                """.formatted(stage, keep));
    }

    @Test
    void stagesKeepAsMuchAsTheirBudgetsAllow() throws IOException {
        CostTable time = new CostTable("latency", null, 0, 1, 0, 0,
                Map.of("fc1.weight", List.of(List.of(0.0, 0.0), List.of(128.0, 12.8))), Map.of("fc1.weight", 0.5));
        List<Recipe> recipes = List.of(kept("admm-prune", "{budget: 'latency<=9us'}"),
                kept("admm-prune", "{budget: ['latency<=9us', macs<=100], layers: {fc1: 0.1, fc2: 0.5}}"),
                kept("gradual-prune", "{budget: ['latency<=9us', macs<=100]}"));
        for (int i = 0; i < recipes.size(); i++) {
            try (CompressionJob job = new CompressionJob(data.model(), data.corpus(), temporary.resolve("out" + i))
                    .recipe(recipes.get(i)).within(List.of(), List.of(time), 0).unpacked()) {
                List<BudgetRow> rows = job.run().budgets();
                assertEquals(recipes.get(i).budgets().size(), rows.size());
                double spent = 0;
                for (BudgetRow row : rows) {
                    assertTrue(row.holds() && row.measured() <= row.promised(), row.toString());
                    spent = Math.max(spent, row.measured() / row.promised());
                }
                assertTrue(spent > 0.75, rows.toString());
            }
        }
        String said = assertThrows(RunException.class, () -> new CompressionJob(data.model(), data.corpus(),
                temporary.resolve("none")).recipe(recipes.getFirst()).begin()).getMessage();
        assertTrue(said.contains("give --cost"), said);
        for (String wrong : List.of("{budget: 'file-bytes<=900'}", "{budget: 'macs<=9', ratio: 2}",
                "{budget: ['macs<=9', 'macs<=8']}", "{budget: fast}")) {
            assertThrows(RecipeException.class, () -> kept("admm-prune", wrong), wrong);
        }
        assertThrows(RecipeException.class, () -> kept("obs-prune", "{budget: 'macs<=9'}"));
    }

    /** As much as with 3 bits for each value: some get more, others fewer. */
    @Test
    void widthsOfValuesAreThoseThatBudgetsAllow() throws IOException {
        long most = data.model().multiplyAdds() * 3 * BitOperations.FLOAT;
        List<String> stages = List.of("{admm-cluster: {bits: {'*': 6}, snap: false, budget: BUDGET}}, quantize-retrain",
                "{admm-quantize: {bits: {'*': 6}, train: {epochs: 0}, budget: BUDGET}}",
                "{reconstruct: {constraints: {'*': [{kind: Clustering, k: 64}]}, budget: BUDGET}}");
        for (String stage : stages) {
            Recipe recipe = Recipe.parse("widths", """
                    name: widths
                    dense: {epochs: 1, batchSize: 16}
                    train: {epochs: 1, batchSize: 16}
                    stages: [%s]
                    """.formatted(stage.replace("BUDGET", "bops<=" + most)));
            try (CompressionJob job = new CompressionJob(data.model(), data.corpus(),
                    temporary.resolve("widths" + stages.indexOf(stage))).recipe(recipe)) {
                CompressionResult result = job.run();
                BudgetRow row = result.budgets().getFirst();
                assertTrue(row.holds() && row.measured() > 0.6 * most, stage + row);
                assertEquals(row.measured(), bitOperations(PareFile.read(result.file())), stage);
            }
        }
    }

    private static double bitOperations(CompressedWeights weights) {
        try (Region region = Region.confined("stored")) {
            Map<String, FloatTensor> tensors = new LinkedHashMap<>();
            weights.tensors().forEach((name, stored) -> {
                FloatTensor tensor = region.tensor(stored.shape());
                stored.copyTo(tensor);
                tensors.put(name, tensor);
            });
            return new BitOperations(weights.model(), BitOperations.FLOAT).of(tensors);
        }
    }

    @Test
    void budgetsOutOfReachAreRefused() throws IOException {
        CostTable energy = new CostTable("energy", null, 0, 6, 0, 0.01, Map.of(), Map.of());
        try (CompressionJob job = new CompressionJob(data.model(), data.corpus(), folder)
                .within(Budget.parse(List.of("energy<=5")), List.of(energy), 0)) {
            String said = assertThrows(RunException.class, job::run).getMessage();
            assertTrue(said.contains("energy<=5uJ is out of reach"), said);
        }
        assertThrows(RunException.class, () -> new CompressionJob(data.model(), data.corpus(), folder)
                .within(Budget.parse(List.of("latency<=5")), List.of(energy), 0).begin());
    }

    @Test
    void whatExcludesEachOtherIsRefusedBeforeTheFolderIsTouched() {
        assertThrows(RunException.class, () -> job().toRatio(2, 0).begin());
        assertThrows(RunException.class,
                () -> new CompressionJob(data.model(), data.corpus(), folder).toRatio(2, 0).toBytes(9, 0).begin());
        assertThrows(IllegalStateException.class, () -> job().network());
        assertFalse(Files.exists(folder));
    }

    @Test
    void aRecipeForAnotherNetworkIsSaid() throws IOException {
        List<String> warnings = new ArrayList<>();
        Recipe other = new Recipe("half", "lenet5", "", HALF.dense(), HALF.stages());
        try (CompressionJob job = job().recipe(other).warnings(warnings::add)) {
            job.begin();
        }
        assertEquals("note: recipe half was made for lenet5, not for own", warnings.getFirst());
    }

    @Test
    void aScanMeasuresEachTensorOfATrainedNetwork() throws IOException {
        Path trained = temporary.resolve("trained");
        try (RunFolder run = new RunFolder(trained); TrainingJob job = TrainingJob.fresh(run, OwnNet.SETTINGS, data)) {
            job.run();
            job.finish();
            Sensitivity found = SensitivityScan.of(data.model(), data.corpus(), StoredWeights.of(trained), 7,
                    warning -> fail(warning));
            assertEquals(List.of("fc1.weight", "fc2.weight"), found.tensors());
            assertEquals(job.progress().bestScore(), found.base().accuracy());
        }
    }
}
