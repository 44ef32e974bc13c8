package io.pare.train;

import io.pare.data.Augmentation;
import io.pare.data.Warp;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.exec.backend.Precision;
import io.pare.net.Task;

/** The words by which a checkpoint knows the settings of its run. Those of old are compared with them, so they stay. */
final class SettingsText {
    private SettingsText() {}

    /** Everything that decides the bits of a run, but for data, threads and machine. */
    static String of(TrainingRun run) {
        TrainingSettings s = run.trainer().settings();
        Task task = run.trainer().data().task();
        Augmentation a = s.augmentation();
        String more = (a.with(Warp.NONE).equals(Augmentation.of(a.shift())) ? "" : " " + a.crop() + " flip=" + a.flip())
                + (a.warp().equals(Warp.NONE) ? "" : " " + a.warp());
        return "Plan[epochs=" + run.plan().epochs() + ", rate=" + run.plan().schedule().rate() + ", schedule="
                + words(run.plan().schedule(), run.trainer().stepsPerEpoch()) + "] batchSize=" + s.batchSize() + " "
                + words(s.optimizer()) + " dropout=" + s.dropout() + " "
                + a.shift() + more + (s.accumulate() > 1 ? " accumulate=" + s.accumulate() : "")
                + (s.evaluationBatch() > 0 ? " evaluationBatch=" + s.evaluationBatch() : "") + " seed=" + s.seed()
                + (s.precision() == Precision.FP32 ? "" : " " + s.precision())
                + (s.clipNorm() == 0 ? "" : " clipNorm=" + s.clipNorm())
                + (run.plan().patience() == 0 ? "" : " patience=" + run.plan().patience())
                + (s.attack() == null ? "" : " " + s.attack())
                + (task == Task.CLASSIFY ? "" : " task=" + task);
    }

    private static String words(Schedule schedule, int stepsPerEpoch) {
        String course = switch (schedule.course()) {
            case COSINE -> "Cosine[floor=" + schedule.floor() + "]";
            case STEP -> "Steps[pieces=3, decay=0.1]";
            case CONSTANT -> "Constant[]";
        };
        long rising = schedule.risingSteps(stepsPerEpoch);
        return rising == 0 ? course : "WarmUp[steps=" + rising + ", after=" + course + "]";
    }

    private static String words(Optimizer optimizer) {
        float decay = (float) optimizer.decay();
        return switch (optimizer.rule()) {
            case ADAM, ADAMW -> "Adaptive[decay=" + decay + ", decoupled="
                    + (optimizer.rule() == Optimizer.Rule.ADAMW) + "]";
            case SGD, NESTEROV -> "Momentum[momentum=" + (float) optimizer.momentum() + ", decay=" + decay
                    + ", nesterov=" + (optimizer.rule() == Optimizer.Rule.NESTEROV) + "]";
        };
    }
}
