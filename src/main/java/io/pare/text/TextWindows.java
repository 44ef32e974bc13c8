package io.pare.text;

import io.pare.file.FormatException;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Texts of unequal lengths side by side in windows of one length: a sentence encoder takes them all at once. Each text has
 * positions from 0 on, and tokens attend to those of their own text alone.
 *
 * <p>All windows are divided alike. With texts from the longest to the shortest, as many as there are windows stand in the same
 * place of each, and are cut to the shortest of them, which is one or two tokens less than the longest.
 *
 * @param lengths tokens of the texts of a window, in order
 * @param ids of the tokens of all windows, one window after another; not to be changed
 */
public record TextWindows(List<Integer> lengths, float[] ids) {
    /** Tokens of a window at most: attention takes time by their square. */
    private static final int MOST = 256;
    /** Added to scores of tokens of other texts, as BERT masks padding: nothing is left of them. A half can hold it. */
    private static final float APART = -1e4f;

    /** Copies the list. */
    public TextWindows {
        lengths = List.copyOf(lengths);
    }

    /**
     * {@return texts side by side; fewer than there are windows may be left over}
     *
     * @param texts ids of their tokens, the last of which ends a text; at least one text
     */
    public static TextWindows of(List<int[]> texts) {
        List<int[]> sorted = texts.stream().sorted(Comparator.comparingInt((int[] text) -> -text.length)).toList();
        int tokens = sorted.stream().mapToInt(text -> text.length).sum();
        int count = Math.min(sorted.size(), Math.ceilDiv(tokens, MOST));
        List<Integer> lengths = new ArrayList<>();
        for (int first = 0; first + count <= sorted.size(); first += count) {
            lengths.add(sorted.get(first + count - 1).length);
        }
        int width = lengths.stream().mapToInt(Integer::intValue).sum();
        float[] ids = new float[count * width];
        for (int window = 0; window < count; window++) {
            int at = window * width;
            for (int place = 0; place < lengths.size(); place++) {
                int[] text = sorted.get(place * count + window);
                int length = lengths.get(place);
                for (int i = 0; i < length; i++) {
                    ids[at++] = i == length - 1 ? text[text.length - 1] : text[i];
                }
            }
        }
        return new TextWindows(lengths, ids);
    }

    /**
     * {@return each text of one length in a window of its own; those of the longest if there are none of that}
     *
     * @param texts ids of their tokens; at least one text
     * @param length tokens of a text
     */
    public static TextWindows each(List<int[]> texts, int length) {
        int most = texts.stream().mapToInt(text -> text.length).max().orElseThrow();
        int width = texts.stream().anyMatch(text -> text.length == length) ? length : most;
        List<int[]> taken = texts.stream().filter(text -> text.length == width).toList();
        float[] ids = new float[taken.size() * width];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = taken.get(i / width)[i % width];
        }
        return new TextWindows(List.of(width), ids);
    }

    /** {@return tokens of a window} */
    public int width() {
        return lengths.stream().mapToInt(Integer::intValue).sum();
    }

    /**
     * {@return an encoder of windows in which texts are apart}
     *
     * @param one the encoder for texts of a window's length
     * @param all the same encoder for texts of any length, from which the rows of positions come
     * @throws FormatException if its attention takes no mask
     */
    public CompressedWeights apart(CompressedWeights one, CompressedWeights all) {
        if (lengths.size() == 1) {
            return one;
        }
        Net net = one.model();
        int width = width();
        List<Node> nodes = new ArrayList<>(net.nodes());
        Map<String, CompressedTensor> tensors = new HashMap<>(one.tensors());
        for (Node node : net.layers()) {
            if (node.op() instanceof TensorOp.Attention attention) {
                Node mask = attention.masked() ? net.node(node.inputs().getLast()) : null;
                if (mask == null || !(mask.op() instanceof TensorOp.Constant)) {
                    throw new FormatException(
                            net.name() + " attends without a mask, so texts of several lengths cannot stand"
                                    + " side by side: give a .npz file of texts of one length");
                }
                Shape shape = new Shape(List.of(1, width, width));
                nodes.set(mask.place(),
                        new Node(mask.place(), mask.name(), new TensorOp.Constant(shape), mask.inputs(), shape));
                tensors.put(mask.parameters().getFirst().name(), CompressedTensor.of(mask(), 1, width, width));
            }
        }
        for (Node node : net.layers()) {
            if (node.op() instanceof TensorOp.Constant && nodes.get(node.place()).equals(node)) {
                String name = node.parameters().getFirst().name();
                CompressedTensor rows = all.tensor(name);
                if (node.output().rank() == 2 && node.output().sizes().getFirst() == width) {
                    tensors.put(name, rows(rows));
                }
            }
        }
        return new CompressedWeights(new Net(net.name(), nodes), tensors, one.scale());
    }

    private float[] mask() {
        int width = width();
        float[] mask = new float[width * width];
        Arrays.fill(mask, APART);
        int from = 0;
        for (int length : lengths) {
            for (int row = from; row < from + length; row++) {
                Arrays.fill(mask, row * width + from, row * width + from + length, 0);
            }
            from += length;
        }
        return mask;
    }

    /** A row for each token of a window, by its position in its text. */
    private CompressedTensor rows(CompressedTensor positions) {
        float[] from = positions.toArray();
        int features = Math.toIntExact(from.length / positions.shape()[0]);
        float[] to = new float[width() * features];
        int at = 0;
        for (int length : lengths) {
            System.arraycopy(from, 0, to, at, length * features);
            at += length * features;
        }
        return CompressedTensor.takingOver(to, width(), features);
    }
}
