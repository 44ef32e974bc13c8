package io.pare.compress.stage;

import io.pare.compress.Guarantee;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.WeightChange;
import io.pare.descent.RunState;
import io.pare.kernel.Kernels;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Iterative quantisation and retraining: each round sets the share of every level's weights that is nearest to the
 * level, freezes it, and retrains the rest for {@code train.epochs}. After the last round all are set. The levels are
 * those that the last stage with values found.
 *
 * @param rounds of freezing and retraining
 * @param share of each level's free weights that a round freezes
 * @param train how each round retrains
 */
public record QuantizeRetrain(int rounds, double share, TrainingOptions train) implements Stage {
    public static final QuantizeRetrain DEFAULTS = new QuantizeRetrain(4, 0.5, TrainingOptions.DEFAULTS);

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if one is out of its range; the message names the key
     */
    public QuantizeRetrain {
        Keys.check(rounds >= 0 && rounds <= 1000, "rounds", rounds);
        Keys.check(share > 0 && share <= 1, "share", share);
        if (train.descent().optimizer().decay() != 0) {
            throw new IllegalArgumentException(
                    "weightDecay would move the weights that are frozen: give this stage weightDecay: 0");
        }
    }

    @Override
    public String name() {
        return "quantize-retrain";
    }

    @Override
    public Map<String, List<String>> patterns() {
        return Map.of();
    }

    /** Bits and flags of the weights that are free. */
    @Override
    public long memory(Sizes sizes) {
        return sizes.run(train) + sizes.mask() + sizes.weights() * Float.BYTES;
    }

    @Override
    public Effect check(Forecast forecast) {
        List<Forecast.Weights> held = forecast.weights().stream().filter(each -> each.levels() != null).toList();
        if (held.isEmpty()) {
            throw forecast.refused(
                    "needs a stage before it that chooses values: admm-cluster, admm-quantize or admm-joint");
        }
        boolean fills = held.stream().anyMatch(each -> !each.zeroApart());
        List<Claim> left = held.stream().map(each -> forecast.claim(each.levels(), List.of(each))).toList();
        Effect trained = forecast.training(train.epochs() > 0 && rounds > 0);
        held.forEach(each -> each.values(each.levels().values()));
        forecast.snapped();
        return trained.and(WeightChange.FILLS_ZEROS, fills)
                .and(WeightChange.SPLITS_VALUES, name -> left.stream().anyMatch(claim -> claim.on(name)))
                .claiming(left);
    }

    @Override
    public String remedy(Claim claim) {
        return claim.sparse()
                ? "zero: false of the stage before gives zeros a value: leave it out, or the pruning"
                : "it trains layers whose values it did not get: name all layers in one stage's bits before it";
    }

    @Override
    public StageRun open(RunContext context) {
        return StageRun.open(region -> new Run(context, region, this));
    }

    private static final class Run extends StageRun {
        private final QuantizeRetrain stage;
        private final List<Variable> held;
        private final Masks free;
        private final List<FloatTensor> flags = new ArrayList<>();

        Run(RunContext context, Region region, QuantizeRetrain stage) {
            super(context, region, stage.train());
            this.stage = stage;
            this.held = context.weights().stream().filter(variable -> context.levels().containsKey(variable.name()))
                    .toList();
            this.free = new Masks(region, held);
            held.forEach(variable -> flags.add(region.tensor(variable.value().shape())));
        }

        @Override
        public int epochs() {
            return stage.rounds * train.epochs();
        }

        @Override
        public void begin() {
            super.begin();
            for (int i = 0; i < held.size(); i++) {
                FloatTensor value = held.get(i).value();
                boolean apart = !context.zeroIsALevel(held.get(i).name());
                for (long e = 0; e < value.count(); e++) {
                    flags.get(i).set(e, apart && value.get(e) == 0 ? 0 : 1);
                }
            }
            if (epochs() > 0) {
                freeze();
            }
        }

        @Override
        public void visit(RunState state) {
            super.visit(state);
            for (int i = 0; i < held.size(); i++) {
                state.tensor("free." + held.get(i).name(), flags.get(i));
            }
            if (state.reading()) {
                takeFlags();
            }
        }

        /** Zeros that go to a level must not be masked away before they get there. */
        @Override
        public boolean masked() {
            return context.zerosStandApart();
        }

        private void takeFlags() {
            for (int i = 0; i < held.size(); i++) {
                FloatTensor flag = flags.get(i);
                free.set(held.get(i), e -> flag.get(e) != 0);
            }
        }

        /** Sets the nearest share of each level's free weights to the level and takes them out of training. */
        private void freeze() {
            for (int i = 0; i < held.size(); i++) {
                double[] codes = context.levels().get(held.get(i).name());
                FloatTensor value = held.get(i).value();
                FloatTensor flag = flags.get(i);
                List<List<Integer>> bins = new ArrayList<>();
                for (int c = 0; c < codes.length; c++) {
                    bins.add(new ArrayList<>());
                }
                for (int e = 0; e < value.count(); e++) {
                    if (flag.get(e) != 0) {
                        bins.get(Projector.nearestIndex(codes, value.get(e))).add(e);
                    }
                }
                for (int c = 0; c < codes.length; c++) {
                    double code = codes[c];
                    List<Integer> bin = bins.get(c);
                    bin.sort((a, b) -> Double.compare(Math.abs(value.get(a) - code), Math.abs(value.get(b) - code)));
                    for (int e : bin.subList(0, (int) Math.ceil(stage.share * bin.size()))) {
                        value.set(e, (float) code);
                        flag.set(e, 0f);
                    }
                }
            }
            takeFlags();
        }

        @Override
        public double rate(double done) {
            double round = done / Math.max(1, train.epochs());
            return train.rate(round - Math.floor(round));
        }

        @Override
        public void beforeUpdate(double done) {
            for (Variable variable : held) {
                Kernels.active().applyMask(free.of(variable), variable.gradient().segment(), 0,
                        variable.value().count());
            }
        }

        @Override
        public void afterEpoch(int epoch) {
            if ((epoch + 1) % train.epochs() == 0 && epoch + 1 < epochs()) {
                freeze();
                // The moments of what was frozen just now must not push it on.
                context.training().begin(train);
            }
        }

        @Override
        public boolean cut() {
            try (Projections kernels = Projections.open(1)) {
                snap(kernels);
            }
            return true;
        }

        private void snap(Projections kernels) {
            for (Variable variable : held) {
                Projector.nearest(kernels, variable.value(), variable.value(), context.levels().get(variable.name()),
                        !context.zeroIsALevel(variable.name()));
                int allowed = Math.max(1, context.levels().get(variable.name()).length);
                context.withdraw(guarantee -> guarantee.tensors().equals(List.of(variable.name()))
                        && guarantee.constraint() instanceof Clustering);
                context.addGuarantee(Guarantee.of(new Clustering(allowed), variable));
            }
        }
    }
}
