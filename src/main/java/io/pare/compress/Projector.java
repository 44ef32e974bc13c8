package io.pare.compress;

import io.pare.mem.FloatTensor;
import java.util.Arrays;
import java.util.TreeSet;

/** The seam between constraints, which speak of tensors, and the kernels, which speak of memory. */
final class Projector {
    private Projector() {}

    /** Copies the {@code k} largest magnitudes, of equal ones the first, and zeroes the rest. */
    static void topK(FloatTensor from, FloatTensor to, long k) {
        float[] x = from.toArray();
        keepLargest(x, Math.toIntExact(Math.min(k, x.length)));
        to.copyFrom(x);
    }

    private static void keepLargest(float[] x, int k) {
        if (k >= x.length) {
            return;
        }
        float threshold = k == 0 ? Float.POSITIVE_INFINITY : magnitude(x, k);
        int above = 0;
        for (float value : x) {
            above += Math.abs(value) > threshold ? 1 : 0;
        }
        int ties = k - above;
        for (int i = 0; i < x.length; i++) {
            float size = Math.abs(x[i]);
            if (size < threshold || size == threshold && ties-- <= 0) {
                x[i] = 0;
            }
        }
    }

    /** The {@code k}-th largest magnitude, from 1. */
    static float magnitude(float[] x, int k) {
        float[] sorted = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            sorted[i] = Math.abs(x[i]);
        }
        Arrays.sort(sorted);
        return sorted[sorted.length - k];
    }

    /** Marks the {@code k} largest scores, of equal ones the first. */
    static boolean[] largest(double[] score, int k) {
        boolean[] kept = new boolean[score.length];
        Integer[] order = new Integer[score.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Double.compare(score[b], score[a]));
        for (int i = 0; i < Math.min(k, order.length); i++) {
            kept[order[i]] = true;
        }
        return kept;
    }

    static long nonzeros(FloatTensor tensor) {
        long count = 0;
        for (float value : tensor.toArray()) {
            count += value != 0 ? 1 : 0;
        }
        return count;
    }

    /** The distinct values of a tensor, ascending, zero left out; stops above {@code limit}. */
    static float[] distinct(FloatTensor tensor, int limit) {
        TreeSet<Float> found = new TreeSet<>();
        for (float value : tensor.toArray()) {
            if (value != 0 && found.add(value) && found.size() > limit) {
                break;
            }
        }
        float[] values = new float[found.size()];
        int i = 0;
        for (float value : found) {
            values[i++] = value;
        }
        return values;
    }

    /** The values that are not zero, ascending. */
    static float[] sortedNonzeros(FloatTensor tensor) {
        float[] x = tensor.toArray();
        int n = 0;
        for (float value : x) {
            if (value != 0) {
                x[n++] = value;
            }
        }
        float[] found = Arrays.copyOf(x, n);
        Arrays.sort(found);
        return found;
    }

    /**
     * Least-squares codewords of sorted values: Lloyd's rounds on prefix sums until nothing moves.
     *
     * @param start codewords to start from, or {@code null} for quantiles
     */
    static double[] codebook(float[] sorted, int k, double[] start) {
        if (sorted.length == 0) {
            return start == null ? new double[0] : start.clone();
        }
        double[] sums = new double[sorted.length + 1];
        for (int i = 0; i < sorted.length; i++) {
            sums[i + 1] = sums[i] + sorted[i];
        }
        double[] codes = start != null && start.length == k ? start.clone() : quantiles(sorted, k);
        Arrays.sort(codes);
        for (int round = 0; round < 300; round++) {
            boolean moved = false;
            int begin = 0;
            for (int c = 0; c < codes.length; c++) {
                int end = c + 1 == codes.length
                        ? sorted.length
                        : Math.max(begin, countBelow(sorted, (codes[c] + codes[c + 1]) / 2));
                if (end > begin) {
                    double mean = (sums[end] - sums[begin]) / (end - begin);
                    moved |= Math.abs(mean - codes[c]) > 1e-9;
                    codes[c] = mean;
                }
                begin = end;
            }
            if (!moved) {
                break;
            }
        }
        return codes;
    }

    private static double[] quantiles(float[] sorted, int k) {
        return java.util.stream.IntStream.range(0, k)
                .mapToDouble(c -> sorted[(int) ((2L * c + 1) * sorted.length / (2L * k))]).distinct().toArray();
    }

    private static int countBelow(float[] sorted, double boundary) {
        int low = 0;
        int high = sorted.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sorted[middle] <= boundary) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Maps each element to the nearest codeword, of two equally near ones the smaller; zeros stay where asked. */
    static void nearest(FloatTensor from, FloatTensor to, double[] codes, boolean keepZero) {
        float[] x = from.toArray();
        if (codes.length > 0) {
            for (int i = 0; i < x.length; i++) {
                if (x[i] != 0 || !keepZero) {
                    x[i] = (float) nearest(codes, x[i]);
                }
            }
        }
        to.copyFrom(x);
    }

    static double nearest(double[] codes, double value) {
        return codes[nearestIndex(codes, value)];
    }

    static int nearestIndex(double[] codes, double value) {
        int best = 0;
        for (int c = 1; c < codes.length; c++) {
            if (Math.abs(value - codes[c]) < Math.abs(value - codes[best])) {
                best = c;
            }
        }
        return best;
    }

    /** Interval of least squared error to {@code pattern} times the interval: a scan, then a refinement of the best. */
    static double interval(FloatTensor tensor, double[] pattern, boolean keepZero) {
        float[] x = keepZero ? sortedNonzeros(tensor) : tensor.toArray();
        if (x.length == 0) {
            return 1;
        }
        double largest = 0;
        for (float value : x) {
            largest = Math.max(largest, Math.abs(value));
        }
        double best = largest / pattern[pattern.length - 1];
        double bestError = Double.POSITIVE_INFINITY;
        for (int i = 1; i <= 100; i++) {
            double q = largest * i / 100;
            // Alternating nearest level and least-squares interval never raises the error.
            for (int round = 0; round < 3; round++) {
                double product = 0;
                double square = 0;
                for (float value : x) {
                    double level = nearest(pattern, value / q);
                    product += level * value;
                    square += level * level;
                }
                q = square > 0 && product > 0 ? product / square : q;
            }
            double error = 0;
            for (float value : x) {
                double off = value - q * nearest(pattern, value / q);
                error += off * off;
            }
            if (error < bestError) {
                bestError = error;
                best = q;
            }
        }
        return best;
    }

    /** Onto k non-zeros of so many values; returns the codebook. */
    static double[] joint(FloatTensor from, FloatTensor to, long kept, int k, double[] start) {
        topK(from, to, kept);
        double[] codes = codebook(sortedNonzeros(to), k, start);
        float[] x = from.toArray();
        for (int round = 0; round < 5 && codes.length > 0; round++) {
            float[] gain = new float[x.length];
            for (int i = 0; i < x.length; i++) {
                double code = nearest(codes, x[i]);
                gain[i] = (float) Math.max(0, code * (2 * x[i] - code));
            }
            keepLargest(gain, Math.toIntExact(Math.min(kept, x.length)));
            float[] support = new float[x.length];
            for (int i = 0; i < x.length; i++) {
                support[i] = gain[i] > 0 ? x[i] : 0;
            }
            to.copyFrom(support);
            codes = codebook(sortedNonzeros(to), k, codes);
        }
        nearest(to, to, codes, true);
        return codes;
    }
}
