package io.pare.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.AdmmOptions;
import io.pare.compress.GradientTraining;
import io.pare.compress.Training;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.WeightChange;
import io.pare.compress.recipe.Catalog;
import io.pare.compress.recipe.Compression;
import io.pare.compress.recipe.InfeasibleException;
import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.recipe.RecipeCheck;
import io.pare.compress.stage.AdmmConstrain;
import io.pare.compress.stage.AdmmRun;
import io.pare.compress.stage.Effect;
import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.Forecast;
import io.pare.compress.stage.MaskRetrain;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.RunContext;
import io.pare.compress.stage.Sizes;
import io.pare.compress.stage.Stage;
import io.pare.compress.stage.StageRun;
import io.pare.descent.RunState;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A constraint and a stage of a library's user, named in a recipe like those of Pare. */
class OwnConstraintTest {
    /** Magnitudes that add up to no more than a radius: the L1 ball. */
    public record Ball(double radius) implements Constraint.Custom {
        public Ball {
            if (!(radius > 0)) {
                throw new IllegalArgumentException("radius cannot be " + radius + ": it must be above 0");
            }
        }

        @Override
        public String name() {
            return "ball";
        }

        /** Takes the same from all magnitudes, down to zero (Duchi et al. 2008). */
        @Override
        public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState state, Projections kernels) {
            for (int i = 0; i < from.size(); i++) {
                float[] x = from.get(i).toArray();
                double less = excess(x);
                for (int e = 0; e < x.length; e++) {
                    x[e] = Math.copySign((float) Math.max(0, Math.abs(x[e]) - less), x[e]);
                }
                to.get(i).copyFrom(x);
            }
        }

        /** What to take from each magnitude so that the rest adds up to the radius. */
        private double excess(float[] x) {
            if (sum(x) <= radius) {
                return 0;
            }
            double[] falling = new double[x.length];
            for (int e = 0; e < x.length; e++) {
                falling[e] = -Math.abs(x[e]);
            }
            Arrays.sort(falling);
            // A little inside: rounding to float may raise each magnitude by 2^-24 of itself.
            double inside = radius * (1 - 0x1p-23);
            double sum = 0;
            double less = 0;
            for (int k = 0; k < falling.length && -falling[k] > less; k++) {
                sum -= falling[k];
                less = Math.max(less, (sum - inside) / (k + 1));
            }
            return less;
        }

        private static double sum(float[] x) {
            double sum = 0;
            for (float value : x) {
                sum += Math.abs(value);
            }
            return sum;
        }

        @Override
        public Feasibility measure(List<FloatTensor> values, ProjectionState state) {
            double most = values.stream().mapToDouble(each -> sum(each.toArray())).max().orElse(0);
            return new Feasibility(most <= radius, Math.max(0, most - radius),
                    "magnitudes add up to " + most + ", " + radius + " allowed");
        }

        @Override
        public String describe() {
            return "magnitudes of " + radius + " in all";
        }

        @Override
        public Set<WeightChange> changes() {
            return Set.of(WeightChange.MAKES_ZEROS, WeightChange.SPLITS_VALUES);
        }

        @Override
        public Set<WeightChange> brokenBy() {
            return Set.of(WeightChange.FILLS_ZEROS, WeightChange.SPLITS_VALUES, WeightChange.SHIFTS_VALUES);
        }

        @Override
        public boolean contains(Constraint other) {
            return other instanceof Ball ball && ball.radius <= radius;
        }
    }

    /** ADMM onto a ball that shrinks from where the weights are to a radius. */
    public record Shrink(double radius, AdmmOptions admm, TrainingOptions train) implements Stage.Custom {
        static final Shrink DEFAULTS = new Shrink(1, AdmmOptions.DEFAULTS, TrainingOptions.DEFAULTS);

        @Override
        public String name() {
            return "shrink";
        }

        @Override
        public Map<String, List<String>> patterns() {
            return Map.of("rhoOf", List.copyOf(admm.rhoOf().keySet()));
        }

        @Override
        public long memory(Sizes sizes) {
            return sizes.run(train) + sizes.admm();
        }

        @Override
        public Effect check(Forecast forecast) {
            Ball ball = new Ball(radius);
            return forecast.training(train.epochs() > 0).and(WeightChange.MAKES_ZEROS, true)
                    .and(WeightChange.SPLITS_VALUES, true).claiming(forecast.weights().stream()
                            .map(each -> forecast.claim(ball, List.of(each))).toList());
        }

        @Override
        public StageRun open(RunContext context) {
            return StageRun.open(region -> new AdmmRun(context, region, train, admm, true, true,
                    new Shrinking(context.weights(), radius)));
        }
    }

    private static final class Shrinking implements AdmmRun.Schedule {
        private final List<Variable> weights;
        private final double radius;
        private double[] starts;

        Shrinking(List<Variable> weights, double radius) {
            this.weights = weights;
            this.radius = radius;
            this.starts = new double[weights.size()];
        }

        @Override
        public void begin() {
            Arrays.setAll(starts, i -> Math.max(radius, Ball.sum(weights.get(i).value().toArray())));
        }

        /** A run that goes on does not begin: what it began with is saved. */
        @Override
        public void visit(RunState state) {
            starts = state.sizes("starts", starts);
        }

        @Override
        public List<AdmmRun.Target> targets() {
            return weights.stream().map(variable -> new AdmmRun.Target(List.of(variable), done -> {
                double start = starts[weights.indexOf(variable)];
                return new Ball(start + done * (radius - start));
            })).toList();
        }
    }

    /** Retrains with noise on the gradients: a stage without ADMM, whose run has something of its own to save. */
    public record Jitter(double amount, TrainingOptions train) implements Stage.Custom {
        static final Jitter DEFAULTS = new Jitter(0.1, TrainingOptions.DEFAULTS);

        @Override
        public String name() {
            return "jitter";
        }

        @Override
        public Map<String, List<String>> patterns() {
            return Map.of();
        }

        @Override
        public long memory(Sizes sizes) {
            return sizes.run(train);
        }

        @Override
        public Effect check(Forecast forecast) {
            return forecast.training(train.epochs() > 0);
        }

        @Override
        public StageRun open(RunContext context) {
            return StageRun.open(region -> new Jittering(context, region, this));
        }
    }

    private static final class Jittering extends StageRun {
        private final double amount;
        private long steps;

        Jittering(RunContext context, Region region, Jitter stage) {
            super(context, region, stage.train());
            this.amount = stage.amount();
        }

        @Override
        public void visit(RunState state) {
            super.visit(state);
            steps = state.count("jitter.steps", steps);
        }

        @Override
        public void beforeUpdate(double done) {
            SplittableRandom random = new SplittableRandom(steps++);
            for (Variable variable : context.weights()) {
                FloatTensor gradient = variable.gradient();
                for (long e = 0; e < gradient.count(); e++) {
                    gradient.set(e, (float) (gradient.get(e) + amount * random.nextGaussian()));
                }
            }
        }
    }

    private static final Catalog CATALOG =
            Catalog.STANDARD.with(new Ball(1e6)).with(Shrink.DEFAULTS).with(Jitter.DEFAULTS);
    private static final String RECIPE = """
            name: own
            train: {epochs: 3, learningRate: 0.05}
            admm: {rho: 0.5, updatesPerEpoch: 2}
            stages:
              - jitter: {train: {epochs: 2}}
              - shrink: {radius: 8, train: {epochs: 4}}
              - admm: {constraints: {"w*": {kind: ball, radius: 6}, v: {kind: Sparsity, share: 0.5}}}
              - shrink: {radius: 5}
            """;
    private static final int SIZE = 12;

    @TempDir
    private Path folder;

    /** Weights that want to be where they are not let: the loss is half the squared distance to a target. */
    private static final class Targets implements AutoCloseable {
        private final Region region = Region.shared("example");
        private final FloatTensor w = region.tensor(3, 4);
        private final FloatTensor v = region.tensor(3, 4);
        private final GradientTraining training;

        Targets() {
            w.fill(1f);
            v.fill(1f);
            training = new GradientTraining(10, this::gradient, () -> new Training.Evaluation(1, 0)).weight("w1", w)
                    .weight("v", v);
        }

        private double gradient(long batch, List<Variable> variables) {
            SplittableRandom random = new SplittableRandom(7);
            double loss = 0;
            for (Variable variable : variables) {
                for (long e = 0; e < SIZE; e++) {
                    double off = variable.value().get(e) - 2 * random.nextGaussian();
                    variable.gradient().set(e, (float) off);
                    loss += off * off / 2;
                }
            }
            return loss;
        }

        float[][] values() {
            return new float[][]{w.toArray(), v.toArray()};
        }

        @Override
        public void close() {
            training.close();
            region.close();
        }
    }

    @Test
    void aRecipeNamesThemAndItsResultIsProved() throws IOException {
        try (Targets targets = new Targets()) {
            Pipeline pipeline = new Pipeline(Recipe.parse("own", RECIPE, CATALOG), targets.training,
                    folder.resolve("state"), PipelineListener.SILENT);
            Pipeline.Result result = pipeline.run();
            assertEquals(List.of("jitter", "shrink", "admm", "shrink"),
                    result.stages().stream().map(stage -> stage.kind()).toList());
            Feasibility ball = result.proofs().get("w1: magnitudes of 5.0 in all");
            assertTrue(ball.holds() && result.proofs().containsKey("w1: magnitudes of 6.0 in all"), result.toString());
            assertTrue(Ball.sum(targets.w.toArray()) > 4.9, "it is no smaller than it needs to be");
            assertTrue(result.nonzeros() < 2 * SIZE);
            targets.w.set(0, 9);
            assertThrows(InfeasibleException.class, pipeline::check);
        }
    }

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

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 6, 8, 11})
    void aRunThatIsKilledEndsWithTheSameBits(int epochs) throws IOException {
        Recipe recipe = Recipe.parse("own", RECIPE, CATALOG);
        float[][] whole;
        try (Targets targets = new Targets()) {
            new Pipeline(recipe, targets.training, null, PipelineListener.SILENT).run();
            whole = targets.values();
        }
        Path state = folder.resolve("state");
        try (Targets targets = new Targets()) {
            assertThrows(Killed.class, new Pipeline(recipe, targets.training, state, killAfter(epochs))::run);
        }
        try (Targets targets = new Targets()) {
            new Pipeline(recipe, targets.training, state, PipelineListener.SILENT).run();
            assertArrayEquals(whole, targets.values());
        }
    }

    private static List<String> notes(String stages) {
        return RecipeCheck.notes(Recipe.parse("own", "stages: [" + stages + "]", CATALOG),
                List.of(RecipeCheck.Tensor.dense("w1", new long[]{3, 4}),
                        RecipeCheck.Tensor.dense("v", new long[]{3, 4})),
                null, false);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "shrnk: {}                                             | unknown key 'shrnk', did you mean 'shrink'?; known are admm-prune",
        "shrink: {radios: 2}                                   | stage 1 (shrink): unknown key 'radios', did you mean 'radius'?",
        "shrink: {radius: 2, train: {epochs: many}}            | train.epochs: 'many' is no whole number",
        "admm: {constraints: {w1: {kind: bal}}}                | constraints.w1: unknown kind 'bal', did you mean 'ball'?; known are Sparsity, StructuredSparsity, Clustering, Quantization, Joint, KernelPatterns, BlockCirculant, BlockLevels, ScaledLevels, NofMClustering, ScaledSigns, FixedPoint, HierarchicalBlocks, ball",
        "admm: {constraints: {w1: 3}}                          | constraints.w1: a constraint is a map with a 'kind'; known are Sparsity",
        "admm: {constraints: {w1: {kind: ball, radios: 2}}}    | stage 1 (admm): unknown key 'radios', did you mean 'radius'?",
        "admm: {constraints: {w1: {kind: ball, radius: -2}}}   | constraints.w1: radius cannot be -2.0: it must be above 0",
        "admm: {constraints: {w1: {kind: ball, radius: wide}}} | constraints.w1.radius: 'wide' is no number",
        "admm: {}                                              | stage 1 (admm) needs 'constraints'",
        "admm: {constraints: {u: {kind: ball}}}                | has 'u' in constraints, which names no tensor",
        "shrink: {admm: {rhoOf: {u: 1}}}                       | has 'u' in rhoOf, which names no tensor"})
    void whatTheyCannotBeIsRefusedWithAHint(String stage, String hint) {
        RecipeException refused = assertThrows(RecipeException.class, () -> notes(stage.strip()));
        assertTrue(refused.getMessage().contains(hint.strip()), refused.getMessage());
        assertEquals(1, refused.getMessage().lines().count());
    }

    @Test
    void aStageThatWouldBreakThemIsRefusedBeforehand() {
        String ball = "{admm: {constraints: {w1: {kind: ball, radius: 2}}}}";
        String message = assertThrows(RecipeException.class, () -> notes(ball + ", mask-retrain")).getMessage();
        assertEquals("own: stage 2 (mask-retrain) breaks what stage 1 (admm) makes, w1 with magnitudes of 2.0 in all:"
                + " change their order, or leave one of the two out", message);
        assertThrows(RecipeException.class, () -> notes(ball + ", {shrink: {radius: 3}}"));
        assertEquals(List.of(), notes(ball + ", {shrink: {radius: 2}}"));
        assertEquals(List.of(), notes("{admm-prune: {keep: {ratio: 2}}}, " + ball));
        String prune = assertThrows(RecipeException.class,
                () -> notes("{admm-cluster: {bits: {'*': 2}}}, {shrink: {radius: 3}}")).getMessage();
        assertTrue(prune.contains("stage 2 (shrink) breaks what stage 1 (admm-cluster) makes"), prune);
    }

    @Test
    void inCodeNoCatalogIsNeededButToGoOn() throws IOException {
        TrainingOptions options = TrainingOptions.DEFAULTS;
        Stage stage = new AdmmConstrain(Map.of("w*", new Ball(4)), true, AdmmOptions.DEFAULTS, options);
        try (Targets targets = new Targets()) {
            Pipeline.Result result = Compression.of(targets.training).stage(stage).run();
            assertTrue(result.proofs().get("w1: magnitudes of 4.0 in all").holds());
        }
        Path state = folder.resolve("state");
        try (Targets targets = new Targets()) {
            RecipeException refused = assertThrows(RecipeException.class,
                    () -> Compression.of(targets.training).stage(stage).resumable(state).run());
            assertTrue(refused.getMessage().contains("a constraint 'ball'"), refused.getMessage());
            Compression.of(targets.training).catalog(CATALOG).stage(stage).resumable(state).run();
            Compression.of(targets.training).catalog(CATALOG).stage(stage).resumable(state).run();
        }
    }

    @Test
    void namesAreGivenOnce() {
        assertThrows(IllegalArgumentException.class, () -> CATALOG.with(new Ball(3)));
        assertThrows(IllegalArgumentException.class, () -> CATALOG.with(Shrink.DEFAULTS));
        assertEquals(Jitter.DEFAULTS, Recipe.parse("r", "stages: [jitter]", CATALOG).stages().getFirst());
        RecipeException unknown =
                assertThrows(RecipeException.class, () -> Recipe.parse("r", "stages: [shrink: {radius: 3}]"));
        assertTrue(unknown.getMessage().contains("known are admm-prune, mask-retrain"), unknown.getMessage());
        assertEquals("mask-retrain", MaskRetrain.DEFAULTS.name());
    }
}
