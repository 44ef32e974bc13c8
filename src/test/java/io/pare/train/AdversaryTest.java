package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Augmentation;
import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.data.Targets;
import io.pare.descent.Attack;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.exec.Tape;
import io.pare.exec.backend.Precision;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import io.pare.net.Task;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Inputs on which networks fail, what is left of their accuracy, and training on such inputs. */
class AdversaryTest {
    private static final int SIDE = 6;
    private static final int CLASSES = 3;
    private static final Net SMOOTH = new NetBuilder("smooth", Shape.of(2, SIDE, SIDE)).conv("conv1", 4, 3, 1, 1, true)
            .sigmoid("sigmoid1").conv("conv2", 5, 3, 2, 0, true).sigmoid("sigmoid2").flatten("flatten")
            .linear("fc1", 7).sigmoid("sigmoid3").linear("fc2", CLASSES).build();
    private static final Net SMALL = new NetBuilder("small", Shape.of(1, SIDE, SIDE)).conv("conv1", 4, 3, 1, 1, true)
            .relu("relu1").maxPool("pool1", 2, 2, 0).flatten("flatten").linear("fc1", 16).relu("relu2")
            .linear("fc2", CLASSES).build();
    private static final InputScale TWO = new InputScale(List.of(0.4f, 0.6f), List.of(0.25f, 0.5f));
    private static final InputScale ONE = new InputScale(0.5f, 0.25f);

    /** The class is which third of the columns is light. */
    private static Dataset pictures(int channels, int count, long seed) {
        Random random = new Random(seed);
        byte[] pixels = new byte[count * channels * SIDE * SIDE];
        byte[] labels = new byte[count];
        for (int i = 0; i < count; i++) {
            labels[i] = (byte) (i % CLASSES);
            for (int p = 0; p < channels * SIDE * SIDE; p++) {
                boolean marked = p % SIDE / (SIDE / CLASSES) == labels[i];
                pixels[i * channels * SIDE * SIDE + p] =
                        (byte) Math.clamp((marked ? 190 : 60) + 25 * random.nextGaussian(), 0, 255);
            }
        }
        return new Dataset("steps", channels, SIDE, SIDE, CLASSES, pixels, labels);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theGradientIsThatOfCentralDifferences(boolean useNative) {
        int batch = 3;
        try (Network network = Network.create(SMOOTH, 4, useNative && Natives.enabled());
                Region region = Region.confined("inputs")) {
            Adversary adversary = network.adversary(batch);
            Tape tape = network.trainingTape(batch, false);
            FloatTensor at = region.tensor(batch, 2, SIDE, SIDE);
            Random random = new Random(1);
            for (int i = 0; i < at.count(); i++) {
                at.set(i, (float) random.nextGaussian());
            }
            MemorySegment labels = region.allocate(batch * Integer.BYTES);
            for (int i = 0; i < batch; i++) {
                labels.setAtIndex(ValueLayout.JAVA_INT, i, i % CLASSES);
            }
            for (Weight weight : network.weights()) {
                for (int i = 0; i < weight.value().count(); i++) {
                    weight.value().set(i, 4 * weight.value().get(i));
                }
            }
            float[] before = weights(network);
            network.weight("fc2.weight").gradient().fill(3f);
            float[] found = adversary.gradient(at, labels).toArray();
            assertArrayEquals(before, weights(network));
            assertEquals(3f, network.weight("fc2.weight").gradient().get(0), "gradients of weights are not touched");
            double h = 1e-2;
            double largest = 0;
            for (int i = 0; i < at.count(); i++) {
                double difference = (loss(tape, at, labels, i, h) - loss(tape, at, labels, i, -h)) / (2 * h);
                assertEquals(difference, found[i], 5e-5, "value " + i);
                largest = Math.max(largest, Math.abs(difference));
            }
            assertTrue(largest > 5e-3, "the loss hardly depends on its inputs: " + largest);
        }
    }

    private static double loss(Tape tape, FloatTensor at, MemorySegment labels, int moved, double by) {
        tape.input(Network.IMAGES).copyFrom(at);
        tape.input(Network.IMAGES).set(moved, (float) (at.get(moved) + by));
        tape.labels().copyFrom(labels);
        tape.forward(0);
        return tape.loss();
    }

    private static float[] weights(Network network) {
        float[] all = new float[0];
        for (Weight weight : network.weights()) {
            float[] values = weight.value().toArray();
            all = Arrays.copyOf(all, all.length + values.length);
            System.arraycopy(values, 0, all, all.length - values.length, values.length);
        }
        return all;
    }

    @Test
    void anAttackStaysInTheBallAndInTheRangeOfPixels() {
        int batch = 5;
        Attack attack = new Attack(0.3, 0.2, 4);
        try (Network network = Network.create(SMOOTH, 4, Natives.enabled());
                Region region = Region.confined("inputs");
                Batches batches = Batches.inOrder(pictures(2, batch, 3), batch, TWO)) {
            Adversary adversary = network.adversary(batch);
            FloatTensor clean = region.tensor(batch, 2, SIDE, SIDE);
            MemorySegment labels = region.allocate(batch * Integer.BYTES);
            batches.next(clean, labels);
            float[] before = clean.toArray();
            adversary.attack(clean, labels, new Adversary.Ball(attack, TWO, SMOOTH), 1, 2);
            float[] found = adversary.images().toArray();
            assertArrayEquals(before, clean.toArray());
            int atTheEdge = 0;
            for (int i = 0; i < found.length; i++) {
                int c = i / (SIDE * SIDE) % 2;
                double from = before[i] * TWO.deviation().get(c) + TWO.mean().get(c);
                double to = found[i] * TWO.deviation().get(c) + TWO.mean().get(c);
                assertTrue(Math.abs(to - from) <= attack.epsilon() + 1e-6, from + " becomes " + to);
                assertTrue(to >= -1e-6 && to <= 1 + 1e-6, "pixel " + to);
                atTheEdge += Math.abs(to - from) > attack.epsilon() - 1e-6 || to < 1e-6 || to > 1 - 1e-6 ? 1 : 0;
            }
            assertTrue(atTheEdge > found.length / 2, atTheEdge + " of " + found.length + " went as far as they may");
            adversary.attack(clean, labels, new Adversary.Ball(attack, TWO, SMOOTH), 1, 2);
            assertArrayEquals(found, adversary.images().toArray());
            adversary.attack(clean, labels, new Adversary.Ball(attack, TWO, SMOOTH), 1, 3);
            assertFalse(Arrays.equals(found, adversary.images().toArray()), "another start");
        }
    }

    private static TrainingSettings settings(Attack attack, int parts) {
        return new TrainingSettings(24, Optimizer.ADAM, false, Augmentation.NONE, null, 5, Precision.FP32, parts, 0,
                false).under(attack);
    }

    private static void train(Network network, Attack attack, int epochs) {
        try (Trainer trainer = new Trainer(network, pictures(1, 240, 1), ONE, settings(attack, 1))) {
            new TrainingRun(trainer, pictures(1, 60, 2), ONE,
                    new TrainingRun.Plan(epochs, Schedule.cosine(0.01, 0.01))).run(new TrainingRun.Listener() {});
        }
    }

    @Test
    void whatIsTrainedUnderAnAttackStandsIt() {
        Attack weak = new Attack(0.2, 0.08, 5);
        Attack strong = new Attack(0.25, 0.05, 10);
        Dataset test = pictures(1, 90, 7);
        try (Network plain = Network.create(SMALL, 1, Natives.enabled());
                Network hardened = Network.create(SMALL, 1, Natives.enabled())) {
            train(plain, null, 12);
            train(hardened, weak, 12);
            Robustness of = Robustness.of(plain, test, ONE, strong, 2, 1);
            Robustness than = Robustness.of(hardened, test, ONE, strong, 2, 1);
            assertTrue(than.accuracy() > of.accuracy() + 0.1, of + " and " + than);
            for (Network network : List.of(plain, hardened)) {
                Robustness one = Robustness.of(network, test, ONE, strong, 1, 1);
                Robustness three = Robustness.of(network, test, ONE, strong, 3, 1);
                assertEquals(Evaluation.of(network, test, ONE).accuracy(), one.cleanAccuracy());
                assertEquals(90, one.samples());
                assertTrue(one.robust() <= one.clean() && three.robust() <= one.robust(), one + " and " + three);
                assertEquals(one, Robustness.of(network, test, ONE, strong, 1, 1));
                Robustness hardly = Robustness.of(network, test, ONE, new Attack(1e-6, 1e-6, 1), 1, 1);
                assertEquals(one.clean(), hardly.robust());
                Evaluation under = Evaluation.under(network, test, ONE, strong, 1);
                assertTrue(under.accuracy() <= one.cleanAccuracy(), under.toString());
                assertTrue(under.loss() > Evaluation.of(network, test, ONE).loss());
            }
        }
    }

    @Test
    void sameSeedsGiveTheSameBitsAndPartsTheSameImages() {
        List<float[]> found = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            try (Network network = Network.create(SMALL, 1, false);
                    Trainer trainer = new Trainer(network, pictures(1, 48, 1), ONE,
                            settings(new Attack(0.1, 0.05, 3), 2))) {
                trainer.epoch(0, 0, done -> 0.01, new Trainer.StepListener() {});
                found.add(weights(network));
            }
        }
        assertArrayEquals(found.get(0), found.get(1));
        try (Network network = Network.create(SMALL, 1, false);
                Trainer trainer = new Trainer(network, pictures(1, 48, 1), ONE, settings(null, 2))) {
            trainer.epoch(0, 0, done -> 0.01, new Trainer.StepListener() {});
            assertFalse(Arrays.equals(found.get(0), weights(network)), "the attack changes nothing");
        }
    }

    @Test
    void theMemoryOfAttacksIsPlanned() {
        TrainingSettings settings = settings(new Attack(0.1, 0.05, 1), 2);
        long before = Region.liveBytes();
        Dataset validation = pictures(1, 9, 2);
        TrainingMemory computed = TrainingMemory.of(SMALL, List.of(settings), Natives.enabled(), List.of(validation));
        try (Network network = Network.create(SMALL, 1, Natives.enabled());
                Trainer trainer = new Trainer(network, pictures(1, 48, 1), ONE, settings)) {
            trainer.epoch(0, 0, done -> 0.01, new Trainer.StepListener() {});
            Evaluation.under(network, validation, ONE, settings.attack(), 1);
            assertEquals(computed.total(), Region.liveBytes() - before, computed.toString());
        }
    }

    @Test
    void stepsUnderAttackAllocateNothing() {
        Assumptions.assumeTrue(Natives.enabled(), "products in plain Java allocate, attack or not");
        try (Network network = Network.create(SMALL, 1, Natives.enabled());
                Trainer trainer = new Trainer(network, pictures(1, 24 * 20, 1), ONE,
                        settings(new Attack(0.1, 0.05, 8), 1))) {
            // Images of a batch have 3,456 bytes, for eight steps of the attack.
            long perStep = StepAllocation.settled(trainer, 20, 1e-4, 16_384, 300);
            assertTrue(perStep <= 16_384, perStep + " bytes a step");
        }
    }

    @Test
    void whatCannotBeAttackedIsRefused() {
        Attack attack = new Attack(0.1, 0.05, 1);
        Dataset numbers = Dataset.ofFloats("numbers", Shape.of(1, SIDE, SIDE), new float[SIDE * SIDE * 30],
                new Targets(Task.REGRESS, new float[CLASSES * 30], CLASSES));
        Dataset floats = Dataset.ofFloats("floats", Shape.of(1, SIDE, SIDE), new float[SIDE * SIDE * 30], CLASSES,
                new int[30]);
        Net normalised = new NetBuilder("normalised", Shape.of(1, SIDE, SIDE)).conv("conv1", 4, 3, 1, 1, false)
                .norm("bn1").relu("relu1").flatten("flatten").linear("fc", CLASSES).build();
        try (Network network = Network.create(SMALL, 1, false); Network other = Network.create(normalised, 1, false)) {
            for (Dataset data : List.of(numbers, floats)) {
                String said = assertThrows(IllegalArgumentException.class,
                        () -> Robustness.of(network, data, ONE, attack, 1, 1)).getMessage();
                assertTrue(said.contains(data.name()), said);
                assertThrows(IllegalArgumentException.class,
                        () -> new Trainer(network, data, ONE, settings(attack, 1)));
            }
            String said = assertThrows(IllegalArgumentException.class,
                    () -> new Trainer(other, pictures(1, 48, 1), ONE, settings(attack, 1))).getMessage();
            assertTrue(said.contains("batch normalisation"), said);
            assertThrows(IllegalArgumentException.class,
                    () -> Robustness.of(network, pictures(1, 9, 1), ONE, attack, 0, 1));
        }
        for (double wrong : new double[]{0, -0.1, 1.1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> new Attack(wrong, 0.1, 1));
            assertThrows(IllegalArgumentException.class, () -> new Attack(0.1, wrong, 1));
        }
        assertThrows(IllegalArgumentException.class, () -> new Attack(0.1, 0.1, 0));
        assertEquals(new Attack(0.2, 0.05, 10), Attack.usual(0.2, 10));
    }
}
