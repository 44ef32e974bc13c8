package io.pare.compress.constraint;

import io.pare.mem.FloatTensor;
import java.util.Arrays;
import java.util.List;

/** Splits a total of non-zeros among tensors. */
public final class Allotment {
    private Allotment() {}

    /**
     * {@return how many of each tensor are among the {@code total} best scores of all} Zeros are never chosen.
     *
     * @param tensors whose non-zeros compete
     * @param total that are chosen
     * @param score by which elements of different tensors are compared
     */
    public static long[] counts(List<FloatTensor> tensors, long total, GlobalSparsity.Score score) {
        double[][] scores = new double[tensors.size()][];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = scores(tensors.get(i), score);
        }
        return best(scores, total);
    }

    /** Scores of a tensor's non-zeros, descending. */
    private static double[] scores(FloatTensor tensor, GlobalSparsity.Score score) {
        float[] magnitudes = Projector.nonzeroValues(tensor);
        for (int i = 0; i < magnitudes.length; i++) {
            magnitudes[i] = Math.abs(magnitudes[i]);
        }
        Arrays.sort(magnitudes);
        double[] descending = new double[magnitudes.length];
        double sum = 0;
        for (int i = 0; i < magnitudes.length; i++) {
            double magnitude = magnitudes[magnitudes.length - 1 - i];
            double square = magnitude * magnitude;
            sum += square;
            descending[i] = score == GlobalSparsity.Score.LAMP ? square / sum : square;
        }
        return descending;
    }

    /** A merge of descending lists: how many of each are among the best {@code total}; of equal ones the first list's. */
    static long[] best(double[][] descending, long total) {
        long[] taken = new long[descending.length];
        for (long left = total; left > 0; left--) {
            int best = -1;
            for (int i = 0; i < descending.length; i++) {
                if (taken[i] < descending[i].length
                        && (best < 0 || descending[i][(int) taken[i]] > descending[best][(int) taken[best]])) {
                    best = i;
                }
            }
            if (best < 0) {
                break;
            }
            taken[best]++;
        }
        return taken;
    }
}
