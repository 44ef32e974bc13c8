package io.pare.compress.recipe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.Blobs;
import io.pare.compress.Guarantee;
import io.pare.compress.LayerRow;
import io.pare.compress.TrainingOptions;
import io.pare.compress.UnitLink;
import io.pare.compress.Variable;
import io.pare.compress.constraint.CodedBudget;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.StageRow;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PipelineTest {
    /** Every kind of stage, small. */
    static final String ALL = """
            name: all
            train: {epochs: 3, learningRate: 0.01, schedule: cosine}
            admm: {rho: 0.02, updatesPerEpoch: 2, rule: multiply, factor: 1.5, limit: 0.5}
            stages:
              - admm-prune: {keep: {ratio: 3, score: importance}, ramp: 0.6}
              - mask-retrain: {train: {average: 0.5, select: best}}
              - progressive-prune: {ratios: [4, 5], models: 2, prune: {train: {epochs: 2}}, retrain: {epochs: 1}}
              - admm-cluster: {bits: {"*": 3}, snap: false}
              - quantize-retrain: {rounds: 2, share: 0.5, train: {epochs: 2}}
              - cluster-retrain: {train: {learningRate: 0.001}}
              - admm-joint: {keep: {total: 80}, bits: {w1: 2, w2: 3}}
              - global-budget: {bytes: 20, minimumBits: 1, maximumBits: 2}
            """;

    /** Stages whose projections weigh squared changes. */
    static final String FISHER = """
            name: fisher
            train: {epochs: 3, learningRate: 0.01, schedule: cosine}
            admm: {rho: 0.02, updatesPerEpoch: 2, rule: multiply, factor: 1.5, limit: 0.5}
            stages:
              - gradual-prune: {keep: {ratio: 2.5, rate: 1}, cutsPerEpoch: 3}
              - admm-prune: {keep: {ratio: 3, score: fisher, rate: 1}, ramp: 0.6}
              - progressive-prune:
                  ratios: [4]
                  prune: {keep: {score: fisher, rate: 0.5}, train: {epochs: 2}}
                  retrain: {epochs: 1}
              - admm-cluster: {bits: {"*": 3}, admm: {fisher: true}}
              - admm-joint: {keep: {total: 80}, bits: {w1: 2, w2: 3}, admm: {fisher: true}}
              - admm-rate: {bytes: 70, bits: {"*": 3}, cluster: false}
              - admm-rate: {bytes: 60, bits: {"*": 3}, snap: false}
              - quantize-retrain: {rounds: 2, train: {epochs: 1}}
              - global-budget: {bytes: 20, minimumBits: 1, maximumBits: 2, score: fisher}
            """;

    static final String RATE = """
            train: {epochs: 3}
            admm: {rho: 0.02, updatesPerEpoch: 2, rule: multiply, factor: 1.5, limit: 0.5}
            stages:
              - gradual-prune: {keep: {ratio: 2}}
              - obs-prune: {keep: {ratio: 2.5, rate: 1}, rounds: 2, train: {epochs: 1}}
              - admm-rate: {bytes: 90, bits: {"*": 2}}
              - cluster-retrain
            """;

    /** Widths that a budget chooses: 480 weights in 120 bytes are two bits each. */
    private static final String WIDTHS = """
            train: {epochs: 3}
            admm: {rho: 0.02, updatesPerEpoch: 2, rule: multiply, factor: 1.5, limit: 0.5}
            stages:
              - admm-cluster: {bits: {"*": 4}, budget: weight-bytes<=120, snap: false}
              - quantize-retrain: {rounds: 2, train: {epochs: 1}}
              - cluster-retrain
            """;

    @TempDir
    private Path folder;

    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static PipelineListener killAfter(int epochs) {
        return new PipelineListener() {
            private int seen;

            @Override
            public void epoch(EpochRow row) {
                if (++seen == epochs) {
                    throw new Killed();
                }
            }
        };
    }

    private static float[][] values(Blobs blobs) {
        return new float[][]{blobs.w1.toArray(), blobs.b1.toArray(), blobs.w2.toArray(), blobs.b2.toArray()};
    }

    @Test
    void everyStageRunsAndItsConstraintHolds() throws IOException {
        try (Blobs blobs = new Blobs().dense(5)) {
            Pipeline.Result result = new Pipeline(Recipe.parse("all", ALL), blobs.training, folder.resolve("state"),
                    PipelineListener.SILENT).run();
            assertEquals(8, result.stages().size());
            assertEquals(480, result.weights());
            StageRow prune = result.stages().getFirst();
            long pruned = prune.layers().stream().mapToLong(LayerRow::kept).sum();
            assertTrue(pruned <= 160 && pruned > 150, "pruned to " + pruned);
            assertTrue(result.stages().get(2).layers().stream().mapToLong(LayerRow::kept).sum() <= 96);
            StageRow frozen = result.stages().get(4);
            assertTrue(frozen.layers().stream().allMatch(row -> row.unique() <= 8));
            StageRow joint = result.stages().get(6);
            assertTrue(joint.layers().stream().mapToLong(LayerRow::kept).sum() <= 80);
            assertTrue(joint.layers().get(0).unique() <= 4 && joint.layers().get(1).unique() <= 8);
            assertTrue(result.weightDataBytes() <= 20, "weight data " + result.weightDataBytes());
            assertTrue(result.proofs().values().stream().allMatch(Feasibility::holds));
            assertTrue(prune.validationAccuracy() > 0.9, "a third of the weights suffices here");
        }
    }

    @Test
    void importanceChangesWhatStaysAndConstraintsHold() throws IOException {
        float[][] weighted;
        float[][] plain;
        try (Blobs blobs = new Blobs().dense(5)) {
            Pipeline.Result result = new Pipeline(Recipe.parse("fisher", FISHER), blobs.training,
                    folder.resolve("fisher"), PipelineListener.SILENT).run();
            assertTrue(result.proofs().values().stream().allMatch(Feasibility::holds));
            assertTrue(result.weightDataBytes() <= 20, "weight data " + result.weightDataBytes());
            weighted = values(blobs);
        }
        try (Blobs blobs = new Blobs().dense(5)) {
            String without =
                    FISHER.replace("score: fisher", "score: magnitude").replace("fisher: true", "restart: false")
                            .replace(", rate: 1", "").replace(", rate: 0.5", "");
            new Pipeline(Recipe.parse("plain", without), blobs.training, folder.resolve("plain"),
                    PipelineListener.SILENT).run();
            plain = values(blobs);
        }
        assertFalse(Arrays.equals(weighted[0], plain[0]));
    }

    @Test
    void stagesThatWeighNothingAreSavedAsBeforeTheyCould() {
        assertFalse(Recipe.parse("all", ALL).text(8).matches("(?s).*\"(fisher|rate)\".*"));
        assertTrue(Recipe.parse("fisher", FISHER).text(6).contains("\"fisher\":true"));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 10})
    void aRunByImportanceThatIsKilledAndResumedEndsWithTheSameBits(int epochs) throws IOException {
        resumes(Recipe.parse("fisher", FISHER), epochs);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 7})
    void aRunWithinBytesThatIsKilledAndResumedEndsWithTheSameBits(int epochs) throws IOException {
        resumes(Recipe.parse("rate", RATE), epochs);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void aRunThatChoseWidthsEndsWithTheSameBits(int epochs) throws IOException {
        resumes(Recipe.parse("widths", WIDTHS), epochs);
    }

    @Test
    void widthsAreNoneOfTheWidestAndKeepTheirBudget() throws IOException {
        try (Blobs blobs = new Blobs().dense(5)) {
            Pipeline.Result result = new Pipeline(Recipe.parse("widths", WIDTHS), blobs.training,
                    folder.resolve("state"), PipelineListener.SILENT).run();
            assertTrue(result.weightDataBytes() <= 120 && result.weightDataBytes() > 100,
                    "bytes " + result.weightDataBytes());
        }
        try (Blobs blobs = new Blobs().dense(1)) {
            Pipeline pipeline = new Pipeline(Recipe.parse("widths", WIDTHS.replace("120", "59")), blobs.training, null,
                    PipelineListener.SILENT);
            assertEquals("weight-bytes<=59 is out of reach: with the fewest bits in each layer the network takes 60.00"
                    + " bytes; prune it first, or allow more",
                    assertThrows(RecipeException.class, pipeline::run).getMessage());
        }
    }

    @Test
    void budgetsThatWidthsCannotKeepAreRefused() {
        for (String wrong : List.of("macs<=9", "file-bytes<=9", "bops<=0", "[bops<=9, bops<=8]")) {
            RecipeException e = assertThrows(RecipeException.class,
                    () -> Recipe.parse("widths", WIDTHS.replace("weight-bytes<=120", wrong)));
            assertTrue(e.getMessage().contains("budget") && e.getMessage().lines().count() == 1, e.getMessage());
        }
        try (Blobs blobs = new Blobs()) {
            Pipeline pipeline = new Pipeline(
                    Recipe.parse("widths", WIDTHS.replace("weight-bytes<=120", "bops<=9")), blobs.training, null,
                    PipelineListener.SILENT);
            assertThrows(RecipeException.class, pipeline::run);
        }
    }

    @Test
    void theLastStageThatBoundsTheFileSaysItsBytes() {
        assertEquals(90, Recipe.parse("rate", RATE).fileBytes());
        assertEquals(60, Recipe.parse("fisher", FISHER).fileBytes());
        assertEquals(0, Recipe.parse("all", ALL).fileBytes());
    }

    @Test
    void theFileIsWithinTheBytesThatARateAwareStageWasGiven() throws IOException {
        try (Blobs blobs = new Blobs().dense(5)) {
            Pipeline.Result result = new Pipeline(Recipe.parse("rate", RATE), blobs.training,
                    folder.resolve("state"), PipelineListener.SILENT).run();
            assertTrue(result.proofs().values().stream().allMatch(Feasibility::holds));
            // No file is known of a training by gradients: the bits of the model count.
            double bits = new CodedBudget(1, List.of(2, 2), true, List.of()).length(List.of(blobs.w1, blobs.w2));
            assertTrue(bits <= 8 * 90 && bits > 8 * 80, "bits " + bits);
            assertTrue(result.layers().stream().allMatch(row -> row.unique() <= 4));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 5, 8, 12, 16, 20, 23, 27, 31})
    void aRunThatIsKilledAndResumedEndsWithTheSameBits(int epochs) throws IOException {
        resumes(Recipe.parse("all", ALL), epochs);
    }

    private void resumes(Recipe recipe, int epochs) throws IOException {
        float[][] whole;
        Pipeline.Result wanted;
        try (Blobs blobs = new Blobs().dense(2)) {
            wanted = new Pipeline(recipe, blobs.training, folder.resolve("whole"), PipelineListener.SILENT).run();
            whole = values(blobs);
        }
        Path state = folder.resolve("killed");
        int before;
        try (Blobs blobs = new Blobs().dense(2)) {
            Pipeline pipeline = new Pipeline(recipe, blobs.training, state, killAfter(epochs));
            assertThrows(Killed.class, pipeline::run);
            before = blobs.batches;
        }
        // What the first epoch leaves behind is lost with the process: the dense network is there, the state is not.
        try (Blobs blobs = epochs == 1 ? new Blobs().dense(2) : new Blobs()) {
            Pipeline.Result resumed = new Pipeline(recipe, blobs.training, state, PipelineListener.SILENT).run();
            float[][] found = values(blobs);
            for (int i = 0; i < whole.length; i++) {
                assertArrayEquals(whole[i], found[i], "tensor " + i);
            }
            assertEquals(wanted.validation(), resumed.validation());
            assertEquals(wanted.stages().size(), resumed.stages().size());
            for (int i = 0; i < wanted.stages().size(); i++) {
                assertEquals(wanted.stages().get(i).layers(), resumed.stages().get(i).layers());
                assertEquals(wanted.stages().get(i).epochs().size(), resumed.stages().get(i).epochs().size());
            }
            // The interrupted epoch is repeated, nothing more; the dense epochs count for the first run only.
            assertTrue(blobs.batches < 20 * 40 && before > 0);
        }
    }

    /** The regions that stages open, as {@link Region#describeLive} lists them. */
    private static long live() {
        long bytes = 0;
        for (String line : Region.describeLive().lines().toList()) {
            String[] words = line.split(": | bytes");
            if (List.of("stage", "stage start", "admm", "cut").contains(words[0])) {
                bytes += Long.parseLong(words[1]);
            }
        }
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(strings = {"admm-prune: {keep: {ratio: 3}}", "mask-retrain: {train: {average: 0.5, select: best}}",
        "progressive-prune: {ratios: [4, 5], models: 2, prune: {train: {select: best}}}",
        "progressive-prune: {ratios: [4], models: 1, train: {average: 0.5}}", "admm-joint: {bits: {'*': 2}}",
        "gradual-prune: {keep: {ratio: 3}}", "gradual-prune: {keep: {ratio: 3, score: lamp}}",
        "admm-prune: {keep: {ratio: 3, score: fisher}}", "admm-rate: {bytes: 60, bits: {'*': 3}}",
        "admm-cluster: {bits: {'*': 2}, admm: {fisher: true}}",
        "global-budget: {bytes: 40, minimumBits: 1, maximumBits: 3}", "admm-cluster: {bits: {'*': 2}}",
        "admm: {constraints: {'*': {kind: Clustering, k: 5}}}"})
    void theMemoryOfStagesIsKnownBeforehand(String stage) throws IOException {
        Recipe recipe = Recipe.parse("one", "{train: {epochs: 2}, stages: [" + stage + "]}");
        for (boolean inFile : new boolean[]{false, true}) {
            long[] most = {0};
            try (Blobs blobs = new Blobs().dense(1)) {
                new Pipeline(recipe, blobs.training, null, new PipelineListener() {
                    @Override
                    public void epoch(EpochRow row) {
                        most[0] = Math.max(most[0], live());
                    }
                }).admmFile(inFile ? folder.resolve("admm") : null).run();
            }
            long computed = Pipeline.memory(recipe, 480, 480 + Blobs.HIDDEN + Blobs.CLASSES, inFile);
            assertEquals(computed - 480 * Float.BYTES, most[0], "without the copy for the cut, in file: " + inFile);
        }
    }

    @Test
    void aStateOfAnotherRecipeOrProvenanceIsRefusedByWhatDiffers() throws IOException {
        Path state = folder.resolve("state");
        try (Blobs blobs = new Blobs()) {
            Provenance begun = Provenance.NONE.with("--seed", 1).with("data", "d1").with("weights", "w".repeat(99));
            Recipe recipe = Recipe.parse("a", "stages: [mask-retrain, mask-retrain: {train: {epochs: 2}}]");
            assertThrows(Killed.class,
                    new Pipeline(recipe, blobs.training, state, killAfter(12)).provenance(begun)::run);
            Recipe other = Recipe.parse("b", "stages: [mask-retrain, mask-retrain: {train: {epochs: 3}}]");
            assertTrue(refusal(other, state, begun).contains("was begun with another stage 2 than 'b' has"));
            Recipe shorter = Recipe.parse("c", "stages: [mask-retrain]");
            assertTrue(refusal(shorter, state, begun).contains("was begun with another stage 2 than 'c' has"));
            assertTrue(refusal(recipe, state, begun.with("--seed", 2).with("data", "d2"))
                    .endsWith("was begun with --seed 1 and data d1, not with --seed 2 and data d2: give it the same,"
                            + " or another --out"));
            assertTrue(refusal(recipe, state, begun.with("weights", "v".repeat(99)))
                    .contains("was begun with another weights, not with this one"));
            assertTrue(refusal(recipe, state, begun.with("new", "n")).contains("was begun with new unknown"));
            new Pipeline(recipe, blobs.training, state, PipelineListener.SILENT).provenance(begun).run();
        }
    }

    @Test
    void aStateThatDoesNotSayWhatItWasMadeFromIsForThoseWhoDoNotAsk() throws IOException {
        Path state = folder.resolve("state");
        Recipe recipe = Recipe.parse("a", "stages: [mask-retrain: {train: {epochs: 2}}]");
        try (Blobs blobs = new Blobs()) {
            assertThrows(Killed.class, new Pipeline(recipe, blobs.training, state, killAfter(2))::run);
            assertTrue(refusal(recipe, state, Provenance.NONE.with("--seed", 1))
                    .contains("was begun with --seed unknown"));
            for (String old : new String[]{null, "--seed 1 --precision fp32"}) {
                RecipeException refused = assertThrows(RecipeException.class,
                        () -> Provenance.NONE.with("--seed", 1).check(state, old));
                assertTrue(refused.getMessage().contains("does not say from what it was made"), refused.getMessage());
                Provenance.NONE.check(state, old);
            }
            new Pipeline(recipe, blobs.training, state, PipelineListener.SILENT).run();
        }
    }

    private static String refusal(Recipe recipe, Path state, Provenance provenance) {
        try (Blobs blobs = new Blobs()) {
            return assertThrows(RecipeException.class,
                    new Pipeline(recipe, blobs.training, state, PipelineListener.SILENT)
                            .provenance(provenance)::run)
                    .getMessage();
        }
    }

    @Test
    void aFinishedRunGoesOnWhenStagesAreAdded() throws IOException {
        String first = "train: {epochs: 2}\nstages:\n  - admm-prune: {keep: {ratio: 3}}\n";
        String both = first + "  - mask-retrain: {}\n";
        Path state = folder.resolve("state");
        float[][] wanted;
        try (Blobs blobs = new Blobs()) {
            new Pipeline(Recipe.parse("both", both), blobs.training, null, PipelineListener.SILENT).run();
            wanted = values(blobs);
        }
        try (Blobs blobs = new Blobs()) {
            new Pipeline(Recipe.parse("first", first), blobs.training, state, PipelineListener.SILENT).run();
        }
        try (Blobs blobs = new Blobs()) {
            Pipeline.Result result =
                    new Pipeline(Recipe.parse("both", both), blobs.training, state, PipelineListener.SILENT)
                            .run();
            assertEquals(2, result.stages().size());
            float[][] found = values(blobs);
            for (int i = 0; i < wanted.length; i++) {
                assertArrayEquals(wanted[i], found[i]);
            }
        }
    }

    @Test
    void weightsThatLeaveTheirSetFailTheRun() {
        try (Region region = Region.confined("test")) {
            var tensor = region.tensor(4).copyFrom(new float[]{1, 2, 0, 3});
            Guarantee guarantee = new Guarantee(Sparsity.count(2), List.of("w"), java.util.Map.of());
            InfeasibleException failed = assertThrows(InfeasibleException.class,
                    () -> Pipeline.proofs(List.of(guarantee), name -> tensor));
            assertTrue(failed.getMessage().contains("3 non-zeros, 2 allowed"), failed.getMessage());
        }
    }

    @Test
    void aNetworkThatDiesEndsTheRunAndIsReportedByARehearsal() throws IOException {
        Recipe recipe = Recipe.parse("r", "{train: {epochs: 2}, stages: [mask-retrain, mask-retrain]}");
        try (Blobs blobs = new Blobs()) {
            blobs.w2.fill(0f);
            InfeasibleException failed = assertThrows(InfeasibleException.class,
                    new Pipeline(recipe, blobs.training, null, PipelineListener.SILENT)::run);
            assertTrue(failed.getMessage().startsWith(
                    "the network died in stage 1 (mask-retrain): nothing passes w2.weight any more"),
                    failed.getMessage());
        }
        Path state = folder.resolve("rehearsal");
        for (int time = 0; time < 2; time++) {
            try (Blobs blobs = new Blobs()) {
                blobs.w2.fill(0f);
                Pipeline pipeline =
                        new Pipeline(recipe, blobs.training, state, PipelineListener.SILENT).rehearsal(true);
                assertEquals(2, pipeline.run().stages().size());
                assertEquals("the network died in stage 1 (mask-retrain): nothing passes w2.weight", pipeline.death());
            }
        }
    }

    @Test
    void whatNoPathLeadsThroughIsABlockage() {
        try (Blobs blobs = new Blobs()) {
            List<Variable> weights = blobs.training.variables().stream().filter(Variable::compressible).toList();
            List<UnitLink> links = blobs.training.links();
            Predicate<Set<String>> none = blocked -> false;
            assertNull(Blockage.find(weights, links, none));
            blobs.w1.fill(0f).set(5L * Blobs.INPUTS, 1);
            assertNull(Blockage.find(weights, links, none));
            for (int row = 0; row < Blobs.CLASSES; row++) {
                blobs.w2.set((long) row * Blobs.HIDDEN + 5, 0);
            }
            assertEquals("w2.weight", Blockage.find(weights, links, none));
            assertNull(Blockage.find(weights, List.of(), none), "nothing is known of what is not linked");
            blobs.w1.fill(0f);
            assertEquals("w1.weight", Blockage.find(weights, List.of(), none));
            assertNull(Blockage.find(weights, List.of(), Set.of("w1.weight")::equals),
                    "a path leads past");
        }
    }

    @Test
    void whatIsChosenStaysWhereTheRemovalOfDeadUnitsWouldEmptyATensor() {
        GlobalSparsity sparsity = GlobalSparsity.counts(List.of(1L, 1L), List.of(new GlobalSparsity.Dependency(0, 1)));
        try (Region region = Region.confined("test"); Projections kernels = Projections.open(1)) {
            // The largest weights lie on units 0 and 1, and without them nothing is left.
            List<FloatTensor> from = List.of(region.tensor(2, 1).copyFrom(new float[]{2, 0}),
                    region.tensor(1, 2).copyFrom(new float[]{0, 3}));
            List<FloatTensor> to = List.of(region.tensor(2, 1), region.tensor(1, 2));
            sparsity.project(from, to, new ProjectionState(), kernels);
            assertArrayEquals(new float[]{2, 0}, to.get(0).toArray());
            assertArrayEquals(new float[]{0, 3}, to.get(1).toArray());
        }
    }

    @Test
    void gradualPruningCutsOnTheWayAndBringsNothingBack() throws IOException {
        Recipe recipe = Recipe.parse("r", """
                stages:
                  - gradual-prune: {keep: {ratio: 16}, exponent: 2, cutsPerEpoch: 2, train: {epochs: 4}}
                """);
        List<Long> counts = new ArrayList<>();
        List<boolean[]> supports = new ArrayList<>();
        try (Blobs blobs = new Blobs().dense(2)) {
            new Pipeline(recipe, blobs.training, null, new PipelineListener() {
                @Override
                public void epoch(EpochRow row) {
                    counts.add(row.layers().stream().mapToLong(LayerRow::kept).sum());
                    boolean[] support = new boolean[(int) blobs.w1.count()];
                    for (int e = 0; e < support.length; e++) {
                        support[e] = blobs.w1.get(e) != 0;
                    }
                    supports.add(support);
                }
            }).run();
        }
        // The last cut of an epoch comes half an epoch before its end: u is 1/8, 3/8, 5/8, 7/8.
        for (int e = 0; e < 4; e++) {
            double way = 1 - Math.pow(1 - (2 * e + 1) / 8.0, 2);
            assertEquals(480 * Math.pow(1.0 / 16, way), counts.get(e), 1, "after epoch " + (e + 1));
        }
        for (int e = 1; e < 4; e++) {
            for (int i = 0; i < supports.getFirst().length; i++) {
                assertTrue(supports.get(e - 1)[i] || !supports.get(e)[i], "weight " + i + " came back");
            }
        }
    }

    @Test
    void tensorsThatAreLeftOutCountTowardsATotal() throws IOException {
        Recipe recipe = Recipe.parse("r", """
                train: {epochs: 2}
                stages:
                  - admm-prune: {keep: {ratio: 4}, exclude: [w2], ramp: 0.5}
                  - mask-retrain
                """);
        try (Blobs blobs = new Blobs().dense(1)) {
            assertEquals(480 / 4, new Pipeline(recipe, blobs.training, null, PipelineListener.SILENT).run().nonzeros());
        }
        Recipe narrow = Recipe.parse("r", "stages: [admm-prune: {keep: {ratio: 5}, exclude: [w2]}]");
        try (Blobs blobs = new Blobs().dense(1)) {
            RecipeException refused = assertThrows(RecipeException.class,
                    new Pipeline(narrow, blobs.training, null, PipelineListener.SILENT)::run);
            assertTrue(refused.getMessage().contains("exclude leaves 96 of them alone"), refused.getMessage());
        }
    }

    @Test
    void quantizedWithoutZerosUsesEveryWeight() throws IOException {
        try (Blobs blobs = new Blobs().dense(5)) {
            Recipe recipe = Recipe.parse("binary", """
                    train: {epochs: 4, learningRate: 0.01}
                    admm: {rho: 0.05, updatesPerEpoch: 4}
                    stages:
                      - admm-quantize: {bits: {"*": 1}, levels: binary, zero: false, snap: false}
                      - quantize-retrain: {rounds: 3, share: 0.5, train: {epochs: 2}}
                    """);
            Pipeline.Result result = new Pipeline(recipe, blobs.training, null, PipelineListener.SILENT).run();
            for (LayerRow row : result.layers()) {
                assertEquals(row.total(), row.kept());
                assertEquals(2, row.unique());
                assertEquals(1, row.bits());
            }
            assertEquals(480 / 8.0, result.weightDataBytes());
            assertTrue(result.validation().accuracy() > 0.9, "accuracy " + result.validation());
        }
    }

    @Test
    void structuresAreEmptiedAsAWhole() throws IOException {
        try (Blobs blobs = new Blobs().dense(5)) {
            Recipe recipe = Recipe.parse("rows", """
                    train: {epochs: 3, learningRate: 0.01}
                    admm: {rho: 0.05}
                    stages:
                      - admm-prune: {structure: {w1: {unit: row, share: 0.5}}}
                      - mask-retrain
                    """);
            new Pipeline(recipe, blobs.training, null, PipelineListener.SILENT).run();
            List<Integer> used = new ArrayList<>();
            float[] w = blobs.w1.toArray();
            for (int row = 0; row < Blobs.HIDDEN; row++) {
                for (int i = 0; i < Blobs.INPUTS; i++) {
                    if (w[row * Blobs.INPUTS + i] != 0) {
                        used.add(row);
                        break;
                    }
                }
            }
            assertEquals(Blobs.HIDDEN / 2, used.size());
        }
    }

    @Test
    void theStateFileIsTheOnlyFileLeft() throws IOException {
        try (Blobs blobs = new Blobs()) {
            Compression.of(blobs.training).retrain(TrainingOptions.DEFAULTS).resumable(folder.resolve("s")).run();
            try (var files = Files.list(folder)) {
                assertEquals(List.of("s"), files.map(file -> file.getFileName().toString()).toList());
            }
        }
    }
}
