package io.pare.compress.stage;

import io.pare.compress.Admm;
import io.pare.compress.TrainingOptions;

/**
 * What the memory of a stage follows from.
 *
 * @param weights elements of all compressible tensors
 * @param all elements of all tensors
 * @param admmInFile whether Z and U lie in a file
 */
public record Sizes(long weights, long all, boolean admmInFile) {
    /**
     * {@return bytes that every {@link StageRun} takes: a mask, and the copies of all tensors that {@code train} asks
     * for}
     *
     * @param train how the stage trains
     */
    public long run(TrainingOptions train) {
        int copies = (train.average() > 0 ? 1 : 0) + (train.select() == TrainingOptions.Select.BEST ? 1 : 0);
        return copies * all * Float.BYTES + mask();
    }

    /** {@return bytes of one bit for each weight} */
    public long mask() {
        return Math.ceilDiv(weights, Byte.SIZE);
    }

    /** {@return bytes of Z and U where each weight is under one constraint} */
    public long admm() {
        return Admm.memory(weights, admmInFile);
    }

    /** {@return bytes of each weight's mean squared gradient} */
    public long fisher() {
        return weights * Float.BYTES;
    }
}
