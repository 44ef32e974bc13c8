package io.pare.compress.stage;

import io.pare.compress.TrainingOptions;
import io.pare.mem.Region;

/** Masked retraining: the plain loss on what is not zero. */
final class RetrainRun extends StageRun {
    RetrainRun(RunContext context, Region region, TrainingOptions train) {
        super(context, region, train);
    }
}
