package io.pare.compress.stage;

import io.pare.compress.Guarantee;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.WeightChange;
import io.pare.descent.RunState;
import io.pare.descent.Snapshot;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Progressive pruning: rounds of masked ADMM and masked retraining at growing ratios. Each round starts from every
 * partial model that is kept and keeps the best result.
 *
 * @param ratios weights to non-zeros of each round, growing
 * @param models partial models kept to start from, 1 or more
 * @param prune the ADMM of each round; its {@code keep} gives score and removal of dead units only
 * @param retrain the retraining of each round
 * @param train how the W steps of each round train
 */
public record ProgressivePrune(List<Double> ratios, int models, AdmmPrune prune, TrainingOptions retrain,
        TrainingOptions train) implements Stage {
    public static final ProgressivePrune DEFAULTS = new ProgressivePrune(List.of(), 1, AdmmPrune.DEFAULTS,
            TrainingOptions.DEFAULTS, TrainingOptions.DEFAULTS);

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if ratios do not grow, or {@code prune} says itself what it keeps
     */
    public ProgressivePrune {
        ratios = Keys.listed("ratios", ratios);
        Keys.check(models >= 1 && models <= 1000, "models", models);
        double last = 1;
        for (double ratio : ratios) {
            Keys.check(ratio >= last && ratio < Double.POSITIVE_INFINITY, "ratios", ratios
                    + ": they are weights to non-zeros, at least 1, and grow");
            last = ratio;
        }
        if (prune.chosen()) {
            throw new IllegalArgumentException("prune takes what it keeps from 'ratios': leave ratio, total, layers"
                    + " and structure out");
        }
    }

    @Override
    public String name() {
        return "progressive-prune";
    }

    @Override
    public Stream<TrainingOptions> trainings() {
        return Stream.of(train, prune.train(), retrain);
    }

    @Override
    public Map<String, List<String>> patterns() {
        return prune.patterns();
    }

    /** The pools of models, and what the larger of its inner stages takes. */
    @Override
    public long memory(Sizes sizes) {
        return sizes.run(train) + (models + 1) * sizes.all() * Float.BYTES
                + Math.max(prune.memory(sizes), sizes.run(retrain));
    }

    /** The pruning of the round with that ratio. */
    private AdmmPrune round(double ratio) {
        return new AdmmPrune(new Keep(0, ratio, prune.keep().score(), prune.keep().removeDead(), Map.of(),
                prune.keep().rate(), null, List.of()), Map.of(),
                prune.ramp(), prune.masked(), prune.exclude(), prune.admm(), prune.train());
    }

    @Override
    public Effect check(Forecast forecast) {
        if (ratios.isEmpty()) {
            throw forecast.refused("needs 'ratios', such as [44, 96, 167]");
        }
        Effect pruned = round(ratios.getLast()).check(forecast);
        boolean retrains = retrain.epochs() > 0;
        forecast.training(retrains);
        return pruned.and(WeightChange.SPLITS_VALUES, retrains);
    }

    @Override
    public String remedy(Claim claim) {
        return claim.sparse()
                ? "leave masked: false out, or end with a ratio that is no smaller"
                : "prune first, choose values afterwards";
    }

    @Override
    public StageRun open(RunContext context) {
        return StageRun.open(region -> new Run(context, region, this));
    }

    /** Alternates runs of a pruning and a retraining stage. */
    private static final class Run extends StageRun {
        /** One inner stage: which round, from which partial model, and whether it is the retraining. */
        private record Part(int round, int model, boolean retrain) {}

        /** Below all accuracies, and scores of errors. */
        private static final double NONE = -Double.MAX_VALUE;

        private final ProgressivePrune stage;
        private final List<Part> parts = new ArrayList<>();
        private final List<Snapshot> pool = new ArrayList<>();
        private final Snapshot candidate;
        private double candidateAccuracy = NONE;
        private int filled;
        private StageRun inner;
        private int part = -1;
        private int insidePart;

        Run(RunContext context, Region region, ProgressivePrune stage) {
            super(context, region, stage.train());
            this.stage = stage;
            Map<String, FloatTensor> values = Variable.values(context.variables());
            for (int m = 0; m < stage.models; m++) {
                pool.add(new Snapshot(region, values));
            }
            candidate = new Snapshot(region, values);
            for (int round = 0; round < stage.ratios.size(); round++) {
                for (int model = 0; model < Math.min(stage.models, round + 1); model++) {
                    parts.add(new Part(round, model, false));
                    parts.add(new Part(round, model, true));
                }
            }
        }

        @Override
        public int epochs() {
            return parts.stream().mapToInt(this::epochs).sum();
        }

        private int epochs(Part one) {
            return one.retrain() ? stage.retrain.epochs() : stage.prune.train().epochs();
        }

        @Override
        public void begin() {
            pool.getFirst().take();
            filled = 1;
            next();
        }

        private StageRun make(Part one) {
            Stage inside = one.retrain() ? new MaskRetrain(stage.retrain) : stage.round(stage.ratios.get(one.round()));
            return inside.open(context);
        }

        /** Ends the present part, if any, and begins the next one. */
        private void next() {
            if (inner != null) {
                double accuracy = inner.finish().accuracy();
                inner.close();
                inner = null;
                if (parts.get(part).retrain()) {
                    if (accuracy >= candidateAccuracy) {
                        candidateAccuracy = accuracy;
                        candidate.take();
                    }
                    if (part + 1 == parts.size() || parts.get(part + 1).round() > parts.get(part).round()) {
                        keepCandidate();
                    }
                }
            }
            part++;
            insidePart = 0;
            if (part < parts.size()) {
                Part one = parts.get(part);
                if (!one.retrain()) {
                    pool.get(one.model()).restore();
                }
                inner = make(one);
                inner.begin();
                if (epochs(one) == 0) {
                    next();
                }
            }
        }

        /** The best result of a round joins the pool; a full pool loses its oldest model. */
        private void keepCandidate() {
            candidate.restore();
            Snapshot slot;
            if (filled < pool.size()) {
                slot = pool.get(filled++);
            } else {
                slot = pool.removeFirst();
                pool.add(slot);
            }
            slot.take();
            candidateAccuracy = NONE;
        }

        @Override
        public EpochRow epoch(int epoch) {
            EpochRow row = inner.epoch(insidePart++);
            boolean over = insidePart == epochs(parts.get(part)) || inner.converged();
            if (over && part + 1 < parts.size()) {
                next();
            }
            return row;
        }

        /** Whether the last part is over before its last epoch. */
        @Override
        public boolean converged() {
            return part + 1 == parts.size() && (insidePart == epochs(parts.get(part)) || inner.converged());
        }

        @Override
        public void visit(RunState state) {
            part = (int) state.whole("part", part, 0, parts.size() - 1);
            insidePart = (int) state.whole("insidePart", insidePart, 0, epochs(parts.get(part)));
            filled = (int) state.whole("filled", filled, 1, pool.size());
            candidateAccuracy = state.number("candidateAccuracy", candidateAccuracy);
            for (int m = 0; m < pool.size(); m++) {
                pool.get(m).visit(state, "pool." + m + ".");
            }
            candidate.visit(state, "candidate.");
            if (state.reading()) {
                inner = make(parts.get(part));
            }
            inner.visit(state);
        }

        @Override
        public boolean cut() {
            next();
            candidate.restore();
            context.withdraw(guarantee -> guarantee.constraint() instanceof GlobalSparsity);
            Keep keep = stage.round(stage.ratios.getLast()).keep();
            context.addGuarantee(new Guarantee(
                    new GlobalSparsity(keep.total(context.weightCount()), keep.score(), List.of()),
                    context.weights().stream().map(Variable::name).toList(), Map.of()));
            return true;
        }

        @Override
        public void close() {
            if (inner != null) {
                inner.close();
            }
            super.close();
        }
    }
}
