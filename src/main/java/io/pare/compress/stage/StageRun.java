package io.pare.compress.stage;

import io.pare.compress.LayerRow;
import io.pare.compress.ResidualRow;
import io.pare.compress.Training;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.descent.Best;
import io.pare.descent.RunState;
import io.pare.descent.Snapshot;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * One stage while it runs: begun or resumed, then one epoch after the other, then finished.
 *
 * <p>As it stands it trains what is not zero with the plain loss. Stages replace what differs: the rate, what happens before
 * an update, the cut at the end. What a stage remembers it saves in {@link #visit}. Owns what it allocates from its region.
 * One thread.
 */
public abstract class StageRun implements AutoCloseable {
    /** What the stages of the run share. */
    protected final RunContext context;
    /** How the stage trains. */
    protected final TrainingOptions train;
    /** Closed with the run. */
    protected final Region region;
    private final Masks masks;
    private final Mean mean;
    private final Best best;
    private final int patience;
    private int sinceBest;
    private final Map<String, Double> cutErrors = new LinkedHashMap<>();

    /**
     * Opens the region of a stage and makes the stage in it; where that fails, the region is closed again.
     *
     * @param maker makes the run in the region, which it then owns
     * @return the run; closing it closes the region
     */
    public static StageRun open(Function<Region, StageRun> maker) {
        Region region = Region.shared("stage");
        try {
            return maker.apply(region);
        } catch (RuntimeException | Error e) {
            region.close();
            throw e;
        }
    }

    /**
     * Trains for all epochs.
     *
     * @param context what the stages of the run share
     * @param region of its own, see {@link #open}
     * @param train how it trains, for so many epochs if {@link #epochs} says no other
     */
    protected StageRun(RunContext context, Region region, TrainingOptions train) {
        this(context, region, train, 0);
    }

    /**
     * Trains until patience ends: for a stage of epochs that are all alike.
     *
     * @param context what the stages of the run share
     * @param region of its own, see {@link #open}
     * @param train how it trains
     * @param patience epochs without a better one after which the stage ends, with the best weights; 0 for all epochs
     */
    protected StageRun(RunContext context, Region region, TrainingOptions train, int patience) {
        this.patience = patience;
        this.context = context;
        this.train = train;
        this.region = region;
        this.masks = new Masks(region, context.weights());
        Map<String, FloatTensor> values = Variable.values(context.variables());
        this.mean = train.average() > 0 ? new Mean(region, values) : null;
        this.best = train.select() == TrainingOptions.Select.BEST || patience > 0 ? new Best(region, values) : null;
    }

    /** {@return epochs of the whole stage} */
    public int epochs() {
        return train.epochs();
    }

    /** {@return whether zeros that are there when the stage begins are frozen} */
    public boolean masked() {
        return true;
    }

    /** Begins on the present weights: a subclass that replaces this calls it first. */
    public void begin() {
        context.training().begin(train);
        if (masked()) {
            remask();
        }
    }

    /** Freezes what is zero by now, for good: a stage that cuts on the way calls it after each cut. */
    protected final void remask() {
        masks.setNonzeros();
        masks.install();
    }

    /**
     * Saves the stage's part of a state, or takes it back in place of {@link #begin}. A subclass that replaces this calls it
     * first, and gives what it saves names that nothing else in the run has.
     *
     * @param state that is saved or read
     */
    public void visit(RunState state) {
        if (state.reading()) {
            context.training().begin(train);
        }
        masks.visit(state, "mask");
        if (state.reading() && masked()) {
            masks.install();
        }
        if (mean != null) {
            mean.visit(state);
        }
        if (best != null) {
            best.visit(state, "best.");
        }
        if (patience > 0) {
            sinceBest = (int) state.count("sinceBest", sinceBest);
        }
        for (Map.Entry<String, FloatTensor> entry : context.training().optimizerState().entrySet()) {
            state.tensor("optimizer." + entry.getKey(), entry.getValue());
        }
        context.training().optimizerSteps(state.count("optimizerSteps", context.training().optimizerSteps()));
    }

    /**
     * {@return learning rate when so many epochs of the stage, with a fraction, are over}
     *
     * @param done epochs, in [0, {@link #epochs}]
     */
    public double rate(double done) {
        return train.rate(done / Math.max(1, epochs()));
    }

    /**
     * Trains for one epoch and validates.
     *
     * @param epoch number in the stage, from 0
     * @return what was measured
     * @throws io.pare.descent.StoppedException between two steps, if the run is to stop
     */
    public EpochRow epoch(int epoch) {
        long begin = System.nanoTime();
        double projections = projectionSeconds();
        double from = 1 - train.average();
        Training.Epoch trained = context.training().epoch(context.epoch(), share -> rate(epoch + share),
                (step, steps) -> {
                    context.stop().check();
                    double done = epoch + (double) step / steps;
                    beforeUpdate(done);
                    if (mean != null && step % 8 == 0 && done >= from * epochs()) {
                        mean.add();
                    }
                });
        context.countEpoch();
        afterEpoch(epoch);
        double spent = projectionSeconds() - projections;
        double seconds = (System.nanoTime() - begin) / 1e9;
        context.epochEnds(spent, seconds - spent);
        Training.Evaluation measured = context.training().validate();
        if (best != null) {
            sinceBest = best.offer(measured.accuracy(), measured.loss()) ? 0 : sinceBest + 1;
        }
        return new EpochRow(context.epoch(), epoch + 1, epochs(), rate(epoch + 0.5), trained.loss(),
                measured.accuracy(), measured.loss(), seconds - spent, spent, residuals(),
                LayerRow.of(context.weights()));
    }

    /** {@return whether the stage may end before its last epoch} */
    public boolean converged() {
        return patience > 0 && sinceBest >= patience;
    }

    /**
     * Runs in each step when gradients are there.
     *
     * @param done epochs of the stage that are over, with a fraction
     */
    public void beforeUpdate(double done) {}

    /**
     * Runs after each epoch, before validation.
     *
     * @param epoch number in the stage, from 0
     */
    public void afterEpoch(int epoch) {}

    /** {@return seconds of Z and U steps so far} */
    public double projectionSeconds() {
        return 0;
    }

    /** {@return residuals of the last ADMM iteration; empty outside ADMM} */
    public List<ResidualRow> residuals() {
        return List.of();
    }

    /**
     * Chooses between the last, the best and the mean weights by validation, then lets the stage make its cut.
     *
     * @return validation of the weights that the stage leaves
     */
    public final Training.Evaluation finish() {
        Training.Evaluation chosen = context.training().validate();
        if (best != null && !best.beatenBy(chosen.accuracy(), chosen.loss())) {
            best.restore();
            chosen = new Training.Evaluation(best.accuracy(), best.loss());
        }
        if (mean != null && !mean.empty()) {
            mean.swap();
            Training.Evaluation averaged = context.training().validate();
            if (averaged.accuracy() < chosen.accuracy()) {
                mean.swap();
            } else {
                chosen = averaged;
            }
        }
        try (Region before = Region.shared("cut")) {
            Snapshot uncut = new Snapshot(before, Variable.values(context.weights()));
            uncut.take();
            if (cut()) {
                chosen = context.training().validate();
            }
            cutErrors.putAll(uncut.squaredDistances());
        }
        for (Variable variable : context.variables()) {
            variable.mask(null);
            variable.penalize(null);
        }
        return chosen;
    }

    /** {@return by tensor the sum of squares by which the cut at the end moved it} */
    public final Map<String, Double> cutErrors() {
        return cutErrors;
    }

    /** {@return by tensor, where the stage knows it, the squared error of the layer's outputs over their square} */
    public Map<String, Double> outputErrors() {
        return Map.of();
    }

    /**
     * Makes the weights lie in the stage's sets and guarantees it in the context.
     *
     * @return whether weights changed
     */
    public boolean cut() {
        return false;
    }

    @Override
    public void close() {
        region.close();
    }
}
