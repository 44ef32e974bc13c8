package io.pare.exec;

import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/**
 * The running mean and variance of {@link Op.BatchNorm}.
 *
 * @param pass in which they move
 * @param mean of each channel
 * @param variance of each channel
 */
public record RunningStatistics(Pass pass, FloatTensor mean, FloatTensor variance) {
    /** Share of a batch's statistics in the running ones, as in PyTorch; the variance with Bessel's correction. */
    public static final float MOMENTUM = 0.1f;

    /**
     * {@return the statistics of a batch normalisation}
     *
     * @param building whose step reads them
     * @param node applies {@link Op.BatchNorm}
     */
    public static RunningStatistics of(Building building, Value node) {
        return new RunningStatistics(building.pass(), building.plain(node.input(3)).tensor(),
                building.plain(node.input(4)).tensor());
    }

    /**
     * Moves both towards those of a batch, once in a pass.
     *
     * @param batchMean of each channel
     * @param batchVariance of each channel, biased
     * @param count values in each channel of the batch
     */
    public void follow(FloatTensor batchMean, FloatTensor batchVariance, long count) {
        if (pass.repeating()) {
            return;
        }
        float share = MOMENTUM;
        float unbiased = count > 1 ? share * count / (count - 1) : share;
        for (long c = 0; c < mean.count(); c++) {
            mean.set(c, (1 - share) * mean.get(c) + share * batchMean.get(c));
            variance.set(c, (1 - share) * variance.get(c) + unbiased * batchVariance.get(c));
        }
    }
}
