package io.pare.kernel;

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
