package io.pare.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import io.pare.data.Augmentation;
import io.pare.data.Crop;
import io.pare.data.OddImages;
import io.pare.data.Shift;
import io.pare.data.Warp;
import io.pare.descent.Attack;
import io.pare.descent.Descent;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.exec.backend.Precision;
import io.pare.format.onnx.Bindings;
import io.pare.natives.NativeThreads;
import io.pare.net.Task;
import io.pare.train.TrainingRun;
import io.pare.train.TrainingSettings;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Everything that decides the bits of a training run, as it is kept beside the checkpoint. Values are checked when a
 * {@link TrainingJob} begins.
 *
 * @param model name of the network
 * @param from file of the first weights; {@code null} where {@code seed} draws them
 * @param keepZeros whether weights that are zero in {@code from} stay so
 * @param data which data, and what becomes of it
 * @param validation number of images held back from training; 0 for the usual
 * @param descent how a gradient becomes a step, and how long steps are; its warm-up counts epochs
 * @param variation how training images are varied; {@code null} for what is usual for the data
 * @param steps how many, of what
 * @param seed fixes all that is random
 * @param threads that compute, as {@link NativeThreads#set} was told; another number gives sums of another order
 * @param precision of forward and backward passes; {@code null}, as in runs of old, becomes fp32
 * @param bindings what the network's ONNX file leaves open: sizes of free dimensions, which output is wanted
 */
public record RunSettings(String model, @Nullable String from, boolean keepZeros, DataSettings data, int validation,
        Descent descent, @Nullable Variation variation, Steps steps, long seed, int threads, Precision precision,
        Bindings bindings) {
    /**
     * Puts fp32 in place of no precision.
     *
     * @throws IllegalArgumentException if {@code bindings} hold constants
     */
    public RunSettings {
        precision = precision == null ? Precision.FP32 : precision;
        if (!bindings.constants().isEmpty()) {
            throw new IllegalArgumentException("a run keeps no constants: " + bindings.constants().keySet());
        }
    }

    /**
     * {@return the usual settings: what {@code pare train} does without options, on the threads of now}
     *
     * @param model name, file or folder, as {@link ModelSource#of(String)} reads it
     */
    public static RunSettings of(String model) {
        return new RunSettings(model, null, false, DataSettings.USUAL, 0, Descent.ADAM, null, Steps.USUAL, 1,
                NativeThreads.get(), Precision.FP32, Bindings.NONE);
    }

    /**
     * How training images are varied.
     *
     * @param shift pixels that they are shifted by at most
     * @param subPixel whether shifts are any fraction of pixels
     * @param crop part of a training image that is taken; {@code null}, as in runs of old, for the middle
     * @param flip whether they are mirrored at random
     * @param warp random maps of the plane
     * @param attack by which they are changed for the network that trains on them; {@code null} for none
     */
    public record Variation(double shift, boolean subPixel, @Nullable Crop crop, boolean flip, Warp warp,
            @Nullable Attack attack) {
        /**
         * Warps nothing.
         *
         * @param shift pixels that they are shifted by at most
         * @param subPixel whether shifts are any fraction of pixels
         * @param crop part of a training image that is taken; {@code null} for the middle
         * @param flip whether they are mirrored at random
         */
        public Variation(double shift, boolean subPixel, @Nullable Crop crop, boolean flip) {
            this(shift, subPixel, crop, flip, Warp.NONE, null);
        }

        /**
         * {@return the variation that an augmentation says}
         *
         * @param augmentation of a data set
         */
        public static Variation of(Augmentation augmentation) {
            return new Variation(augmentation.shift().pixels(), augmentation.shift().subPixel(), augmentation.crop(),
                    augmentation.flip(), augmentation.warp(), null);
        }

        private Augmentation augmentation() {
            return new Augmentation(new Shift((float) shift, subPixel), crop == null ? Crop.CENTER : crop, flip, warp);
        }
    }

    /**
     * How many steps, of what.
     *
     * @param epochs passes over the training data
     * @param batchSize images a step
     * @param dropout whether the model's dropout layers drop
     * @param accumulate passes a step; 0, as in runs of old, becomes 1
     * @param evaluationBatch images that an evaluation takes at once, at most; 0 for the usual number
     * @param recompute whether values are computed again in the backward pass
     * @param patience epochs without a better one after which the run ends; 0 for all epochs
     */
    public record Steps(int epochs, int batchSize, boolean dropout, int accumulate, int evaluationBatch,
            boolean recompute, int patience) {
        /** Ten epochs in batches of 64. */
        public static final Steps USUAL = new Steps(10, 64);

        /** Makes one pass of none. */
        public Steps {
            accumulate = Math.max(1, accumulate);
        }

        /**
         * Trains with dropout, each batch in one pass.
         *
         * @param epochs passes over the training data
         * @param batchSize samples of a step
         */
        public Steps(int epochs, int batchSize) {
            this(epochs, batchSize, true, 1, 0, false, 0);
        }

        /**
         * {@return the same with another patience}
         *
         * @param other epochs without a better one; 0 for all epochs
         */
        public Steps patience(int other) {
            return new Steps(epochs, batchSize, dropout, accumulate, evaluationBatch, recompute, other);
        }
    }

    /**
     * {@return the same from another data set}
     *
     * @param other data set
     */
    public RunSettings with(DataSettings other) {
        return new RunSettings(model, from, keepZeros, other, validation, descent, variation, steps, seed, threads,
                precision, bindings);
    }

    /**
     * {@return the same with other steps down the gradient}
     *
     * @param other optimiser and schedule
     */
    public RunSettings with(Descent other) {
        return new RunSettings(model, from, keepZeros, data, validation, other, variation, steps, seed, threads,
                precision, bindings);
    }

    /**
     * {@return the same on images that are varied otherwise}
     *
     * @param other augmentation
     */
    public RunSettings with(Variation other) {
        return new RunSettings(model, from, keepZeros, data, validation, descent, other, steps, seed, threads,
                precision, bindings);
    }

    /**
     * {@return the same in other steps}
     *
     * @param other epochs, batch and passes
     */
    public RunSettings with(Steps other) {
        return new RunSettings(model, from, keepZeros, data, validation, descent, variation, other, seed, threads,
                precision, bindings);
    }

    /**
     * {@return the same with another seed}
     *
     * @param other seed
     */
    public RunSettings seed(long other) {
        return new RunSettings(model, from, keepZeros, data, validation, descent, variation, steps, other, threads,
                precision, bindings);
    }

    /**
     * {@return the same in other numbers}
     *
     * @param other precision of training steps
     */
    public RunSettings precision(Precision other) {
        return new RunSettings(model, from, keepZeros, data, validation, descent, variation, steps, seed, threads,
                other, bindings);
    }

    /**
     * {@return the same with another number of images held back}
     *
     * @param other images that are held back
     */
    public RunSettings validation(int other) {
        return new RunSettings(model, from, keepZeros, data, other, descent, variation, steps, seed, threads,
                precision, bindings);
    }

    /**
     * {@return the same on another number of threads}
     *
     * @param other threads, at least 1
     */
    public RunSettings threads(int other) {
        return new RunSettings(model, from, keepZeros, data, validation, descent, variation, steps, seed, other,
                precision, bindings);
    }

    /**
     * {@return the same of a network whose ONNX file leaves something open}
     *
     * @param other what the file leaves open
     */
    public RunSettings bindings(Bindings other) {
        return new RunSettings(model, from, keepZeros, data, validation, descent, variation, steps, seed, threads,
                precision, other);
    }

    /** The same from other first weights. */
    RunSettings from(String file) {
        return new RunSettings(model, file, keepZeros, data, validation, descent, variation, steps, seed, threads,
                precision, bindings);
    }

    /** The same in other passes. */
    RunSettings in(TrainingSettings passes) {
        return with(new Steps(steps.epochs(), steps.batchSize(), steps.dropout(), passes.accumulate(),
                passes.evaluationBatch(), passes.recompute(), steps.patience()));
    }

    /** How steps are made. */
    TrainingSettings training() {
        return new TrainingSettings(steps.batchSize(), descent.optimizer(), steps.dropout(), variation.augmentation(),
                null,
                seed, precision, steps.accumulate(), steps.evaluationBatch(), steps.recompute(),
                descent.clipNorm()).under(variation.attack());
    }

    /** What the steps are to come to. */
    TrainingRun.Plan plan() {
        return new TrainingRun.Plan(steps.epochs(), descent.schedule(), steps.patience());
    }

    /** The form in {@code run.json}, in its order: names are never changed and never taken away. */
    record Json(String model, String data, int epochs, int batchSize, double learningRate,
            Optimizer.Rule optimizer, double momentum, double weightDecay, Schedule.Course schedule, double floor,
            double warmUp, boolean dropout,
            double shift, boolean subPixel, int validation, long seed, int threads, Crop crop, boolean flip,
            DataSettings.Source dataset, int images, int resize, String scale, OddImages.Rule damaged,
            OddImages.Rule nonRgb, Precision precision, int accumulate, int evaluationBatch, boolean recompute,
            String from, String background, boolean keepZeros, Task task,
            double clipNorm, int patience,
            @JsonInclude(JsonInclude.Include.NON_NULL) Map<String, Integer> dimensions,
            @JsonInclude(JsonInclude.Include.NON_NULL) String output,
            @JsonInclude(JsonInclude.Include.NON_NULL) Warp warp,
            @JsonInclude(JsonInclude.Include.NON_NULL) Attack attack) {}

    @JsonValue
    Json json() {
        Optimizer optimizer = descent.optimizer();
        Schedule schedule = descent.schedule();
        return new Json(model, data.folder(), steps.epochs(), steps.batchSize(), schedule.rate(), optimizer.rule(),
                optimizer.momentum(), optimizer.decay(), schedule.course(), schedule.floor(), schedule.warmUp(),
                steps.dropout(), variation.shift(), variation.subPixel(), validation, seed, threads,
                variation.crop(), variation.flip(), data.source(), data.images(), data.resize(), data.scale(),
                data.damaged(), data.nonRgb(), precision, steps.accumulate(), steps.evaluationBatch(),
                steps.recompute(), from, data.background(), keepZeros, data.task(), descent.clipNorm(),
                steps.patience(), bindings.sizes().isEmpty() ? null : new TreeMap<>(bindings.sizes()),
                bindings.output(), variation.warp().equals(Warp.NONE) ? null : variation.warp(),
                variation.attack());
    }

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static RunSettings of(Json json) {
        DataSettings data = new DataSettings(json.dataset(), json.data(), json.images(), json.resize(), json.scale(),
                json.damaged() == null ? OddImages.Rule.REFUSE : json.damaged(),
                json.nonRgb() == null ? OddImages.Rule.CONVERT : json.nonRgb(), json.background(), json.task());
        Descent descent = new Descent(new Optimizer(json.optimizer(), json.momentum(), json.weightDecay()),
                new Schedule(json.learningRate(), json.schedule(), json.floor(), json.warmUp()), json.clipNorm());
        Variation variation = new Variation(json.shift(), json.subPixel(), json.crop(), json.flip(),
                json.warp() == null ? Warp.NONE : json.warp(), json.attack());
        Steps steps = new Steps(json.epochs(), json.batchSize(), json.dropout(), json.accumulate(),
                json.evaluationBatch(), json.recompute(), json.patience());
        return new RunSettings(json.model(), json.from(), json.keepZeros(), data, json.validation(), descent,
                variation, steps, json.seed(), json.threads(), json.precision(), new Bindings(
                        json.dimensions() == null ? Map.of() : json.dimensions(), Map.of(), json.output()));
    }
}
