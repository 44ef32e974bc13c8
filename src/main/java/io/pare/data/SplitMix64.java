package io.pare.data;

import java.util.random.RandomGenerator;

/**
 * A small random generator whose whole state is one long, so that a checkpoint can hold it.
 *
 * <p>Algorithm: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, with the
 * finaliser "variant 13" of D. Stafford. The sequence for a seed never changes between versions of Pare: results that
 * were published with a seed can be had again. Not thread-safe.
 */
public final class SplitMix64 implements RandomGenerator {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private long state;

    /**
     * Starts at {@code state}: a seed, or what {@link #state()} gave.
     *
     * @param state any number, or that of another generator
     */
    public SplitMix64(long state) {
        this.state = state;
    }

    /**
     * {@return a generator for one purpose among many that share a seed: equal paths give equal sequences}
     *
     * @param seed common to all purposes
     * @param path tells the purpose
     */
    public static SplitMix64 of(long seed, long... path) {
        long state = mix(seed + GOLDEN);
        for (long step : path) {
            state = mix(state ^ mix(step + GOLDEN));
        }
        return new SplitMix64(state);
    }

    /** {@return what a new generator needs to continue where this one is} */
    public long state() {
        return state;
    }

    /**
     * Starts over for item {@code index} of a family, without allocating.
     *
     * @param family seed of all its items
     * @param index of the item
     */
    public void restart(long family, long index) {
        state = mix(family ^ mix(index + GOLDEN));
    }

    @Override
    public long nextLong() {
        state += GOLDEN;
        return mix(state);
    }

    /** Uniform in [0, bound), without bias (D. Lemire, "Fast random integer generation in an interval", 2019). */
    @Override
    public int nextInt(int bound) {
        if (bound < 1) {
            throw new IllegalArgumentException("bound must be positive, is " + bound);
        }
        long product = (nextLong() >>> 32) * bound;
        if ((product & 0xffff_ffffL) < bound) {
            long threshold = (1L << 32) % bound;
            while ((product & 0xffff_ffffL) < threshold) {
                product = (nextLong() >>> 32) * bound;
            }
        }
        return (int) (product >>> 32);
    }

    /**
     * Shuffles in place (Fisher-Yates, from the end).
     *
     * @param values shuffled in place
     */
    public void shuffle(int[] values) {
        for (int i = values.length - 1; i > 0; i--) {
            int other = nextInt(i + 1);
            int kept = values[i];
            values[i] = values[other];
            values[other] = kept;
        }
    }

    private static long mix(long z) {
        long x = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        x = (x ^ x >>> 27) * 0x94d049bb133111ebL;
        return x ^ x >>> 31;
    }
}
