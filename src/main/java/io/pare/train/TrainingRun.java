package io.pare.train;

import io.pare.data.Dataset;
import io.pare.descent.Best;
import io.pare.descent.RunState;
import io.pare.descent.Schedule;
import io.pare.mem.FloatTensor;
import io.pare.net.InputScale;
import io.pare.net.Net;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A whole training: epochs under a schedule, validation after each, the best weights kept, everything in a checkpoint.
 *
 * <p>{@link Best} says which epoch is the best one; test data plays no part. Where the trainer
 * attacks images, those of validation are attacked, too. One thread at a time. The best weights lie
 * off-heap in the network's region.
 */
public final class TrainingRun {
    private final Trainer trainer;
    private final Dataset validation;
    private final InputScale scale;
    private final Plan plan;
    private @Nullable String data;
    private int nextEpoch;
    private int nextBatch;
    private double seconds;
    private long samples;
    private final Best best;
    private int bestEpoch = -1;

    /**
     * How long a run is.
     *
     * @param epochs passes over the training data
     * @param schedule how the rate moves over all steps of the run; its warm-up counts epochs
     * @param patience epochs without a better one after which the run ends; 0 for all epochs
     */
    public record Plan(int epochs, Schedule schedule, int patience) {
        /**
         * Plans all epochs, without an early end.
         *
         * @param epochs passes over the training data
         * @param schedule how the rate moves over all steps of the run
         */
        public Plan(int epochs, Schedule schedule) {
            this(epochs, schedule, 0);
        }

        /**
         * Refuses a plan that trains nothing.
         *
         * @throws IllegalArgumentException if there is no epoch, patience is negative, or the rate is not positive
         */
        public Plan {
            if (patience < 0) {
                throw new IllegalArgumentException("patience is " + patience + ", must be at least 0");
            }
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
        /**
         * {@return after each step, whether to go on; {@code false} stops the run at once}
         *
         * @param progress valid during the call
         */
        default boolean step(Trainer.Progress progress) {
            return true;
        }

        /**
         * Hears of each epoch's validation, before the checkpoint of that epoch is due.
         *
         * @param progress the epoch's end; valid during the call
         * @param validated how good the network is on validation data
         * @param bestSoFar whether the epoch's values are kept as the best
         */
        default void epoch(Trainer.Progress progress, Evaluation validated, boolean bestSoFar) {}

        /**
         * Runs after each epoch, when everything is in a state to be saved.
         *
         * @param run for {@link Checkpoint#save}
         */
        default void checkpoint(TrainingRun run) {}
    }

    /**
     * Begins a run. It takes memory of the trainer's network for the best values.
     *
     * @param trainer that makes the steps; the caller's, as is its network
     * @param validation samples that choose the best epoch, never trained on
     * @param scale that brings inputs to the network's range
     * @param plan how long, and with which rates
     */
    public TrainingRun(Trainer trainer, Dataset validation, InputScale scale, Plan plan) {
        this.trainer = trainer;
        this.validation = validation;
        this.scale = scale;
        this.plan = plan;
        Map<String, FloatTensor> values = new LinkedHashMap<>();
        trainer.network().weights().forEach(weight -> values.put(weight.name(), weight.value()));
        this.best = new Best(trainer.network().region(), values);
    }

    /**
     * Trains until the plan is done or the listener stops it; may be called again to go on.
     *
     * @param listener called by this thread
     * @return whether the plan is done; if so the network holds the best epoch's weights
     * @throws TrainingException if the loss is no longer a finite number
     */
    public boolean run(Listener listener) {
        int perEpoch = trainer.stepsPerEpoch();
        while (!done()) {
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
            Evaluation validated = Evaluation.under(trainer.network(), validation, scale,
                    trainer.settings().attack(), trainer.settings().seed());
            boolean better = best.offer(validated.score(), validated.loss());
            if (better) {
                bestEpoch = epoch;
            }
            nextEpoch = epoch + 1;
            nextBatch = 0;
            listener.epoch(progress, validated, better);
            listener.checkpoint(this);
            if (stopped[0] && !done()) {
                return false;
            }
        }
        best.restore();
        return true;
    }

    /** {@return whether all epochs are over, or as many without a better one as patience lasts} */
    public boolean done() {
        return nextEpoch >= plan.epochs()
                || plan.patience() > 0 && nextBatch == 0 && nextEpoch - 1 - bestEpoch >= plan.patience();
    }

    /** {@return what makes the steps} */
    public Trainer trainer() {
        return trainer;
    }

    /** {@return how long the run is} */
    public Plan plan() {
        return plan;
    }

    /** {@return the epoch that comes next, from 0} */
    public int nextEpoch() {
        return nextEpoch;
    }

    /** {@return the batch of that epoch that comes next} */
    public int nextBatch() {
        return nextBatch;
    }

    /** {@return seconds spent in training steps, those before a resume included; validation is not counted} */
    public double seconds() {
        return seconds;
    }

    /** {@return samples trained on per second of {@link #seconds}} */
    public double imagesPerSecond() {
        return samples / seconds;
    }

    /** {@return epoch of the best weights, from 0; -1 before the first validation} */
    public int bestEpoch() {
        return bestEpoch;
    }

    /**
     * {@return validation score of the best weights, in classification their accuracy; NaN before the first
     * validation}
     */
    public double bestScore() {
        return best.accuracy();
    }

    /** Tells apart what runs train on and validate with. */
    private String data() {
        if (data == null) {
            data = trainer.data().fingerprint() + " and " + validation.fingerprint();
        }
        return data;
    }

    /** Saves all that the run needs to go on with the same bits, or puts a new run there. */
    void visit(RunState state) {
        Net model = trainer.network().model();
        state.same("model", "model", model.name());
        if (state.has("layers")) {
            state.same("layers", "the layers", model.fingerprint());
        }
        state.same("run", "settings", SettingsText.of(this));
        if (state.has("data")) {
            state.same("data", "data", data());
        }
        int perEpoch = trainer.stepsPerEpoch();
        nextEpoch = (int) state.whole("epoch", nextEpoch, 0, plan.epochs());
        nextBatch = (int) state.whole("batch", nextBatch, 0, nextEpoch == plan.epochs() ? 0 : perEpoch - 1);
        long steps = (long) nextEpoch * perEpoch + nextBatch;
        trainer.steps(state.whole("steps", trainer.steps(), steps, steps));
        seconds = state.number("seconds", seconds);
        samples = state.count("samples", samples);
        bestEpoch = (int) state.whole("bestEpoch", bestEpoch, nextEpoch == 0 ? -1 : 0, nextEpoch - 1);
        trainer.visit(state);
        best.visit(state, "best/");
    }
}
