package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Augmentation;
import io.pare.data.DataException;
import io.pare.data.Dataset;
import io.pare.data.Targets;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.exec.backend.Precision;
import io.pare.file.FormatException;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import io.pare.net.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Networks learn what has no classes: labels that apply or not, and numbers. */
class TaskTrainingTest {
    private static final int INPUTS = 4;
    private static final Net NET = new NetBuilder("small", Shape.of(INPUTS)).linear("fc1", 16).relu("relu1")
            .linear("fc2", 2).build();

    @TempDir
    Path folder;

    /** Labels are whether inputs are above zero; numbers are sums of inputs. */
    private static Dataset data(Task task, int samples, long seed) {
        Random random = new Random(seed);
        float[] inputs = new float[samples * INPUTS];
        float[] targets = new float[samples * 2];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = (float) random.nextGaussian();
        }
        for (int i = 0; i < targets.length; i++) {
            float first = inputs[i / 2 * INPUTS + i % 2];
            float second = inputs[i / 2 * INPUTS + 2 + i % 2];
            targets[i] = task == Task.REGRESS ? first - 2 * second + 1 : first > second ? 1 : 0;
        }
        return Dataset.ofFloats(task.toString(), Shape.of(INPUTS, 1, 1), inputs, new Targets(task, targets, 2));
    }

    private static TrainingSettings settings(Precision precision, int parts) {
        return new TrainingSettings(16, Optimizer.ADAM, false, Augmentation.NONE, null, 5, precision, parts, 0, false);
    }

    private static TrainingRun run(Trainer trainer, Task task) {
        return new TrainingRun(trainer, data(task, 64, 2), InputScale.UNIT,
                new TrainingRun.Plan(30, Schedule.cosine(0.02, 0.01)));
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "CLASSIFY")
    void theBestEpochIsThatOfTheTasksMetric(Task task) {
        for (Precision precision : Precision.values()) {
            if (precision.obstacle().isPresent()) {
                continue;
            }
            try (Network network = Network.create(NET, 1, Natives.enabled());
                    Trainer trainer =
                            new Trainer(network, data(task, 256, 1), InputScale.UNIT, settings(precision, 1))) {
                double before = Evaluation.of(network, data(task, 64, 2), InputScale.UNIT).score();
                TrainingRun run = run(trainer, task);
                assertTrue(run.run(new TrainingRun.Listener() {}));
                Evaluation found = Evaluation.of(network, data(task, 64, 2), InputScale.UNIT);
                assertEquals(run.bestScore(), found.score());
                assertEquals(task, found.task());
                assertTrue(found.score() > (task == Task.REGRESS ? -0.15 : 0.95), precision + ": " + found);
                assertTrue(found.score() > before);
                assertEquals(task == Task.REGRESS, Double.isNaN(trainer.progress().accuracy()));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "CLASSIFY")
    void aResumedRunEndsWithTheSameBits(Task task) throws IOException {
        float[] whole;
        try (Network network = Network.create(NET, 1, false);
                Trainer trainer =
                        new Trainer(network, data(task, 100, 1), InputScale.UNIT, settings(Precision.FP32, 2))) {
            TrainingRun run = run(trainer, task);
            int[] steps = {0};
            assertFalse(run.run(new TrainingRun.Listener() {
                @Override
                public boolean step(Trainer.Progress progress) {
                    return ++steps[0] < 15;
                }
            }));
            Checkpoint.save(run, folder);
            assertTrue(run.run(new TrainingRun.Listener() {}));
            whole = network.value("fc1.weight").toArray();
        }
        try (Network network = Network.create(NET, 7, false);
                Trainer trainer =
                        new Trainer(network, data(task, 100, 1), InputScale.UNIT, settings(Precision.FP32, 2))) {
            TrainingRun run = run(trainer, task);
            Checkpoint.restore(run, folder);
            assertTrue(run.run(new TrainingRun.Listener() {}));
            assertArrayEquals(whole, network.value("fc1.weight").toArray());
        }
    }

    @Test
    void aRunOfAnotherTaskIsNotResumed() throws IOException {
        float[] targets = new float[64];
        Dataset labels = Dataset.ofFloats("d", Shape.of(INPUTS, 1, 1), new float[128],
                new Targets(Task.MULTILABEL, targets, 2));
        Dataset numbers = Dataset.ofFloats("d", Shape.of(INPUTS, 1, 1), new float[128],
                new Targets(Task.REGRESS, targets, 2));
        TrainingRun.Plan plan = new TrainingRun.Plan(1, Schedule.cosine(0.02, 0.01));
        try (Network network = Network.create(NET, 1, false);
                Trainer one = new Trainer(network, labels, InputScale.UNIT, settings(Precision.FP32, 1));
                Trainer other = new Trainer(network, numbers, InputScale.UNIT, settings(Precision.FP32, 1))) {
            Checkpoint.save(new TrainingRun(one, labels, InputScale.UNIT, plan), folder);
            String message = assertThrows(FormatException.class, () -> Checkpoint
                    .restore(new TrainingRun(other, numbers, InputScale.UNIT, plan), folder)).getMessage();
            assertTrue(message.contains("task=multilabel"), message);
        }
    }

    @Test
    void nobodyDistilsWhereThereAreNoClasses() {
        try (Network network = Network.create(NET, 1, false); Network teacher = Network.create(NET, 2, false)) {
            TrainingSettings settings = new TrainingSettings(16, Optimizer.ADAM, false, Augmentation.NONE,
                    new TrainingSettings.Distillation(Teachers.of(teacher), 2, 0.5f), 5);
            assertThrows(IllegalArgumentException.class,
                    () -> new Trainer(network, data(Task.REGRESS, 32, 1), InputScale.UNIT, settings));
        }
    }

    @Test
    void targetsOutOfRangeAreNamed() {
        assertTrue(assertThrows(DataException.class, () -> new Targets(Task.MULTILABEL, new float[]{0, 1, 2, 0}, 2))
                .getMessage().startsWith("target 0 of sample 1 is 2.0: labels are 0 or 1"));
        assertThrows(DataException.class, () -> new Targets(Task.REGRESS, new float[]{Float.NaN}, 1));
        assertThrows(DataException.class, () -> new Targets(Task.REGRESS, new float[3], 2));
    }
}
