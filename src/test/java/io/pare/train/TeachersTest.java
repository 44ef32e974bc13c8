package io.pare.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Augmentation;
import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.data.Shift;
import io.pare.data.Warp;
import io.pare.descent.Optimizer;
import io.pare.exec.Tape;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TeachersTest {
    private static final Net WIDE = new NetBuilder("wide", Shape.of(1, 6, 6)).conv("conv1", 4, 3, 1, 1, true)
            .relu("relu1").flatten("flatten").linear("fc1", 3).build();
    private static final Net SMALL = new NetBuilder("small", Shape.of(1, 6, 6)).flatten("flatten").linear("fc1", 3)
            .build();
    private static final Augmentation VARIED = Augmentation.of(new Shift(1, true)).with(new Warp(10, 0.1f, 0, 1));
    private static final int IMAGES = 40;

    private static Dataset data() {
        byte[] pixels = new byte[IMAGES * 36];
        new SplittableRandom(1).nextBytes(pixels);
        byte[] labels = new byte[IMAGES];
        for (int i = 0; i < IMAGES; i++) {
            labels[i] = (byte) (i % 3);
        }
        return new Dataset("noise", 1, 6, 6, 3, pixels, labels);
    }

    private static Trainer trainer(Network student, Dataset data, Teachers teachers) {
        return new Trainer(student, data, InputScale.UNIT, new TrainingSettings(8, Optimizer.ADAM, false, VARIED,
                new TrainingSettings.Distillation(teachers, 2, 0.75f), 3));
    }

    /** Values after so many epochs. */
    private static float[] trained(Dataset data, Teachers teachers, int epochs) {
        try (Network student = Network.create(SMALL, 9, false); Trainer trainer = trainer(student, data, teachers)) {
            for (int epoch = 0; epoch < epochs; epoch++) {
                trainer.epoch(epoch, 0, done -> 0.01, new Trainer.StepListener() {});
            }
            return student.value("fc1.weight").toArray();
        }
    }

    private static float[] logits(Network network, Dataset data) {
        float[] all = new float[IMAGES * 3];
        Tape tape = network.inferenceTape(IMAGES);
        try (Batches batches = Batches.inOrder(data, IMAGES, InputScale.UNIT)) {
            batches.next(tape.input(Network.IMAGES), tape.labels());
            tape.forward(0);
            System.arraycopy(tape.output().toArray(), 0, all, 0, all.length);
        }
        return all;
    }

    @Test
    void severalAnswerByTheMeanOfTheirLogits() {
        Dataset data = data();
        try (Region region = Region.confined("test"); Network one = Network.create(WIDE, 1, false);
                Network two = Network.create(SMALL, 2, false);
                Teachers both = new Teachers(List.of(one, two), Teachers.AS_THEY_ARE)) {
            float[] a = logits(one, data);
            float[] b = logits(two, data);
            float[] mean = both.plain(region, data, InputScale.UNIT).toArray();
            for (int i = 0; i < mean.length; i++) {
                // Halves are exact, and the sum is rounded once.
                assertEquals(a[i] / 2 + b[i] / 2, mean[i], Math.ulp(mean[i]), "logit " + i);
            }
        }
    }

    @Test
    void answersThatAreKeptAreThoseToTheSameImagesAskedAnew() {
        Dataset data = data();
        try (Network wide = Network.create(WIDE, 1, false);
                Teachers kept = new Teachers(List.of(wide), 3); Teachers anew = new Teachers(List.of(wide), 0)) {
            // As many copies as epochs: images are the same in both. The plain product adds up a row alike in any batch.
            assertArrayEquals(trained(data, anew, 3), trained(data, kept, 3), 1e-5f);
            assertFalse(Arrays.equals(trained(data, anew, 4), trained(data, kept, 4)));
        }
    }

    @Test
    void trainingsThatVaryImagesAlikeShareAnswers() {
        Dataset data = data();
        try (Network wide = Network.create(WIDE, 1, false); Teachers kept = new Teachers(List.of(wide), 2)) {
            float[] first = trained(data, kept, 3);
            long bytes = answers();
            assertTrue(bytes >= 2L * IMAGES * 3 * Float.BYTES, bytes + " bytes");
            assertArrayEquals(first, trained(data, kept, 3));
            assertEquals(bytes, answers());
        }
        assertEquals(0, answers());
    }

    private static long answers() {
        return Region.describeLive().lines().filter(line -> line.startsWith("answers of teachers: "))
                .mapToLong(line -> Long.parseLong(line.split(": | bytes")[1])).sum();
    }

    @Test
    void imagesComeBackAfterSoManyEpochsAsThereAreCopies() {
        Dataset data = data();
        try (Region region = Region.confined("test");
                Batches two = Batches.shuffled(data, 8, InputScale.UNIT, VARIED, 3, 2);
                Batches inOrder = Batches.inOrder(data, 8, InputScale.UNIT, VARIED, 3)) {
            float[][] zero = byImage(region, two, 0);
            float[][] one = byImage(region, two, 1);
            float[][] four = byImage(region, two, 4);
            float[][] copy = byImage(region, inOrder, 1);
            for (int i = 0; i < IMAGES; i++) {
                assertArrayEquals(zero[i], four[i]);
                assertArrayEquals(one[i], copy[i]);
                assertFalse(Arrays.equals(zero[i], one[i]));
            }
        }
    }

    private static float[][] byImage(Region region, Batches batches, int epoch) {
        float[][] images = new float[IMAGES][];
        batches.seek(epoch, 0);
        FloatTensor batch = region.tensor(8, 36);
        int count;
        while ((count = batches.next(batch, region.allocate(8L * Integer.BYTES))) > 0) {
            for (int row = 0; row < count; row++) {
                images[batches.index(row)] = batch.rows(row, row + 1).toArray();
            }
        }
        return images;
    }

    @Test
    void whoDoesNotFitIsRefusedByName() {
        Net other = new NetBuilder("other", Shape.of(1, 6, 6)).flatten("flatten").linear("fc1", 4).build();
        try (Network student = Network.create(SMALL, 1, false); Network stranger = Network.create(other, 1, false)) {
            String refusal = assertThrows(IllegalArgumentException.class,
                    () -> trainer(student, data(), Teachers.of(stranger))).getMessage();
            assertTrue(refusal.startsWith("other, of inputs 1x6x6 and 4 classes, cannot teach small"), refusal);
        }
        assertThrows(IllegalArgumentException.class, () -> new Teachers(List.of(), 1));
    }
}
