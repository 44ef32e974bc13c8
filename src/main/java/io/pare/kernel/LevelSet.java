package io.pare.kernel;

import java.util.Arrays;
import java.util.Objects;

/**
 * The shape of a set of quantisation levels: multiples of one scale q, the same on both sides of zero.
 *
 * @param zero whether 0 is a level; pruned weights, which are exactly 0, stay 0 either way and need no level
 * @param multiples of q, positive and ascending
 */
public record LevelSet(boolean zero, float... multiples) {
    /** Multiples on either side of zero. */
    private static final int MOST = 128;

    /** Checks and copies the multiples. */
    public LevelSet {
        multiples = multiples.clone();
        checkCount(multiples.length);
        float last = 0;
        for (float multiple : multiples) {
            if (!(multiple > last && multiple < Float.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("multiples must be positive, finite and ascending: " + multiple
                        + " follows " + last);
            }
            last = multiple;
        }
    }

    /** {@return a copy of the multiples, ascending} */
    @Override
    public float[] multiples() {
        return multiples.clone();
    }

    /**
     * {@return {@code +-q, +-2q, ..., +-nq} without zero: the paper's set}
     *
     * @param n multiples on either side of zero, 1 to 128
     */
    public static LevelSet equidistant(int n) {
        return new LevelSet(false, steps(n));
    }

    /**
     * {@return {@code 0, +-q, +-2q, ..., +-nq}}
     *
     * @param n multiples on either side of zero, 1 to 128
     */
    public static LevelSet equidistantWithZero(int n) {
        return new LevelSet(true, steps(n));
    }

    /**
     * {@return {@code +-q, +-2q, +-4q, ..., +-2^(n-1) q} without zero}
     *
     * @param n multiples on either side of zero, 1 to 128
     */
    public static LevelSet powersOfTwo(int n) {
        checkCount(n);
        float[] powers = new float[n];
        for (int i = 0; i < n; i++) {
            powers[i] = Math.scalb(1f, i);
        }
        return new LevelSet(false, powers);
    }

    /**
     * {@return the sums of at most one even power of two and at most one odd one, without zero: the powers from 1 down,
     * as multiples of the least (additive powers of two; arXiv 1909.13144, equation 4)}
     *
     * @param even bits that choose the even power, or none; 0 for none alone
     * @param odd bits that choose the odd power; with {@code even} 1 to 6 together, at most 3 each
     */
    public static LevelSet sumsOfTwoPowers(int even, int odd) {
        if (even < 0 || odd < 0 || even > 3 || odd > 3 || even + odd < 1) {
            throw new IllegalArgumentException("1 to 6 bits, at most 3 a power, given " + even + " and " + odd);
        }
        // Powers of two from 1 down to this one: sums of two stay exact in 24 bits.
        int lowest = Math.max(2 * ((1 << even) - 2), 2 * ((1 << odd) - 2) + 1);
        float[] sums = new float[(1 << even + odd) - 1];
        int at = 0;
        for (int i = 0; i < 1 << even; i++) {
            for (int j = i == 0 ? 1 : 0; j < 1 << odd; j++) {
                sums[at++] = power(i, lowest - 2 * (i - 1)) + power(j, lowest - 2 * (j - 1) - 1);
            }
        }
        Arrays.sort(sums);
        return new LevelSet(false, sums);
    }

    /** Code 0 stands for no power. */
    private static float power(int code, int exponent) {
        return code == 0 ? 0 : Math.scalb(1f, exponent);
    }

    /**
     * {@return floating-point numbers of so many bits and a sign, without zero, as multiples of the least: with subnormal
     * ones, without infinities and NaN}
     *
     * @param exponent bits of the exponent, 1 to 4
     * @param mantissa bits of the mantissa, at least 0; with {@code exponent} at most 7
     */
    public static LevelSet floats(int exponent, int mantissa) {
        if (exponent < 1 || exponent > 4 || mantissa < 0 || exponent + mantissa > 7) {
            throw new IllegalArgumentException("1 to 4 bits of exponent and 7 of both, given " + exponent + " and "
                    + mantissa);
        }
        float[] numbers = new float[(1 << exponent + mantissa) - 1];
        int ones = 1 << mantissa;
        for (int code = 1; code <= numbers.length; code++) {
            int power = code >> mantissa;
            int fraction = code & ones - 1;
            numbers[code - 1] = power == 0 ? fraction : Math.scalb((float) (ones + fraction), power - 1);
        }
        return new LevelSet(false, numbers);
    }

    /** {@return {@code -q, 0, +q}} */
    public static LevelSet ternary() {
        return new LevelSet(true, 1);
    }

    /** {@return {@code -q, +q}} */
    public static LevelSet binary() {
        return new LevelSet(false, 1);
    }

    /** {@return the number of levels, with zero if it is a level} */
    public int size() {
        return 2 * multiples.length + (zero ? 1 : 0);
    }

    /**
     * {@return the level {@code i} of the ascending list, for scale {@code q}}
     *
     * @param i from 0 to {@link #size} - 1, the lowest level first
     * @param q the scale, above 0
     */
    public float level(int i, float q) {
        Objects.checkIndex(i, size());
        int n = multiples.length;
        if (i < n) {
            return -q * multiples[n - 1 - i];
        }
        if (zero && i == n) {
            return 0;
        }
        return q * multiples[i - n - (zero ? 1 : 0)];
    }

    private static void checkCount(int multiples) {
        if (multiples < 1 || multiples > MOST) {
            throw new IllegalArgumentException("1 to " + MOST + " multiples a side, given " + multiples);
        }
    }

    private static float[] steps(int n) {
        checkCount(n);
        float[] steps = new float[n];
        for (int i = 0; i < n; i++) {
            steps[i] = i + 1;
        }
        return steps;
    }
}
