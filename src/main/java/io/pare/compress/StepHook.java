package io.pare.compress;

/** Runs in every training step after the gradients are there and before the optimiser uses them. */
@FunctionalInterface
public interface StepHook {
    /** Does nothing. */
    StepHook NONE = (step, steps) -> {
    };

    /**
     * May read values, and change gradients, penalties and masks.
     *
     * @param step number of the step within the epoch, from 0
     * @param steps steps of the epoch
     */
    void beforeUpdate(int step, int steps);
}
