package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whole numbers of so many bits times a power of two, which is the layer's own: fixed point as FxP-QNet (2203.12091) has it. Numbers are
 * symmetric, {@code -(2^(bits-1) - 1)} to {@code 2^(bits-1) - 1}.
 *
 * <p>The projection is the nearest point. It tries the powers from above, where all elements become zero, down to where
 * what is cut off at the ends alone errs more than the best one does. Smaller powers cut off more.
 *
 * @param bits of a number with its sign, 2 to 16
 */
public record FixedPoint(int bits) implements Constraint {
    private static final int MANTISSA = 23;

    /**
     * Refuses numbers out of range.
     *
     * @throws IllegalArgumentException if bits are not 2 to 16
     */
    public FixedPoint {
        if (bits < 2 || bits > 16) {
            throw new IllegalArgumentException("numbers of fixed point have 2 to 16 bits, not " + bits);
        }
    }

    private int most() {
        return (1 << bits - 1) - 1;
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        round(from, null, to);
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        round(from, importance, to);
    }

    private void round(List<FloatTensor> from, @Nullable List<FloatTensor> importance, List<FloatTensor> to) {
        for (int i = 0; i < from.size(); i++) {
            float[] values = from.get(i).toArray();
            double step = step(values, importance == null ? null : importance.get(i).toArray());
            for (int e = 0; e < values.length; e++) {
                values[e] = (float) rounded(values[e], step);
            }
            to.get(i).copyFrom(values);
        }
    }

    private double rounded(double value, double step) {
        return Math.clamp(Math.rint(value / step), -most(), most()) * step;
    }

    private double step(float[] values, float @Nullable [] weights) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        if (largest == 0) {
            return 1;
        }
        double best = 1;
        double least = Double.POSITIVE_INFINITY;
        // Twice the largest magnitude, and more, rounds all elements to zero.
        for (int power = Math.getExponent(largest) + 2;; power--) {
            double step = Math.scalb(1.0, power);
            double range = most() * step;
            double error = 0;
            double cut = 0;
            for (int e = 0; e < values.length; e++) {
                double weight = weights == null ? 1 : weights[e];
                double change = values[e] - rounded(values[e], step);
                error += weight * change * change;
                double beyond = Math.max(0, Math.abs(values[e]) - range);
                cut += weight * beyond * beyond;
            }
            if (error < least) {
                least = error;
                best = step;
            }
            if (cut >= least || power < Float.MIN_EXPONENT - MANTISSA + 1) {
                return best;
            }
        }
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        long largest = 0;
        for (FloatTensor tensor : values) {
            int lowest = Integer.MAX_VALUE;
            double most = 0;
            for (float value : tensor.toArray()) {
                if (value != 0) {
                    lowest = Math.min(lowest, lowestBit(value));
                    most = Math.max(most, Math.abs(value));
                }
            }
            largest = Math.max(largest, most == 0 ? 0 : (long) Math.min(1e18, most / Math.scalb(1.0, lowest)));
        }
        return Feasibility.atMost("units of the largest number", largest, most());
    }

    /** The exponent of the lowest bit that is set. */
    private static int lowestBit(float value) {
        int all = Float.floatToRawIntBits(value);
        int exponent = Math.max(Math.getExponent(value), Float.MIN_EXPONENT);
        int fraction = all & (1 << MANTISSA) - 1;
        return fraction == 0 ? Math.getExponent(value) : exponent - MANTISSA + Integer.numberOfTrailingZeros(fraction);
    }

    @Override
    public long values() {
        return 2L * most();
    }

    @Override
    public Set<WeightChange> changes() {
        return Set.of(WeightChange.MAKES_ZEROS, WeightChange.SPLITS_VALUES);
    }

    @Override
    public Set<WeightChange> brokenBy() {
        return Set.of(WeightChange.SPLITS_VALUES, WeightChange.SHIFTS_VALUES);
    }

    @Override
    public boolean contains(Constraint other) {
        return other instanceof FixedPoint now && now.bits <= bits;
    }

    @Override
    public String describe() {
        return "whole numbers of " + bits + " bits times a power of two";
    }
}
