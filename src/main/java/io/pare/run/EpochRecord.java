package io.pare.run;

/**
 * What one epoch came to.
 *
 * @param epoch from 1
 * @param trainLoss mean loss over the epoch's steps, with dropout
 * @param trainAccuracy share of right answers in these steps; NaN for numbers
 * @param validationLoss mean loss on validation data
 * @param validationAccuracy share of right answers on validation data; of other tasks the score, see
 *            {@link io.pare.train.Metrics#score}
 */
public record EpochRecord(int epoch, double trainLoss, double trainAccuracy, double validationLoss,
        double validationAccuracy) {}
