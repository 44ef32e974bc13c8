package io.pare.run;

/**
 * What one epoch came to.
 *
 * @param epoch from 1
 * @param trainLoss mean loss over the epoch's steps, with dropout
 * @param trainAccuracy share of right answers in these steps
 * @param validationLoss mean cross-entropy in nats
 * @param validationAccuracy share of right answers on validation data
 */
public record EpochRecord(int epoch, double trainLoss, double trainAccuracy, double validationLoss,
        double validationAccuracy) {}
