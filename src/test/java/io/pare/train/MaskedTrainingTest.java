package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.Rounding;
import io.pare.data.Augmentation;
import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.descent.Optimizer;
import io.pare.exec.Tape;
import io.pare.kernel.Bits;
import io.pare.mem.ForkedJvm;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Models;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LeNet-5 with one weight in thirty left trains on sparse tapes, and as a dense tape would. */
class MaskedTrainingTest {
    private static final Trainer.StepListener NOTHING = new Trainer.StepListener() {};

    private static Dataset noise(int images) {
        Random random = new Random(1);
        byte[] pixels = new byte[images * 28 * 28];
        random.nextBytes(pixels);
        byte[] labels = new byte[images];
        for (int i = 0; i < images; i++) {
            labels[i] = (byte) random.nextInt(10);
        }
        return new Dataset("noise", 1, 28, 28, 10, pixels, labels);
    }

    private static Network masked(Region region) {
        Network network = Network.create(Models.lenet5(), 1, Natives.status().available());
        Random random = new Random(2);
        for (Weight weight : network.weights()) {
            if (weight.decays()) {
                MemorySegment bits = region.allocate(Bits.bytes(weight.value().count()));
                for (long i = 0; i < weight.value().count(); i++) {
                    if (random.nextInt(30) == 0) {
                        byte octet = bits.get(ValueLayout.JAVA_BYTE, i >> 3);
                        bits.set(ValueLayout.JAVA_BYTE, i >> 3, (byte) (octet | 1 << (i & 7)));
                    }
                }
                weight.mask(new Bits(bits, 0));
            }
        }
        return network;
    }

    private static Map<String, float[]> train(Network network, int batch) {
        Trainer trainer = new Trainer(network, noise(2 * batch), InputScale.UNIT, new TrainingSettings(batch,
                Optimizer.sgd(0.9, 0), false, Augmentation.NONE, null, 3));
        trainer.epoch(0, 0, done -> 1e-2, NOTHING);
        Map<String, float[]> values = new HashMap<>();
        network.weights().forEach(weight -> values.put(weight.name(), weight.value().toArray()));
        return values;
    }

    @Test
    void masksThatLeaveFewWeightsChooseSparseTapes() {
        try (Region region = Region.confined("masks");
                Network network = masked(region);
                Network open = Network.create(Models.lenet5(), 1, false)) {
            assertTrue(network.sparse(64, false));
            assertFalse(network.sparse(63, false), "rows of 63 samples are no whole vectors");
            assertFalse(network.sparse(64, true), "there is no sparse dropout");
            assertFalse(open.sparse(64, false));
        }
    }

    @Test
    void twoRunsGiveTheSameBitsAndKeepZeros() {
        try (Region region = Region.confined("masks"); Network one = masked(region); Network two = masked(region)) {
            Map<String, float[]> first = train(one, 32);
            Map<String, float[]> second = train(two, 32);
            first.forEach((name, values) -> assertArrayEquals(values, second.get(name), name));
            for (Weight weight : one.weights()) {
                for (int i = 0; weight.mask() != null && i < weight.value().count(); i++) {
                    assertTrue(weight.mask().get(i) || weight.value().get(i) == 0, weight.name() + " " + i);
                }
            }
        }
    }

    @Test
    void stepsAreThoseOfADenseTape() {
        try (Region region = Region.confined("masks"); Network sparse = masked(region);
                Network dense = masked(region)) {
            Dataset data = noise(48);
            TrainingSettings settings =
                    new TrainingSettings(48, Optimizer.sgd(0, 0), false, Augmentation.NONE,
                            null, 3);
            new Trainer(sparse, data, InputScale.UNIT, settings).epoch(0, 0, done -> 1e-2, NOTHING);
            Tape tape = dense.trainingTape(48, false);
            Batches batches = Batches.shuffled(data, 48, InputScale.UNIT, Augmentation.NONE, 3);
            batches.seek(0, 0);
            batches.next(tape.input(Network.IMAGES), tape.labels());
            tape.forward(0);
            tape.backward();
            for (Weight weight : dense.weights()) {
                settings.optimizer().step(weight, 1e-2, 1);
                Rounding.assertClose(weight.value().toArray(), sparse.weight(weight.name()).value().toArray(),
                        500, weight.name());
            }
        }
    }

    /** In a JVM of its own: what the compiler makes of a loop depends on all that ran before it. */
    @Test
    @Tag("process")
    void sparseStepsAllocateNothing(@TempDir Path folder) throws IOException, InterruptedException {
        long perStep = Long.parseLong(ForkedJvm.run(folder, Steps.class).lines().reduce("", (_, last) -> last));
        assertTrue(perStep <= 4096, perStep + " bytes a step");
    }

    /** Trains until steps allocate next to nothing, or for long, and prints how many bytes each of the last ones took. */
    static final class Steps {
        private Steps() {}

        public static void main(String[] arguments) {
            try (Region region = Region.confined("masks");
                    Network network = masked(region);
                    Trainer trainer = new Trainer(network, noise(16 * 40), InputScale.UNIT, new TrainingSettings(16,
                            Optimizer.ADAM, false, Augmentation.NONE, null, 3))) {
                // The compiler looks at a rare loop, as of a rest of four weights, only after thousands of steps.
                System.out.println(StepAllocation.settled(trainer, 40, 1e-4, 4096, 1000));
            }
        }
    }
}
