package io.pare.compress.stage;

import io.pare.compress.LayerRow;
import io.pare.compress.ResidualRow;
import io.pare.compress.RunState;
import io.pare.compress.TensorPattern;
import io.pare.compress.Training;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * One stage while it runs. Begun or resumed, then one epoch after the other, then finished.
 *
 * <p>Owns what it allocates from its region.
 */
public abstract class StageRun implements AutoCloseable {
    protected final RunContext context;
    protected final TrainingOptions train;
    protected final Region region;
    private final Masks masks;
    private final Snapshot mean;
    private final Snapshot best;
    private final Map<String, Double> cutErrors = new LinkedHashMap<>();
    private double bestAccuracy = -1;
    private double bestLoss = Double.POSITIVE_INFINITY;

    /** Opens the region of a stage and makes the stage in it; where that fails, the region is closed again. */
    public static StageRun open(Function<Region, StageRun> maker) {
        Region region = Region.shared("stage");
        try {
            return maker.apply(region);
        } catch (RuntimeException | Error e) {
            region.close();
            throw e;
        }
    }

    /** Makes the run of a stage. */
    public static StageRun make(RunContext context, Stage stage) {
        return StageRun.open(region -> switch (stage) {
            case Stage.Prune prune -> new AdmmRun(context, region, prune.train(), prune.admm(), prune.masked(), true,
                    Plans.prune(context, prune));
            case Stage.Retrain retrain -> new RetrainRun(context, region, retrain.train());
            case Stage.Progressive progressive -> new ProgressiveRun(context, region, progressive);
            case Stage.Values values -> new AdmmRun(context, region, values.train(), values.admm(), values.zero(),
                    values.snap(), Plans.values(context, values));
            case Stage.Freeze freeze -> new FreezeRun(context, region, freeze);
            case Stage.Centroids centroids -> new CentroidRun(context, region, centroids);
            case Stage.JointValues joint -> new AdmmRun(context, region, joint.train(), joint.admm(), true, true,
                    Plans.joint(context, joint));
            case Stage.Budget budget -> new AdmmRun(context, region, budget.train(), budget.admm(), true, true,
                    Plans.budget(context, budget));
        });
    }

    /** @param region of its own, see {@link #open} */
    protected StageRun(RunContext context, Region region, TrainingOptions train) {
        this.context = context;
        this.train = train;
        this.region = region;
        this.masks = new Masks(region, context.weights);
        this.mean = train.average() > 0 ? new Snapshot(region, context.all) : null;
        this.best = train.select() == TrainingOptions.Select.BEST ? new Snapshot(region, context.all) : null;
    }

    /** Epochs of the whole stage. */
    public int epochs() {
        return train.epochs();
    }

    /** Whether zeros that are there when the stage begins are frozen. */
    public boolean masked() {
        return true;
    }

    public void begin() {
        context.training.begin(train);
        if (masked()) {
            masks.setNonzeros();
            masks.install();
        }
        if (mean != null) {
            mean.forget();
        }
    }

    /** Saves the stage's part of a state, or takes it back in place of {@link #begin}. */
    public void visit(RunState state) {
        if (state.reading()) {
            context.training.begin(train);
        }
        masks.visit(state, "mask");
        if (state.reading() && masked()) {
            masks.install();
        }
        if (mean != null) {
            mean.visit(state, "mean");
        }
        if (best != null) {
            best.visit(state, "best");
        }
        bestAccuracy = state.number("bestAccuracy", bestAccuracy);
        bestLoss = state.number("bestLoss", bestLoss);
        for (Map.Entry<String, FloatTensor> entry : context.training.optimizerState().entrySet()) {
            state.tensor("optimizer." + entry.getKey(), entry.getValue());
        }
        context.training.optimizerSteps(state.count("optimizerSteps", context.training.optimizerSteps()));
    }

    /** Learning rate when so many epochs of the stage, with a fraction, are over. */
    public double rate(double done) {
        return train.rate(done / Math.max(1, epochs()));
    }

    /** Trains for one epoch; the rows say what was measured. */
    public EpochRow epoch(int epoch) {
        long begin = System.nanoTime();
        double projections = projectionSeconds();
        double from = 1 - train.average();
        Training.Epoch trained = context.training.epoch(context.epoch, share -> rate(epoch + share),
                (step, steps) -> {
                    double done = epoch + (double) step / steps;
                    beforeUpdate(done);
                    if (mean != null && step % 8 == 0 && done >= from * epochs()) {
                        mean.average();
                    }
                });
        context.epoch++;
        afterEpoch(epoch);
        double spent = projectionSeconds() - projections;
        double seconds = (System.nanoTime() - begin) / 1e9;
        context.projectionSeconds += spent;
        context.trainingSeconds += seconds - spent;
        Training.Evaluation measured = context.training.validate();
        if (best != null && better(measured, bestAccuracy, bestLoss)) {
            bestAccuracy = measured.accuracy();
            bestLoss = measured.loss();
            best.take();
        }
        return new EpochRow(context.epoch, epoch + 1, epochs(), rate(epoch + 0.5), trained.loss(),
                measured.accuracy(), measured.loss(), seconds - spent, spent, residuals(),
                LayerRow.of(context.weights));
    }

    private static boolean better(Training.Evaluation measured, double accuracy, double loss) {
        return measured.accuracy() > accuracy || measured.accuracy() == accuracy && measured.loss() < loss;
    }

    /** Whether the stage may end before its last epoch. */
    public boolean converged() {
        return false;
    }

    public void beforeUpdate(double done) {}

    public void afterEpoch(int epoch) {}

    /** Seconds of Z and U steps so far. */
    public double projectionSeconds() {
        return 0;
    }

    public List<ResidualRow> residuals() {
        return List.of();
    }

    /** Chooses between the last, the best and the mean weights by validation, then lets the stage make its cut. */
    public final Training.Evaluation finish() {
        Training.Evaluation chosen = context.training.validate();
        if (best != null && bestAccuracy >= 0 && !better(chosen, bestAccuracy, bestLoss)) {
            best.restore();
            chosen = new Training.Evaluation(bestAccuracy, bestLoss);
        }
        if (mean != null && mean.averaged() > 0) {
            mean.swap();
            Training.Evaluation averaged = context.training.validate();
            if (averaged.accuracy() < chosen.accuracy()) {
                mean.swap();
            } else {
                chosen = averaged;
            }
        }
        try (Region before = Region.shared("cut")) {
            Snapshot uncut = new Snapshot(before, context.weights);
            uncut.take();
            if (cut()) {
                chosen = context.training.validate();
            }
            cutErrors.putAll(uncut.squaredDistances());
        }
        for (Variable variable : context.all) {
            variable.mask(null);
            variable.penalize(null);
        }
        return chosen;
    }

    /** By tensor the sum of squares by which the cut at the end moved it. */
    public final Map<String, Double> cutErrors() {
        return cutErrors;
    }

    /** Makes the weights lie in the stage's sets and says so in the context; returns whether weights changed. */
    public boolean cut() {
        return false;
    }

    /** The variables whose names no pattern excludes. */
    static List<Variable> without(List<Variable> variables, List<String> exclude) {
        return new ArrayList<>(
                variables.stream().filter(variable -> !TensorPattern.any(exclude, variable.name())).toList());
    }

    @Override
    public void close() {
        region.close();
    }
}
