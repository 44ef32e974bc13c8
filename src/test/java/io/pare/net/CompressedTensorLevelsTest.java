package io.pare.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tensors that keep whole levels as they are, and ranges of elements of all kinds. */
class CompressedTensorLevelsTest {
    private static final int COUNT = 9000;

    /** The same values in every way in which a tensor keeps them, for a share of zeros. */
    private static List<CompressedTensor> kinds(double zeros) {
        Random random = new Random(3);
        byte[] levels = new byte[COUNT];
        float[] values = new float[COUNT];
        float[] floats = new float[COUNT];
        float[] scales = new float[COUNT / 7 + 1];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = (1 + random.nextInt(9)) / 8f;
        }
        for (int i = 0; i < COUNT; i++) {
            levels[i] = (byte) (random.nextDouble() < zeros ? 0 : random.nextBoolean() ? 127 : 1 + random.nextInt(9));
            values[i] = levels[i] * scales[i / 7];
            floats[i] = levels[i] == 0 ? 0 : random.nextFloat() - 2;
        }
        GroupScales groups = new GroupScales(7, scales);
        CompressedTensor kept = CompressedTensor.ofLevels(new long[]{90, 100}, levels, groups);
        CompressedTensor plain = CompressedTensor.of(values, 90, 100);
        float[] words = {1, 2, 3, 4, 5, 6, 7, 8, 9, 127};
        CompressedTensor scaled = plain.scaled(words, groups);
        assertArrayEquals(values, kept.toArray());
        assertTrue(kept.isScaled() && !kept.isCoded() && kept.sameAs(plain) && plain.sameAs(kept));
        assertEquals(scaled.nonzeros(), kept.nonzeros());
        for (int i = 0; i < kept.nonzeros(); i++) {
            assertEquals(words[scaled.code(i)], kept.codebook()[kept.code(i)]);
        }
        return List.of(kept, plain, scaled, CompressedTensor.of(floats, 90, 100));
    }

    @Test
    void rangesAreThoseOfTheWhole() {
        for (double zeros : new double[]{0, 0.01, 0.5, 0.99}) {
            for (CompressedTensor tensor : kinds(zeros)) {
                float[] all = tensor.toArray();
                for (int size = 0; size < 68; size++) {
                    List<Integer> starts = new ArrayList<>(List.of(0, COUNT - size, 4096 - size / 2));
                    starts.add(size * 97);
                    for (int from : starts) {
                        float[] into = new float[size + 2];
                        Arrays.fill(into, 5);
                        tensor.copyTo(from, size, into, 1);
                        assertArrayEquals(Arrays.copyOfRange(all, from, from + size),
                                Arrays.copyOfRange(into, 1, size + 1), tensor + " from " + from);
                        assertTrue(into[0] == 5 && into[size + 1] == 5);
                    }
                }
                assertThrows(IndexOutOfBoundsException.class, () -> tensor.copyTo(COUNT - 1, 2, new float[2], 0));
                assertThrows(IndexOutOfBoundsException.class, () -> tensor.copyTo(0, 2, new float[2], 1));
            }
        }
    }

    @Test
    void levelsMustFitAndBeAbove128BelowZero() {
        GroupScales one = new GroupScales(4, new float[]{1});
        assertThrows(IllegalArgumentException.class,
                () -> CompressedTensor.ofLevels(new long[]{4}, new byte[3], one));
        assertThrows(IllegalArgumentException.class,
                () -> CompressedTensor.ofLevels(new long[]{2}, new byte[]{1, -128}, one));
        CompressedTensor empty = CompressedTensor.ofLevels(new long[]{4}, new byte[4], one);
        assertEquals(0, empty.nonzeros());
        assertFalse(empty.isScaled());
    }
}
