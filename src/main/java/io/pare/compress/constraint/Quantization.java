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
 * @param bits that tell the levels apart, 1 to 8; {@link Levels#BINARY} has 1, {@link Levels#TERNARY} 1 beside zero
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
        /** -q and +q. */
        BINARY,
        /** -q, 0 and +q. */
        TERNARY;

        /** {@return the levels as recipes write them} */
        public String words() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Refuses bits that the levels cannot have.
     *
     * @throws IllegalArgumentException if bits are not 1 to 8, or not 1 for binary and ternary levels
     */
    public Quantization {
        if (bits < 1 || bits > 8 || (levels == Levels.BINARY || levels == Levels.TERNARY) && bits != 1) {
            throw new IllegalArgumentException(levels.words() + " levels cannot have " + bits
                    + " bits");
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
