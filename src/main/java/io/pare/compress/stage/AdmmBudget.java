package io.pare.compress.stage;

import io.pare.compress.AdmmOptions;
import io.pare.compress.TrainingOptions;
import io.pare.compress.constraint.GlobalBudget;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.WeightChange;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * ADMM onto a budget of bits times non-zeros over all tensors.
 *
 * @param bytes of the budget
 * @param minimumBits narrowest width of a value
 * @param maximumBits widest
 * @param score what makes tensors comparable
 * @param admm how ADMM runs
 * @param train how W steps train
 */
public record AdmmBudget(double bytes, int minimumBits, int maximumBits, GlobalSparsity.Score score, AdmmOptions admm,
        TrainingOptions train) implements AdmmStage {
    public static final AdmmBudget DEFAULTS = new AdmmBudget(1000, 1, 4, GlobalSparsity.Score.LAMP,
            AdmmOptions.DEFAULTS, TrainingOptions.DEFAULTS);

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if one is out of its range; the message names the key
     */
    public AdmmBudget {
        Keys.check(bytes > 0 && bytes < Long.MAX_VALUE / 8, "bytes", bytes);
        Keys.check(minimumBits >= 1 && minimumBits <= maximumBits, "minimumBits", minimumBits);
        Keys.check(maximumBits <= Keys.MOST_BITS, "maximumBits", maximumBits);
        if (score == null || score == GlobalSparsity.Score.IMPORTANCE || score == GlobalSparsity.Score.COUNTS) {
            throw new IllegalArgumentException("score must be lamp, magnitude or fisher");
        }
        if (score == GlobalSparsity.Score.FISHER) {
            admm = admm.byFisher();
        }
    }

    @Override
    public String name() {
        return "global-budget";
    }

    @Override
    public Map<String, List<String>> patterns() {
        return Map.of("rhoOf", List.copyOf(admm.rhoOf().keySet()));
    }

    /** The knapsack. */
    private GlobalBudget constraint() {
        return new GlobalBudget((long) (8 * bytes), minimumBits, maximumBits, score);
    }

    @Override
    public Effect check(Forecast forecast) {
        GlobalBudget constraint = constraint();
        int layers = forecast.weights().size();
        if (constraint.bits() < (long) layers * minimumBits) {
            throw forecast.refused(String.format(Locale.ROOT,
                    "has %d bits for %d layers, and a layer without a weight lets nothing pass: give at least %d bytes",
                    constraint.bits(), layers, Math.ceilDiv(layers * minimumBits, 8)));
        }
        if (!admm.rhoOf().isEmpty()) {
            forecast.note("does not use rhoOf: its layers share one constraint, and so one rho");
        }
        forecast.weights().forEach(each -> {
            each.values(constraint.values());
            each.nonzeros(1);
        });
        return Effect.NONE.and(WeightChange.MAKES_ZEROS, true).and(WeightChange.SPLITS_VALUES, true)
                .claiming(List.of(forecast.claim(constraint, forecast.weights())));
    }

    @Override
    public String remedy(Claim claim) {
        return "give it a maximumBits and bytes that are no larger, or leave one of the two out";
    }

    @Override
    public StageRun open(RunContext context) {
        List<AdmmRun.Target> targets = List.of(AdmmRun.Target.of(context.weights(), constraint()));
        return StageRun.open(region -> new AdmmRun(context, region, train, admm, true, true, () -> targets));
    }
}
