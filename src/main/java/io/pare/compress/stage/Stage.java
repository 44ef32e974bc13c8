package io.pare.compress.stage;

import io.pare.compress.AdmmOptions;
import io.pare.compress.TensorPattern;
import io.pare.compress.TrainingOptions;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.GlobalBudget;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.recipe.Recipe;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** One step of a recipe. The name under which a recipe calls it stands in {@link Recipe}. */
public sealed interface Stage {
    /** How the stage trains. */
    TrainingOptions train();

    /** How it trains at all of its times. */
    default Stream<TrainingOptions> trainings() {
        return Stream.of(train());
    }

    /**
     * ADMM onto sparse weights, then the hard cut (the paper's masked mapping); the retraining is a stage of its own.
     *
     * @param keep how many weights stay; where nothing is chosen, {@code structure} says it
     * @param structure structured sparsity in its place, by tensor or pattern
     * @param ramp share of the stage over which the count falls geometrically to its target; 0 asks for it at once
     * @param masked whether weights that are zero when the stage begins stay so (masked ADMM of progressive pruning)
     * @param exclude tensors left alone, by name or pattern
     */
    record Prune(Keep keep, Map<String, Structure> structure, double ramp, boolean masked,
            List<String> exclude, AdmmOptions admm, TrainingOptions train) implements Stage {
        public static final Prune DEFAULTS =
                new Prune(Keep.DEFAULTS, Map.of(), 0, true, List.of(), AdmmOptions.DEFAULTS,
                        TrainingOptions.DEFAULTS);

        public Prune {
            exclude = listed("exclude", exclude);
            structure = TensorPattern.inOrder("structure", structure);
            check(ramp >= 0 && ramp <= 1, "ramp", ramp);
            if (keep.chosen() && !structure.isEmpty()) {
                throw new IllegalArgumentException("keep and structure exclude each other");
            }
            if (ramp > 0 && !structure.isEmpty()) {
                throw new IllegalArgumentException("ramp does not count with a structure, whose share is fixed");
            }
        }

        /** Whether any weights are to go. */
        public boolean chosen() {
            return keep.chosen() || !structure.isEmpty();
        }

        /**
         * The pattern of {@code structure} that counts for a tensor, or {@code null}. One with {@code *} never takes
         * outputs from the last layer, which would be classes.
         */
        public String structureOf(String tensor, String output) {
            String pattern = TensorPattern.chosen(structure.keySet(), tensor);
            return pattern != null && tensor.equals(output) && TensorPattern.wild(pattern)
                    && structure.get(pattern).dropsOutputs() ? null : pattern;
        }
    }

    /** Trains the non-zero weights with the plain loss, zeros frozen. */
    record Retrain(TrainingOptions train) implements Stage {
        public static final Retrain DEFAULTS = new Retrain(TrainingOptions.DEFAULTS);
    }

    /**
     * Progressive pruning: rounds of masked ADMM and masked retraining at growing ratios. Each round starts from every
     * partial model that is kept and keeps the best result.
     *
     * @param ratios weights to non-zeros of each round, growing
     * @param models partial models kept to start from, 1 or more
     * @param prune the ADMM of each round; its {@code keep} gives score and removal of dead units only
     * @param retrain the retraining of each round
     */
    record Progressive(List<Double> ratios, int models, Prune prune, TrainingOptions retrain,
            TrainingOptions train) implements Stage {
        /** The pruning of the round with that ratio. */
        public Prune round(double ratio) {
            return new Prune(new Keep(0, ratio, prune.keep().score(), prune.keep().removeDead(), Map.of()), Map.of(),
                    prune.ramp(), prune.masked(), prune.exclude(), prune.admm(), prune.train());
        }

        public static final Progressive DEFAULTS =
                new Progressive(List.of(), 1, Prune.DEFAULTS, TrainingOptions.DEFAULTS,
                        TrainingOptions.DEFAULTS);

        public Progressive {
            ratios = listed("ratios", ratios);
            check(models >= 1 && models <= 1000, "models", models);
            double last = 1;
            for (double ratio : ratios) {
                check(ratio >= last && ratio < Double.POSITIVE_INFINITY, "ratios", ratios
                        + ": they are weights to non-zeros, at least 1, and grow");
                last = ratio;
            }
            if (prune.chosen()) {
                throw new IllegalArgumentException("prune takes what it keeps from 'ratios': leave ratio, total, layers"
                        + " and structure out");
            }
        }

        @Override
        public Stream<TrainingOptions> trainings() {
            return Stream.of(train, prune.train(), retrain);
        }
    }

    /**
     * ADMM onto few values: free ones (clustering) or levels (quantisation). Zeros stay zero unless {@code zero} is
     * false.
     *
     * @param bits of a value, by tensor or pattern; tensors that none matches are left alone
     * @param levels which levels; {@code null} for free values
     * @param zero whether zeros are kept apart
     * @param follow whether levels follow the weights in each iteration
     * @param snap whether the stage ends with the projection; a stage that freezes levels step by step wants it not
     */
    record Values(Map<String, Integer> bits, Quantization.Levels levels, boolean zero, boolean follow, boolean snap,
            AdmmOptions admm, TrainingOptions train) implements Stage {
        public static final Values CLUSTER = new Values(Map.of(), null, true, true, true, AdmmOptions.DEFAULTS,
                TrainingOptions.DEFAULTS);
        public static final Values QUANTIZE = new Values(Map.of(), Quantization.Levels.UNIFORM, true, true, true,
                AdmmOptions.DEFAULTS, TrainingOptions.DEFAULTS);

        public Values {
            bits = widths(bits);
            if (levels == null && !follow) {
                throw new IllegalArgumentException("follow belongs to levels; free values follow the weights");
            }
            if (levels == Quantization.Levels.BINARY || levels == Quantization.Levels.TERNARY) {
                for (Map.Entry<String, Integer> width : bits.entrySet()) {
                    check(width.getValue() == 1, "bits: " + width.getKey(),
                            width.getValue() + " with " + levels.words() + " levels, which take 1");
                }
            }
        }

        /** The constraint for that many bits. */
        public Constraint constraint(int width) {
            if (levels == null) {
                return Clustering.bits(width);
            }
            return new Quantization(width == 1 && levels == Quantization.Levels.UNIFORM
                    ? Quantization.Levels.BINARY
                    : levels, width, zero, follow);
        }
    }

    /**
     * Iterative quantisation and retraining: in each round the share of every level's weights that is nearest to it is
     * set to the level and frozen, and the rest retrained for {@code train.epochs}; after the last round all are set.
     * The levels are those that the last stage with values found.
     *
     * @param rounds of freezing and retraining
     * @param share of each level's free weights that a round freezes
     */
    record Freeze(int rounds, double share, TrainingOptions train) implements Stage {
        public static final Freeze DEFAULTS = new Freeze(4, 0.5, TrainingOptions.DEFAULTS);

        public Freeze {
            check(rounds >= 0 && rounds <= 1000, "rounds", rounds);
            check(share > 0 && share <= 1, "share", share);
            if (train.weightDecay() != 0) {
                throw new IllegalArgumentException(
                        "weightDecay would move the weights that are frozen: give this stage weightDecay: 0");
            }
        }
    }

    /** Trains the codewords: all weights of one value move together, by the sum of their gradients. */
    record Centroids(TrainingOptions train) implements Stage {
        public static final Centroids DEFAULTS = new Centroids(TrainingOptions.DEFAULTS);
    }

    /**
     * Truly joint ADMM: support and codebook of each tensor in one projection.
     *
     * @param keep how many weights stay; a total is split among the tensors when the stage begins
     * @param bits of a value, by tensor or pattern
     */
    record JointValues(Keep keep, Map<String, Integer> bits, AdmmOptions admm, TrainingOptions train)
            implements
            Stage {
        public static final JointValues DEFAULTS = new JointValues(Keep.DEFAULTS, Map.of(), AdmmOptions.DEFAULTS,
                TrainingOptions.DEFAULTS);

        public JointValues {
            bits = widths(bits);
            if (keep.score() == GlobalSparsity.Score.IMPORTANCE) {
                throw new IllegalArgumentException("score cannot be importance, which admm-prune alone measures");
            }
        }
    }

    /**
     * ADMM onto a budget of bits times non-zeros over all tensors.
     *
     * @param bytes of the budget
     * @param minimumBits narrowest width of a value
     * @param maximumBits widest
     * @param score what makes tensors comparable
     */
    record Budget(double bytes, int minimumBits, int maximumBits, GlobalSparsity.Score score, AdmmOptions admm,
            TrainingOptions train) implements Stage {
        public static final Budget DEFAULTS = new Budget(1000, 1, 4, GlobalSparsity.Score.LAMP, AdmmOptions.DEFAULTS,
                TrainingOptions.DEFAULTS);

        public Budget {
            check(bytes > 0 && bytes < Long.MAX_VALUE / 8, "bytes", bytes);
            check(minimumBits >= 1 && minimumBits <= maximumBits, "minimumBits", minimumBits);
            check(maximumBits <= MOST_BITS, "maximumBits", maximumBits);
            if (score != GlobalSparsity.Score.LAMP && score != GlobalSparsity.Score.MAGNITUDE) {
                throw new IllegalArgumentException("score must be lamp or magnitude");
            }
        }

        /** The knapsack. */
        public GlobalBudget constraint() {
            return new GlobalBudget((long) (8 * bytes), minimumBits, maximumBits, score);
        }
    }

    /** Most bits of a value: a codebook has 256. */
    int MOST_BITS = 8;

    private static Map<String, Integer> widths(Map<String, Integer> bits) {
        Map<String, Integer> widths = TensorPattern.inOrder("bits", bits);
        widths.forEach((pattern, width) -> {
            if (width < 1 || width > MOST_BITS) {
                throw new IllegalArgumentException("bits: " + pattern + " cannot be " + width + ": a value takes 1 to "
                        + MOST_BITS + "; leave a layer out and it stays in float");
            }
        });
        return widths;
    }

    private static <T> List<T> listed(String what, List<T> values) {
        if (values.stream().anyMatch(Objects::isNull)) {
            throw new IllegalArgumentException(what + " has an empty entry");
        }
        return List.copyOf(values);
    }

    private static void check(boolean fits, String name, Object value) {
        if (!fits) {
            throw new IllegalArgumentException(name + " cannot be " + value);
        }
    }
}
