package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Augmentation;
import io.pare.data.Dataset;
import io.pare.data.Shift;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.file.FormatException;
import io.pare.format.safetensors.Safetensors;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op.Subsample;
import io.pare.net.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingRunTest {
    private static final int SIDE = 8;

    @TempDir
    Path folder;

    private int regionsBefore;
    private long bytesBefore;

    @BeforeEach
    void countRegions() {
        regionsBefore = Region.liveRegions();
        bytesBefore = Region.liveBytes();
    }

    @AfterEach
    void nothingLeaks() {
        assertEquals(regionsBefore, Region.liveRegions(), Region::describeLive);
        assertEquals(bytesBefore, Region.liveBytes());
    }

    /** Squares, bright in the upper or the lower half, with noise: two classes that a small network can tell apart. */
    private static Dataset halves(int count, long seed) {
        Random random = new Random(seed);
        byte[] pixels = new byte[count * SIDE * SIDE];
        byte[] labels = new byte[count];
        for (int i = 0; i < count; i++) {
            labels[i] = (byte) random.nextInt(2);
            for (int p = 0; p < SIDE * SIDE; p++) {
                boolean lit = p < SIDE * SIDE / 2 == (labels[i] == 0);
                pixels[i * SIDE * SIDE + p] = (byte) (random.nextInt(120) + (lit ? 100 : 0));
            }
        }
        return new Dataset("halves", 1, SIDE, SIDE, 2, pixels, labels);
    }

    private static Net model(String name) {
        return new NetBuilder(name, Shape.of(1, SIDE, SIDE)).conv("conv1", 4, 3, 1, 0, true).maxPool("pool1", 2, 2, 0)
                .linear("fc1", 16).relu("relu1").dropout("drop1", 0.3f).linear("fc2", 2).build();
    }

    /** With normalisations, whose statistics are state too, and a residual block. */
    private static Net residual() {
        return new NetBuilder("residual", Shape.of(1, SIDE, SIDE)).conv("conv1", 8, 3, 1, 1, false).norm("bn1")
                .relu("relu1")
                .residual("block1", body -> body.conv("conv2", 16, 3, 2, 1, false).norm("bn2"),
                        shortcut -> shortcut.add("subsample1", new Subsample(16, 2)))
                .relu("relu2").flatten("flatten").linear("fc1", 2).build();
    }

    @Test
    void statisticsAreResumedSavedAndTheBestOnesKept() throws IOException {
        Optimizer optimizer = Optimizer.sgd(0.9, 5e-4);
        boolean useNative = Natives.status().available();
        try (Network whole = Network.create(residual(), 5, useNative);
                Network first = Network.create(residual(), 5, useNative);
                Network second = Network.create(residual(), 6, useNative);
                Network loaded = Network.create(residual(), 7, useNative)) {
            TrainingRun complete = run(whole, optimizer, 1e-2);
            complete.run(QUIET);
            assertTrue(complete.bestScore() > 0.9, "accuracy " + complete.bestScore());
            assertEquals(complete.bestScore(), Evaluation.of(whole, halves(80, 2), InputScale.UNIT).accuracy());
            TrainingRun interrupted = run(first, optimizer, 1e-2);
            int[] steps = {0};
            interrupted.run(new TrainingRun.Listener() {
                @Override
                public boolean step(Trainer.Progress progress) {
                    return ++steps[0] < 29;
                }
            });
            Checkpoint.save(interrupted, folder);
            TrainingRun resumed = run(second, optimizer, 1e-2);
            Checkpoint.restore(resumed, folder);
            assertTrue(resumed.run(QUIET));
            Path file = folder.resolve(Checkpoint.WEIGHTS);
            Checkpoint.saveWeights(second, InputScale.UNIT, file, Map.of());
            Checkpoint.loadWeights(loaded, file);
            for (Weight weight : whole.weights()) {
                assertArrayEquals(weight.value().toArray(), second.value(weight.name()).toArray(), weight.name());
                assertArrayEquals(weight.value().toArray(), loaded.value(weight.name()).toArray(), weight.name());
            }
            assertTrue(whole.value("bn2.running_var").get(0) != 1f, "statistics were gathered");
        }
    }

    private static Network network(String name) {
        return Network.create(model(name), 5, Natives.status().available());
    }

    private static TrainingRun run(Network network, Optimizer optimizer, double rate) {
        TrainingSettings settings =
                new TrainingSettings(16, optimizer, true, Augmentation.of(new Shift(1, true)), null, 3);
        return new TrainingRun(new Trainer(network, halves(200, 1), InputScale.UNIT, settings), halves(80, 2),
                InputScale.UNIT, new TrainingRun.Plan(4, new Schedule(rate, Schedule.Course.COSINE, 0.1, 5.0 / 12)));
    }

    private static final TrainingRun.Listener QUIET = new TrainingRun.Listener() {};

    @Test
    void learnsAndReportsTheBestEpoch() {
        try (Network network = network("halves")) {
            TrainingRun run = run(network, Optimizer.adamW(1e-4), 5e-3);
            assertTrue(run.run(QUIET));
            assertTrue(run.bestScore() > 0.95, "accuracy " + run.bestScore());
            assertEquals(run.bestScore(), Evaluation.of(network, halves(80, 2), InputScale.UNIT).accuracy());
            assertEquals(4 * 12, run.trainer().steps());
        }
    }

    @Test
    void aResumedRunGivesTheSameBitsAsAnUninterruptedOne() throws IOException {
        for (Optimizer optimizer : List.of(Optimizer.ADAM, Optimizer.adamW(0.01),
                new Optimizer(Optimizer.Rule.NESTEROV, 0.9, 5e-4))) {
            try (Network whole = network("halves"); Network first = network("halves");
                    Network second = network("halves")) {
                run(whole, optimizer, 5e-3).run(QUIET);
                TrainingRun interrupted = run(first, optimizer, 5e-3);
                int[] steps = {0};
                assertFalse(interrupted.run(new TrainingRun.Listener() {
                    @Override
                    public boolean step(Trainer.Progress progress) {
                        return ++steps[0] < 29;
                    }
                }));
                assertEquals(2, interrupted.nextEpoch());
                assertEquals(5, interrupted.nextBatch());
                Checkpoint.save(interrupted, folder);
                TrainingRun resumed = run(second, optimizer, 5e-3);
                Checkpoint.restore(resumed, folder);
                assertTrue(resumed.run(QUIET));
                for (Weight weight : whole.weights()) {
                    assertArrayEquals(weight.value().toArray(), second.value(weight.name()).toArray(), weight.name());
                }
            }
        }
    }

    @Test
    void checkpointsOfOthersAndDamagedOnesAreRefused() throws IOException {
        try (Network network = network("halves"); Network other = network("quarters")) {
            Optimizer optimizer = Optimizer.ADAM;
            TrainingRun run = run(network, optimizer, 1e-3);
            run.run(QUIET);
            Checkpoint.save(run, folder);
            FormatException model = assertThrows(FormatException.class,
                    () -> Checkpoint.restore(run(other, optimizer, 1e-3), folder));
            assertTrue(model.getMessage().contains("quarters") && model.getMessage().contains("halves"));
            FormatException settings = assertThrows(FormatException.class,
                    () -> Checkpoint.restore(run(network, optimizer, 2e-3), folder));
            assertTrue(settings.getMessage().contains("0.002"), settings.getMessage());
            Path file = folder.resolve(Checkpoint.FILE);
            byte[] bytes = Files.readAllBytes(file);
            Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 10), StandardOpenOption.TRUNCATE_EXISTING);
            assertThrows(FormatException.class, () -> Checkpoint.restore(run(network, optimizer, 1e-3), folder));
        }
    }

    @Test
    void theWordsForSettingsAreThoseOfOldCheckpoints() throws IOException {
        try (Network network = network("halves")) {
            assertEquals("Plan[epochs=4, rate=0.005, schedule=WarmUp[steps=5, after=Cosine[floor=0.1]]] batchSize=16 "
                    + "Adaptive[decay=0.01, decoupled=true] dropout=true Shift[pixels=1.0, subPixel=true] seed=3",
                    settings(run(network, Optimizer.adamW(0.01), 5e-3)));
            assertTrue(settings(run(network, Optimizer.sgd(0.9, 5e-4), 5e-3))
                    .contains(" Momentum[momentum=0.9, decay=5.0E-4, nesterov=false] "));
        }
    }

    private String settings(TrainingRun run) throws IOException {
        Checkpoint.save(run, folder);
        try (Safetensors file = Safetensors.open(folder.resolve(Checkpoint.FILE))) {
            return file.metadata().get("run");
        }
    }

    @Test
    void weightsComeBackWithTheSameBits() throws IOException {
        Path file = folder.resolve(Checkpoint.WEIGHTS);
        try (Network network = network("halves"); Network copy = Network.create(model("halves"), 99, false)) {
            Checkpoint.saveWeights(network, InputScale.UNIT, file, Map.of("seed", "5"));
            Checkpoint.loadWeights(copy, file);
            for (Weight weight : network.weights()) {
                assertArrayEquals(weight.value().toArray(), copy.value(weight.name()).toArray());
            }
        }
    }

    @Test
    void aLossThatIsNoNumberStopsTheRunWithTheRemedy() {
        try (Network network = network("halves")) {
            TrainingRun run = run(network, Optimizer.sgd(0.9, 0), 1e30);
            TrainingException e = assertThrows(TrainingException.class, () -> run.run(QUIET));
            assertTrue(e.getMessage().contains("learning rate"), e.getMessage());
        }
    }

    @Test
    void aTeacherPullsItsStudentToItsAnswers() {
        try (Network teacher = network("halves"); Network student = network("halves")) {
            run(teacher, Optimizer.ADAM, 5e-3).run(QUIET);
            TrainingSettings settings =
                    new TrainingSettings(16, Optimizer.ADAM, false, Augmentation.NONE,
                            new TrainingSettings.Distillation(Teachers.of(teacher), 3f, 1f), 3);
            Trainer trainer = new Trainer(student, halves(200, 1), InputScale.UNIT, settings);
            double before = Evaluation.of(student, halves(80, 2), InputScale.UNIT).loss();
            for (int epoch = 0; epoch < 4; epoch++) {
                trainer.epoch(epoch, 0, done -> 5e-3, new Trainer.StepListener() {});
            }
            Evaluation after = Evaluation.of(student, halves(80, 2), InputScale.UNIT);
            assertTrue(after.accuracy() > 0.95 && after.loss() < before / 2, after.toString());
        }
    }

    /** The filters of both layers there and back, for three passes, and the second layer's output to rows and back. */
    @Test
    @Tag("native")
    void aStepOfLeNet5ConvertsLittleMoreThanItsFilters() {
        try (Network network = Network.create(Models.lenet5(), 1, true)) {
            int reorders = network.trainingTape(8, true).reorders();
            assertTrue(reorders > 0 && reorders <= 9, reorders + " reorders");
        }
    }

    /** On the native libraries only: the plain product takes its panels from the heap. */
    @Test
    @Tag("native")
    void stepsAllocateAlmostNothingOnTheHeap() {
        try (Network network = network("halves")) {
            TrainingSettings settings = TrainingSettings.standard(1);
            Trainer trainer = new Trainer(network, halves(64 * 200, 1), InputScale.UNIT, settings);
            long perStep = StepAllocation.settled(trainer, 200, 1e-3, 4096, 200);
            assertTrue(perStep <= 4096, perStep + " bytes a step");
        }
    }
}
