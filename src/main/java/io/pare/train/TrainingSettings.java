package io.pare.train;

import io.pare.data.Augmentation;
import io.pare.descent.Attack;
import io.pare.descent.Optimizer;
import io.pare.exec.backend.Precision;
import org.jspecify.annotations.Nullable;

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
 * @param ranks processes that see a batch together, an equal part in each; with one, this process sees all of it
 * @param attack by which images are changed before the network trains on them, which teachers see as they were; validation is
 *            under the same. {@code null} for none
 */
public record TrainingSettings(int batchSize, Optimizer optimizer, boolean dropout, Augmentation augmentation,
        @Nullable Distillation distillation, long seed, Precision precision, int accumulate, int evaluationBatch,
        boolean recompute, double clipNorm, int ranks, @Nullable Attack attack) {
    /**
     * Refuses batches that cannot be.
     *
     * @throws IllegalArgumentException if a batch has no sample, or passes do not divide it
     */
    public TrainingSettings {
        if (batchSize < 1) {
            throw new IllegalArgumentException("batch size is " + batchSize + ", must be at least 1");
        }
        if (accumulate < 1 || batchSize % accumulate != 0) {
            throw new IllegalArgumentException("a batch of " + batchSize + " cannot be seen in " + accumulate
                    + " equal parts");
        }
        if (ranks < 1 || batchSize % (accumulate * ranks) != 0) {
            throw new IllegalArgumentException("a batch of " + batchSize + " cannot be seen in "
                    + (accumulate == 1 ? "" : accumulate + " passes of each of ") + ranks + " ranks, in equal parts");
        }
    }

    /** {@return samples in one pass} */
    public int passSize() {
        return batchSize / (accumulate * ranks);
    }

    /** {@return passes in which all ranks together see a batch} */
    public int parts() {
        return accumulate * ranks;
    }

    /**
     * {@return the same settings for one of several processes}
     *
     * @param size number of processes
     * @throws IllegalArgumentException if they do not divide the batch
     */
    public TrainingSettings on(int size) {
        return new TrainingSettings(batchSize, optimizer, dropout, augmentation, distillation, seed, precision,
                accumulate, evaluationBatch, recompute, clipNorm, size, attack);
    }

    /**
     * {@return the settings of one of several processes that trains by its own part of each batch alone}
     *
     * @param size number of processes
     * @throws IllegalArgumentException if they do not divide the batch
     */
    TrainingSettings apart(int size) {
        int own = on(size).batchSize / size;
        return new TrainingSettings(own, optimizer, dropout, augmentation, distillation, seed, precision, accumulate,
                evaluationBatch, recompute, clipNorm, 1, attack);
    }

    /**
     * Sees batches in one process.
     *
     * @param batchSize samples of a step
     * @param optimizer how gradients become steps
     * @param dropout whether the model's dropout layers drop
     * @param augmentation random changes of images
     * @param distillation from a teacher, or {@code null}
     * @param seed of all that is random
     * @param precision of values between layers
     * @param accumulate passes of a step
     * @param evaluationBatch samples that evaluations take at once, at most; 0 for the usual number
     * @param recompute whether the backward pass computes most values again
     * @param clipNorm length to which a longer gradient is brought; 0 for none
     */
    public TrainingSettings(int batchSize, Optimizer optimizer, boolean dropout, Augmentation augmentation,
            @Nullable Distillation distillation, long seed, Precision precision, int accumulate, int evaluationBatch,
            boolean recompute, double clipNorm) {
        this(batchSize, optimizer, dropout, augmentation, distillation, seed, precision, accumulate, evaluationBatch,
                recompute, clipNorm, 1, null);
    }

    /**
     * {@return the same settings with other use of memory}
     *
     * @param passes of a step; they divide the batch
     * @param evaluated samples that evaluations take at once, at most; 0 for the usual number
     * @param recomputing whether the backward pass computes most values again
     */
    public TrainingSettings in(int passes, int evaluated, boolean recomputing) {
        return new TrainingSettings(batchSize, optimizer, dropout, augmentation, distillation, seed, precision,
                passes, evaluated, recomputing, clipNorm, ranks, attack);
    }

    /**
     * Leaves gradients of any length as they are.
     *
     * @param batchSize samples of a step
     * @param optimizer how gradients become steps
     * @param dropout whether the model's dropout layers drop
     * @param augmentation random changes of images
     * @param distillation from a teacher, or {@code null}
     * @param seed of all that is random
     * @param precision of values between layers
     * @param accumulate passes of a step
     * @param evaluationBatch samples that evaluations take at once, at most; 0 for the usual number
     * @param recompute whether the backward pass computes most values again
     */
    public TrainingSettings(int batchSize, Optimizer optimizer, boolean dropout, Augmentation augmentation,
            @Nullable Distillation distillation, long seed, Precision precision, int accumulate, int evaluationBatch,
            boolean recompute) {
        this(batchSize, optimizer, dropout, augmentation, distillation, seed, precision, accumulate, evaluationBatch,
                recompute, 0);
    }

    /**
     * {@return the same with gradients of that length at most}
     *
     * @param norm Euclidean, over all tensors; 0 for any length
     */
    public TrainingSettings clipped(double norm) {
        return new TrainingSettings(batchSize, optimizer, dropout, augmentation, distillation, seed, precision,
                accumulate, evaluationBatch, recompute, norm, ranks, attack);
    }

    /**
     * Computes in fp32, takes each batch in one pass, and keeps all values.
     *
     * @param batchSize samples of a step
     * @param optimizer how gradients become steps
     * @param dropout whether the model's dropout layers drop
     * @param augmentation random changes of images
     * @param distillation from a teacher, or {@code null}
     * @param seed of all that is random
     */
    public TrainingSettings(int batchSize, Optimizer optimizer, boolean dropout, Augmentation augmentation,
            @Nullable Distillation distillation, long seed) {
        this(batchSize, optimizer, dropout, augmentation, distillation, seed, Precision.FP32, 1, 0, false);
    }

    /**
     * {@return the same in another precision}
     *
     * @param other of values between layers
     */
    public TrainingSettings in(Precision other) {
        return new TrainingSettings(batchSize, optimizer, dropout, augmentation, distillation, seed, other, accumulate,
                evaluationBatch, recompute, clipNorm, ranks, attack);
    }

    /**
     * {@return the same on images that an attack has changed}
     *
     * @param other attack; {@code null} for none
     */
    public TrainingSettings under(@Nullable Attack other) {
        return new TrainingSettings(batchSize, optimizer, dropout, augmentation, distillation, seed, precision,
                accumulate, evaluationBatch, recompute, clipNorm, ranks, other);
    }

    /**
     * {@return Adam without decay, batches of 64, the model's dropout}
     *
     * @param seed of all that is random
     */
    public static TrainingSettings standard(long seed) {
        return new TrainingSettings(64, Optimizer.ADAM, true, Augmentation.NONE, null, seed);
    }

    /**
     * Knowledge distillation (Hinton, Vinyals, Dean, 1503.02531).
     *
     * @param teachers not owned; {@code null} where only memory is planned
     * @param temperature above 0
     * @param share of the loss that the teachers give, in [0, 1]
     */
    public record Distillation(@Nullable Teachers teachers, float temperature, float share) {}
}
