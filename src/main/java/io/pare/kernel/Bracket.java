package io.pare.kernel;

/** An interval of keys, [lo, hi), that is thought to hold the threshold, with what is known for sure beside it. */
final class Bracket {
    /** Up to this many elements everything is collected: a sample would cost more than it saves. */
    static final int SMALL = 8192;
    /** Half the width of the bracket, in standard deviations of the sample's rank. */
    private static final double DEVIATIONS = 5;
    /** Share of the elements from which on a value counts as heavily tied. */
    private static final double HEAVY = 1.0 / 8;

    private final Sample sample;
    private long total;
    int lo;
    int hi;
    /** The most likely threshold, in [lo, hi]. */
    int guess;
    /** Elements that the bracket probably holds. */
    long expected;
    /** Heavily tied values that were cut off the bracket's ends, or -1. With one, a miss is not rare. */
    private int tiedLo;
    private int tiedHi;
    /** Keys that surely enclose the threshold, [sureLo, sureHi), and how many keys reach each. */
    private int sureLo;
    private int sureHi;
    private long sureLoCount;
    private long sureHiCount;

    Bracket(Sample sample) {
        this.sample = sample;
    }

    /**
     * Brackets the {@code k}-th greatest of {@code all} elements by a new sample, with all but certainty.
     *
     * @param bias ranks by which tests push the bracket aside
     */
    void around(long k, long all, double bias) {
        total = all;
        sureLo = 0;
        sureLoCount = total;
        sureHi = Spans.END;
        sureHiCount = 0;
        tiedLo = -1;
        tiedHi = -1;
        if (total <= SMALL) {
            sample.clear();
            lo = 0;
            guess = Spans.END;
            hi = Spans.END;
            expected = total;
            return;
        }
        double share = (double) k / total;
        sample.draw(share);
        int sampled = sample.size();
        double rank = share * sampled + bias;
        double margin = DEVIATIONS * Math.sqrt(share * sampled * (1 - share)) + 2 * DEVIATIONS;
        int upper = (int) Math.floor(rank - margin);
        int lower = (int) Math.ceil(rank + margin);
        sample.focus(Math.clamp(rank - margin, 1, sampled), Math.clamp(rank + margin, 1, sampled));
        // Keys of the sample that reach lo, and that are above it.
        long reachLo = sampled;
        long beyondLo = sampled;
        lo = 0;
        if (lower < sampled) {
            lo = sample.rank(Math.max(1, lower));
            reachLo = sample.above + sample.equal;
            beyondLo = sample.above;
        }
        guess = sample.rank((long) Math.clamp(rank, 1, sampled));
        hi = Spans.END;
        // Keys of the sample that reach hi, and that reach the last key below it.
        long reachHi = 0;
        long reachLast = 0;
        if (upper >= 1) {
            hi = sample.rank(Math.min(sampled, upper)) + 1;
            reachHi = sample.above;
            reachLast = sample.above + sample.equal;
        }
        expect(reachLo - reachHi);
        // If an end of the bracket is a heavily tied value, drop it and see whether the rest suffices.
        if (expected > HEAVY * total && hi - lo > 1 && reachLo - beyondLo > HEAVY * sampled) {
            tiedLo = lo++;
            expect(beyondLo - reachHi);
        }
        if (expected > HEAVY * total && hi - lo > 1 && reachLast - reachHi > HEAVY * sampled) {
            tiedHi = --hi;
            expect((tiedLo >= 0 ? beyondLo : reachLo) - reachLast);
        }
        guess = Math.clamp(guess, lo, hi);
    }

    private void expect(long inSample) {
        expected = (long) ((double) inSample / sample.size() * total) + 1;
    }

    /**
     * Whether the bracket comes from a sample, and holds few enough elements, not all of one value, to collect them.
     */
    boolean speculative() {
        return sampled() && collectable();
    }

    /** Whether it holds few enough elements, not all of one value, to collect them. */
    boolean collectable() {
        return expected <= total / 6 + SMALL && hi - lo > 1;
    }

    /** Whether it comes from a sample. */
    boolean sampled() {
        return total > SMALL;
    }

    /** Whether no heavily tied value was cut off: a miss is then rare. */
    boolean whole() {
        return tiedLo < 0 && tiedHi < 0;
    }

    /** After a miss: the heavily tied value that was cut off on the side of the miss, or -1. */
    int missedTie() {
        if (tiedHi >= 0 && lo == tiedHi) {
            return tiedHi;
        }
        return tiedLo >= 0 && hi == tiedLo + 1 ? tiedLo : -1;
    }

    /** The number of candidates proved wrong: collecting anew needs room for all elements. */
    void expectAll() {
        expected = total;
    }

    /**
     * Whether the k-th greatest is not inside; the bracket then becomes the side on which it is.
     *
     * @param over elements above the bracket
     * @param inside elements in it
     */
    boolean miss(long k, long over, long inside) {
        if (k <= over) {
            from(hi, over);
            return true;
        }
        if (k > over + inside) {
            below(lo, over + inside);
            return true;
        }
        return false;
    }

    /** Narrows it to the keys below {@code bound}, which {@code count} keys reach. */
    void below(int bound, long count) {
        enclose(sureLo, sureLoCount, bound, count);
    }

    /** Narrows it to the keys from {@code bound} on, which {@code count} keys reach. */
    void from(int bound, long count) {
        enclose(bound, count, sureHi, sureHiCount);
    }

    /** Narrows it to [newLo, newHi), whose ends {@code loCount} and {@code hiCount} keys reach. */
    void enclose(int newLo, long loCount, int newHi, long hiCount) {
        lo = newLo;
        hi = newHi;
        sureLo = newLo;
        sureLoCount = loCount;
        sureHi = newHi;
        sureHiCount = hiCount;
        expected = loCount - hiCount;
    }

    /** Whether one key is left, and it is surely the threshold: {@link #lo}. */
    boolean decided() {
        return hi - lo == 1 && lo == sureLo && hi == sureHi;
    }

    /** Elements above a threshold that is decided. */
    long above() {
        return sureHiCount;
    }

    /** Elements equal to a threshold that is decided. */
    long equal() {
        return sureLoCount - sureHiCount;
    }
}
