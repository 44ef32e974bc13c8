package io.pare.compress;

import io.pare.mem.FloatTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Every element is one of a fixed set of levels, scaled by one interval q for each tensor.
 *
 * <p>q is the one of least squared error, searched when a tensor is first projected and, where {@code follow} is set,
 * at each projection, so that it follows the weights; otherwise it stays, as in the released code of the method.
 *
 * @param levels which multiples of q
 * @param bits that tell the levels apart, 1 to 8; {@link Levels#BINARY} has 1, {@link Levels#TERNARY} 1 beside zero
 * @param keepZero whether zeros stay zero; otherwise they go to a level as any other value
 * @param follow whether q is searched at each projection
 */
public record Quantization(Levels levels, int bits, boolean keepZero, boolean follow) implements Constraint {
    static final String INTERVAL = "interval";

    /** Families of levels. */
    public enum Levels {
        /** +-q, +-2q, ... without zero. */
        UNIFORM,
        /** +-q, +-2q, +-4q, ... without zero. */
        POWERS,
        /** -q and +q. */
        BINARY,
        /** -q, 0 and +q. */
        TERNARY
    }

    public Quantization {
        if (bits < 1 || bits > 8 || (levels == Levels.BINARY || levels == Levels.TERNARY) && bits != 1) {
            throw new IllegalArgumentException(levels.name().toLowerCase(Locale.ROOT) + " levels cannot have " + bits
                    + " bits");
        }
    }

    /** Uniform levels of that many bits, zeros kept, interval following the weights. */
    public static Quantization bits(int bits) {
        return new Quantization(bits == 1 ? Levels.BINARY : Levels.UNIFORM, bits, true, true);
    }

    /** The levels for q = 1, ascending. */
    public double[] pattern() {
        if (levels == Levels.TERNARY) {
            return new double[]{-1, 0, 1};
        }
        int side = 1 << bits - 1;
        double[] pattern = new double[2 * side];
        for (int i = 0; i < side; i++) {
            double level = levels == Levels.POWERS ? 1L << i : i + 1;
            pattern[side + i] = level;
            pattern[side - 1 - i] = -level;
        }
        return pattern;
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, Memory memory) {
        for (int i = 0; i < from.size(); i++) {
            double[] last = memory.get(INTERVAL, i);
            double q = last == null || follow ? Projector.interval(from.get(i), pattern(), keepZero) : last[0];
            memory.put(INTERVAL, i, q);
            Projector.nearest(from.get(i), to.get(i), scaled(q), keepZero);
        }
    }

    /** The levels for that interval, ascending, as the floats that weights become. */
    double[] scaled(double q) {
        return Arrays.stream(pattern()).map(level -> (float) (level * q)).toArray();
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, Memory memory) {
        Feasibility all = null;
        for (int i = 0; i < values.size(); i++) {
            double[] q = memory.get(INTERVAL, i);
            double[] allowed = q == null ? new double[0] : scaled(q[0]);
            long out = 0;
            for (float value : values.get(i).toArray()) {
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
    public String describe() {
        return levels.name().toLowerCase(Locale.ROOT) + " levels of " + bits + " bits";
    }
}
