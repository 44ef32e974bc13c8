package io.pare.compress.stage;

import io.pare.compress.Admm;
import io.pare.compress.AdmmOptions;
import io.pare.compress.Guarantee;
import io.pare.compress.TensorPattern;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.WeightChange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * ADMM onto few values: free ones (clustering) or levels (quantisation). Zeros stay zero unless {@code zero} is
 * false. Recipes call it by one of two names, which decides whether it has levels.
 *
 * @param bits of a value, by tensor or pattern; tensors that none matches are left alone
 * @param levels which levels; {@code null} for free values
 * @param zero whether zeros are kept apart
 * @param follow whether levels follow the weights in each iteration
 * @param snap whether the stage ends with the projection; a stage that freezes levels step by step wants it not
 * @param admm how ADMM runs
 * @param train how W steps train
 */
public record AdmmValues(Map<String, Integer> bits, Quantization.@Nullable Levels levels, boolean zero, boolean follow,
        boolean snap, AdmmOptions admm, TrainingOptions train) implements AdmmStage {
    /** Of {@code admm-cluster}. */
    public static final AdmmValues CLUSTER = new AdmmValues(Map.of(), null, true, true, true, AdmmOptions.DEFAULTS,
            TrainingOptions.DEFAULTS);
    /** Of {@code admm-quantize}. */
    public static final AdmmValues QUANTIZE = new AdmmValues(Map.of(), Quantization.Levels.UNIFORM, true, true, true,
            AdmmOptions.DEFAULTS, TrainingOptions.DEFAULTS);

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if keys exclude each other, or one is out of its range; the message names the
     *            key
     */
    public AdmmValues {
        bits = Keys.widths(bits);
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

    /** The constraint for that many bits. */
    private Constraint constraint(int width) {
        if (levels == null) {
            return Clustering.bits(width);
        }
        return new Quantization(width == 1 && levels == Quantization.Levels.UNIFORM
                ? Quantization.Levels.BINARY
                : levels, width, zero, follow);
    }

    private Constraint constraint(String tensor) {
        return constraint(TensorPattern.first(bits, tensor, 0));
    }

    @Override
    public Effect check(Forecast forecast) {
        Effect trained = forecast.training(train.epochs() > 0);
        List<Claim> left = new ArrayList<>();
        for (Forecast.Weights each : Keys.named(forecast, bits)) {
            Constraint constraint = constraint(each.name());
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
        List<AdmmRun.Target> targets = new ArrayList<>();
        for (Variable variable : context.weights(bits.keySet())) {
            targets.add(AdmmRun.Target.of(List.of(variable), constraint(variable.name())));
        }
        AdmmRun.Schedule schedule = new AdmmRun.Schedule() {
            @Override
            public List<AdmmRun.Target> targets() {
                return targets;
            }

            @Override
            public void finished(Admm admm) {
                for (Guarantee values : admm.guarantees()) {
                    context.handOn(values, zero);
                }
            }
        };
        return StageRun.open(region -> new AdmmRun(context, region, train, this.admm, zero, snap, schedule));
    }
}
