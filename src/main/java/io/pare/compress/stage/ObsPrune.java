package io.pare.compress.stage;

import io.pare.compress.Guarantee;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.CodedBudget;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.Projector;
import io.pare.descent.RunState;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.reconstruct.Hessian;
import io.pare.reconstruct.Surgery;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Second-order surgery on the last few thousand weights: in rounds, measures the full Fisher matrix of those that are left,
 * removes a part by {@link Surgery}, whose update moves the others, and trains what is left.
 *
 * <p>The matrix is the mean product of gradients of small batches, over one pass of the training data in which nothing is
 * changed. It has the square of as many numbers as there are weights.
 *
 * @param keep how many weights stay of all tensors together; its {@code rate} is the power of a weight's bits by which the
 *            cost of its removal is divided. Its score does not count
 * @param rounds of surgery and training; counts fall by the same factor in each
 * @param batch samples of each gradient that the matrix is the product of: a pass is to have more of these than there are
 *            weights
 * @param damping added to the matrix, whose diagonal is scaled to ones
 * @param train how each round trains
 */
public record ObsPrune(Keep keep, int rounds, int batch, double damping, TrainingOptions train) implements Stage {
    public static final ObsPrune DEFAULTS = new ObsPrune(
            new Keep(0, 0, GlobalSparsity.Score.FISHER, true, Map.of()), 10, 16, 0.1, TrainingOptions.DEFAULTS);
    private static final int MOST_WEIGHTS = 8192;
    private static final int MOST_BATCH = 1_000_000;
    private static final int MOST_ROUNDS = 1000;
    /** Of a value, beside the bits of its place. */
    private static final int VALUE_BITS = 2;
    private static final int BLOCK = 256;

    /**
     * Checks the values of the keys.
     *
     * @throws IllegalArgumentException if one is out of its range; the message names the key
     */
    public ObsPrune {
        Keys.check(rounds >= 1 && rounds <= MOST_ROUNDS, "rounds", rounds);
        Keys.check(batch >= 1 && batch <= MOST_BATCH, "batch", batch);
        Keys.check(damping > 0 && damping <= 1000, "damping", damping);
        keep.checkGlobal();
        keep.checkCounted();
    }

    @Override
    public String name() {
        return "obs-prune";
    }

    @Override
    public Map<String, List<String>> patterns() {
        return Map.of();
    }

    /** How it measures: as it trains, in batches of its own. */
    private TrainingOptions measuring() {
        TrainingOptions.Keys keys = train.keys();
        return TrainingOptions.of(new TrainingOptions.Keys(keys.epochs(), keys.learningRate(), keys.finalRate(),
                keys.schedule(), keys.warmup(), keys.optimizer(), keys.momentum(), 0, batch, false, keys.shift(),
                keys.flip(), keys.distill(), keys.temperature(), keys.average(), keys.select(), keys.clipNorm(),
                keys.patience(), keys.rotate(), keys.zoom(), keys.shear(), keys.elastic(),
                keys.attack()));
    }

    @Override
    public Stream<TrainingOptions> trainings() {
        return Stream.of(train, measuring());
    }

    /** A matrix in double and in float, its scaled copy and its inverse, a block of gradients. */
    @Override
    public long memory(Sizes sizes) {
        long most = Math.min(sizes.weights(), MOST_WEIGHTS);
        return sizes.run(train) + most * most * (Double.BYTES + 3 * Float.BYTES) + most * BLOCK * Float.BYTES;
    }

    @Override
    public Effect check(Forecast forecast) {
        return keep.cut(forecast, true);
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
        private final ObsPrune stage;
        private final List<Variable> held;
        private long first;

        Run(RunContext context, Region region, ObsPrune stage) {
            super(context, region, stage.train());
            this.stage = stage;
            this.held = context.weights();
        }

        @Override
        public int epochs() {
            return stage.rounds * train.epochs();
        }

        private long nonzeros() {
            return held.stream().mapToLong(variable -> Projector.nonzeros(variable.value())).sum();
        }

        @Override
        public void begin() {
            super.begin();
            first = nonzeros();
            operate(1);
            for (int round = 2; train.epochs() == 0 && round <= stage.rounds; round++) {
                operate(round);
            }
        }

        @Override
        public void visit(RunState state) {
            super.visit(state);
            first = state.count("surgery.first", first);
        }

        @Override
        public double rate(double done) {
            double round = done / Math.max(1, train.epochs());
            return train.rate(round - Math.floor(round));
        }

        @Override
        public void afterEpoch(int epoch) {
            if ((epoch + 1) % train.epochs() == 0 && epoch + 1 < epochs()) {
                operate((epoch + 1) / train.epochs() + 1);
            }
        }

        /** One round: to the count that is due. */
        private void operate(int round) {
            long last = stage.keep.total(context.weightCount());
            long now = nonzeros();
            long due = round == stage.rounds
                    ? last
                    : Math.round(first * Math.pow((double) last / first, (double) round / stage.rounds));
            int count = (int) Math.max(0, now - Math.max(due, last));
            if (count == 0) {
                return;
            }
            if (now > MOST_WEIGHTS) {
                throw new RecipeException("obs-prune keeps a matrix of the square of " + now + " weights: prune to "
                        + MOST_WEIGHTS + " at most before it");
            }
            int n = (int) now;
            try (Region scratch = Region.confined("surgery")) {
                Hessian fisher = new Hessian(scratch, n);
                measure(fisher, scratch);
                FloatTensor survivors = scratch.tensor(n);
                double[] price = new double[n];
                gather(survivors, price);
                Surgery.remove(fisher, survivors, price, count, stage.damping);
                scatter(survivors);
            }
            remask();
            context.training().begin(train);
        }

        /** Gradients of a pass at a rate of zero. */
        private void measure(Hessian fisher, Region scratch) {
            int[][] places = new int[held.size()][];
            for (int i = 0; i < places.length; i++) {
                FloatTensor value = held.get(i).value();
                places[i] = new int[(int) Projector.nonzeros(value)];
                int at = 0;
                for (int e = 0; e < value.count(); e++) {
                    if (value.get(e) != 0) {
                        places[i][at++] = e;
                    }
                }
            }
            FloatTensor block = scratch.tensor(BLOCK, fisher.inputs());
            int[] rows = {0};
            context.training().begin(stage.measuring());
            context.training().epoch(context.epoch(), _ -> 0, (_, _) -> {
                context.stop().check();
                long at = (long) rows[0]++ * fisher.inputs();
                for (int i = 0; i < places.length; i++) {
                    FloatTensor gradient = held.get(i).gradient();
                    for (int e : places[i]) {
                        block.set(at++, gradient.get(e));
                    }
                }
                if (rows[0] == BLOCK) {
                    fisher.add(block);
                    rows[0] = 0;
                }
            });
            if (rows[0] > 0) {
                fisher.add(block.rows(0, rows[0]));
            }
        }

        private void gather(FloatTensor survivors, double[] price) {
            List<Integer> widths = Collections.nCopies(held.size(), VALUE_BITS);
            CodedBudget code = new CodedBudget(1, widths, false, List.of());
            int at = 0;
            for (int i = 0; i < held.size(); i++) {
                FloatTensor value = held.get(i).value();
                double[] bits = code.bits(i, value);
                int own = 0;
                for (long e = 0; e < value.count(); e++) {
                    if (value.get(e) != 0) {
                        survivors.set(at, value.get(e));
                        price[at++] = Math.pow(bits[own++], stage.keep.rate());
                    }
                }
            }
        }

        private void scatter(FloatTensor survivors) {
            int at = 0;
            for (Variable variable : held) {
                FloatTensor value = variable.value();
                for (long e = 0; e < value.count(); e++) {
                    if (value.get(e) != 0) {
                        value.set(e, survivors.get(at++));
                    }
                }
            }
        }

        @Override
        public boolean cut() {
            long total = stage.keep.total(context.weightCount());
            context.guarantee(new Guarantee(new GlobalSparsity(total, stage.keep.score(), List.of()),
                    held.stream().map(Variable::name).toList(), Map.of()));
            return false;
        }
    }
}
