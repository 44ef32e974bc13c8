package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Every element is a whole level from -127 to 127 times the scale of its group; zero is a level. Levels are as many as values
 * need: what they take in a file follows from how often each occurs, so that a step says how fine values are, not how wide
 * codes are. At the same entropy that errs less than a codebook of few values (Gish and Pierce 1968).
 *
 * <p>The first projection fixes the scales: {@code step} times the root mean square of all non-zeros. Where squared changes have
 * an importance, a group's scale is less by the root of its mean importance over that of all: the error of each group then
 * costs about as much. Scales are rounded to four bits of mantissa.
 *
 * @param step of levels, in root mean squares of the tensor; above 0
 * @param group neighbours in row-major order that share a scale; 0 for a row
 */
public record ScaledLevels(double step, int group) implements Constraint {
    /** Scales of all groups in {@link ProjectionState}. */
    public static final String SCALES = "scales";
    /** Largest level, on either side. */
    public static final int MAX_LEVEL = 127;
    private static final int MANTISSA_BITS_DROPPED = 19;

    /** Checks the numbers. */
    public ScaledLevels {
        if (!(step > 0 && step < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("the step of levels must be above 0, not " + step);
        }
        if (group < 0) {
            throw new IllegalArgumentException("a group cannot have " + group + " elements");
        }
    }

    /**
     * {@return the elements that share a scale}
     *
     * @param tensor whose rows are groups where the constraint says so
     */
    public int size(FloatTensor tensor) {
        return group > 0 ? group : Math.toIntExact(tensor.count() / tensor.size(0));
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        round(from, null, to, memory);
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        round(from, importance, to, memory);
    }

    private void round(List<FloatTensor> from, @Nullable List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory) {
        for (int i = 0; i < from.size(); i++) {
            double[] scales = memory.get(SCALES, i);
            if (scales == null) {
                scales = scales(from.get(i), importance == null ? null : importance.get(i));
                memory.put(SCALES, i, scales);
            }
            round(from.get(i), scales, to.get(i));
        }
    }

    private void round(FloatTensor from, double[] scales, FloatTensor to) {
        int size = size(from);
        for (int g = 0; g < scales.length; g++) {
            float scale = (float) scales[g];
            long end = Math.min(from.count(), (g + 1L) * size);
            for (long at = (long) g * size; at < end; at++) {
                to.set(at, level(from.get(at), scale) * scale);
            }
        }
    }

    /**
     * {@return the nearest level, of two equally near ones the even one}
     *
     * @param value finite
     * @param scale of its group
     */
    public static int level(float value, float scale) {
        return (int) Math.clamp(Math.rint(value / scale), -MAX_LEVEL, MAX_LEVEL);
    }

    private double[] scales(FloatTensor tensor, @Nullable FloatTensor importance) {
        int size = size(tensor);
        int groups = Math.toIntExact((tensor.count() + size - 1) / size);
        double squares = 0;
        long nonzeros = 0;
        double all = 0;
        double[] means = new double[groups];
        for (int g = 0; g < groups; g++) {
            long first = (long) g * size;
            long end = Math.min(tensor.count(), first + size);
            for (long at = first; at < end; at++) {
                double value = tensor.get(at);
                squares += value * value;
                nonzeros += value != 0 ? 1 : 0;
                means[g] += importance == null ? 1 : importance.get(at);
            }
            all += means[g];
            means[g] /= end - first;
        }
        all /= tensor.count();
        double usual = nonzeros == 0 ? 1 : step * Math.sqrt(squares / nonzeros);
        double[] scales = new double[groups];
        for (int g = 0; g < groups; g++) {
            scales[g] = rounded(means[g] > 0 ? usual * Math.sqrt(all / means[g]) : usual);
        }
        return scales;
    }

    private static float rounded(double scale) {
        int bits = Float.floatToIntBits((float) Math.max(scale, 0x1p-100));
        return Float.intBitsToFloat(
                bits + (1 << MANTISSA_BITS_DROPPED - 1) >> MANTISSA_BITS_DROPPED << MANTISSA_BITS_DROPPED);
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        Feasibility all = null;
        for (int i = 0; i < values.size(); i++) {
            FloatTensor tensor = values.get(i);
            double[] scales = memory.get(SCALES, i);
            int size = size(tensor);
            long out = 0;
            for (long at = 0; at < tensor.count(); at++) {
                float scale = scales == null ? Float.NaN : (float) scales[(int) (at / size)];
                out += level(tensor.get(at), scale) * scale == tensor.get(at) ? 0 : 1;
            }
            Feasibility one = Feasibility.atMost("values off the levels", out, 0);
            all = all == null ? one : all.and(one);
        }
        return all;
    }

    /** No bound: groups have levels of their own. */
    @Override
    public long values() {
        return Long.MAX_VALUE;
    }

    @Override
    public Set<WeightChange> changes() {
        return EnumSet.of(WeightChange.SPLITS_VALUES, WeightChange.MAKES_ZEROS);
    }

    @Override
    public Set<WeightChange> brokenBy() {
        return EnumSet.of(WeightChange.SPLITS_VALUES, WeightChange.SHIFTS_VALUES);
    }

    @Override
    public boolean contains(Constraint other) {
        return equals(other);
    }

    @Override
    public String describe() {
        return "whole levels of " + step + " root mean squares, a scale for each "
                + (group == 0 ? "row" : "group of " + group);
    }
}
