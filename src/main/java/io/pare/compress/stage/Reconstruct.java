package io.pare.compress.stage;

import io.pare.compress.Guarantee;
import io.pare.compress.LayerVisitor;
import io.pare.compress.TensorPattern;
import io.pare.compress.Training;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.BlockLevels;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.FixedPoint;
import io.pare.compress.constraint.NofMClustering;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.compress.constraint.ScaledSigns;
import io.pare.compress.constraint.SparseClustering;
import io.pare.compress.constraint.WeightChange;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.reconstruct.Hessian;
import io.pare.reconstruct.Method;
import io.pare.reconstruct.Reconstruction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Puts each layer's weights into sets such that its outputs change least, from some inputs alone: no training, no labels. See
 * {@link Reconstruction}.
 *
 * <p>Of tensors that no rows of inputs are multiplied by, as tables of embeddings, nothing says which weights matter: they go to
 * the nearest point of their sets of values alone. Rows of a table count by the root of how often the data look them up.
 *
 * @param constraints by tensor or pattern, the sets in order, each on the support of the one before; tensors that none
 *            matches are left alone
 * @param method how a layer is solved
 * @param damping added to the diagonal of the inputs' products, as a multiple of its mean
 * @param samples of the training data at most; 0 for all
 * @param bytes of all these tensors together, at most: the steps of {@link ScaledLevels} among the constraints are then multiples of
 *            what they say, chosen for each tensor by its error, see {@link StepBudget}; 0 leaves them as they are
 * @param sequential whether each layer gets the inputs that the compressed layers before it give; otherwise those of the
 *            network as it was
 * @param budget what the network may cost, of which the last set of each tensor then has the most values: each gets as many bits as
 *            its errors are worth, see {@link WidthBudget}. None where the sets say it
 */
public record Reconstruct(Map<String, List<Constraint>> constraints, Solver method, double damping, int samples,
        double bytes, boolean sequential,
        @OneOrMore List<Budget> budget) implements Stage {
    /** Samples where none are given. */
    public static final int USUAL_SAMPLES = 1000;
    /** Nothing constrained, by ADMM. */
    public static final Reconstruct DEFAULTS = new Reconstruct(Map.of(), Solver.ADMM, 0.01, USUAL_SAMPLES, 0, true);
    /** It trains nothing. */
    private static final TrainingOptions NONE =
            new TrainingOptions(0, TrainingOptions.DEFAULTS.descent(), 64, false, 0, false,
                    0, 1, 0, TrainingOptions.Select.LAST);

    /** How a layer is solved. */
    public enum Solver {
        /** ADMM with a fixed penalty. */
        ADMM(Method.ADMM),
        /** ADMM with a growing penalty; for supports. */
        ALPS(new Method.Alps()),
        /** Column by column, for top-k and n of m. */
        SPARSEGPT(new Method.Columns()),
        /** Column by column, for values. */
        GPTQ(new Method.Columns()),
        /** Nearest point by the norms of the inputs. */
        WANDA(new Method.Wanda()),
        /** Nearest point. */
        MAGNITUDE(new Method.Magnitude());

        private final Method method;

        Solver(Method method) {
            this.method = method;
        }

        /** What an error of 1 of the weights of each input adds to the squared outputs. */
        double[] left(Hessian hessian, double damping) {
            if (this != WANDA && this != MAGNITUDE) {
                return hessian.leftByFeedback(damping);
            }
            double[] left = new double[hessian.inputs()];
            Arrays.setAll(left, i -> hessian.at(i, i));
            return left;
        }

        /** {@return the method with its usual numbers} */
        public Method method() {
            return method;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Puts each tensor into the sets that are said.
     *
     * @param constraints by tensor or pattern
     * @param method how a layer is solved
     * @param damping added to the diagonal of the inputs' products, as a multiple of its mean
     * @param samples of the training data at most; 0 for all
     * @param bytes of all these tensors together, at most; 0 for any number
     * @param sequential whether each layer gets the inputs that the compressed layers before it give
     */
    public Reconstruct(Map<String, List<Constraint>> constraints, Solver method, double damping, int samples,
            double bytes, boolean sequential) {
        this(constraints, method, damping, samples, bytes, sequential, List.of());
    }

    /**
     * Checks the keys.
     *
     * @throws IllegalArgumentException naming the key that is wrong
     */
    public Reconstruct {
        Map<String, List<Constraint>> copy = new LinkedHashMap<>();
        TensorPattern.inOrder("constraints", constraints).forEach((pattern, sets) -> copy.put(pattern,
                checked(pattern, sets)));
        constraints = TensorPattern.inOrder("constraints", copy);
        Keys.check(damping >= 0 && damping < Double.POSITIVE_INFINITY, "damping", damping);
        Keys.check(samples >= 0, "samples", samples);
        Keys.check(bytes >= 0 && bytes < Double.POSITIVE_INFINITY, "bytes", bytes);
        for (List<Constraint> sets : constraints.values()) {
            Keys.check(bytes == 0 || sets.size() == 1 && sets.getFirst() instanceof ScaledLevels, "bytes",
                    bytes + ", which are for constraints of ScaledLevels alone");
        }
        budget = WidthBudget.checked(budget);
        Keys.check(budget.isEmpty() || bytes == 0, "budget", budget + " beside bytes: give one");
        for (List<Constraint> sets : constraints.values()) {
            Keys.check(budget.isEmpty() || handsOn(apart(sets).getLast()), "budget",
                    budget + ", which is for constraints that end with Clustering or Quantization");
        }
    }

    private static List<Constraint> checked(String pattern, List<Constraint> sets) {
        List<Constraint> listed = Keys.listed("constraints: " + pattern, sets);
        Keys.check(!listed.isEmpty(), "constraints: " + pattern, "empty: leave the pattern out");
        for (Constraint set : listed) {
            Keys.check(!set.joint(), "constraints: " + pattern, set.describe() + ", which is for several tensors");
        }
        onto(listed);
        return listed;
    }

    /** Refuses a set that undoes the one before. */
    private static Reconstruction onto(List<Constraint> sets) {
        Reconstruction reconstruction = Reconstruction.onto(sets.getFirst());
        for (Constraint set : sets.subList(1, sets.size())) {
            reconstruction = reconstruction.then(set);
        }
        return reconstruction;
    }

    @Override
    public String name() {
        return "reconstruct";
    }

    @Override
    public TrainingOptions train() {
        return NONE;
    }

    @Override
    public Stream<TrainingOptions> trainings() {
        return Stream.empty();
    }

    @Override
    public Map<String, List<String>> patterns() {
        return Map.of("constraints", List.copyOf(constraints.keySet()));
    }

    /** What a layer takes follows from its inputs, which a recipe does not know. */
    @Override
    public long memory(Sizes sizes) {
        return sizes.run(NONE);
    }

    @Override
    public Effect check(Forecast forecast) {
        if (constraints.isEmpty()) {
            throw forecast.refused("needs 'constraints', such as {\"fc*\": [{kind: Sparsity, share: 0.5}]}");
        }
        List<Claim> left = new ArrayList<>();
        List<String> held = new ArrayList<>();
        for (Forecast.Weights each : forecast.named(constraints.keySet())) {
            held.add(each.name());
            boolean zeroApart = false;
            each.values(Long.MAX_VALUE);
            for (Constraint set : sets(each.name())) {
                if (!set.ofMatrices() && each.shape().length > 2) {
                    throw forecast.refused("sees " + each.name() + " as a matrix, where there is no way to "
                            + set.describe() + ": the stage admm has it");
                }
                if (set.changes().contains(WeightChange.MAKES_ZEROS)) {
                    each.nonzeros(1);
                    zeroApart = true;
                }
                if (set.values() < Long.MAX_VALUE) {
                    each.values(set.values());
                }
                if (handsOn(set)) {
                    each.levels(set, zeroApart);
                }
                left.add(forecast.claim(set, List.of(each)));
            }
        }
        return Effect.NONE.and(WeightChange.FILLS_ZEROS, held::contains).and(WeightChange.MAKES_ZEROS, held::contains)
                .and(WeightChange.SPLITS_VALUES, held::contains).and(WeightChange.SHIFTS_VALUES, held::contains)
                .claiming(left);
    }

    /** The sets of a tensor, each of one kind. */
    private List<Constraint> sets(String tensor) {
        return apart(TensorPattern.first(constraints, tensor, List.<Constraint>of()));
    }

    private static List<Constraint> apart(List<Constraint> listed) {
        List<Constraint> sets = new ArrayList<>();
        for (Constraint set : listed) {
            if (set instanceof SparseClustering both) {
                sets.add(both.sparsity());
                sets.add(new Clustering(both.k()));
            } else if (set instanceof NofMClustering both) {
                sets.add(both.support());
                sets.add(both.clustering());
            } else {
                sets.add(set);
            }
        }
        return sets;
    }

    private static boolean choosesValues(Constraint set) {
        return handsOn(set) || set instanceof ScaledLevels || set instanceof BlockLevels || set instanceof ScaledSigns
                || set instanceof FixedPoint;
    }

    /** Whether later stages may move the values. */
    private static boolean handsOn(Constraint set) {
        return set instanceof Clustering || set instanceof Quantization;
    }

    /** Widths that a budget chooses from, where the last of these sets has the most. */
    private static List<Integer> widths(List<Constraint> sets) {
        Constraint values = sets.getLast();
        return IntStream.rangeClosed(1, Projector.bitsFor(values.values()))
                .filter(width -> !(values instanceof Quantization levels) || levels.levels().have(width)).boxed()
                .toList();
    }

    /** The same sets with values of so many bits. */
    private static List<Constraint> narrowed(List<Constraint> sets, int width) {
        List<Constraint> narrowed = new ArrayList<>(sets);
        narrowed.set(sets.size() - 1, switch (sets.getLast()) {
            case Clustering most -> new Clustering(Math.min(most.k(), 1 << width));
            case Quantization most -> new Quantization(most.levels(), width, most.keepZero(), most.follow());
            case Constraint other -> throw new IllegalStateException(other.describe() + " has no width");
        });
        return narrowed;
    }

    @Override
    public List<Budget> budgets() {
        return budget;
    }

    @Override
    public String remedy(Claim claim) {
        return "put it before that stage, or leave those layers out of its constraints";
    }

    @Override
    public StageRun open(RunContext context) {
        return StageRun.open(region -> new Run(context, region));
    }

    private final class Run extends StageRun {
        private final Map<String, Double> errors = new LinkedHashMap<>();
        /** What each tensor goes to, where a budget chose it. */
        private Map<String, List<Constraint>> chosen = Map.of();

        Run(RunContext context, Region region) {
            super(context, region, NONE);
        }

        /** There is no optimiser whose state would begin. */
        @Override
        public void begin() {}

        @Override
        public Map<String, Double> outputErrors() {
            return errors;
        }

        @Override
        public boolean cut() {
            long begin = System.nanoTime();
            Training training = context.training();
            Set<String> layers = Set.copyOf(training.layers().stream().map(Variable::name).toList());
            List<Variable> held = context.weights(constraints.keySet());
            if (bytes > 0) {
                chosen = steps(training, held, layers);
            } else if (!budget.isEmpty()) {
                chosen = widths(held);
            }
            held.stream().filter(variable -> !layers.contains(variable.name())).forEach(this::project);
            if (held.stream().anyMatch(variable -> layers.contains(variable.name()))) {
                training.walk(samples, sequential, (weights, inputs) -> {
                    context.stop().check();
                    if (held.contains(weights)) {
                        solve(weights, inputs);
                    }
                });
            }
            context.epochEnds((System.nanoTime() - begin) / 1e9, 0);
            return true;
        }

        /** Steps for all tensors that together take no more bytes than are given. */
        private Map<String, List<Constraint>> steps(Training training, List<Variable> held, Set<String> layers) {
            StepBudget budget = new StepBudget(training::outputs);
            for (Variable each : held) {
                if (!layers.contains(each.name())) {
                    try (Region region = Region.shared("importance of " + each.name())) {
                        budget.table(each, levels(each), importance(each, region));
                    }
                }
            }
            // As the network was: what a tensor errs is weighed against the others before any is changed.
            training.walk(samples, false, (weights, inputs) -> {
                context.stop().check();
                if (held.contains(weights)) {
                    try (Region region = Region.shared("inputs of " + weights.name())) {
                        Hessian hessian = new Hessian(region, inputs.width());
                        inputs.forEach(hessian::add);
                        budget.layer(weights, levels(weights), method.left(hessian, damping));
                    }
                }
            });
            Map<String, List<Constraint>> found = new LinkedHashMap<>();
            budget.spend(bytes).forEach((name, set) -> found.put(name, List.of(set)));
            return found;
        }

        /** Widths for all tensors with which the network costs no more than it may. */
        private Map<String, List<Constraint>> widths(List<Variable> held) {
            Map<String, List<Constraint>> found = new LinkedHashMap<>();
            new WidthBudget(context, budget).choose(held.stream().map(variable -> {
                List<Constraint> sets = sets(variable.name());
                return new WidthBudget.Tensor(variable, false, Reconstruct.widths(sets),
                        width -> narrowed(sets, width));
            }).toList()).forEach((name, width) -> found.put(name, narrowed(sets(name), width)));
            return found;
        }

        private ScaledLevels levels(Variable variable) {
            return (ScaledLevels) sets(variable.name()).getFirst();
        }

        private void solve(Variable weights, LayerVisitor.Inputs inputs) {
            List<Constraint> sets = chosen.getOrDefault(weights.name(), sets(weights.name()));
            try (Region matrices = Region.shared("inputs of " + weights.name())) {
                Hessian hessian = new Hessian(matrices, inputs.width());
                inputs.forEach(hessian::add);
                Reconstruction.Outcome outcome = onto(sets).method(method.method()).damping(damping)
                        .solve(weights.value(), hessian, weights.value());
                errors.put(weights.name(), outcome.error());
                for (int i = 0; i < sets.size(); i++) {
                    guarantee(weights, sets, i, outcome.memories().get(i));
                }
            } catch (IllegalArgumentException | IllegalStateException | ArithmeticException e) {
                throw new RecipeException("reconstruct cannot solve " + weights.name() + ": " + e.getMessage(), e);
            }
        }

        private void project(Variable variable) {
            List<Constraint> sets = chosen.getOrDefault(variable.name(), sets(variable.name())).stream()
                    .filter(Reconstruct::choosesValues).toList();
            try (Region copies = Region.shared("projection of " + variable.name());
                    Projections projections = Projections.open(1)) {
                FloatTensor from = copies.tensor(variable.value().shape());
                FloatTensor importance = importance(variable, copies);
                for (int i = 0; i < sets.size(); i++) {
                    ProjectionState memory = new ProjectionState();
                    from.copyFrom(variable.value());
                    if (importance == null) {
                        sets.get(i).project(List.of(from), List.of(variable.value()), memory, projections);
                    } else {
                        sets.get(i).projectWeighted(List.of(from), List.of(importance), List.of(variable.value()),
                                memory, projections);
                    }
                    guarantee(variable, sets, i, memory);
                }
            }
        }

        /** The root of how often a row is looked up, for each of its elements; {@code null} for what is no table. */
        private @Nullable FloatTensor importance(Variable table, Region region) {
            long[] counts = context.training().lookups(samples, table);
            if (counts == null) {
                return null;
            }
            FloatTensor importance = region.tensor(table.value().shape());
            long width = importance.count() / counts.length;
            for (int row = 0; row < counts.length; row++) {
                // Words that the data do not have are not without use.
                float each = (float) Math.sqrt(1 + counts[row]);
                for (long at = row * width; at < (row + 1) * width; at++) {
                    importance.set(at, each);
                }
            }
            return importance;
        }

        private void guarantee(Variable variable, List<Constraint> sets, int index, ProjectionState memory) {
            Guarantee made = new Guarantee(sets.get(index), List.of(variable.name()), memory.all());
            context.guarantee(made);
            if (handsOn(sets.get(index))) {
                context.handOn(made, sets.subList(0, index).stream()
                        .anyMatch(set -> set.changes().contains(WeightChange.MAKES_ZEROS)));
            }
        }
    }
}
