package io.pare.format.pare;

import io.pare.net.CompressedTensor;
import java.util.Arrays;

/**
 * A codebook of few words, each of which stands for neighbouring words of a larger one: how a value is refined.
 *
 * @param coarse words, ascending
 * @param children number of finer words of each, at least 1; together they are the finer codebook, in its order
 */
record Nesting(float[] coarse, int[] children) {
    /** Low bits of a float that a word in between does without: such words take half of the space, and are means anyway. */
    private static final int SPARE_BITS = 16;

    /**
     * The coarser words of least squared error (by dynamic programming over ascending words), none of which stands for words
     * of both signs: places of zeros are the same in all layers.
     *
     * @param tensor with a codebook
     * @param most words, at least 2
     */
    static Nesting of(CompressedTensor tensor, int most) {
        float[] fine = tensor.codebook();
        double[] counts = new double[fine.length + 1];
        double[] sums = new double[fine.length + 1];
        double[] squares = new double[fine.length + 1];
        int[] uses = new int[fine.length];
        for (int i = 0; i < tensor.nonzeros(); i++) {
            uses[tensor.code(i)]++;
        }
        for (int w = 0; w < fine.length; w++) {
            counts[w + 1] = counts[w] + uses[w];
            sums[w + 1] = sums[w] + uses[w] * (double) fine[w];
            squares[w + 1] = squares[w] + uses[w] * (double) fine[w] * fine[w];
        }
        int groups = Math.min(most, fine.length);
        double[][] least = new double[groups + 1][fine.length + 1];
        int[][] begin = new int[groups + 1][fine.length + 1];
        for (double[] row : least) {
            Arrays.fill(row, Double.POSITIVE_INFINITY);
        }
        least[0][0] = 0;
        for (int g = 1; g <= groups; g++) {
            for (int end = 1; end <= fine.length; end++) {
                for (int from = end - 1; from >= 0 && fine[from] > 0 == fine[end - 1] > 0; from--) {
                    double sum = sums[end] - sums[from];
                    double error = least[g - 1][from] + squares[end] - squares[from]
                            - sum * sum / (counts[end] - counts[from]);
                    if (error < least[g][end]) {
                        least[g][end] = error;
                        begin[g][end] = from;
                    }
                }
            }
        }
        float[] coarse = new float[groups];
        int[] children = new int[groups];
        int end = fine.length;
        for (int g = groups; g > 0; g--) {
            int from = begin[g][end];
            children[g - 1] = end - from;
            coarse[g - 1] = end - from == 1
                    ? fine[from]
                    : rounded((sums[end] - sums[from]) / (counts[end] - counts[from]), fine[from], fine[end - 1]);
            end = from;
        }
        return new Nesting(coarse, children);
    }

    /** A mean with few bits, that lies between the words it stands for, so that words ascend and none is zero. */
    private static float rounded(double mean, float low, float high) {
        int bits = Float.floatToRawIntBits((float) mean) + (1 << SPARE_BITS - 1) >>> SPARE_BITS << SPARE_BITS;
        float value = Float.intBitsToFloat(bits);
        return value >= low && value <= high ? value : (float) mean;
    }

    /** The word that stands for each of the finer ones. */
    int[] parents() {
        int[] parents = new int[Arrays.stream(children).sum()];
        int at = 0;
        for (int p = 0; p < children.length; p++) {
            for (int c = 0; c < children[p]; c++) {
                parents[at++] = p;
            }
        }
        return parents;
    }

    /** The same tensor in coarser words. */
    CompressedTensor coarser(CompressedTensor tensor) {
        int[] parents = parents();
        byte[] codes = new byte[tensor.nonzeros()];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) parents[tensor.code(i)];
        }
        return with(tensor, codes, coarse);
    }

    /** A tensor with its values in the same places. */
    static CompressedTensor with(CompressedTensor places, byte[] codes, float[] codebook) {
        int[] positions = null;
        if (!places.isDense()) {
            positions = new int[codes.length];
            for (int i = 0; i < codes.length; i++) {
                positions[i] = places.position(i);
            }
        }
        return new CompressedTensor(places.shape(), codes.length, positions, codes, codebook, null);
    }
}
