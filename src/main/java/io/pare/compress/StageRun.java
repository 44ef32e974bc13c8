package io.pare.compress;

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
abstract class StageRun implements AutoCloseable {
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
    static StageRun open(Function<Region, StageRun> maker) {
        Region region = Region.shared("stage");
        try {
            return maker.apply(region);
        } catch (RuntimeException | Error e) {
            region.close();
            throw e;
        }
    }

    /** @param region of its own, see {@link #open} */
    StageRun(RunContext context, Region region, TrainingOptions train) {
        this.context = context;
        this.train = train;
        this.region = region;
        this.masks = new Masks(region, context.weights);
        this.mean = train.average() > 0 ? new Snapshot(region, context.all) : null;
        this.best = train.select() == TrainingOptions.Select.BEST ? new Snapshot(region, context.all) : null;
    }

    /** Epochs of the whole stage. */
    int epochs() {
        return train.epochs();
    }

    /** Whether zeros that are there when the stage begins are frozen. */
    boolean masked() {
        return true;
    }

    void begin() {
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
    void visit(State state) {
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
    double rate(double done) {
        return train.rate(done / Math.max(1, epochs()));
    }

    /** Trains for one epoch; the rows say what was measured. */
    EpochRow epoch(int epoch) {
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
    boolean converged() {
        return false;
    }

    void beforeUpdate(double done) {}

    void afterEpoch(int epoch) {}

    /** Seconds of Z and U steps so far. */
    double projectionSeconds() {
        return 0;
    }

    List<Residual> residuals() {
        return List.of();
    }

    /** Chooses between the last, the best and the mean weights by validation, then lets the stage make its cut. */
    final Training.Evaluation finish() {
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
    final Map<String, Double> cutErrors() {
        return cutErrors;
    }

    /** Makes the weights lie in the stage's sets and says so in the context; returns whether weights changed. */
    boolean cut() {
        return false;
    }

    /** The list of terms and its growth to full size: variables whose name no pattern excludes. */
    static List<Variable> without(List<Variable> variables, List<String> exclude) {
        return new ArrayList<>(
                variables.stream().filter(variable -> !Pattern.any(exclude, variable.name())).toList());
    }

    @Override
    public void close() {
        region.close();
    }
}
