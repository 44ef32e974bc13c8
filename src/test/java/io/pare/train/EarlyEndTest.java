package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Augmentation;
import io.pare.data.Dataset;
import io.pare.data.Targets;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.exec.backend.Precision;
import io.pare.file.FormatException;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import io.pare.net.Task;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs whose patience ends, and steps whose gradient is bounded. */
class EarlyEndTest {
    private static final Net NET = new NetBuilder("line", Shape.of(1)).linear("fc", 1).build();
    /** Too small a rate to move a weight. */
    private static final Schedule STILL = new Schedule(1e-30, Schedule.Course.CONSTANT, 1, 0);

    @TempDir
    Path folder;

    private static Dataset data() {
        float[] inputs = new float[8];
        float[] targets = new float[8];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = i;
            targets[i] = 100 * i;
        }
        return Dataset.ofFloats("line", Shape.of(1, 1, 1), inputs, new Targets(Task.REGRESS, targets, 1));
    }

    private static Trainer trainer(Network network, double clip, int parts) {
        return new Trainer(network, data(), InputScale.UNIT, new TrainingSettings(8, Optimizer.sgd(0, 0), false,
                Augmentation.NONE, null, 1, Precision.FP32, parts, 0, false).clipped(clip));
    }

    private static TrainingRun run(Trainer trainer, int patience) {
        return new TrainingRun(trainer, data(), InputScale.UNIT, new TrainingRun.Plan(20, STILL, patience));
    }

    @Test
    void aRunEndsAfterSoManyEpochsWithoutABetterOne() throws IOException {
        try (Network network = Network.create(NET, 1, false); Trainer trainer = trainer(network, 0, 1)) {
            TrainingRun run = run(trainer, 3);
            assertFalse(run.run(new TrainingRun.Listener() {
                @Override
                public boolean step(Trainer.Progress progress) {
                    return progress.epoch() < 1;
                }
            }));
            assertFalse(run.done());
            Checkpoint.save(run, folder);
            assertTrue(run.run(new TrainingRun.Listener() {}));
            assertEquals(4, run.nextEpoch());
            assertEquals(0, run.bestEpoch());
            assertTrue(run.done());
        }
        try (Network network = Network.create(NET, 2, false); Trainer trainer = trainer(network, 0, 1)) {
            TrainingRun run = run(trainer, 3);
            Checkpoint.restore(run, folder);
            assertTrue(run.run(new TrainingRun.Listener() {}));
            assertEquals(4, run.nextEpoch());
            assertThrows(FormatException.class, () -> Checkpoint.restore(run(trainer, 2), folder));
        }
        try (Network network = Network.create(NET, 1, false); Trainer trainer = trainer(network, 0, 1)) {
            TrainingRun run = run(trainer, 0);
            assertTrue(run.run(new TrainingRun.Listener() {}));
            assertEquals(20, run.nextEpoch());
        }
    }

    @Test
    void aStepGoesNoFurtherThanTheBoundAndInTheSameDirection() {
        double[][] moved = new double[3][];
        for (int i = 0; i < moved.length; i++) {
            double clip = new double[]{0, 1e-3, 1e-3}[i];
            try (Network network = Network.create(NET, 1, false);
                    Trainer trainer = trainer(network, clip, i == 2 ? 2 : 1)) {
                float weight = network.value("fc.weight").get(0);
                float bias = network.value("fc.bias").get(0);
                trainer.epoch(0, 0, done -> 1, new Trainer.StepListener() {});
                moved[i] = new double[]{network.value("fc.weight").get(0) - weight,
                    network.value("fc.bias").get(0) - bias};
            }
        }
        assertTrue(Math.hypot(moved[0][0], moved[0][1]) > 1);
        // Weights of a size below 1 are rounded to 2^-24.
        double rounding = Math.scalb(2, -24);
        assertEquals(1e-3, Math.hypot(moved[1][0], moved[1][1]), 2 * rounding);
        assertEquals(moved[0][0] / moved[0][1], moved[1][0] / moved[1][1], 1e-2);
        assertArrayEquals(moved[1], moved[2], 2 * rounding);
    }
}
