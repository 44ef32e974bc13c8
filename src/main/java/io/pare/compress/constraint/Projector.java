package io.pare.compress.constraint;

import io.pare.kernel.Clusters;
import io.pare.kernel.LevelSet;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The seam between constraints, which speak of tensors, and the kernels, which speak of memory. */
public final class Projector {
    private static final int ROUNDS = 100;

    private Projector() {}

    /**
     * Copies the {@code k} largest magnitudes, of equal ones the first, and zeroes the rest.
     *
     * @param kernels that project
     * @param from read only
     * @param to of the same shape; overwritten
     * @param k elements that stay, at least 0
     */
    public static void topK(Projections kernels, FloatTensor from, FloatTensor to, long k) {
        kernels.topK(from.segment(), 0, to.segment(), 0, from.count(), Math.min(k, from.count()));
    }

    /**
     * {@return how many elements are not zero; -0.0 is zero}
     *
     * @param tensor read only
     */
    public static long nonzeros(FloatTensor tensor) {
        long count = 0;
        MemorySegment segment = tensor.segment();
        for (long i = 0; i < tensor.count(); i++) {
            count += segment.getAtIndex(ValueLayout.JAVA_FLOAT, i) != 0 ? 1 : 0;
        }
        return count;
    }

    /** Elements of a row of the tensor as the matrix of its first dimension by all others; a vector is one row. */
    static int columns(FloatTensor tensor) {
        return Math.toIntExact(tensor.rank() < 2 ? tensor.count() : tensor.count() / tensor.size(0));
    }

    /**
     * {@return the distinct values of a tensor, ascending, zero left out; stops above {@code limit}}
     *
     * @param tensor read only
     * @param limit most values to look for
     */
    public static float[] distinct(FloatTensor tensor, int limit) {
        TreeSet<Float> found = new TreeSet<>();
        float last = 0;
        for (long i = 0; i < tensor.count(); i++) {
            float value = tensor.get(i);
            if (value != 0 && value != last && found.add(value) && found.size() > limit) {
                break;
            }
            last = value;
        }
        float[] values = new float[found.size()];
        int at = 0;
        for (float value : found) {
            values[at++] = value;
        }
        return values;
    }

    /**
     * {@return the values that are not zero, in the tensor's order}
     *
     * @param tensor read only
     */
    public static float[] nonzeroValues(FloatTensor tensor) {
        float[] found = new float[Math.toIntExact(nonzeros(tensor))];
        int n = 0;
        for (long i = 0; i < tensor.count(); i++) {
            float value = tensor.get(i);
            if (value != 0) {
                found[n++] = value;
            }
        }
        return found;
    }

    /**
     * {@return the codewords of least squared error for the non-zeros, ascending; at most {@code k}}
     *
     * @param kernels that project
     * @param tensor read only
     * @param importance of the elements' squared errors, or {@code null} for equal ones
     * @param k codewords, 1 to 256
     * @param start codewords to start Lloyd's rounds from, or {@code null} for the global optimum
     */
    public static double[] codebook(Projections kernels, FloatTensor tensor, @Nullable FloatTensor importance, int k,
            double @Nullable [] start) {
        try (Region region = Region.confined("codebook")) {
            MemorySegment words = region.allocate((long) k * Float.BYTES);
            MemorySegment weights = importance == null ? null : importance.segment();
            Clusters found;
            if (start == null || start.length != k) {
                found = kernels.kMeansExact(tensor.segment(), 0, tensor.count(), weights, 0, k, words, 0);
            } else {
                write(start, words);
                found = kernels.kMeans(tensor.segment(), 0, tensor.count(), weights, 0, k, words, 0, ROUNDS);
            }
            return read(words, found.size());
        }
    }

    private static void write(double[] codes, MemorySegment words) {
        for (int c = 0; c < codes.length; c++) {
            words.setAtIndex(ValueLayout.JAVA_FLOAT, c, (float) codes[c]);
        }
    }

    private static double[] read(MemorySegment words, int size) {
        double[] codes = new double[size];
        for (int c = 0; c < size; c++) {
            codes[c] = words.getAtIndex(ValueLayout.JAVA_FLOAT, c);
        }
        return codes;
    }

    /**
     * Maps each element to the nearest codeword, of two equally near ones the smaller.
     *
     * @param kernels that project
     * @param from read only
     * @param to of the same shape; overwritten
     * @param codes ascending
     * @param keepZero whether zeros stay; otherwise they go to the codeword nearest to zero
     * @return sum of squared distances of the non-zeros
     */
    public static double nearest(Projections kernels, FloatTensor from, FloatTensor to, double[] codes,
            boolean keepZero) {
        if (codes.length == 0) {
            to.fill(0f);
            return 0;
        }
        try (Region region = Region.confined("codebook")) {
            MemorySegment words = region.allocate((long) codes.length * Float.BYTES);
            write(codes, words);
            double error = kernels.assign(from.segment(), 0, from.count(), codes.length, words, 0, to.segment(), 0,
                    null, 0);
            if (!keepZero) {
                float zero = (float) codes[nearestIndex(codes, 0)];
                for (long i = 0; i < to.count(); i++) {
                    if (to.get(i) == 0) {
                        to.set(i, zero);
                    }
                }
            }
            return error;
        }
    }

    /**
     * {@return the index of the nearest code, of two equally near ones the smaller}
     *
     * @param codes ascending, at least one
     * @param value that is looked for
     */
    public static int nearestIndex(double[] codes, double value) {
        int best = 0;
        for (int c = 1; c < codes.length; c++) {
            if (Math.abs(value - codes[c]) < Math.abs(value - codes[best])) {
                best = c;
            }
        }
        return best;
    }

    /**
     * {@return the interval of least squared error over the non-zeros, above 0}
     *
     * @param kernels that project
     * @param tensor read only
     * @param importance of the elements' squared errors, or {@code null} for equal ones
     * @param levels in units of the interval
     */
    public static double interval(Projections kernels, FloatTensor tensor, @Nullable FloatTensor importance,
            LevelSet levels) {
        return kernels.optimalScale(tensor.segment(), 0, tensor.count(),
                importance == null ? null : importance.segment(), 0, levels);
    }

    /**
     * Projects onto at most {@code kept} non-zeros of {@code k} values.
     *
     * @param kernels that project
     * @param from read only
     * @param to of the same shape; overwritten
     * @param kept most non-zeros
     * @param k codewords, 1 to 256
     * @param start codewords to start from, or {@code null}
     * @return the codebook, ascending
     */
    public static double[] joint(Projections kernels, FloatTensor from, FloatTensor to, long kept, int k,
            double @Nullable [] start) {
        return joint(kernels, from, null, to, kept, k, start);
    }

    /**
     * Projects onto at most {@code kept} non-zeros of {@code k} values, where squared changes have weights.
     *
     * @param kernels that project
     * @param from read only
     * @param importance of the elements' squared changes, or {@code null} for equal ones
     * @param to of the same shape; overwritten
     * @param kept most non-zeros
     * @param k codewords, 1 to 256
     * @param start codewords to start from, or {@code null}
     * @return the codebook, ascending
     */
    public static double[] joint(Projections kernels, FloatTensor from, @Nullable FloatTensor importance,
            FloatTensor to, long kept, int k, double @Nullable [] start) {
        try (Region region = Region.confined("codebook")) {
            MemorySegment words = region.allocate((long) k * Float.BYTES);
            boolean warm = start != null && start.length == k;
            if (warm) {
                write(start, words);
            }
            io.pare.kernel.Joint found = kernels.joint(from.segment(), 0, from.count(),
                    importance == null ? null : importance.segment(), 0, Math.min(kept, from.count()), k, warm, words,
                    0, ROUNDS, to.segment(), 0, null, 0);
            return read(words, found.size());
        }
    }

    /**
     * {@return the bits that tell so many values apart: at least 1, and 32 above 256 values}
     *
     * @param distinct values
     */
    public static int bitsFor(long distinct) {
        return distinct > 256 ? 32 : Math.max(1, 64 - Long.numberOfLeadingZeros(Math.max(0, distinct - 1)));
    }
}
