package io.pare.compress.stage;

import io.pare.compress.Admm;
import io.pare.compress.AdmmOptions;
import io.pare.compress.TensorPattern;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Allotment;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.SparseClustering;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.WeightChange;
import io.pare.descent.RunState;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Truly joint ADMM: support and codebook of each tensor in one projection.
 *
 * @param keep how many weights stay; a total is split among the tensors when the stage begins
 * @param bits of a value, by tensor or pattern
 * @param admm how ADMM runs
 * @param train how W steps train
 */
public record AdmmJoint(Keep keep, Map<String, Integer> bits, AdmmOptions admm, TrainingOptions train)
        implements AdmmStage {
    public static final AdmmJoint DEFAULTS = new AdmmJoint(Keep.DEFAULTS, Map.of(), AdmmOptions.DEFAULTS,
            TrainingOptions.DEFAULTS);

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if one is out of its range; the message names the key
     */
    public AdmmJoint {
        bits = Keys.widths(bits);
        if (keep.score() == GlobalSparsity.Score.IMPORTANCE) {
            throw new IllegalArgumentException("score cannot be importance, which admm-prune alone measures");
        }
        if (keep.groups() != null) {
            throw new IllegalArgumentException("groups belongs to admm-prune");
        }
        if (keep.rate() > 0) {
            throw new IllegalArgumentException("rate belongs to admm-prune and progressive-prune");
        }
        if (keep.score() == GlobalSparsity.Score.FISHER) {
            throw new IllegalArgumentException(
                    "score cannot be fisher, for counts are split before any gradient is known:"
                            + " give admm: {fisher: true}, which weighs the projection");
        }
    }

    @Override
    public String name() {
        return "admm-joint";
    }

    @Override
    public Map<String, List<String>> patterns() {
        Map<String, List<String>> patterns = new LinkedHashMap<>();
        patterns.put("layers", List.copyOf(keep.layers().keySet()));
        patterns.put("bits", List.copyOf(bits.keySet()));
        patterns.put("rhoOf", List.copyOf(admm.rhoOf().keySet()));
        return patterns;
    }

    @Override
    public Effect check(Forecast forecast) {
        List<Forecast.Weights> held = Keys.named(forecast, bits);
        List<Claim> left = new ArrayList<>();
        if (keep.chosen()) {
            left.addAll(keep.claims(forecast, held, "bits", true));
            left.forEach(claim -> forecast.weights().stream().filter(each -> claim.on(each.name()))
                    .forEach(each -> each.nonzeros(1)));
        }
        Effect trained = forecast.training(train.epochs() > 0);
        for (Forecast.Weights each : held) {
            Clustering values = Clustering.bits(TensorPattern.first(bits, each.name(), 0));
            each.levels(values, true);
            each.values(values.k());
            left.add(forecast.claim(values, List.of(each)));
        }
        return trained.and(WeightChange.MAKES_ZEROS, true)
                .and(WeightChange.SPLITS_VALUES, name -> held.stream().anyMatch(each -> each.name().equals(name)))
                .claiming(left);
    }

    @Override
    public String remedy(Claim claim) {
        return Keys.remedy(claim, bits);
    }

    @Override
    public StageRun open(RunContext context) {
        return StageRun.open(
                region -> new AdmmRun(context, region, train, admm, true, true, new Split(context, this)));
    }

    /** A count for each tensor, found when the stage begins. */
    private static final class Split implements AdmmRun.Schedule {
        private final RunContext context;
        private final AdmmJoint stage;
        private final List<Variable> held;
        private double[] counts;

        Split(RunContext context, AdmmJoint stage) {
            this.context = context;
            this.stage = stage;
            this.held = context.weights(stage.bits.keySet());
        }

        @Override
        public void begin() {
            Keep keep = stage.keep;
            counts = new double[held.size()];
            long[] split = !keep.chosen() || !keep.global()
                    ? null
                    : Allotment.counts(held.stream().map(Variable::value).toList(),
                            keep.allowance(context, held, true), keep.score());
            for (int i = 0; i < counts.length; i++) {
                long own = keep.count(held.get(i));
                counts[i] = split != null
                        ? split[i]
                        : own >= 0 ? own : Projector.nonzeros(held.get(i).value());
            }
        }

        @Override
        public void visit(RunState state) {
            counts = state.sizes("counts", counts == null ? new double[held.size()] : counts);
        }

        @Override
        public List<AdmmRun.Target> targets() {
            List<AdmmRun.Target> targets = new ArrayList<>();
            for (int i = 0; i < held.size(); i++) {
                targets.add(AdmmRun.Target.of(List.of(held.get(i)),
                        new SparseClustering(Sparsity.count((long) counts[i]),
                                1 << TensorPattern.first(stage.bits, held.get(i).name(), 1))));
            }
            return targets;
        }

        @Override
        public void finished(Admm admm) {
            admm.guarantees().forEach(values -> context.handOn(values, true));
        }
    }
}
