package io.pare.cli;

import io.pare.data.Shift;
import io.pare.train.Optimizer;
import io.pare.train.Schedule;
import io.pare.train.TrainingRun;
import io.pare.train.TrainingSettings;
import java.util.Locale;

/**
 * Everything that decides the bits of a training run, as it is kept beside the checkpoint.
 *
 * @param data folder of the data, or {@code null} for the one inside the jar
 * @param validation number of images held back from training
 * @param threads number of threads; another one gives sums of another order
 */
record RunSettings(String model, String data, int epochs, int batchSize, double learningRate, Rule optimizer,
        double momentum, double weightDecay, Course schedule, double floor, double warmUp, boolean dropout,
        double shift, boolean subPixel, int validation, long seed, int threads) {
    /** Rule of the optimiser. */
    enum Rule {
        ADAM, ADAMW, SGD;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Course of the learning rate. */
    enum Course {
        COSINE, STEP, CONSTANT;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final int STEP_PIECES = 3;
    private static final double STEP_DECAY = 0.1;

    TrainingSettings training() {
        Optimizer rule = switch (optimizer) {
            case ADAM -> new Optimizer.Adaptive((float) weightDecay, false);
            case ADAMW -> new Optimizer.Adaptive((float) weightDecay, true);
            case SGD -> new Optimizer.Momentum((float) momentum, (float) weightDecay, false);
        };
        return new TrainingSettings(batchSize, rule, dropout, new Shift((float) shift, subPixel), null, seed);
    }

    /** The plan for epochs of {@code stepsPerEpoch} steps. */
    TrainingRun.Plan plan(int stepsPerEpoch) {
        Schedule course = switch (schedule) {
            case COSINE -> new Schedule.Cosine(floor);
            case STEP -> new Schedule.Steps(STEP_PIECES, STEP_DECAY);
            case CONSTANT -> new Schedule.Constant();
        };
        long rising = Math.round(warmUp * stepsPerEpoch);
        return new TrainingRun.Plan(epochs, learningRate, rising > 0 ? new Schedule.WarmUp(rising, course) : course);
    }
}
