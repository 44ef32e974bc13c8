package io.pare.train;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Bytes of the heap that a step takes. */
final class StepAllocation {
    private StepAllocation() {}

    /**
     * Trains until steps take little, or for long. Vectors are objects until the optimising compiler has seen the loops.
     *
     * @param steps of an epoch; those of its second half are measured
     * @param rate of learning
     * @param little bytes a step that are few enough
     * @param epochs at most
     * @return bytes that each of the last steps took, in the mean
     */
    static long settled(Trainer trainer, int steps, double rate, long little, int epochs) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int half = steps / 2;
        long[] allocated = new long[2];
        long perStep = Long.MAX_VALUE;
        for (int epoch = 0; epoch < epochs && perStep > little; epoch++) {
            trainer.epoch(epoch, 0, done -> rate, new Trainer.StepListener() {
                @Override
                public boolean afterUpdate(Trainer.Progress progress) {
                    allocated[progress.batch() == half ? 0 : 1] = threads.getCurrentThreadAllocatedBytes();
                    return true;
                }
            });
            perStep = (allocated[1] - allocated[0]) / half;
        }
        return perStep;
    }
}
