package io.pare.compress;

/** Masked retraining: the plain loss on what is not zero. */
final class RetrainRun extends StageRun {
    RetrainRun(RunContext context, TrainingOptions train) {
        super(context, train);
    }
}
