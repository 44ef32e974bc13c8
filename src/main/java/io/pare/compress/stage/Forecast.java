package io.pare.compress.stage;

import io.pare.compress.TensorGroups;
import io.pare.compress.TensorPattern;
import io.pare.compress.constraint.BlockCirculant;
import io.pare.compress.constraint.BlockLevels;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.CodedBudget;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.FixedPoint;
import io.pare.compress.constraint.GlobalBudget;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.GroupSparsity;
import io.pare.compress.constraint.HierarchicalBlocks;
import io.pare.compress.constraint.KernelPatterns;
import io.pare.compress.constraint.NofMClustering;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.compress.constraint.ScaledSigns;
import io.pare.compress.constraint.SparseClustering;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.StructuredSparsity;
import io.pare.compress.constraint.WeightChange;
import io.pare.file.Spelling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the weights at one point of a recipe, from names and shapes alone: a run without training.
 *
 * <p>Each constraint that a stage puts weights under is a {@link Claim} that has to hold when the recipe ends. A later stage
 * may break it, by filling zeros or by training weights that share few values. A stage after that may make it hold again.
 * Stages are asked in order, by {@link Stage#check}. One thread.
 */
public final class Forecast {
    /** Distinct values are counted up to here; more are {@value} + 1. */
    public static final int MOST_VALUES = 255;

    private final String recipe;
    private final List<Weights> weights;
    private final @Nullable String output;
    private final boolean linked;
    private final @Nullable TensorGroups groups;
    private final List<Claim> claims = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    /** What is to be noted if no stage puts weights onto their values. */
    private final List<String> unlessSnapped = new ArrayList<>();
    private Claim.Place place;
    private int stages;

    /** What is known of one weight tensor. */
    public static final class Weights {
        private final String name;
        private final long[] shape;
        private long nonzeros;
        private long values;
        private Constraint levels;
        private boolean zeroApart = true;

        /**
         * Says what is known of a weight tensor.
         *
         * @param name of the tensor
         * @param shape units first
         * @param nonzeros weights that are not zero
         * @param values distinct ones of them, counted to {@link #MOST_VALUES} + 1; 0 if not known
         */
        public Weights(String name, long[] shape, long nonzeros, long values) {
            this.name = name;
            this.shape = shape.clone();
            this.nonzeros = nonzeros;
            this.values = values;
        }

        /** {@return the tensor's name} */
        public String name() {
            return name;
        }

        /** {@return the tensor's shape, units first} */
        public long[] shape() {
            return shape.clone();
        }

        /** {@return elements} */
        public long count() {
            return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        }

        /** {@return weights that are not zero; 1 at least where it is not known how many each tensor gets} */
        public long nonzeros() {
            return nonzeros;
        }

        /**
         * Says how many will not be zero.
         *
         * @param next non-zeros after the stage
         */
        public void nonzeros(long next) {
            nonzeros = next;
        }

        /** {@return distinct values that are not zero, at most} */
        public long values() {
            return values;
        }

        /**
         * Says how many distinct values there will be.
         *
         * @param most distinct values after the stage
         */
        public void values(long most) {
            values = most;
        }

        /** The set of the values that a stage chose for it, or {@code null}. */
        Constraint levels() {
            return levels;
        }

        /** Whether zeros stay out when weights go to these values. */
        boolean zeroApart() {
            return zeroApart;
        }

        void levels(Constraint chosen, boolean apart) {
            levels = chosen;
            zeroApart = apart;
        }
    }

    /**
     * Begins before the first stage.
     *
     * @param recipe named in refusals
     * @param weights before the first stage
     * @param output see {@link io.pare.compress.Training#output}
     * @param linked whether {@link io.pare.compress.Training#links} has any
     * @param groups see {@link io.pare.compress.Training#groups}
     */
    public Forecast(String recipe, List<Weights> weights, @Nullable String output, boolean linked,
            @Nullable TensorGroups groups) {
        this.recipe = recipe;
        this.weights = List.copyOf(weights);
        this.output = output;
        this.linked = linked;
        this.groups = groups;
    }

    /** {@return all weight tensors} */
    public List<Weights> weights() {
        return weights;
    }

    /** {@return the tensor whose units are the network's outputs; {@code null} if not known} */
    public @Nullable String output() {
        return output;
    }

    /** {@return the units that go together; {@code null} if not known} */
    public @Nullable TensorGroups groups() {
        return groups;
    }

    /** {@return whether it is known how units of one tensor feed another} */
    public boolean linked() {
        return linked;
    }

    /**
     * {@return the tensors that any of these patterns names}
     *
     * @param patterns of a recipe
     */
    public List<Weights> named(Collection<String> patterns) {
        return weights.stream().filter(each -> TensorPattern.chosen(patterns, each.name()) != null).toList();
    }

    /**
     * {@return the refusal of the current stage}
     *
     * @param why continues the sentence that begins with the stage's name
     */
    public RecipeException refused(String why) {
        return refused(place, why);
    }

    private RecipeException refused(Claim.Place at, String why) {
        return new RecipeException(recipe + ": " + at + " " + why);
    }

    /**
     * Notes what the user should know.
     *
     * @param what continues the sentence that begins with the stage's name
     */
    public void note(String what) {
        notes.add(place + " " + what);
    }

    /** As {@link #note}, if no later stage says {@link #snapped}. */
    void noteUnlessSnapped(String what) {
        unlessSnapped.add(place + " " + what);
    }

    /** Weights lie on the values that stages chose for them. */
    void snapped() {
        unlessSnapped.clear();
    }

    /**
     * {@return a claim of the current stage about these tensors}
     *
     * @param constraint the set
     * @param tensors that lie in it, in the constraint's order
     */
    public Claim claim(Constraint constraint, List<Weights> tensors) {
        return new Claim(place, constraint, tensors.stream().map(Weights::name).toList());
    }

    /** {@return the constraints that the stages so far leave} */
    public List<Constraint> constraints() {
        return claims.stream().map(Claim::constraint).toList();
    }

    /** The claims of the stages before the current one. */
    List<Claim> claims() {
        return claims;
    }

    /**
     * {@return the effect that all weights that are not zero train, each for itself, if any do}
     *
     * @param trains whether the stage has an epoch
     */
    public Effect training(boolean trains) {
        if (trains) {
            weights.forEach(each -> each.values(Long.MAX_VALUE));
        }
        return Effect.NONE.and(WeightChange.SPLITS_VALUES, trains);
    }

    /**
     * Takes the next stage.
     *
     * @param stage that is next in the recipe
     * @throws RecipeException if it cannot run
     */
    public void pass(Stage stage) {
        place = new Claim.Place(++stages, stage);
        checkPatterns(stage);
        Effect effect = stage.check(this);
        for (Claim claim : claims) {
            if (claim.broken() == null && effect.breaks(claim)) {
                claim.broken(place);
            }
            if (claim.broken() != null && implied(claim, effect.claims())) {
                claim.broken(null);
            }
        }
        claims.addAll(effect.claims());
    }

    /**
     * Ends the recipe.
     *
     * @return what the user should know and may have wanted, a line each
     * @throws RecipeException if something that a stage claims does not hold
     */
    public List<String> end() {
        for (Claim claim : claims) {
            if (claim.broken() != null) {
                throw refused(claim.broken(), "breaks what " + claim.place() + " makes, " + claim + ": "
                        + remedy(claim));
            }
        }
        notes.addAll(unlessSnapped);
        unlessSnapped.clear();
        return List.copyOf(notes);
    }

    /** Stages know what to do about the constraints of Pare. */
    private static String remedy(Claim claim) {
        return claim.constraint() instanceof Constraint.Custom
                ? Claim.REORDER
                : claim.broken().stage().remedy(claim);
    }

    private void checkPatterns(Stage stage) {
        List<String> names = weights.stream().map(Weights::name).toList();
        stage.patterns().forEach((key, patterns) -> patterns.forEach(pattern -> {
            if (names.stream().noneMatch(name -> TensorPattern.matches(pattern, name))) {
                throw refused("has '" + pattern + "' in " + key + ", which names no tensor"
                        + Spelling.suggestion(pattern, names.stream().map(TensorPattern::layer).toList())
                        + "; only * is a wildcard; tensors are " + String.join(", ", names));
            }
        }));
    }

    /** Whether what a stage claims makes an earlier claim hold. */
    private boolean implied(Claim claim, List<Claim> left) {
        return switch (claim.constraint()) {
            case Sparsity old -> most(claim.tensors(), left) <= kept(old, claim.tensors().getFirst());
            case GlobalSparsity old -> most(claim.tensors(), left) <= old.total();
            case StructuredSparsity old -> contained(claim, left);
            case Clustering old -> contained(claim, left);
            case Quantization old -> contained(claim, left);
            case BlockLevels old -> contained(claim, left);
            case SparseClustering old -> contained(claim, left);
            case GlobalBudget old -> contained(claim, left);
            case CodedBudget old -> contained(claim, left);
            case GroupSparsity old -> contained(claim, left);
            case KernelPatterns old -> contained(claim, left);
            case BlockCirculant old -> contained(claim, left);
            case ScaledLevels old -> contained(claim, left);
            case NofMClustering old -> contained(claim, left);
            case ScaledSigns old -> contained(claim, left);
            case FixedPoint old -> contained(claim, left);
            case HierarchicalBlocks old -> contained(claim, left);
            case Constraint.Custom old -> contained(claim, left);
        };
    }

    /** Whether a claim of all the same tensors, or more where it is about each alone, is of a smaller set. */
    private static boolean contained(Claim claim, List<Claim> left) {
        return left.stream().anyMatch(next -> (claim.constraint().joint()
                ? next.tensors().equals(claim.tensors())
                : claim.tensors().stream().allMatch(next::on)) && claim.constraint().contains(next.constraint()));
    }

    private long kept(Sparsity sparsity, String tensor) {
        return sparsity.kept(
                weights.stream().filter(each -> each.name().equals(tensor)).findFirst().orElseThrow().count());
    }

    /** Non-zeros of these tensors together, at most, under the claims of one stage. */
    private long most(List<String> tensors, List<Claim> left) {
        long sum = 0;
        List<Claim> counted = new ArrayList<>();
        for (Weights each : weights) {
            if (!tensors.contains(each.name())) {
                continue;
            }
            Claim own = left.stream().filter(claim -> claim.on(each.name())).filter(
                    claim -> claim.constraint() instanceof Sparsity || claim.constraint() instanceof GlobalSparsity)
                    .findFirst().orElse(null);
            if (own == null) {
                sum += each.count();
            } else if (!counted.contains(own)) {
                counted.add(own);
                sum += own.constraint() instanceof GlobalSparsity total
                        ? total.total()
                        : ((Sparsity) own.constraint()).kept(each.count());
            }
        }
        return sum;
    }
}
