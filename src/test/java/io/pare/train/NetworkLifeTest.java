package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Augmentation;
import io.pare.data.Dataset;
import io.pare.descent.Optimizer;
import io.pare.exec.Tape;
import io.pare.exec.backend.Precision;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op.Linear;
import io.pare.net.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Networks, tapes and trainers that are used by two threads, closed in use, used after the close, or never made. */
class NetworkLifeTest {
    private static final Net MODEL = new NetBuilder("small", Shape.of(1, 8, 8)).conv("conv1", 4, 3, 1, 0, true)
            .relu("relu1").flatten("flatten").linear("fc1", 2).build();
    private static final Dataset DATA = new Dataset("zeros", 1, 8, 8, 2, new byte[64 * 64], new byte[64]);

    private int regionsBefore;

    @BeforeEach
    void countRegions() {
        regionsBefore = Region.liveRegions();
    }

    @AfterEach
    void nothingLeaks() {
        assertEquals(regionsBefore, Region.liveRegions(), Region::describeLive);
    }

    private static Network network() {
        return Network.create(MODEL, 1, Natives.status().available());
    }

    private static void assertRefused(String because, Executable executable) {
        IllegalStateException e = assertThrows(IllegalStateException.class, executable);
        assertTrue(e.getMessage().contains(because), e.getMessage());
    }

    @Test
    void whileAnEpochRunsOtherThreadsAreRefusedAndNothingCloses() throws Exception {
        Network network = network();
        try (Trainer trainer = new Trainer(network, DATA, InputScale.UNIT, TrainingSettings.standard(1));
                ExecutorService threads = Executors.newSingleThreadExecutor()) {
            Tape tape = network.inferenceTape(1);
            CountDownLatch within = new CountDownLatch(1);
            CountDownLatch goOn = new CountDownLatch(1);
            Future<Boolean> epoch = threads.submit(() -> trainer.epoch(0, 0, done -> 1e-3, new Trainer.StepListener() {
                @Override
                public boolean afterUpdate(Trainer.Progress progress) {
                    within.countDown();
                    try {
                        goOn.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    assertRefused("is in use", network::close);
                    return true;
                }
            }));
            within.await();
            assertRefused("used by two threads", () -> Evaluation.of(network, DATA, InputScale.UNIT));
            assertRefused("used by two threads", () -> tape.forward(0));
            assertRefused("used by two threads", () -> network.trainingTape(3, false));
            assertRefused("the trainer of small is used by two threads",
                    () -> trainer.epoch(0, 0, done -> 1e-3, new Trainer.StepListener() {}));
            assertRefused("used by two threads", trainer::close);
            assertRefused("region 'network small' is in use", network::close);
            goOn.countDown();
            assertTrue(epoch.get());
            assertEquals(64, Evaluation.of(network, DATA, InputScale.UNIT).samples());
            network.close();
            network.close();
            assertRefused("region 'network small' is closed",
                    () -> trainer.epoch(1, 0, done -> 1e-3, new Trainer.StepListener() {}));
            assertRefused("region 'network small' is closed", () -> tape.forward(0));
            assertRefused("region 'network small' is closed", () -> network.inferenceTape(2));
        }
    }

    @Test
    void aFrozenNetworkPredictsAndIsNotTrained() {
        try (Network network = Network.create(MODEL, 1, false)) {
            Map<String, FloatTensor> values = new LinkedHashMap<>();
            network.weights().forEach(weight -> values.put(weight.name(), weight.value()));
            try (Network frozen = Network.frozen(CompressedWeights.of(MODEL, values, InputScale.UNIT), false)) {
                float[] samples = new float[2 * MODEL.input().features()];
                for (int i = 0; i < samples.length; i++) {
                    samples[i] = i % 7;
                }
                assertArrayEquals(network.outputs(samples, 2), frozen.outputs(samples, 2));
                assertEquals(Evaluation.of(network, DATA, InputScale.UNIT),
                        Evaluation.of(frozen, DATA, InputScale.UNIT));
                assertRefused("small is frozen: create a network to train it", () -> frozen.trainingTape(2, false));
            }
        }
    }

    @Test
    void whatIsNotTrainedHasNoGradient() {
        Net model = new NetBuilder("normed", Shape.of(1, 8, 8)).conv("conv1", 4, 3, 1, 0, false).norm("bn1")
                .flatten("flatten").linear("fc1", 2).build();
        try (Network network = Network.create(model, 1, false)) {
            assertEquals(4, network.weight("bn1.weight").gradient().count());
            assertRefused("bn1.running_mean is not trained: it has no gradient",
                    () -> network.weight("bn1.running_mean").gradient());
        }
    }

    @Test
    void aTrainerThatIsClosedSaysSo() {
        try (Network network = network()) {
            Trainer trainer = new Trainer(network, DATA, InputScale.UNIT, TrainingSettings.standard(1));
            trainer.close();
            trainer.close();
            assertRefused("the trainer of small is closed",
                    () -> trainer.epoch(0, 0, done -> 1e-3, new Trainer.StepListener() {}));
        }
    }

    @Test
    void aBackwardPassIsForTheThreadOfItsForwardPassAndForWhatThatLeft() throws Exception {
        try (Network network = network(); ExecutorService threads = Executors.newSingleThreadExecutor()) {
            Tape training = network.trainingTape(2, false);
            Tape inference = network.inferenceTape(2);
            threads.submit(() -> training.forward(0)).get();
            assertRefused("a tape is used by two threads", training::backward);
            training.forward(0);
            inference.forward(0);
            assertRefused("since the forward pass another tape ran", training::backward);
            training.forward(0);
            training.backward();
            assertRefused("takes a forward pass before it", training::backward);
        }
    }

    @Test
    void whatCannotBeMadeLeavesNothingOpen() {
        Net vast = new NetBuilder("vast", Shape.of(1, 1 << 15, 1 << 15)).flatten("flatten")
                .add("fc1", new Linear(1 << 30, 1 << 20)).build();
        OutOfMemoryError e = assertThrows(OutOfMemoryError.class, () -> Network.create(vast, 1, false));
        assertTrue(e.getMessage().startsWith("region 'network vast' cannot get"), e.getMessage());
        Dataset loaded = DATA.loaders(1);
        try (Network network = Network.create(MODEL, 1, false)) {
            TrainingSettings bf16 = TrainingSettings.standard(1).in(Precision.BF16);
            assertThrows(IllegalArgumentException.class, () -> new Trainer(network, loaded, InputScale.UNIT, bf16));
            TrainingSettings orphaned = new TrainingSettings(16, Optimizer.ADAM, false,
                    Augmentation.NONE, new TrainingSettings.Distillation(null, 3f, 1f), 3);
            IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                    () -> new Trainer(network, loaded, InputScale.UNIT, orphaned));
            assertTrue(refused.getMessage().startsWith("the training of small is to distil, and no teacher"),
                    refused.getMessage());
        }
    }
}
