package io.pare.compress.stage;

import io.pare.compress.Admm;
import io.pare.compress.AdmmOptions;
import io.pare.compress.Guarantee;
import io.pare.compress.TensorPattern;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.WeightChange;
import io.pare.descent.RunState;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * ADMM onto few values: free ones (clustering) or levels (quantisation). Zeros stay zero unless {@code zero} is
 * false. Recipes call it by one of two names, which decides whether it has levels.
 *
 * @param bits of a value, by tensor or pattern, at most where there is a budget; tensors that none matches are left alone
 * @param levels which levels; {@code null} for free values
 * @param zero whether zeros are kept apart
 * @param follow whether levels follow the weights in each iteration
 * @param snap whether the stage ends with the projection; a stage that freezes levels step by step wants it not
 * @param admm how ADMM runs
 * @param train how W steps train
 * @param budget what the network may cost, of which {@code bits} are then the most: each tensor gets as many as its errors are
 *            worth, by what the weights are when the stage begins. None where {@code bits} say it
 */
public record AdmmValues(Map<String, Integer> bits, Quantization.@Nullable Levels levels, boolean zero, boolean follow,
        boolean snap, AdmmOptions admm, TrainingOptions train,
        @OneOrMore List<Budget> budget) implements AdmmStage {
    /** Of {@code admm-cluster}. */
    public static final AdmmValues CLUSTER = new AdmmValues(Map.of(), null, true, true, true, AdmmOptions.DEFAULTS,
            TrainingOptions.DEFAULTS);
    /** Of {@code admm-quantize}. */
    public static final AdmmValues QUANTIZE = new AdmmValues(Map.of(), Quantization.Levels.UNIFORM, true, true, true,
            AdmmOptions.DEFAULTS, TrainingOptions.DEFAULTS);

    /**
     * Gives each tensor the bits that are said.
     *
     * @param bits of a value, by tensor or pattern
     * @param levels which levels; {@code null} for free values
     * @param zero whether zeros are kept apart
     * @param follow whether levels follow the weights in each iteration
     * @param snap whether the stage ends with the projection
     * @param admm how ADMM runs
     * @param train how W steps train
     */
    public AdmmValues(Map<String, Integer> bits, Quantization.@Nullable Levels levels, boolean zero, boolean follow,
            boolean snap, AdmmOptions admm, TrainingOptions train) {
        this(bits, levels, zero, follow, snap, admm, train, List.of());
    }

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if keys exclude each other, or one is out of its range; the message names the
     *            key
     */
    public AdmmValues {
        bits = Keys.widths(bits);
        budget = WidthBudget.checked(budget);
        if (levels == null && !follow) {
            throw new IllegalArgumentException("follow belongs to levels; free values follow the weights");
        }
        if (levels != null) {
            for (Map.Entry<String, Integer> width : bits.entrySet()) {
                Keys.check(levels.have(width.getValue()), "bits: " + width.getKey(),
                        width.getValue() + " with " + levels.words() + " levels, which take " + levels.range());
            }
        }
    }

    @Override
    public String name() {
        return levels == null ? "admm-cluster" : "admm-quantize";
    }

    @Override
    public Map<String, List<String>> patterns() {
        Map<String, List<String>> patterns = new LinkedHashMap<>();
        patterns.put("bits", List.copyOf(bits.keySet()));
        patterns.put("rhoOf", List.copyOf(admm.rhoOf().keySet()));
        return patterns;
    }

    @Override
    public List<Budget> budgets() {
        return budget;
    }

    /** The constraint for that many bits. */
    private Constraint constraint(int width) {
        if (levels == null) {
            return Clustering.bits(width);
        }
        return new Quantization(width == 1 && levels == Quantization.Levels.UNIFORM
                ? Quantization.Levels.BINARY
                : levels, width, zero, follow);
    }

    /** Bits of a tensor's values, at most where a budget chooses them. */
    private int width(String tensor) {
        return TensorPattern.first(bits, tensor, 0);
    }

    /** What a budget chooses from. */
    private List<Integer> widths(String tensor) {
        return IntStream.rangeClosed(1, width(tensor)).filter(each -> levels == null || levels.have(each)).boxed()
                .toList();
    }

    @Override
    public Effect check(Forecast forecast) {
        Effect trained = forecast.training(train.epochs() > 0);
        List<Claim> left = new ArrayList<>();
        for (Forecast.Weights each : Keys.named(forecast, bits)) {
            Constraint constraint = constraint(width(each.name()));
            each.levels(constraint, zero);
            if (snap) {
                each.values(constraint.values());
                left.add(forecast.claim(constraint, List.of(each)));
            }
        }
        if (!snap) {
            forecast.noteUnlessSnapped("has snap: false, and no quantize-retrain follows: weights stay near its values,"
                    + " not on them");
        }
        return trained.and(WeightChange.FILLS_ZEROS, !zero)
                .and(WeightChange.SPLITS_VALUES, name -> left.stream().anyMatch(claim -> claim.on(name)))
                .claiming(left);
    }

    @Override
    public String remedy(Claim claim) {
        return claim.sparse()
                ? "zero: false gives zeros a value: leave it out, or the pruning"
                : Keys.remedy(claim, bits);
    }

    @Override
    public StageRun open(RunContext context) {
        return StageRun
                .open(region -> new AdmmRun(context, region, train, admm, zero, snap, new Values(context, this)));
    }

    /** The sets of all tensors, of widths that are chosen when the stage begins. */
    private static final class Values implements AdmmRun.Schedule {
        private final RunContext context;
        private final AdmmValues stage;
        private final List<Variable> held;
        private final Map<String, Integer> widths = new LinkedHashMap<>();

        Values(RunContext context, AdmmValues stage) {
            this.context = context;
            this.stage = stage;
            this.held = context.weights(stage.bits.keySet());
            held.forEach(variable -> widths.put(variable.name(), stage.width(variable.name())));
        }

        @Override
        public void begin() {
            if (!stage.budget.isEmpty()) {
                widths.putAll(new WidthBudget(context, stage.budget).choose(held.stream()
                        .map(variable -> new WidthBudget.Tensor(variable, stage.zero, stage.widths(variable.name()),
                                width -> List.of(stage.constraint(width))))
                        .toList()));
            }
        }

        @Override
        public void visit(RunState state) {
            if (!stage.budget.isEmpty()) {
                widths.replaceAll((name, width) -> (int) state.whole("width." + name, width, 1, stage.width(name)));
            }
        }

        @Override
        public List<AdmmRun.Target> targets() {
            return held.stream().map(variable -> AdmmRun.Target.of(List.of(variable),
                    stage.constraint(widths.get(variable.name())))).toList();
        }

        @Override
        public void finished(Admm admm) {
            for (Guarantee values : admm.guarantees()) {
                context.handOn(values, stage.zero);
            }
        }
    }
}
