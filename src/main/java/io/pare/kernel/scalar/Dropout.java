package io.pare.kernel.scalar;

/**
 * The counter-based generator of dropout: a 32-bit hash of the seed and of an element's number.
 *
 * <p>Two rounds of the bit mixer "lowbias32" (C. Wellons, "Prospecting for hash functions", 2018), the first over the
 * counter's low half, the second over its high half. 32-bit multiplications only, because those exist as vector
 * instructions on every platform.
 */
public final class Dropout {
    /** First multiplier of the mixer. */
    public static final int M1 = 0x7feb352d;
    /** Second multiplier of the mixer. */
    public static final int M2 = 0x846ca68b;

    private Dropout() {}

    /** Mixes 32 bits; a bijection. */
    public static int mix(int x) {
        int h = x;
        h ^= h >>> 16;
        h *= M1;
        h ^= h >>> 15;
        h *= M2;
        return h ^ h >>> 16;
    }

    /** Key of the first round. */
    public static int lowKey(long seed) {
        return mix((int) seed);
    }

    /** Key of the second round for all counters that share their high 32 bits with {@code counter}. */
    public static int highKey(long seed, long counter) {
        return mix((int) (seed >>> 32) ^ mix((int) (counter >>> 32) + 0x9e3779b9));
    }

    /** 24 uniform bits for element {@code counter}. */
    public static int draw(long counter, int lowKey, int highKey) {
        return mix(mix((int) counter ^ lowKey) ^ highKey) >>> 8;
    }

    /** Elements whose {@link #draw} is below this are dropped. */
    public static int threshold(float rate) {
        if (!(rate >= 0 && rate < 1)) {
            throw new IllegalArgumentException("dropout rate must be in [0, 1), is " + rate);
        }
        return Math.round(rate * (1 << 24));
    }
}
