package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Augmentation;
import io.pare.data.Dataset;
import io.pare.descent.Optimizer;
import io.pare.exec.backend.Precision;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.Shape;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory that was computed beforehand against memory that is taken, and steps of several passes against those of one. */
class TrainingMemoryTest {
    private static final Trainer.StepListener NOTHING = new Trainer.StepListener() {};

    private static Dataset noise(Net model, int count) {
        Shape input = model.input();
        return Dataset.synthetic("noise", count, input.channels(), input.height(), input.width(), model.classes(), 3);
    }

    private static TrainingSettings settings(int batch, Optimizer optimizer, int passes, int evaluated,
            boolean recompute) {
        return new TrainingSettings(batch, optimizer, true, Augmentation.NONE, null, 1, Precision.FP32, passes,
                evaluated, recompute);
    }

    @ParameterizedTest
    @CsvSource({"lenet5,16,1,0,0,false", "lenet5,16,4,0,0,true", "lenet300,8,1,0,2,false", "lenet5,16,2,4,1,false",
        "resnet20,4,1,0,0,true", "resnet20,4,2,2,0,false", "alexnet-torchvision,2,2,1,0,false"})
    void theComputedMemoryIsWhatIsTaken(String name, int batch, int passes, int evaluated, int loaders,
            boolean recompute) {
        boolean useNative = Natives.status().available();
        Assumptions.assumeTrue(useNative || !name.startsWith("alexnet"), "takes minutes in plain Java");
        Net model = Models.byName(name);
        Dataset data = noise(model, batch).loaders(loaders);
        Dataset validation = noise(model, 3).loaders(loaders);
        Dataset test = noise(model, 5).loaders(loaders);
        for (Optimizer optimizer : List.of(Optimizer.sgd(0.9, 0), Optimizer.ADAM)) {
            TrainingSettings settings = settings(batch, optimizer, passes, evaluated, recompute);
            long before = Region.liveBytes();
            TrainingMemory computed = TrainingMemory.of(model, List.of(settings), useNative,
                    List.of(validation, test));
            assertEquals(before, Region.liveBytes(), "computing takes nothing");
            try (Network network = Network.create(model, 1, useNative);
                    Trainer trainer = new Trainer(network, data, InputScale.UNIT, settings)) {
                trainer.epoch(0, 0, done -> 1e-4, NOTHING);
                Evaluation.of(network, validation, InputScale.UNIT);
                Evaluation.of(network, test, InputScale.UNIT);
                long batchesOfEvaluations = loaders == 0 ? 0
                        : 3L * model.input().features() * Float.BYTES
                                * Evaluation.batch(network, test);
                assertEquals(computed.total(), Region.liveBytes() - before + batchesOfEvaluations, computed.toString());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"lenet5,12", "vgg11,4"})
    void severalPassesMakeTheStepOfOne(String name, int batch) {
        Assumptions.assumeTrue(Natives.status().available() || name.equals("lenet5"), "takes minutes in plain Java");
        Net model = Models.byName(name, Shape.of(name.equals("lenet5") ? 1 : 3, name.equals("lenet5") ? 28 : 32,
                name.equals("lenet5") ? 28 : 32), 10);
        Dataset data = noise(model, batch * 3 + 2);
        List<float[]> expected = null;
        double loss = 0;
        for (int passes : new int[]{1, 2, batch, batch}) {
            try (Network network = Network.create(model, 1, Natives.status().available());
                    Trainer trainer = new Trainer(network, data, InputScale.UNIT,
                            settings(batch, Optimizer.sgd(0.9, 1e-4), passes, 0, false))) {
                assertEquals(3, trainer.stepsPerEpoch());
                // Stopped after the first step and gone on with, as a resumed run does.
                trainer.epoch(1, 0, done -> 1e-3, new Trainer.StepListener() {
                    @Override
                    public boolean afterUpdate(Trainer.Progress progress) {
                        return false;
                    }
                });
                assertEquals(1, trainer.progress().batch());
                trainer.epoch(1, 1, done -> 1e-3, NOTHING);
                List<float[]> values = new ArrayList<>();
                network.weights().forEach(weight -> values.add(weight.value().toArray()));
                if (expected == null) {
                    expected = values;
                    loss = trainer.progress().loss();
                } else {
                    assertEquals(loss, trainer.progress().loss(), 1e-4 * loss, passes + " passes");
                    for (int i = 0; i < values.size(); i++) {
                        assertArrayEquals(expected.get(i), values.get(i), 2e-5f, passes + " passes");
                    }
                }
            }
        }
    }

    /** Dropout and the running statistics of batch normalisation too. */
    @ParameterizedTest
    @ValueSource(strings = {"lenet5", "resnet20", "vgg11-bn-cifar"})
    void computingTwiceChangesNoBit(String name) {
        Assumptions.assumeTrue(Natives.status().available() || !name.startsWith("vgg"), "takes minutes in plain Java");
        Net model = Models.byName(name);
        Dataset data = noise(model, 12);
        List<float[]> expected = null;
        for (boolean recompute : new boolean[]{false, true}) {
            try (Network network = Network.create(model, 1, Natives.status().available());
                    Trainer trainer = new Trainer(network, data, InputScale.UNIT,
                            settings(4, Optimizer.sgd(0.9, 1e-4), 1, 0, recompute))) {
                trainer.epoch(0, 0, done -> 1e-2, NOTHING);
                List<float[]> values = new ArrayList<>();
                network.weights().forEach(weight -> values.add(weight.value().toArray()));
                expected = expected == null ? values : expected;
                for (int i = 0; i < values.size(); i++) {
                    assertArrayEquals(expected.get(i), values.get(i), 0f, network.weights().get(i).name());
                }
            }
        }
    }

    @Test
    void partsAreEqual() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> settings(64, Optimizer.ADAM, 3, 0, false));
        assertTrue(e.getMessage().contains("64") && e.getMessage().contains("3"), e.getMessage());
    }

    @Test
    void networksThatOnlyRunHaveNoGradients() {
        Net model = Models.lenet5();
        long before = Region.liveBytes();
        try (Network network = Network.create(model, 1, false)) {
            network.inferenceTape(1).forward(0);
            long taken = Network.footprint(model, 1, false).shared() + Network.footprint(model, 1, false).own();
            assertEquals(4L * model.trainedCount() + taken, Region.liveBytes() - before);
        }
    }
}
