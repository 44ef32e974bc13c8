package io.pare.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Pairwise;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.train.Network;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TextWindowsTest {
    private static final int WIDTH = 6;
    private static final int MOST = 9;

    /** Attention of one head over words and positions. */
    private static CompressedWeights encoder(int length, boolean masked) {
        NetBuilder net = new NetBuilder("tiny", Shape.of(length));
        net.add("words", new TensorOp.Embedding(20, WIDTH));
        int words = net.at();
        net.add("positions", new TensorOp.Constant(Shape.of(length, WIDTH)), List.of());
        net.add("sum", new TensorOp.Zip(Pairwise.ADD), List.of(net.at(), words));
        int sum = net.at();
        net.add("heads", new TensorOp.Reshape(Shape.of(length, 1, WIDTH)), List.of(sum));
        int heads = net.at();
        if (masked) {
            net.add("mask", new TensorOp.Constant(Shape.of(1, 1, length)), List.of());
        }
        List<Integer> inputs = masked ? List.of(heads, heads, heads, net.at()) : List.of(heads, heads, heads);
        net.add("attention", new TensorOp.Attention(0.5f, masked, true), inputs);
        net.add("rows", new TensorOp.Reshape(Shape.of(length, WIDTH)));
        Net built = net.build();
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : built.parameters()) {
            Random random = new Random(parameter.name().hashCode());
            float[] values = new float[(int) parameter.count()];
            for (int i = 0; i < values.length && !parameter.name().startsWith("mask"); i++) {
                values[i] = (float) random.nextGaussian();
            }
            tensors.put(parameter.name(), CompressedTensor.of(values, parameter.shape()));
        }
        return new CompressedWeights(built, tensors, InputScale.UNIT);
    }

    private static List<int[]> texts(int count) {
        Random random = new Random(3);
        return random.ints(count, 2, MOST + 1).mapToObj(length -> random.ints(length, 0, 20).toArray()).toList();
    }

    @Test
    void aTextInAWindowIsComputedAsByItself() {
        List<int[]> texts = texts(5);
        TextWindows windows = TextWindows.of(texts);
        int width = windows.width();
        assertEquals(texts.stream().mapToInt(text -> text.length).sum(), width, "one window holds all of them");
        CompressedWeights all = encoder(MOST, true);
        float[] together = outputs(windows.apart(encoder(width, true), all), windows.ids());
        int from = 0;
        for (int length : windows.lengths()) {
            float[] alone = outputs(TextWindows.each(texts, length).apart(encoder(length, true), all),
                    Arrays.copyOfRange(windows.ids(), from, from + length));
            assertArrayEquals(alone, Arrays.copyOfRange(together, from * WIDTH, (from + length) * WIDTH), 1e-5f);
            from += length;
        }
    }

    private static float[] outputs(CompressedWeights weights, float[] ids) {
        try (Network network = Network.frozen(weights, false)) {
            return network.outputs(ids, 1);
        }
    }

    @Test
    void windowsAreAlikeAndHoldNearlyAllTokens() {
        List<int[]> texts = texts(500);
        TextWindows windows = TextWindows.of(texts);
        assertTrue(windows.width() <= 256 && windows.width() > 200, windows.width() + " tokens");
        assertEquals(0, windows.ids().length % windows.width());
        int tokens = texts.stream().mapToInt(text -> text.length).sum();
        assertTrue(windows.ids().length > 0.95 * tokens, windows.ids().length + " of " + tokens);
        // A text that was cut keeps its end.
        int[] longest = {7, 8, 9, 10, 11};
        TextWindows two = new TextWindows(List.of(3), TextWindows.each(List.of(new int[]{1, 2, 3}), 3).ids());
        assertArrayEquals(new float[]{1, 2, 3}, two.ids());
        assertEquals(5, TextWindows.each(List.of(longest, new int[]{1, 2}), 4).width());
    }

    @Test
    void attentionWithoutAMaskIsRefused() {
        TextWindows windows = TextWindows.of(texts(3));
        CompressedWeights one = encoder(windows.width(), false);
        FormatException e = assertThrows(FormatException.class, () -> windows.apart(one, encoder(MOST, false)));
        assertTrue(e.getMessage().contains("attends without a mask"), e.getMessage());
    }
}
