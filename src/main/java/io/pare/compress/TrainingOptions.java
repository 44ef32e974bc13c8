package io.pare.compress;

/**
 * How a stage trains. Keys of the same names stand under {@code train:} in a recipe.
 *
 * @param epochs passes over the training data, in one round of the stage
 * @param learningRate the largest rate
 * @param finalRate share of the rate that is left at the end of a cosine
 * @param schedule course of the rate over the stage
 * @param warmup share of the stage in which the rate rises from zero
 * @param optimizer rule of the step
 * @param momentum of {@link Rule#SGD}
 * @param weightDecay on weights, not on biases
 * @param batchSize samples a step
 * @param dropout whether the model's dropout layers drop
 * @param shift augmentation: images move by up to so many pixels in each direction
 * @param flip augmentation: every other image, on average, is mirrored left to right
 * @param distill share of the loss that is distillation from the dense network, in [0, 1]
 * @param temperature of the distillation
 * @param average share of the stage, at its end, over which weights are averaged; 0 for none
 * @param select the weights that the stage ends with
 */
public record TrainingOptions(int epochs, double learningRate, double finalRate, Course schedule, double warmup,
        Rule optimizer, double momentum, double weightDecay, int batchSize, boolean dropout, int shift,
        boolean flip, double distill, double temperature, double average,
        Select select) {

    /** Values of the keys that a recipe leaves out. */
    public static final TrainingOptions DEFAULTS = new TrainingOptions(10, 1e-3, 0.01, Course.COSINE, 0, Rule.ADAM,
            0.9, 0, 128, false, 0, false, 0, 4, 0, Select.LAST);

    private static final int MOST = 1_000_000;

    /** Course of the learning rate. */
    public enum Course {
        CONSTANT, COSINE
    }

    /** Rule of the optimiser. */
    public enum Rule {
        SGD, ADAM, ADAMW
    }

    /** The weights that a stage ends with: the last ones, or those of the epoch that did best on validation. */
    public enum Select {
        LAST, BEST
    }

    public TrainingOptions {
        if (schedule == null || optimizer == null || select == null) {
            throw new IllegalArgumentException("schedule, optimizer and select need a value");
        }
        check(epochs >= 0 && epochs <= MOST, "epochs", epochs);
        check(learningRate > 0 && learningRate < 100, "learningRate", learningRate);
        check(finalRate >= 0 && finalRate <= 1, "finalRate", finalRate);
        check(warmup >= 0 && warmup < 1, "warmup", warmup);
        check(momentum >= 0 && momentum < 1, "momentum", momentum);
        check(weightDecay >= 0 && weightDecay <= 1, "weightDecay", weightDecay);
        check(batchSize >= 1 && batchSize <= MOST, "batchSize", batchSize);
        check(shift >= 0 && shift <= 1000, "shift", shift);
        check(distill >= 0 && distill <= 1, "distill", distill);
        check(temperature > 0 && temperature <= 1000, "temperature", temperature);
        check(average >= 0 && average <= 1, "average", average);
    }

    private static void check(boolean fits, String name, Object value) {
        if (!fits) {
            throw new IllegalArgumentException(name + " cannot be " + value);
        }
    }

    /** The learning rate when {@code done}, in [0, 1], of the stage is over. */
    public double rate(double done) {
        if (done < warmup) {
            return learningRate * Math.max(done, 1e-3 * warmup) / warmup;
        }
        double rest = (done - warmup) / (1 - warmup);
        return switch (schedule) {
            case CONSTANT -> learningRate;
            case COSINE -> learningRate
                    * (finalRate + (1 - finalRate) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, rest))));
        };
    }
}
