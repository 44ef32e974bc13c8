package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.InputScale;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BatchesTest {
    private final Region region = Region.confined("batches test");

    @AfterEach
    void close() {
        region.close();
    }

    /** Else one rank would begin a step more than the others, whose transfers no other rank answers. */
    @Test
    void turnsOfAnEpochMakeEquallyManySteps() {
        for (int ranks = 1; ranks <= 4; ranks++) {
            for (int first = 0; first < ranks; first++) {
                Batches batches = Batches.shuffled(data(17, 1, 1, 1), 3, InputScale.UNIT, Augmentation.NONE, 7, 0,
                        new Batches.Turn(first, 1, ranks));
                assertEquals(5 / ranks, batches.perEpoch(), first + " of " + ranks);
            }
        }
    }

    @Test
    void inOrderGivesEveryImageOnceAndZeroesTheRest() {
        Dataset data = data(10, 1, 3, 2);
        Batches batches = Batches.inOrder(data, 4, InputScale.UNIT);
        FloatTensor images = region.tensor(4, 1, 3, 2).fill(9);
        MemorySegment labels = region.allocate(16);
        assertEquals(3, batches.perEpoch());
        assertEquals(4, batches.next(images, labels));
        assertEquals(4, batches.next(images, labels));
        assertEquals(2, batches.next(images, labels));
        assertEquals(data.pixel(9, 5) / 255f, images.get(6 + 5));
        assertEquals(data.label(9), labels.getAtIndex(ValueLayout.JAVA_INT, 1));
        assertEquals(0f, images.get(12));
        assertEquals(0f, images.get(23));
        assertEquals(0, batches.next(images, labels));
    }

    @Test
    void everyEpochIsAnotherPermutationAndTheSameForTheSameSeed() {
        Dataset data = data(101, 1, 1, 1);
        List<Integer> first = epoch(Batches.shuffled(data, 10, InputScale.UNIT, Augmentation.NONE, 7), 0);
        assertEquals(100, first.size());
        assertEquals(100, new HashSet<>(first).size());
        Batches again = Batches.shuffled(data, 10, InputScale.UNIT, Augmentation.NONE, 7);
        List<Integer> second = epoch(again, 1);
        assertEquals(first, epoch(again, 0));
        assertFalse(first.equals(second));
        assertFalse(first.equals(epoch(Batches.shuffled(data, 10, InputScale.UNIT, Augmentation.NONE, 8), 0)));
    }

    @Test
    void seekingContinuesWithTheSameBits() {
        Dataset data = data(60, 1, 8, 8);
        Batches whole = Batches.shuffled(data, 8, InputScale.MNIST, Augmentation.of(new Shift(2, true)), 3);
        FloatTensor images = region.tensor(8, 1, 8, 8);
        MemorySegment labels = region.allocate(32);
        whole.seek(4, 0);
        for (int i = 0; i < 5; i++) {
            whole.next(images, labels);
        }
        float[] expected = images.toArray();
        Batches resumed = Batches.shuffled(data, 8, InputScale.MNIST, Augmentation.of(new Shift(2, true)), 3);
        resumed.seek(4, 4);
        resumed.next(images, labels);
        assertArrayEquals(expected, images.toArray());
    }

    @Test
    void wholePixelShiftsMoveImagesAndFillWithBackground() {
        Dataset data = data(1, 1, 5, 5);
        Batches plain = Batches.inOrder(data, 1, InputScale.MNIST);
        FloatTensor image = region.tensor(1, 1, 5, 5);
        MemorySegment labels = region.allocate(4);
        plain.next(image, labels);
        float[] original = image.toArray();
        Batches shifted = Batches.shuffled(data, 1, InputScale.MNIST, Augmentation.of(new Shift(2, false)), 5);
        Set<List<Integer>> seen = new HashSet<>();
        for (int epoch = 0; epoch < 200; epoch++) {
            shifted.seek(epoch, 0);
            shifted.next(image, labels);
            seen.add(shiftOf(original, image.toArray(), InputScale.MNIST.apply(0, 0)));
        }
        assertEquals(25, seen.size());
    }

    @Test
    void subPixelShiftsInterpolate() {
        byte[] pixels = new byte[49];
        pixels[24] = (byte) 255;
        Dataset data = new Dataset("dot", 1, 7, 7, 1, pixels, new byte[1]);
        Batches shifted = Batches.shuffled(data, 1, InputScale.UNIT, Augmentation.of(new Shift(1.5f, true)), 5);
        FloatTensor image = region.tensor(1, 1, 7, 7);
        MemorySegment labels = region.allocate(4);
        double rows = 0;
        for (int epoch = 0; epoch < 400; epoch++) {
            shifted.seek(epoch, 0);
            shifted.next(image, labels);
            float sum = 0;
            double row = 0;
            for (int p = 0; p < 49; p++) {
                sum += image.get(p);
                row += image.get(p) * (p / 7 - 3);
            }
            assertEquals(1, sum, 1e-5);
            assertTrue(Math.abs(row) <= 1.5);
            rows += Math.abs(row);
        }
        assertEquals(0.75, rows / 400, 0.1);
    }

    @Test
    void splitsAreDisjointAndComplete() {
        Dataset data = data(200, 1, 1, 1);
        Dataset.Split split = data.split(50, 11);
        Set<Integer> all = new HashSet<>();
        for (Dataset part : List.of(split.train(), split.validation())) {
            for (int i = 0; i < part.size(); i++) {
                all.add(part.pixel(i, 0));
            }
        }
        assertEquals(150, split.train().size());
        assertEquals(50, split.validation().size());
        assertEquals(200, all.size());
        assertEquals(split.validation().pixel(7, 0), data.split(50, 11).validation().pixel(7, 0));
        assertThrows(IllegalArgumentException.class, () -> data.split(200, 1));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Dataset data = data(10, 1, 2, 2);
        assertThrows(IllegalArgumentException.class, () -> Batches.inOrder(data, 0, InputScale.UNIT));
        assertThrows(IllegalArgumentException.class,
                () -> Batches.shuffled(data, 11, InputScale.UNIT, Augmentation.NONE, 0));
        Batches batches = Batches.inOrder(data, 4, InputScale.UNIT);
        assertThrows(IllegalArgumentException.class,
                () -> batches.next(region.tensor(3, 1, 2, 2), region.allocate(16)));
        assertThrows(IllegalArgumentException.class,
                () -> batches.next(region.tensor(4, 1, 2, 2), region.allocate(12)));
    }

    @Test
    void theGeneratorIsTheSplitMix64OfItsPaper() {
        SplitMix64 random = new SplitMix64(1234567);
        assertEquals(6457827717110365317L, random.nextLong());
        assertEquals(3203168211198807973L, random.nextLong());
        long state = random.state();
        assertEquals(random.nextLong(), new SplitMix64(state).nextLong());
    }

    @Test
    void boundedNumbersAreUniform() {
        SplitMix64 random = new SplitMix64(5);
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++) {
            counts[random.nextInt(7)]++;
        }
        for (int count : counts) {
            assertEquals(10_000, count, 400, Arrays.toString(counts));
        }
    }

    private List<Integer> epoch(Batches batches, int number) {
        List<Integer> seen = new ArrayList<>();
        FloatTensor images = region.tensor(10, 1, 1, 1);
        MemorySegment labels = region.allocate(40);
        batches.seek(number, 0);
        int count = batches.next(images, labels);
        while (count > 0) {
            for (int i = 0; i < count; i++) {
                seen.add(Math.round(images.get(i) * 255));
            }
            count = batches.next(images, labels);
        }
        return seen;
    }

    private static List<Integer> shiftOf(float[] original, float[] moved, float background) {
        for (int down = -2; down <= 2; down++) {
            for (int right = -2; right <= 2; right++) {
                boolean equal = true;
                for (int p = 0; p < 25 && equal; p++) {
                    int y = p / 5 - down;
                    int x = p % 5 - right;
                    boolean outside = y < 0 || x < 0 || y > 4 || x > 4;
                    equal = Math.abs(moved[p] - (outside ? background : original[y * 5 + x])) < 1e-6;
                }
                if (equal) {
                    return List.of(down, right);
                }
            }
        }
        throw new AssertionError("no whole-pixel shift: " + Arrays.toString(moved));
    }

    private static Dataset data(int count, int channels, int height, int width) {
        byte[] pixels = new byte[count * channels * height * width];
        byte[] labels = new byte[count];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) i;
        }
        for (int i = 0; i < count; i++) {
            labels[i] = (byte) (i % 10);
        }
        return new Dataset("test", channels, height, width, 10, pixels, labels);
    }
}
