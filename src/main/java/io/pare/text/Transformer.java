package io.pare.text;

import io.pare.kernel.MatrixKernels;
import io.pare.kernel.PackedMatrix;
import io.pare.net.CompressedTensor;
import io.pare.tensor.Computation;
import io.pare.tensor.Functions;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.function.ObjIntConsumer;

/**
 * BERT's encoder (Devlin et al., 1810.04805) with weights packed for {@link MatrixKernels}.
 *
 * <p>Tokens of several texts are rows of the same matrices, one after another, and only attention sees where a text ends:
 * texts of unequal lengths need no padding. Immutable and thread-safe; all that a call writes is in its {@link Scratch}.
 *
 * @param words a row for each token of the vocabulary, unpacked where a text has it
 * @param positions a row for each position of a text, the type of the first text added
 * @param width features of a token
 * @param heads of attention
 * @param start normalisation of the sum of both
 * @param layers in order
 */
record Transformer(CompressedTensor words, float[] positions, int width, int heads, Norm start, List<Layer> layers) {
    /**
     * A layer.
     *
     * @param attended queries, keys and values of all heads; queries are scaled
     * @param mixed what heads give, made the width of a token
     * @param afterAttention normalisation
     * @param wide to more features
     * @param function replaces so many values by those of a function
     * @param narrow and back
     * @param afterFeatures normalisation
     */
    record Layer(PackedMatrix attended, PackedMatrix mixed, Norm afterAttention, PackedMatrix wide,
            ObjIntConsumer<float[]> function, PackedMatrix narrow, Norm afterFeatures) {}

    /**
     * Normalisation of rows.
     *
     * @param computation of them
     * @param scale of each feature
     * @param shift of each feature
     */
    record Norm(Computation computation, MemorySegment scale, MemorySegment shift) {
        void run(int rows, Matrix from, Matrix to) {
            computation.forward(rows, new MemorySegment[]{from.memory, scale, shift}, to.memory, MemorySegment.NULL);
        }
    }

    /** Rows of activations. */
    private static final class Matrix {
        private float[] values = new float[0];
        private MemorySegment memory = MemorySegment.ofArray(values);

        /** Makes room for rows, and for those that kernels compute beside the last. */
        void grow(int rows, int columns) {
            int size = Math.multiplyExact(rows + MatrixKernels.ROWS, columns);
            if (values.length < size) {
                values = new float[size];
                memory = MemorySegment.ofArray(values);
            }
        }
    }

    /** What one call at a time writes. Grows to what it needs. */
    static final class Scratch {
        private final MatrixKernels kernels = MatrixKernels.active();
        private final Matrix tokens = new Matrix();
        private final Matrix attended = new Matrix();
        private final Matrix mixed = new Matrix();
        private final Matrix sums = new Matrix();
        private final Matrix wide = new Matrix();
        private final Matrix scores = new Matrix();
        private final PackedMatrix keys = new PackedMatrix(kernels);
        private final PackedMatrix values = new PackedMatrix(kernels);
    }

    /** Texts have at most so many tokens. */
    int most() {
        return positions.length / width;
    }

    /**
     * Computes the vectors of tokens.
     *
     * @param texts ids of the tokens of each
     * @return a row for each token of all texts, in order; valid until the next call
     */
    float[] run(List<int[]> texts, Scratch scratch) {
        int rows = texts.stream().mapToInt(text -> text.length).sum();
        for (Matrix matrix : List.of(scratch.tokens, scratch.mixed, scratch.sums)) {
            matrix.grow(rows, width);
        }
        scratch.attended.grow(rows, 3 * width);
        embed(texts, scratch.sums.values);
        start.run(rows, scratch.sums, scratch.tokens);
        for (Layer layer : layers) {
            run(layer, texts, rows, scratch);
        }
        return scratch.tokens.values;
    }

    private void embed(List<int[]> texts, float[] into) {
        int row = 0;
        for (int[] text : texts) {
            for (int i = 0; i < text.length; i++, row++) {
                words.copyTo(text[i] * width, width, into, row * width);
                for (int j = 0; j < width; j++) {
                    into[row * width + j] += positions[i * width + j];
                }
            }
        }
    }

    private void run(Layer layer, List<int[]> texts, int rows, Scratch scratch) {
        MatrixKernels kernels = scratch.kernels;
        kernels.multiply(scratch.tokens.values, 0, width, rows, layer.attended, scratch.attended.values, 0, 3 * width);
        int row = 0;
        for (int[] text : texts) {
            attend(row, text.length, scratch);
            row += text.length;
        }
        kernels.multiply(scratch.mixed.values, 0, width, rows, layer.mixed, scratch.sums.values, 0, width);
        add(scratch.sums.values, scratch.tokens.values, rows * width);
        layer.afterAttention.run(rows, scratch.sums, scratch.tokens);
        int features = layer.wide.columns();
        scratch.wide.grow(rows, features);
        kernels.multiply(scratch.tokens.values, 0, width, rows, layer.wide, scratch.wide.values, 0, features);
        layer.function.accept(scratch.wide.values, rows * features);
        kernels.multiply(scratch.wide.values, 0, features, rows, layer.narrow, scratch.sums.values, 0, width);
        add(scratch.sums.values, scratch.tokens.values, rows * width);
        layer.afterFeatures.run(rows, scratch.sums, scratch.tokens);
    }

    private static void add(float[] to, float[] from, int count) {
        for (int i = 0; i < count; i++) {
            to[i] += from[i];
        }
    }

    /** Attention within one text. What kernels write beyond its rows is that of the next text, which comes later. */
    private void attend(int row, int count, Scratch scratch) {
        MatrixKernels kernels = scratch.kernels;
        float[] attended = scratch.attended.values;
        int stride = 3 * width;
        int each = width / heads;
        scratch.scores.grow(count, count);
        float[] scores = scratch.scores.values;
        for (int head = 0; head < heads; head++) {
            int at = row * stride + head * each;
            scratch.keys.transpose(attended, at + width, stride, count, each);
            kernels.multiply(attended, at, stride, count, scratch.keys, scores, 0, count);
            share(scores, count);
            scratch.values.copy(attended, at + 2 * width, stride, count, each);
            kernels.multiply(scores, 0, count, count, scratch.values, scratch.mixed.values, row * width + head * each,
                    width);
        }
    }

    /** Replaces rows of scores by their shares: powers of e over the sum of these. */
    private static void share(float[] scores, int count) {
        for (int at = 0; at < count * count; at += count) {
            float largest = scores[at];
            for (int i = at + 1; i < at + count; i++) {
                largest = Math.max(largest, scores[i]);
            }
            for (int i = at; i < at + count; i++) {
                scores[i] -= largest;
            }
        }
        // All rows at once: loops over a short row would not be vectorised.
        for (int i = 0; i < count * count; i++) {
            scores[i] = (float) Functions.exp(scores[i]);
        }
        for (int at = 0; at < count * count; at += count) {
            float sum = 0;
            for (int i = at; i < at + count; i++) {
                sum += scores[i];
            }
            float factor = 1 / sum;
            for (int i = at; i < at + count; i++) {
                scores[i] *= factor;
            }
        }
    }

    /** The vector of a text from those of its tokens, of length 1. */
    float[] pool(float[] tokens, int row, int count, Pooling pooling) {
        int used = switch (pooling) {
            case MEAN -> count;
            case FIRST -> 1;
        };
        double[] sum = new double[width];
        for (int i = row; i < row + used; i++) {
            for (int j = 0; j < width; j++) {
                sum[j] += tokens[i * width + j];
            }
        }
        double length = Math.sqrt(Arrays.stream(sum).map(x -> x * x).sum());
        float[] vector = new float[width];
        for (int j = 0; j < width && length > 0; j++) {
            vector[j] = (float) (sum[j] / length);
        }
        return vector;
    }
}
