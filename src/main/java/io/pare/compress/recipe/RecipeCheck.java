package io.pare.compress.recipe;

import io.pare.compress.TensorPattern;
import io.pare.compress.Training;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.GlobalBudget;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.SparseClustering;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.StructuredSparsity;
import io.pare.compress.stage.Keep;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.Stage;
import io.pare.compress.stage.Structure;
import io.pare.mem.FloatTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * A run of a recipe over names and shapes alone: what cannot end well is refused before anything trains.
 *
 * <p>Each constraint that a stage puts weights under is a claim that has to hold when the recipe ends. A later stage may
 * break it, by freeing zeros or by training weights that share few values, and it holds again if a stage makes it so. A
 * stage says here what it needs of the weights, what it does to them and what it claims of them.
 */
public final class RecipeCheck {
    private static final int MOST_VALUES = 255;

    private final Recipe recipe;
    private final List<Row> rows;
    private final String output;
    private final boolean linked;
    private final List<Claim> claims = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    /**
     * A weight tensor before the first stage.
     *
     * @param nonzeros weights that are not zero
     * @param values distinct ones of them, counted to {@value #MOST_VALUES} + 1; 0 if not known
     */
    public record Tensor(String name, long[] shape, long nonzeros, long values) {
        /** One that was not pruned, with values of all kinds. */
        public static Tensor dense(String name, long[] shape) {
            return new Tensor(name, shape, count(shape), MOST_VALUES + 1);
        }

        /** One whose values are not known: what depends on them is taken to be well. */
        public static Tensor unknown(String name, long[] shape) {
            return new Tensor(name, shape, 1, 0);
        }

        private static long count(long[] shape) {
            return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        }

        long count() {
            return count(shape);
        }
    }

    /** What is known of a tensor at some point of the recipe. */
    private static final class Row {
        private final Tensor tensor;
        /** Weights that are not zero; 1 at least where a total was split among tensors. */
        private long nonzeros;
        /** Distinct values at most. */
        private long values;
        /** The values that a stage chose for it, or {@code null}. */
        private Constraint levels;
        /** Whether zeros stay out when weights go to these values. */
        private boolean zeroApart = true;

        Row(Tensor tensor) {
            this.tensor = tensor;
            this.nonzeros = tensor.nonzeros();
            this.values = tensor.values();
        }

        String name() {
            return tensor.name();
        }
    }

    /** A stage by its number, from 1. */
    private record Place(int number, Stage stage) {
        @Override
        public String toString() {
            return "stage " + number + " (" + Recipe.kind(stage) + ")";
        }
    }

    /** A constraint that a stage leaves, and the stage, if any, by which it no longer holds. */
    private static final class Claim {
        private final Place place;
        private final List<String> tensors;
        private Constraint constraint;
        private Place broken;

        Claim(Place place, Constraint constraint, List<String> tensors) {
            this.place = place;
            this.constraint = constraint;
            this.tensors = tensors;
        }

        boolean on(String tensor) {
            return tensors.contains(tensor);
        }

        @Override
        public String toString() {
            int more = tensors.size() - 1;
            return tensors.getFirst() + (more > 0 ? " and " + more + " more" : "") + " with " + constraint.describe();
        }
    }

    /**
     * What a stage does.
     *
     * @param grows whether weights that are zero may become others
     * @param cuts whether weights may become zero
     * @param moves tensors whose weights leave the values that they share
     * @param claims what holds afterwards
     */
    private record Effect(boolean grows, boolean cuts, Predicate<String> moves, List<Claim> claims) {
        boolean breaks(Claim claim) {
            boolean moved = claim.tensors.stream().anyMatch(moves);
            return switch (claim.constraint) {
                case Sparsity sparsity -> grows;
                case GlobalSparsity sparsity -> grows;
                case StructuredSparsity sparsity -> grows;
                case Clustering clustering -> moved;
                case Quantization levels -> moved || cuts && !levels.keepZero();
                case SparseClustering joint -> grows || moved;
                case GlobalBudget budget -> grows || moved;
            };
        }
    }

    private RecipeCheck(Recipe recipe, List<Tensor> tensors, String output, boolean linked) {
        this.recipe = recipe;
        this.rows = tensors.stream().map(Row::new).toList();
        this.output = output;
        this.linked = linked;
    }

    /**
     * Checks a recipe for weight tensors of those shapes.
     *
     * @param output see {@link Training#output}
     * @param linked whether {@link Training#links} has any
     * @return what the user should know and may have wanted, a line each
     * @throws RecipeException naming the stage that cannot run, or that breaks what an earlier one made, and the way on
     */
    public static List<String> notes(Recipe recipe, List<Tensor> tensors, String output, boolean linked) {
        return new RecipeCheck(recipe, tensors, output, linked).run();
    }

    /**
     * Checks a recipe for the tensors of a training.
     *
     * @param fresh whether their values are those that the recipe begins with
     */
    static List<String> notes(Recipe recipe, Training training, boolean fresh) {
        if (!training.hasTeacher()) {
            checkNoneDistils(recipe);
        }
        List<Tensor> tensors = new ArrayList<>();
        for (Variable variable : training.variables()) {
            FloatTensor value = variable.value();
            if (variable.compressible()) {
                tensors.add(fresh
                        ? new Tensor(variable.name(), value.shape(), Projector.nonzeros(value),
                                Projector.distinct(value, MOST_VALUES).length)
                        : Tensor.unknown(variable.name(), value.shape()));
            }
        }
        return notes(recipe, tensors, training.output(), !training.links().isEmpty());
    }

    private static void checkNoneDistils(Recipe recipe) {
        for (int i = 0; i < recipe.stages().size(); i++) {
            Stage stage = recipe.stages().get(i);
            if (stage.trainings().anyMatch(options -> options.distill() > 0)) {
                throw new RecipeException(recipe.name() + ": " + new Place(i + 1, stage)
                        + " distils, and there is no teacher: give one, or set its 'distill' to 0");
            }
        }
    }

    private List<String> run() {
        for (int i = 0; i < recipe.stages().size(); i++) {
            Place at = new Place(i + 1, recipe.stages().get(i));
            patterns(at);
            apply(at, effect(at, at.stage()));
        }
        for (Claim claim : claims) {
            if (claim.broken != null) {
                throw refused(claim.broken, "breaks what " + claim.place + " makes, " + claim + ": " + remedy(claim));
            }
        }
        for (int i = 0; i < recipe.stages().size(); i++) {
            if (recipe.stages().get(i) instanceof Stage.Values values && !values.snap()
                    && recipe.stages().stream().skip(i + 1).noneMatch(stage -> stage instanceof Stage.Freeze)) {
                notes.add(new Place(i + 1, values)
                        + " has snap: false, and no quantize-retrain follows: weights stay near its values, not on them");
            }
        }
        return List.copyOf(notes);
    }

    private RecipeException refused(Place at, String why) {
        return new RecipeException(recipe.name() + ": " + at + " " + why);
    }

    private void note(Place at, String what) {
        notes.add(at + " " + what);
    }

    private void patterns(Place at) {
        List<String> names = rows.stream().map(Row::name).toList();
        Recipe.patterns(at.stage()).forEach((key, patterns) -> patterns.forEach(pattern -> {
            if (names.stream().noneMatch(name -> TensorPattern.matches(pattern, name))) {
                throw refused(at, "has '" + pattern + "' in " + key + ", which names no tensor"
                        + Recipe.suggestion(pattern, names.stream().map(TensorPattern::layer).toList())
                        + "; only * is a wildcard; tensors are "
                        + String.join(", ", names));
            }
        }));
    }

    private void apply(Place at, Effect effect) {
        for (Claim claim : claims) {
            if (claim.broken == null && effect.breaks(claim)) {
                claim.broken = at;
            }
            if (claim.broken != null && implied(claim, effect.claims())) {
                claim.broken = null;
            }
        }
        claims.addAll(effect.claims());
    }

    private Effect effect(Place at, Stage stage) {
        boolean trains = stage.train().epochs() > 0;
        return switch (stage) {
            case Stage.Retrain retrain -> free(trains, List.of());
            case Stage.Prune prune -> prune(at, prune, trains);
            case Stage.Progressive rounds -> progressive(at, rounds);
            case Stage.Values values -> values(at, values, trains);
            case Stage.Freeze freeze -> freeze(at, freeze, trains && freeze.rounds() > 0);
            case Stage.Centroids centroids -> centroids(at);
            case Stage.JointValues joint -> joint(at, joint, trains);
            case Stage.Budget budget -> budget(at, budget);
        };
    }

    /** All weights that are not zero train, each for itself, if any do. */
    private Effect free(boolean trains, List<Claim> left) {
        if (trains) {
            rows.forEach(row -> row.values = Long.MAX_VALUE);
        }
        return new Effect(false, false, name -> trains, left);
    }

    private Effect prune(Place at, Stage.Prune stage, boolean trains) {
        if (!stage.chosen()) {
            throw refused(at, "needs a keep with one of ratio, total and layers, or a structure");
        }
        List<Row> open = rows.stream().filter(row -> !TensorPattern.any(stage.exclude(), row.name())).toList();
        boolean masked = stage.masked() || !trains;
        List<Claim> left = stage.keep().chosen()
                ? keep(at, stage.keep(), open, "exclude", masked)
                : structures(at, stage, open);
        left.forEach(claim -> rows.stream().filter(row -> claim.on(row.name())).forEach(row -> row.nonzeros = 1));
        if (!masked) {
            rows.stream().filter(row -> !open.contains(row)).forEach(row -> row.nonzeros = row.tensor.count());
        }
        boolean shared = stage.keep().chosen() && (stage.keep().global() || linked && stage.keep().removeDead());
        if (shared && !stage.admm().rhoOf().isEmpty()) {
            note(at, "does not use rhoOf: its layers share one constraint, and so one rho");
        }
        Effect effect = free(trains, left);
        return new Effect(!masked, true, effect.moves(), left);
    }

    /** The claims of counts, in all or by layer; {@code others} is the key that leaves tensors out. */
    private List<Claim> keep(Place at, Keep keep, List<Row> open, String others, boolean masked) {
        if (open.isEmpty()) {
            throw refused(at, "prunes nothing: " + others + " leaves out every tensor");
        }
        if (keep.global()) {
            long all = rows.stream().mapToLong(row -> row.tensor.count()).sum();
            if (keep.total() > all) {
                throw refused(at, String.format(Locale.ROOT, "would keep %,d weights, and there are %,d", keep.total(),
                        all));
            }
            long asked = keep.total(all);
            long apart = rows.stream().filter(row -> !open.contains(row))
                    .mapToLong(row -> masked ? row.nonzeros : row.tensor.count()).sum();
            if (asked - apart < open.size()) {
                long least = apart + open.size();
                throw refused(at,
                        String.format(Locale.ROOT, "would keep %,d of %,d weights, %s: a total of at least %,d,"
                                + " or a ratio of at most %s, is within reach", asked, all,
                                apart > 0
                                        ? String.format(Locale.ROOT, "and %s leaves %,d of them alone", others, apart)
                                        : "less than one in each layer, and without them nothing passes",
                                least, ratio(all, least)));
            }
            return List.of(claim(at, new GlobalSparsity(asked - apart, keep.score(), List.of()), open));
        }
        keep.layers().keySet().forEach(pattern -> {
            if (open.stream().noneMatch(row -> TensorPattern.matches(pattern, row.name()))) {
                throw refused(at, "has '" + pattern + "' in layers, all of which " + others + " leaves out");
            }
        });
        List<Claim> left = new ArrayList<>();
        for (Row row : open) {
            Double wanted = TensorPattern.first(keep.layers(), row.name(), null);
            if (wanted != null && wanted > row.tensor.count()) {
                throw refused(at, String.format(Locale.ROOT, "would keep %,.0f weights of %s, which has %,d", wanted,
                        row.name(), row.tensor.count()));
            }
            long count = keep.count(row.name(), row.tensor.count());
            if (count == 0) {
                throw refused(at, "leaves none of the " + row.tensor.count() + " weights of " + row.name()
                        + ", and without them nothing passes: keep at least 1");
            }
            if (count > 0) {
                left.add(claim(at, Sparsity.count(count), List.of(row)));
            }
        }
        return left;
    }

    /** Rounded down to three digits behind the point, so that it can be asked for. */
    private static String ratio(long all, long kept) {
        double ratio = Math.floor(1000.0 * all / kept) / 1000;
        return ratio == Math.rint(ratio) ? Long.toString((long) ratio) : Double.toString(ratio);
    }

    private List<Claim> structures(Place at, Stage.Prune stage, List<Row> open) {
        List<Claim> left = new ArrayList<>();
        for (Row row : open) {
            String pattern = stage.structureOf(row.name(), output);
            if (pattern == null) {
                String other = TensorPattern.chosen(stage.structure().keySet(), row.name());
                if (other != null) {
                    note(at, "leaves " + row.name() + " alone, for its outputs are the classes; '" + other
                            + "' is for several layers, a pattern that names this one would prune it");
                }
                continue;
            }
            Structure structure = stage.structure().get(pattern);
            StructuredSparsity constraint = structure.constraint();
            if (constraint.groupsKept(row.tensor.shape()) == 0) {
                throw refused(at, "leaves no " + structure.unit().words() + " of " + row.name()
                        + ", and without one nothing passes: ask for a larger share");
            }
            if (row.name().equals(output) && structure.dropsOutputs()) {
                note(at, "takes outputs from " + row.name() + ", which are classes: those can no longer be told apart");
            }
            left.add(claim(at, constraint, List.of(row)));
        }
        if (left.isEmpty()) {
            throw refused(at, "prunes nothing: its patterns leave out every tensor");
        }
        return left;
    }

    private Effect progressive(Place at, Stage.Progressive stage) {
        if (stage.ratios().isEmpty()) {
            throw refused(at, "needs 'ratios', such as [44, 96, 167]");
        }
        Stage.Prune last = stage.round(stage.ratios().getLast());
        boolean trains = last.train().epochs() > 0;
        Effect pruned = prune(at, last, trains);
        return new Effect(pruned.grows(), true, free(trains || stage.retrain().epochs() > 0, List.of()).moves(),
                pruned.claims());
    }

    private Effect values(Place at, Stage.Values stage, boolean trains) {
        List<Claim> left = new ArrayList<>();
        Effect effect = free(trains, left);
        for (Row row : named(at, stage.bits().keySet())) {
            Constraint constraint = stage.constraint(TensorPattern.first(stage.bits(), row.name(), 0));
            row.levels = constraint;
            row.zeroApart = stage.zero();
            if (stage.snap()) {
                row.values = size(constraint);
                left.add(claim(at, constraint, List.of(row)));
            }
        }
        return new Effect(!stage.zero(), false,
                name -> effect.moves().test(name) || left.stream().anyMatch(claim -> claim.on(name)), left);
    }

    private List<Row> named(Place at, Collection<String> bits) {
        if (bits.isEmpty()) {
            throw refused(at, "needs 'bits', such as {\"conv*\": 3, \"fc*\": 2}");
        }
        return rows.stream().filter(row -> TensorPattern.chosen(bits, row.name()) != null).toList();
    }

    private Effect freeze(Place at, Stage.Freeze stage, boolean trains) {
        List<Row> held = rows.stream().filter(row -> row.levels != null).toList();
        if (held.isEmpty()) {
            throw refused(at, "needs a stage before it that chooses values: admm-cluster, admm-quantize or admm-joint");
        }
        boolean grows = held.stream().anyMatch(row -> !row.zeroApart);
        List<Claim> left = held.stream().map(row -> claim(at, row.levels, List.of(row))).toList();
        Effect effect = free(trains, left);
        held.forEach(row -> row.values = size(row.levels));
        return new Effect(grows, false, name -> trains || left.stream().anyMatch(claim -> claim.on(name)), left);
    }

    private Effect centroids(Place at) {
        for (Row row : rows) {
            if (Math.min(row.values, row.tensor.count()) > MOST_VALUES) {
                throw refused(at, "needs weights of few values, and " + row.name() + " may have more than "
                        + MOST_VALUES
                        + ": put a stage before it that chooses them for every layer, with 7 bits at most, and after one"
                        + " with snap: false a quantize-retrain");
            }
            row.levels = new Clustering(Math.clamp(row.values, 1, MOST_VALUES));
        }
        // What were levels are free values from here on: the stage says so.
        for (Claim claim : claims) {
            if (claim.constraint instanceof Quantization levels) {
                claim.constraint = new Clustering(levels.levelSet().size());
            }
        }
        return new Effect(false, false, name -> false, List.of());
    }

    private Effect joint(Place at, Stage.JointValues stage, boolean trains) {
        List<Row> held = named(at, stage.bits().keySet());
        List<Claim> left = new ArrayList<>();
        if (stage.keep().chosen()) {
            left.addAll(keep(at, stage.keep(), held, "bits", true));
            left.forEach(claim -> rows.stream().filter(row -> claim.on(row.name())).forEach(row -> row.nonzeros = 1));
        }
        Effect effect = free(trains, left);
        for (Row row : held) {
            Clustering values = Clustering.bits(TensorPattern.first(stage.bits(), row.name(), 0));
            row.levels = values;
            row.zeroApart = true;
            row.values = values.k();
            left.add(claim(at, values, List.of(row)));
        }
        return new Effect(false, true, name -> effect.moves().test(name) || held.stream()
                .anyMatch(row -> row.name().equals(name)), left);
    }

    private Effect budget(Place at, Stage.Budget stage) {
        GlobalBudget constraint = stage.constraint();
        if (constraint.bits() < (long) rows.size() * stage.minimumBits()) {
            throw refused(at, String.format(Locale.ROOT,
                    "has %d bits for %d layers, and a layer without a weight lets nothing pass: give at least %d bytes",
                    constraint.bits(), rows.size(), Math.ceilDiv(rows.size() * stage.minimumBits(), 8)));
        }
        if (!stage.admm().rhoOf().isEmpty()) {
            note(at, "does not use rhoOf: its layers share one constraint, and so one rho");
        }
        rows.forEach(row -> {
            row.values = 1L << stage.maximumBits();
            row.nonzeros = 1;
        });
        return new Effect(false, true, name -> true, List.of(claim(at, constraint, rows)));
    }

    private static Claim claim(Place at, Constraint constraint, List<Row> rows) {
        return new Claim(at, constraint, rows.stream().map(Row::name).toList());
    }

    /** Distinct values that a constraint on values leaves, at most. */
    private static long size(Constraint constraint) {
        return switch (constraint) {
            case Clustering clustering -> clustering.k();
            case Quantization levels -> levels.levelSet().size();
            case SparseClustering joint -> joint.k();
            case GlobalBudget budget -> 1L << budget.maximumBits();
            case Sparsity sparsity -> Long.MAX_VALUE;
            case StructuredSparsity sparsity -> Long.MAX_VALUE;
            case GlobalSparsity sparsity -> Long.MAX_VALUE;
        };
    }

    /** Whether what a stage claims makes an earlier claim hold. */
    private boolean implied(Claim claim, List<Claim> left) {
        return switch (claim.constraint) {
            case Sparsity sparsity -> most(claim.tensors, left) <= sparsity.count();
            case GlobalSparsity sparsity -> most(claim.tensors, left) <= sparsity.total();
            case StructuredSparsity old -> left.stream().filter(next -> next.on(claim.tensors.getFirst()))
                    .anyMatch(next -> next.constraint instanceof StructuredSparsity now && now.unit() == old.unit()
                            && now.share() <= old.share() && now.first() == old.first()
                            && now.second() == old.second());
            case Clustering old -> left.stream().filter(next -> next.on(claim.tensors.getFirst()))
                    .anyMatch(next -> size(next.constraint) <= old.k());
            case Quantization old -> left.stream().filter(next -> next.on(claim.tensors.getFirst()))
                    .anyMatch(next -> next.constraint instanceof Quantization now && now.levels() == old.levels()
                            && now.bits() <= old.bits() && (old.keepZero() || !now.keepZero()));
            case SparseClustering joint ->
                    throw new IllegalStateException("a joint stage claims counts and values apart");
            case GlobalBudget old -> left.stream()
                    .anyMatch(next -> next.constraint instanceof GlobalBudget now && now.bits() <= old.bits());
        };
    }

    /** Non-zeros of these tensors together, at most, under the claims of one stage. */
    private long most(List<String> tensors, List<Claim> left) {
        long sum = 0;
        List<Claim> counted = new ArrayList<>();
        for (Row row : rows) {
            if (!tensors.contains(row.name())) {
                continue;
            }
            Claim own = left.stream().filter(claim -> claim.on(row.name()))
                    .filter(claim -> claim.constraint instanceof Sparsity || claim.constraint instanceof GlobalSparsity)
                    .findFirst().orElse(null);
            if (own == null) {
                sum += row.tensor.count();
            } else if (!counted.contains(own)) {
                counted.add(own);
                sum += own.constraint instanceof GlobalSparsity total
                        ? total.total()
                        : ((Sparsity) own.constraint).count();
            }
        }
        return sum;
    }

    /** What to do where a stage breaks a claim. */
    private static String remedy(Claim claim) {
        boolean sparse = size(claim.constraint) == Long.MAX_VALUE;
        return switch (claim.broken.stage()) {
            case Stage.Retrain retrain -> "give cluster-retrain in its place, which keeps values few";
            case Stage.Prune prune -> sparse
                    ? "leave masked: false out, or keep no more there"
                    : "prune first, choose values afterwards";
            case Stage.Progressive rounds -> sparse
                    ? "leave masked: false out, or end with a ratio that is no smaller"
                    : "prune first, choose values afterwards";
            case Stage.Values values -> sparse
                    ? "zero: false gives zeros a value: leave it out, or the pruning"
                    : remedy(claim, values.bits().keySet());
            case Stage.JointValues joint -> remedy(claim, joint.bits().keySet());
            case Stage.Freeze freeze -> sparse
                    ? "zero: false of the stage before gives zeros a value: leave it out, or the pruning"
                    : "it trains layers whose values it did not get: name all layers in one stage's bits before it";
            case Stage.Centroids centroids -> "leave one of the two out";
            case Stage.Budget budget ->
                    "give it a maximumBits and bytes that are no larger, or leave one of the two out";
        };
    }

    private static String remedy(Claim claim, Collection<String> bits) {
        return claim.tensors.stream().allMatch(name -> TensorPattern.chosen(bits, name) != null)
                ? "ask for no more bits there and for levels of the same kind, or leave one of the two out"
                : "name the layers of both in one stage's bits";
    }
}
