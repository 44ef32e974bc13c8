package io.pare.train;

import io.pare.data.Augmentation;
import io.pare.descent.Optimizer;
import io.pare.exec.backend.Precision;

/**
 * How steps are made. Together with the data, the thread count and the machine it decides every bit of a run.
 *
 * @param batchSize samples a step; the samples of an epoch that do not fill a batch are left out of that epoch
 * @param optimizer how a gradient becomes a step
 * @param dropout whether the model's dropout layers drop
 * @param augmentation how training images are varied
 * @param distillation what a teacher adds to the loss; {@code null} for none
 * @param seed of the order of samples, of dropout and of augmentation
 * @param precision in which numbers forward and backward passes compute; the optimiser's are fp32 always
 * @param accumulate passes in which a step sees its batch, an equal part in each, before the weights move: activations take
 *            so many times less memory. Up to rounding the step is that of the whole batch at once, dropout included; only
 *            batch normalisation takes its statistics from each part
 * @param evaluationBatch samples that evaluations take at once, at most; 0 for the usual number
 * @param recompute whether the backward pass computes most values again rather than keep them: less memory, up to a third
 *            more time, the same bits
 * @param clipNorm length to which a longer gradient is brought before the step; 0 for none
 */
public record TrainingSettings(int batchSize, Optimizer optimizer, boolean dropout, Augmentation augmentation,
        Distillation distillation, long seed, Precision precision, int accumulate, int evaluationBatch,
        boolean recompute, double clipNorm) {
    public TrainingSettings {
        if (batchSize < 1) {
            throw new IllegalArgumentException("batch size is " + batchSize + ", must be at least 1");
        }
        if (accumulate < 1 || batchSize % accumulate != 0) {
            throw new IllegalArgumentException("a batch of " + batchSize + " cannot be seen in " + accumulate
                    + " equal parts");
        }
    }

    /** Samples in one pass. */
    public int passSize() {
        return batchSize / accumulate;
    }

    /** The same in so many passes a step, with evaluations of at most so many samples at once. */
    public TrainingSettings in(int passes, int evaluated, boolean recomputing) {
        return new TrainingSettings(batchSize, optimizer, dropout, augmentation, distillation, seed, precision,
                passes, evaluated, recomputing, clipNorm);
    }

    /** With gradients of any length. */
    public TrainingSettings(int batchSize, Optimizer optimizer, boolean dropout, Augmentation augmentation,
            Distillation distillation, long seed, Precision precision, int accumulate, int evaluationBatch,
            boolean recompute) {
        this(batchSize, optimizer, dropout, augmentation, distillation, seed, precision, accumulate, evaluationBatch,
                recompute, 0);
    }

    /** The same with gradients of that length at most. */
    public TrainingSettings clipped(double norm) {
        return new TrainingSettings(batchSize, optimizer, dropout, augmentation, distillation, seed, precision,
                accumulate, evaluationBatch, recompute, norm);
    }

    /** In fp32, each batch in one pass, all values kept. */
    public TrainingSettings(int batchSize, Optimizer optimizer, boolean dropout, Augmentation augmentation,
            Distillation distillation, long seed) {
        this(batchSize, optimizer, dropout, augmentation, distillation, seed, Precision.FP32, 1, 0, false);
    }

    /** The same in another precision. */
    public TrainingSettings in(Precision other) {
        return new TrainingSettings(batchSize, optimizer, dropout, augmentation, distillation, seed, other, accumulate,
                evaluationBatch, recompute, clipNorm);
    }

    /** Adam without decay, batches of 64, the model's dropout. */
    public static TrainingSettings standard(long seed) {
        return new TrainingSettings(64, Optimizer.ADAM, true, Augmentation.NONE, null, seed);
    }

    /**
     * Knowledge distillation (Hinton, Vinyals, Dean, 1503.02531).
     *
     * @param teacher network of the same input and classes, on which no training runs meanwhile; not owned
     * @param temperature above 0
     * @param share of the loss that the teacher gives, in [0, 1]
     */
    public record Distillation(Network teacher, float temperature, float share) {}
}
