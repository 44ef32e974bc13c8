package io.pare.compress.stage;

import io.pare.compress.Guarantee;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Projector;
import io.pare.descent.RunState;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Gradual pruning: a little is cut at a time, and what is left trains on between two cuts (Zhu and Gupta 2017,
 * arXiv 1710.01878). A weight that is cut never comes back, so that epochs take less and less time.
 *
 * <p>The number of weights falls by the same factor in equal times, or faster at first: with u the share of the stage that is
 * over, its logarithm has gone {@code 1 - (1 - u)^exponent} of its way.
 *
 * @param keep how many weights stay of all tensors together
 * @param exponent of the course, at least 1; 1 for equal factors in equal times
 * @param cutsPerEpoch cuts in an epoch, evenly spread; a share below one makes a cut in some epochs only
 * @param train how it trains
 */
public record GradualPrune(Keep keep, double exponent, double cutsPerEpoch, TrainingOptions train) implements Stage {
    public static final GradualPrune DEFAULTS = new GradualPrune(
            new Keep(0, 0, GlobalSparsity.Score.FISHER, true, Map.of()), 2, 4, TrainingOptions.DEFAULTS);
    private static final double MOST_EXPONENT = 100;
    private static final double MOST_CUTS = 1000;

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if one is out of its range; the message names the key
     */
    public GradualPrune {
        Keys.check(exponent >= 1 && exponent <= MOST_EXPONENT, "exponent", exponent);
        Keys.check(cutsPerEpoch > 0 && cutsPerEpoch <= MOST_CUTS, "cutsPerEpoch", cutsPerEpoch);
        keep.checkGlobal();
        if (keep.score() == GlobalSparsity.Score.IMPORTANCE) {
            throw new IllegalArgumentException(
                    "score cannot be importance, which admm-prune alone measures: give fisher");
        }
    }

    @Override
    public String name() {
        return "gradual-prune";
    }

    @Override
    public List<Budget> budgets() {
        return keep.budget();
    }

    @Override
    public Map<String, List<String>> patterns() {
        return Map.of();
    }

    private boolean fisher() {
        return keep.score() == GlobalSparsity.Score.FISHER;
    }

    /** A projection of all weights, and their importance. */
    @Override
    public long memory(Sizes sizes) {
        return sizes.run(train) + sizes.weights() * Float.BYTES + (fisher() ? sizes.fisher() : 0);
    }

    @Override
    public Effect check(Forecast forecast) {
        return keep.cut(forecast, train.epochs() > 0);
    }

    @Override
    public String remedy(Claim claim) {
        return Keep.remedy(claim);
    }

    @Override
    public StageRun open(RunContext context) {
        return StageRun.open(region -> new Run(context, region, this));
    }

    private static final class Run extends StageRun {
        private static final int OBSERVED = 4;

        private final GradualPrune stage;
        private final List<Variable> held;
        private final List<FloatTensor> projected = new ArrayList<>();
        private final ProjectionState memory = new ProjectionState();
        private final Projections projections = Projections.open(1);
        private final Fisher fisher;
        private final List<GlobalSparsity.Dependency> dependencies;
        private double seconds;
        private long first;
        private long steps;
        private long cuts;
        private BudgetScale budget;

        Run(RunContext context, Region region, GradualPrune stage) {
            super(context, region, stage.train());
            this.stage = stage;
            this.held = context.weights();
            this.fisher = stage.fisher() ? new Fisher(region, held) : null;
            this.dependencies = stage.keep.removeDead() ? context.dependencies(held) : List.of();
            held.forEach(variable -> projected.add(region.tensor(variable.value().shape())));
        }

        @Override
        public void begin() {
            super.begin();
            first = held.stream().mapToLong(variable -> Projector.nonzeros(variable.value())).sum();
            budget = new BudgetScale(context, stage.keep.budget(), held);
            fit();
        }

        /** Under a budget says what the last cut is to leave, by what the present weights would come to. */
        private void fit() {
            budget.fit(() -> set(1));
        }

        @Override
        public void visit(RunState state) {
            super.visit(state);
            first = state.count("gradual.first", first);
            steps = state.count("gradual.steps", steps);
            cuts = state.count("gradual.cuts", cuts);
            if (budget == null) {
                budget = new BudgetScale(context, stage.keep.budget(), held);
            }
            budget.visit(state, "gradual.scale");
            seconds = state.number("gradual.seconds", seconds);
            memory.visit(state, "gradual.memory");
            if (fisher != null) {
                fisher.visit(state);
            }
        }

        private GlobalSparsity set(double progress) {
            long all = stage.keep.total(context.weightCount());
            long last = budget.count(all, all);
            double way = 1 - Math.pow(1 - Math.min(1, progress), stage.exponent);
            long count = first <= last || progress >= 1
                    ? last
                    : Math.max(last, Math.round(first * Math.pow((double) last / first, way)));
            return new GlobalSparsity(count, stage.keep.score(), dependencies, List.of(), List.of(),
                    stage.keep.rate());
        }

        @Override
        public void beforeUpdate(double done) {
            if (fisher != null && ++steps % OBSERVED == 0) {
                fisher.observe();
            }
            // A little slack, so that rounding does not put a cut off to the next step.
            long due = (long) Math.floor(done * stage.cutsPerEpoch + 1e-9);
            if (due > cuts) {
                cuts = due;
                project(set(done / Math.max(1, epochs())));
                remask();
            }
        }

        private void project(GlobalSparsity set) {
            long begin = System.nanoTime();
            List<FloatTensor> values = held.stream().map(Variable::value).toList();
            if (fisher != null && fisher.known()) {
                set.projectWeighted(values, held.stream().map(fisher.importance()::get).toList(), projected, memory,
                        projections);
            } else {
                set.project(values, projected, memory, projections);
            }
            for (int i = 0; i < values.size(); i++) {
                values.get(i).copyFrom(projected.get(i));
            }
            seconds += (System.nanoTime() - begin) / 1e9;
        }

        @Override
        public double projectionSeconds() {
            return seconds;
        }

        @Override
        public boolean cut() {
            fit();
            GlobalSparsity set = set(1);
            project(set);
            // Importance may have shifted what is kept, so that it costs more than was foreseen.
            while (!budget.met()) {
                set = set(1);
                project(set);
            }
            context.guarantee(new Guarantee(set, held.stream().map(Variable::name).toList(), memory.all()));
            return true;
        }

        @Override
        public void close() {
            projections.close();
            super.close();
        }
    }
}
