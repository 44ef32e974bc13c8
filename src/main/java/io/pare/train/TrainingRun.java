package io.pare.train;

import io.pare.data.Dataset;
import io.pare.descent.Schedule;
import io.pare.mem.FloatTensor;
import io.pare.net.InputScale;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A whole training: epochs under a schedule, validation after each, the best weights kept, everything in a checkpoint.
 *
 * <p>The best epoch is the one of highest validation accuracy, of equal ones that of lower validation loss; test data
 * plays no part. One thread at a time. The best weights lie off-heap
 * in the network's region.
 */
public final class TrainingRun {
    private final Trainer trainer;
    private final Dataset validation;
    private final InputScale scale;
    private final Plan plan;
    private String data;
    private int nextEpoch;
    private int nextBatch;
    private double seconds;
    private long samples;
    private final Map<String, FloatTensor> best = new LinkedHashMap<>();
    private int bestEpoch = -1;
    private double bestAccuracy = Double.NaN;
    private double bestLoss = Double.NaN;

    /**
     * @param epochs passes over the training data
     * @param schedule how the rate moves over all steps of the run; its warm-up counts epochs
     */
    public record Plan(int epochs, Schedule schedule) {
        public Plan {
            if (epochs < 1) {
                throw new IllegalArgumentException("epochs is " + epochs + ", must be at least 1");
            }
            if (!(schedule.rate() > 0) || !Double.isFinite(schedule.rate())) {
                throw new IllegalArgumentException("learning rate is " + schedule.rate() + ", must be positive");
            }
        }
    }

    /** Follows a run. All methods are called by the thread that runs it. */
    public interface Listener {
        /** After each step; {@code false} asks the run to stop, which it does at once. */
        default boolean step(Trainer.Progress progress) {
            return true;
        }

        /** After each epoch's validation, before the checkpoint of that epoch is due. */
        default void epoch(Trainer.Progress progress, Evaluation validated, boolean bestSoFar) {}

        /** After each epoch, when everything is in a state to be saved. */
        default void checkpoint(TrainingRun run) {}
    }

    /** A run from the beginning. */
    public TrainingRun(Trainer trainer, Dataset validation, InputScale scale, Plan plan) {
        this.trainer = trainer;
        this.validation = validation;
        this.scale = scale;
        this.plan = plan;
        Network network = trainer.network();
        for (Weight weight : network.weights()) {
            best.put(weight.name(), network.region().tensor(weight.value().shape()));
        }
    }

    /**
     * Trains until the plan is done or the listener stops it; may be called again to go on.
     *
     * @return whether the plan is done; if so the network holds the best epoch's weights
     */
    public boolean run(Listener listener) {
        int perEpoch = trainer.stepsPerEpoch();
        while (nextEpoch < plan.epochs()) {
            int epoch = nextEpoch;
            int from = nextBatch;
            long started = System.nanoTime();
            boolean[] stopped = {false};
            boolean ended = trainer.epoch(epoch, from,
                    done -> plan.schedule().ofStep(Math.round((epoch + done) * perEpoch), perEpoch, plan.epochs()),
                    new Trainer.StepListener() {
                        @Override
                        public boolean afterUpdate(Trainer.Progress progress) {
                            stopped[0] = !listener.step(progress);
                            return !stopped[0];
                        }
                    });
            Trainer.Progress progress = trainer.progress();
            seconds += (System.nanoTime() - started) / 1e9;
            samples += (long) (progress.batch() - from) * trainer.settings().batchSize();
            nextBatch = progress.batch();
            if (!ended) {
                return false;
            }
            Evaluation validated = Evaluation.of(trainer.network(), validation, scale);
            boolean better = bestEpoch < 0 || validated.accuracy() > bestAccuracy
                    || validated.accuracy() == bestAccuracy && validated.loss() < bestLoss;
            if (better) {
                bestEpoch = epoch;
                bestAccuracy = validated.accuracy();
                bestLoss = validated.loss();
                best.forEach((name, kept) -> kept.copyFrom(trainer.network().value(name)));
            }
            nextEpoch = epoch + 1;
            nextBatch = 0;
            listener.epoch(progress, validated, better);
            listener.checkpoint(this);
            if (stopped[0] && nextEpoch < plan.epochs()) {
                return false;
            }
        }
        best.forEach((name, kept) -> trainer.network().value(name).copyFrom(kept));
        return true;
    }

    public Trainer trainer() {
        return trainer;
    }

    public Plan plan() {
        return plan;
    }

    /** The epoch that comes next, from 0. */
    public int nextEpoch() {
        return nextEpoch;
    }

    /** The batch of that epoch that comes next. */
    public int nextBatch() {
        return nextBatch;
    }

    /** Seconds spent in training steps, those before a resume included; validation is not counted. */
    public double seconds() {
        return seconds;
    }

    /** Samples trained on per second of {@link #seconds}. */
    public double imagesPerSecond() {
        return samples / seconds;
    }

    /** Epoch of the best weights, from 0; -1 before the first validation. */
    public int bestEpoch() {
        return bestEpoch;
    }

    /** Validation accuracy of the best weights; NaN before the first validation. */
    public double bestAccuracy() {
        return bestAccuracy;
    }

    /** Tells apart what runs train on and validate with. */
    String data() {
        if (data == null) {
            data = trainer.data().fingerprint() + " and " + validation.fingerprint();
        }
        return data;
    }

    double bestLoss() {
        return bestLoss;
    }

    long samples() {
        return samples;
    }

    /** The best weights by name; zeros before the first validation. */
    Map<String, FloatTensor> bestValues() {
        return best;
    }

    /** Puts the run where a checkpoint was taken. */
    void restore(int epoch, int batch, double secondsSpent, long samplesSeen, int epochOfBest, double accuracyOfBest,
            double lossOfBest) {
        this.nextEpoch = epoch;
        this.nextBatch = batch;
        this.seconds = secondsSpent;
        this.samples = samplesSeen;
        this.bestEpoch = epochOfBest;
        this.bestAccuracy = accuracyOfBest;
        this.bestLoss = lossOfBest;
    }
}
