package io.pare.report;

import io.pare.format.protobuf.Protobuf.Writer;
import java.util.Arrays;

/**
 * How often values lie where, in bins of equal width from the least to the largest.
 *
 * @param count of the values
 * @param sum of the values
 * @param squares sum of their squares
 * @param least of them
 * @param largest of them
 * @param limits upper end of each bin
 * @param counts values in each bin: above the limit before, up to its own
 */
record Histogram(long count, double sum, double squares, double least, double largest, double[] limits,
        double[] counts) {
    private static final int BINS = 64;

    /** Counts the values that are finite and not zero: zeros of a pruned tensor would hide all others. */
    static Histogram of(float[] values) {
        float least = Float.POSITIVE_INFINITY;
        float largest = Float.NEGATIVE_INFINITY;
        long count = 0;
        double sum = 0;
        double squares = 0;
        for (float value : values) {
            if (value != 0 && Float.isFinite(value)) {
                least = Math.min(least, value);
                largest = Math.max(largest, value);
                count++;
                sum += value;
                squares += (double) value * value;
            }
        }
        int bins = least < largest ? BINS : 1;
        double width = ((double) largest - least) / bins;
        double[] limits = new double[bins];
        for (int bin = 0; bin < bins; bin++) {
            limits[bin] = bin == bins - 1 ? largest : least + (bin + 1) * width;
        }
        double[] counts = new double[bins];
        for (float value : values) {
            if (value != 0 && Float.isFinite(value)) {
                int found = Arrays.binarySearch(limits, value);
                counts[found < 0 ? -found - 1 : found]++;
            }
        }
        return new Histogram(count, sum, squares, least, largest, limits, counts);
    }

    /** As {@code HistogramProto} of TensorFlow's {@code histogram.proto}. */
    Writer message() {
        return new Writer().real(1, least).real(2, largest).real(3, count).real(4, sum).real(5, squares)
                .reals(6, limits).reals(7, counts);
    }
}
