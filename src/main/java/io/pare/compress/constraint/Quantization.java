package io.pare.compress.constraint;

import io.pare.kernel.LevelSet;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Every element is one of a fixed set of levels, scaled by one interval q for each tensor.
 *
 * <p>q is the one of least squared error, searched when a tensor is first projected. Where {@code follow} is set it is
 * searched at each projection, so that it follows the weights; otherwise it stays, as in the method's released code.
 *
 * @param levels which multiples of q
 * @param bits that tell the levels apart, within {@link Levels#range}; {@link Levels#TERNARY} has 1 beside zero
 * @param keepZero whether zeros stay zero; otherwise they go to a level as any other value
 * @param follow whether q is searched at each projection
 */
public record Quantization(Levels levels, int bits, boolean keepZero, boolean follow) implements Constraint {
    public static final String INTERVAL = "interval";

    /** Families of levels. */
    public enum Levels {
        /** +-q, +-2q, ... without zero. */
        UNIFORM,
        /** +-q, +-2q, +-4q, ... without zero. */
        POWERS,
        /**
         * Sums of two powers of two without zero, of 2 to 7 bits: one power has even exponents and the other odd ones,
         * and each may be left out (additive powers of two; arXiv 1909.13144, equation 4).
         */
        SUMS(2, 7),
        /** Floating-point numbers without zero: sign, 2 bits of exponent, mantissa; of 4 bits FP4 (E2M1). */
        E2(3, 8),
        /** With 3 bits of exponent; of 6 bits FP6 (E3M2). */
        E3(4, 8),
        /** With 4 bits of exponent; of 8 bits FP8 (E4M3), but that all codes are numbers. */
        E4(5, 8),
        /** -q and +q. */
        BINARY(1, 1),
        /** -q, 0 and +q. */
        TERNARY(1, 1);

        private final int least;
        private final int most;

        Levels() {
            this(1, 8);
        }

        Levels(int least, int most) {
            this.least = least;
            this.most = most;
        }

        /**
         * {@return whether there are such levels of so many bits}
         *
         * @param bits that tell the levels apart
         */
        public boolean have(int bits) {
            return bits >= least && bits <= most;
        }

        /** {@return how many bits they can have, in words} */
        public String range() {
            return least == most ? Integer.toString(least) : least + " to " + most;
        }

        /** {@return the levels as recipes write them} */
        public String words() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Refuses bits that the levels cannot have.
     *
     * @throws IllegalArgumentException if there are no such levels of so many bits
     */
    public Quantization {
        if (!levels.have(bits)) {
            throw new IllegalArgumentException(
                    levels.words() + " levels cannot have " + bits + " bits; they have " + levels.range());
        }
    }

    /**
     * {@return uniform levels of that many bits, zeros kept, the interval following the weights}
     *
     * @param bits 1 to 8
     */
    public static Quantization bits(int bits) {
        return new Quantization(bits == 1 ? Levels.BINARY : Levels.UNIFORM, bits, true, true);
    }

    /** {@return the levels as the kernels take them} */
    public LevelSet levelSet() {
        int side = 1 << bits - 1;
        return switch (levels) {
            case UNIFORM -> LevelSet.equidistant(side);
            case POWERS -> LevelSet.powersOfTwo(side);
            case SUMS -> LevelSet.sumsOfTwoPowers(bits / 2, (bits - 1) / 2);
            case E2 -> LevelSet.floats(2, bits - 3);
            case E3 -> LevelSet.floats(3, bits - 4);
            case E4 -> LevelSet.floats(4, bits - 5);
            case BINARY -> LevelSet.binary();
            case TERNARY -> LevelSet.ternary();
        };
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        round(from, null, to, memory, kernels);
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        round(from, importance, to, memory, kernels);
    }

    private void round(List<FloatTensor> from, @Nullable List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        for (int i = 0; i < from.size(); i++) {
            FloatTensor weights = importance == null ? null : importance.get(i);
            double[] last = memory.get(INTERVAL, i);
            double q = last == null || follow ? Projector.interval(kernels, from.get(i), weights, levelSet()) : last[0];
            memory.put(INTERVAL, i, q);
            Projector.nearest(kernels, from.get(i), to.get(i), scaled(q), keepZero);
        }
    }

    /**
     * {@return the levels for an interval, ascending, as the floats that weights become}
     *
     * @param q interval, above 0
     */
    public double[] scaled(double q) {
        LevelSet set = levelSet();
        double[] scaled = new double[set.size()];
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] = set.level(i, (float) q);
        }
        return scaled;
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        Feasibility all = null;
        for (int i = 0; i < values.size(); i++) {
            double[] q = memory.get(INTERVAL, i);
            double[] allowed = q == null ? new double[0] : scaled(q[0]);
            long out = 0;
            for (long e = 0; e < values.get(i).count(); e++) {
                float value = values.get(i).get(e);
                if (value != 0 || !keepZero) {
                    out += Arrays.binarySearch(allowed, value) < 0 ? 1 : 0;
                }
            }
            Feasibility one = Feasibility.atMost("values off the levels", out, 0);
            all = all == null ? one : all.and(one);
        }
        return all;
    }

    @Override
    public long values() {
        return levelSet().size();
    }

    @Override
    public Set<WeightChange> changes() {
        Set<WeightChange> changes = EnumSet.of(WeightChange.SPLITS_VALUES);
        if (!keepZero) {
            changes.add(WeightChange.FILLS_ZEROS);
        }
        if (levels == Levels.TERNARY) {
            changes.add(WeightChange.MAKES_ZEROS);
        }
        return changes;
    }

    @Override
    public Set<WeightChange> brokenBy() {
        Set<WeightChange> broken = EnumSet.of(WeightChange.SPLITS_VALUES, WeightChange.SHIFTS_VALUES);
        if (!keepZero) {
            broken.add(WeightChange.MAKES_ZEROS);
        }
        return broken;
    }

    @Override
    public boolean contains(Constraint other) {
        return other instanceof Quantization now && now.levels == levels && now.bits <= bits
                && (keepZero || !now.keepZero);
    }

    @Override
    public String describe() {
        return levels.words() + " levels of " + bits + " bits";
    }
}
