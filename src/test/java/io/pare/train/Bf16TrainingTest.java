package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Augmentation;
import io.pare.data.Dataset;
import io.pare.data.Mnist;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.exec.Tape;
import io.pare.exec.backend.Precision;
import io.pare.file.FormatException;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.InputScale;
import io.pare.net.Models;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training whose passes are in bf16: the weights themselves are fp32. */
class Bf16TrainingTest {
    private static final int BATCH = 32;
    private static final InputScale SCALE = Mnist.embedded().corpus().scale();

    private static boolean available() {
        return Precision.BF16.obstacle().isEmpty();
    }

    private static void assumeAvailable() {
        Assumptions.assumeTrue(available(), () -> Precision.BF16.obstacle().orElse(""));
    }

    /** Steps of around 2^-14 to 2^-12 of a weight, where bf16 has 2^-8 of it between neighbours. */
    @Property(tries = 10)
    void updatesFarBelowTheResolutionOfBf16Accumulate(@ForAll @IntRange(min = 12, max = 14) int exponent,
            @ForAll long seed) {
        if (!available()) {
            return;
        }
        int steps = 24;
        Optimizer optimizer = Optimizer.sgd(0, 0);
        try (Network network = Network.create(Models.lenet300(), seed, true)) {
            Tape tape = network.trainingTape(BATCH, true, Precision.BF16);
            Random random = new Random(seed);
            FloatTensor images = tape.input(Network.IMAGES);
            for (long i = 0; i < images.count(); i++) {
                images.set(i, random.nextFloat());
            }
            for (int i = 0; i < BATCH; i++) {
                tape.labels().setAtIndex(ValueLayout.JAVA_INT, i, random.nextInt(10));
            }
            network.prepare(optimizer);
            Weight matrix = network.weights().stream().filter(Weight::decays).toList().getLast();
            float[] before = matrix.value().toArray();
            double[] moved = new double[before.length];
            boolean[] lost = new boolean[before.length];
            Arrays.fill(lost, true);
            for (int step = 1; step <= steps; step++) {
                tape.forward(step);
                tape.backward();
                float[] gradient = matrix.gradient().toArray();
                double[] shares = new double[moved.length];
                for (int i = 0; i < moved.length; i++) {
                    shares[i] = Math.abs(gradient[i] / before[i]);
                }
                Arrays.sort(shares);
                float rate = (float) (Math.scalb(1.0, -exponent) / shares[moved.length / 2]);
                for (int i = 0; i < moved.length; i++) {
                    moved[i] -= (double) rate * gradient[i];
                    lost[i] &= Math.abs(rate * gradient[i]) < Math.abs(before[i]) * Math.scalb(1f, -9);
                }
                optimizer.step(matrix, rate, step);
            }
            float[] after = matrix.value().toArray();
            int travelled = 0;
            for (int i = 0; i < moved.length; i++) {
                assertEquals(moved[i], (double) after[i] - before[i],
                        steps * (double) Math.max(Math.ulp(before[i]), Math.ulp(after[i])));
                travelled += lost[i] && before[i] != after[i] ? 1 : 0;
            }
            assertTrue(travelled > moved.length / 2,
                    "steps that bf16 weights would all have lost moved only " + travelled
                            + " of " + moved.length);
        }
    }

    private static Trainer trainer(Network network, Dataset data, Precision precision) {
        return new Trainer(network, data, SCALE, new TrainingSettings(BATCH, Optimizer.ADAM, true,
                Augmentation.NONE, null, 3).in(precision));
    }

    @Test
    void learnsMnistAsFp32DoesAndTwiceToTheSameBits() {
        assumeAvailable();
        int regions = Region.liveRegions();
        Mnist mnist = Mnist.embedded();
        Dataset train = mnist.train().range(0, 8_000);
        Dataset test = mnist.test().range(0, 2_000);
        double[] accuracy = new double[3];
        float[][] weights = new float[3][];
        for (int run = 0; run < 3; run++) {
            Precision precision = run == 0 ? Precision.FP32 : Precision.BF16;
            try (Network network = Network.create(Models.lenet5(), 1, true);
                    Trainer trainer = trainer(network, train, precision)) {
                trainer.epoch(0, 0, done -> 2e-3, new Trainer.StepListener() {});
                accuracy[run] = Evaluation.of(network, test, SCALE).accuracy();
                assertEquals(accuracy[run],
                        Evaluation.of(network, test, SCALE, Precision.BF16).accuracy(), 2e-3);
                weights[run] = network.weights().getFirst().value().toArray();
            }
        }
        assertTrue(accuracy[0] > 0.93, "fp32 reaches " + accuracy[0]);
        assertEquals(accuracy[0], accuracy[1], 0.01);
        assertArrayEquals(weights[1], weights[2]);
        assertEquals(regions, Region.liveRegions(), Region::describeLive);
    }

    @Test
    void aCheckpointOfOnePrecisionIsNotResumedInTheOther(@TempDir Path folder) throws IOException {
        assumeAvailable();
        Dataset few = Mnist.embedded().test().range(0, 640);
        for (Precision precision : Precision.values()) {
            try (Network network = Network.create(Models.lenet300(), 1, true);
                    Trainer same = trainer(network, few, precision);
                    Trainer other = trainer(network, few,
                            precision == Precision.FP32 ? Precision.BF16 : Precision.FP32)) {
                TrainingRun.Plan plan = new TrainingRun.Plan(1, Schedule.constant(1e-3));
                Checkpoint.save(new TrainingRun(same, few, SCALE, plan), folder);
                Checkpoint.restore(new TrainingRun(same, few, SCALE, plan), folder);
                FormatException e = assertThrows(FormatException.class,
                        () -> Checkpoint.restore(new TrainingRun(other, few, SCALE, plan), folder));
                assertTrue(e.getMessage().contains("bf16"), e.getMessage());
            }
        }
    }
}
