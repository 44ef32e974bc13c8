package io.pare.run;

import io.pare.data.Augmentation;
import io.pare.data.Crop;
import io.pare.data.OddImages;
import io.pare.data.Shift;
import io.pare.exec.Precision;
import io.pare.train.Optimizer;
import io.pare.train.Schedule;
import io.pare.train.TrainingRun;
import io.pare.train.TrainingSettings;
import java.util.Locale;

/**
 * Everything that decides the bits of a training run, as it is kept beside the checkpoint.
 *
 * @param data folder of the data, or {@code null} for its usual place
 * @param validation number of images held back from training
 * @param threads number of threads; another one gives sums of another order
 * @param crop part of a training image that is taken; {@code null}, as in runs of old, for the middle
 * @param flip whether training images are mirrored at random
 * @param dataset kind of data; with {@code images}, {@code resize}, {@code scale}, {@code damaged} and {@code nonRgb}
 *            see {@link DataSettings}
 * @param precision {@code null}, as in runs of old, becomes fp32
 * @param accumulate passes a step; 0, as in runs of old, becomes 1
 * @param evaluationBatch images that an evaluation takes at once, at most; 0 for the usual number
 * @param recompute whether values are computed again in the backward pass
 * @param from file of the first weights; {@code null} where {@code seed} draws them
 * @param background see {@link DataSettings}
 * @param keepZeros whether weights that are zero in {@code from} stay so
 */
public record RunSettings(String model, String data, int epochs, int batchSize, double learningRate, Rule optimizer,
        double momentum, double weightDecay, Course schedule, double floor, double warmUp, boolean dropout,
        double shift, boolean subPixel, int validation, long seed, int threads, Crop crop, boolean flip,
        DataSettings.Source dataset, int images, int resize, String scale, OddImages.Rule damaged,
        OddImages.Rule nonRgb, Precision precision, int accumulate, int evaluationBatch, boolean recompute,
        String from, String background, boolean keepZeros) {
    public RunSettings {
        precision = precision == null ? Precision.FP32 : precision;
        accumulate = Math.max(1, accumulate);
    }

    /** Rule of the optimiser. */
    public enum Rule {
        ADAM, ADAMW, SGD;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Course of the learning rate. */
    public enum Course {
        COSINE, STEP, CONSTANT;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final int STEP_PIECES = 3;
    private static final double STEP_DECAY = 0.1;

    /** How steps are made. */
    public TrainingSettings training() {
        Optimizer rule = switch (optimizer) {
            case ADAM -> new Optimizer.Adaptive((float) weightDecay, false);
            case ADAMW -> new Optimizer.Adaptive((float) weightDecay, true);
            case SGD -> new Optimizer.Momentum((float) momentum, (float) weightDecay, false);
        };
        return new TrainingSettings(batchSize, rule, dropout,
                new Augmentation(new Shift((float) shift, subPixel), crop == null ? Crop.CENTER : crop, flip), null,
                seed, precision, accumulate, evaluationBatch, recompute);
    }

    /** The same with the kind of data that was found, and with another augmentation. */
    public RunSettings with(DataSettings.Source found, double pixels, Crop part, boolean mirrored) {
        return new RunSettings(model, data, epochs, batchSize, learningRate, optimizer, momentum, weightDecay, schedule,
                floor, warmUp, dropout, pixels, subPixel, validation, seed, threads, part, mirrored, found, images,
                resize, scale, damaged, nonRgb, precision, accumulate, evaluationBatch, recompute, from,
                background, keepZeros);
    }

    /** The same in other passes. */
    public RunSettings in(TrainingSettings passes) {
        return new RunSettings(model, data, epochs, batchSize, learningRate, optimizer, momentum, weightDecay, schedule,
                floor, warmUp, dropout, shift, subPixel, validation, seed, threads, crop, flip, dataset, images, resize,
                scale, damaged, nonRgb, precision, passes.accumulate(), passes.evaluationBatch(),
                passes.recompute(), from, background, keepZeros);
    }

    /** Which data, and what becomes of it. */
    public DataSettings source() {
        return new DataSettings(dataset, data, images, resize, scale, damaged == null ? OddImages.Rule.REFUSE : damaged,
                nonRgb == null ? OddImages.Rule.CONVERT : nonRgb, background);
    }

    /** The plan for epochs of {@code stepsPerEpoch} steps. */
    public TrainingRun.Plan plan(int stepsPerEpoch) {
        Schedule course = switch (schedule) {
            case COSINE -> new Schedule.Cosine(floor);
            case STEP -> new Schedule.Steps(STEP_PIECES, STEP_DECAY);
            case CONSTANT -> new Schedule.Constant();
        };
        long rising = Math.round(warmUp * stepsPerEpoch);
        return new TrainingRun.Plan(epochs, learningRate, rising > 0 ? new Schedule.WarmUp(rising, course) : course);
    }
}
