package io.pare.compress;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import io.pare.descent.Attack;
import io.pare.descent.Descent;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import org.jspecify.annotations.Nullable;

/**
 * How a stage trains. Recipes and saved runs write it by its {@link Keys}.
 *
 * @param epochs passes over the training data, in one round of the stage
 * @param descent how a gradient becomes a step, and how long steps are; its warm-up is a share of the stage
 * @param batchSize samples a step
 * @param dropout whether the model's dropout layers drop
 * @param shift augmentation: images move by up to so many pixels in each direction
 * @param flip augmentation: every other image, on average, is mirrored left to right
 * @param distill share of the loss that is distillation from the dense network, in [0, 1]
 * @param temperature of the distillation
 * @param average share of the stage, at its end, over which weights are averaged; 0 for none
 * @param select the weights that the stage ends with
 * @param patience epochs without a better one after which a stage that retrains ends, with the best weights; 0 for all
 * @param warp augmentation: random maps of the plane; where there is one, shifts are fractions of pixels too
 * @param attack by which images are changed before the network trains on them, and before it is validated; {@code null} for none
 */
public record TrainingOptions(int epochs, Descent descent, int batchSize, boolean dropout, int shift, boolean flip,
        double distill, double temperature, double average, Select select, int patience, Warp warp,
        @Nullable Attack attack) {

    /** Values of the keys that a recipe leaves out. */
    public static final TrainingOptions DEFAULTS =
            new TrainingOptions(10, new Descent(Optimizer.ADAM, Schedule.cosine(1e-3, 0.01)), 128, false, 0, false, 0,
                    4,
                    0, Select.LAST);

    private static final int MOST = 1_000_000;

    /** The weights that a stage ends with. */
    public enum Select {
        /** Those of the last step. */
        LAST,
        /** Those of the epoch that did best on validation. */
        BEST
    }

    /**
     * Random maps of the plane by which images are varied. Each is drawn evenly up to its bound in both directions.
     *
     * @param rotate largest angle of a rotation, in degrees
     * @param zoom largest share by which an image grows or shrinks
     * @param shear largest tangent of the angle by which upright lines lean
     * @param elastic root mean square of the way by which a smooth random field moves pixels, in pixels
     */
    public record Warp(double rotate, double zoom, double shear, double elastic) {
        /** No map. */
        public static final Warp NONE = new Warp(0, 0, 0, 0);
    }

    /**
     * Warps nothing.
     *
     * @param epochs passes over the training data, in one round of the stage
     * @param descent how a gradient becomes a step, and how long steps are
     * @param batchSize samples a step
     * @param dropout whether the model's dropout layers drop
     * @param shift most pixels that images move by
     * @param flip whether images are mirrored at random
     * @param distill share of distillation in the loss, in [0, 1]
     * @param temperature of the distillation, above 0
     * @param average share of the stage over which weights are averaged, in [0, 1]
     * @param select the weights that the stage ends with
     * @param patience epochs without a better one after which a stage that retrains ends; 0 for all
     */
    public TrainingOptions(int epochs, Descent descent, int batchSize, boolean dropout, int shift, boolean flip,
            double distill, double temperature, double average, Select select, int patience) {
        this(epochs, descent, batchSize, dropout, shift, flip, distill, temperature, average, select, patience,
                Warp.NONE);
    }

    /**
     * Attacks nothing.
     *
     * @param epochs passes over the training data, in one round of the stage
     * @param descent how a gradient becomes a step, and how long steps are
     * @param batchSize samples a step
     * @param dropout whether the model's dropout layers drop
     * @param shift most pixels that images move by
     * @param flip whether images are mirrored at random
     * @param distill share of distillation in the loss, in [0, 1]
     * @param temperature of the distillation, above 0
     * @param average share of the stage over which weights are averaged, in [0, 1]
     * @param select the weights that the stage ends with
     * @param patience epochs without a better one after which a stage that retrains ends; 0 for all
     * @param warp random maps of the plane
     */
    public TrainingOptions(int epochs, Descent descent, int batchSize, boolean dropout, int shift, boolean flip,
            double distill, double temperature, double average, Select select, int patience, Warp warp) {
        this(epochs, descent, batchSize, dropout, shift, flip, distill, temperature, average, select, patience, warp,
                null);
    }

    /**
     * Trains for all epochs.
     *
     * @param epochs passes over the training data, in one round of the stage
     * @param descent how a gradient becomes a step, and how long steps are
     * @param batchSize samples a step
     * @param dropout whether the model's dropout layers drop
     * @param shift most pixels that images move by
     * @param flip whether images are mirrored at random
     * @param distill share of distillation in the loss, in [0, 1]
     * @param temperature of the distillation, above 0
     * @param average share of the stage over which weights are averaged, in [0, 1]
     * @param select the weights that the stage ends with
     */
    public TrainingOptions(int epochs, Descent descent, int batchSize, boolean dropout, int shift, boolean flip,
            double distill, double temperature, double average, Select select) {
        this(epochs, descent, batchSize, dropout, shift, flip, distill, temperature, average, select, 0);
    }

    /**
     * Checks every value against the range of its key.
     *
     * @throws IllegalArgumentException if one is out of its range; the message names the key
     */
    public TrainingOptions {
        Optimizer optimizer = descent.optimizer();
        Schedule schedule = descent.schedule();
        if (schedule.course() == null || optimizer.rule() == null || select == null) {
            throw new IllegalArgumentException("schedule, optimizer and select need a value");
        }
        check(epochs >= 0 && epochs <= MOST, "epochs", epochs);
        check(schedule.rate() > 0 && schedule.rate() < 100, "learningRate", schedule.rate());
        check(schedule.floor() >= 0 && schedule.floor() <= 1, "finalRate", schedule.floor());
        check(schedule.warmUp() >= 0 && schedule.warmUp() < 1, "warmup", schedule.warmUp());
        check(optimizer.momentum() >= 0 && optimizer.momentum() < 1, "momentum", optimizer.momentum());
        check(optimizer.decay() >= 0 && optimizer.decay() <= 1, "weightDecay", optimizer.decay());
        check(batchSize >= 1 && batchSize <= MOST, "batchSize", batchSize);
        check(shift >= 0 && shift <= 1000, "shift", shift);
        check(distill >= 0 && distill <= 1, "distill", distill);
        check(temperature > 0 && temperature <= 1000, "temperature", temperature);
        check(average >= 0 && average <= 1, "average", average);
        check(patience >= 0 && patience <= MOST, "patience", patience);
        check(warp.rotate() >= 0 && warp.rotate() <= 180, "rotate", warp.rotate());
        check(warp.zoom() >= 0 && warp.zoom() < 1, "zoom", warp.zoom());
        check(warp.shear() >= 0 && warp.shear() <= 10, "shear", warp.shear());
        check(warp.elastic() >= 0 && warp.elastic() <= 1000, "elastic", warp.elastic());
    }

    private static void check(boolean fits, String name, Object value) {
        if (!fits) {
            throw new IllegalArgumentException(name + " cannot be " + value);
        }
    }

    /**
     * The keys under {@code train:} in a recipe. Runs are saved with them, so names, order and values stay; those that are
     * not explained here are as in {@link TrainingOptions}.
     *
     * @param epochs passes over the training data, in one round
     * @param learningRate the highest rate
     * @param finalRate share of the rate that is left at the end of a cosine
     * @param schedule course of the rate over the stage
     * @param warmup share of the stage in which the rate rises from zero
     * @param optimizer rule of the step
     * @param momentum of rules that have it
     * @param weightDecay on weights, not on biases
     * @param batchSize samples a step
     * @param dropout whether the model's dropout layers drop
     * @param shift most pixels that images move by
     * @param flip whether images are mirrored at random
     * @param distill share of distillation in the loss
     * @param temperature of the distillation
     * @param average share of the stage over which weights are averaged
     * @param select the weights that the stage ends with
     * @param clipNorm most length of a gradient; {@code null} for any
     * @param patience {@code null} for all epochs
     * @param rotate largest angle of a rotation, in degrees; {@code null} for none
     * @param zoom largest share by which an image grows or shrinks; {@code null} for none
     * @param shear largest tangent of a lean; {@code null} for none
     * @param elastic root mean square of a smooth displacement, in pixels; {@code null} for none
     * @param attack on images before the network sees them; {@code null} for none
     */
    public record Keys(int epochs, double learningRate, double finalRate, Schedule.Course schedule, double warmup,
            Optimizer.Rule optimizer, double momentum, double weightDecay, int batchSize, boolean dropout, int shift,
            boolean flip, double distill, double temperature, double average, Select select,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Double clipNorm,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Integer patience,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Double rotate,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Double zoom,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Double shear,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Double elastic,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Attack attack) {}

    /** {@return the same by the keys of a recipe} */
    @JsonValue
    public Keys keys() {
        Optimizer optimizer = descent.optimizer();
        Schedule schedule = descent.schedule();
        return new Keys(epochs, schedule.rate(), schedule.floor(), schedule.course(), schedule.warmUp(),
                optimizer.rule(), optimizer.momentum(), optimizer.decay(), batchSize, dropout, shift, flip, distill,
                temperature, average, select, given(descent.clipNorm()), patience == 0 ? null : patience,
                given(warp.rotate()), given(warp.zoom()), given(warp.shear()), given(warp.elastic()), attack);
    }

    private static @Nullable Double given(double value) {
        return value == 0 ? null : value;
    }

    private static double or0(@Nullable Double given) {
        return given == null ? 0 : given;
    }

    /**
     * {@return the options that those keys say}
     *
     * @param keys of a recipe or a saved run
     * @throws IllegalArgumentException if one is out of its range; the message names the key
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static TrainingOptions of(Keys keys) {
        Descent descent = new Descent(new Optimizer(keys.optimizer(), keys.momentum(), keys.weightDecay()),
                new Schedule(keys.learningRate(), keys.schedule(), keys.finalRate(), keys.warmup()),
                or0(keys.clipNorm()));
        return new TrainingOptions(keys.epochs(), descent, keys.batchSize(), keys.dropout(), keys.shift(),
                keys.flip(), keys.distill(), keys.temperature(), keys.average(), keys.select(),
                keys.patience() == null ? 0 : keys.patience(),
                new Warp(or0(keys.rotate()), or0(keys.zoom()), or0(keys.shear()), or0(keys.elastic())),
                keys.attack());
    }

    /**
     * {@return the learning rate when a share of the stage is over}
     *
     * @param done in [0, 1]
     */
    public double rate(double done) {
        return descent.schedule().ofShare(done);
    }

    /** Its keys with their values. Dense networks are saved with these words, in which the names of constants are large. */
    @Override
    public String toString() {
        Keys keys = keys();
        return keys.toString().replaceFirst("Keys", "TrainingOptions").replaceAll(", [A-Za-z]+=null", "")
                .replace("schedule=" + keys.schedule(), "schedule=" + keys.schedule().name())
                .replace("optimizer=" + keys.optimizer(), "optimizer=" + keys.optimizer().name());
    }
}
