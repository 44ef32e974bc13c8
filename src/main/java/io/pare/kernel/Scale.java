package io.pare.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Finds the scale q of a {@link LevelSet} that minimises the squared error of the non-zero elements.
 *
 * <p>For a fixed assignment the error is quadratic in q. As q grows, elements change level at {@code q = a / h} for
 * each magnitude a and each midpoint h of two multiples. On an interval of q, the elements that keep their level give
 * one quadratic, whose minimum is known. An element that changes level has at least the distance to the midpoint that
 * the interval allows. Together this is a lower bound whose gap shrinks with the square of the interval.
 *
 * <p>Branch and bound with it, on sorted magnitudes with prefix sums, ends at neighbouring floats: the result is the
 * minimiser among all floats.
 */
final class Scale implements AutoCloseable {
    private static final int START = 256;

    private final Sorted sorted;
    private final double[] edge = new double[3];
    private final double[] weights = new double[129];
    private final double[] firsts = new double[129];
    private final double[] seconds = new double[129];
    private double[] steps;
    private double[] middles;
    private double best;
    private float bestScale;
    private double[] lows = new double[4 * START];
    private double[] highs = new double[4 * START];
    private double[] nextLows = new double[4 * START];
    private double[] nextHighs = new double[4 * START];

    Scale(Workers workers) {
        sorted = new Sorted(workers);
    }

    /** The error at the scale found last. */
    double error() {
        return best;
    }

    void fill(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff) {
        sorted.fill(x, xOff, n, importance, importanceOff, true);
    }

    /** Non-zero elements taken by {@link #fill}. */
    long elements() {
        return sorted.count;
    }

    private void use(LevelSet set) {
        float[] multiples = set.multiples();
        int extra = set.zero() ? 1 : 0;
        steps = new double[multiples.length + extra];
        for (int i = 0; i < multiples.length; i++) {
            steps[i + extra] = multiples[i];
        }
        middles = new double[steps.length - 1];
        for (int i = 0; i < middles.length; i++) {
            middles[i] = (steps[i] + steps[i + 1]) / 2;
        }
    }

    /** The best scale for the elements taken by {@link #fill}; 1 where there are none. */
    float optimal(LevelSet set) {
        use(set);
        best = 0;
        bestScale = 1;
        if (sorted.count == 0) {
            return 1;
        }
        double first = steps[0] == 0 ? steps[1] : steps[0];
        double from = Math.max(Float.MIN_VALUE, sorted.value(0) / steps[steps.length - 1]);
        double to = Math.min(Float.MAX_VALUE, Math.max(from, sorted.value(sorted.count - 1) / first));
        best = Double.POSITIVE_INFINITY;
        improve(from);
        improve(to);
        int boxes = 0;
        double ratio = Math.pow(to / from, 1.0 / START);
        for (int i = 0; i < START; i++) {
            lows[boxes] = from * Math.pow(ratio, i);
            highs[boxes] = i + 1 == START ? to : from * Math.pow(ratio, i + 1);
            improve((lows[boxes] + highs[boxes]) / 2);
            boxes++;
        }
        while (boxes > 0) {
            if (2 * boxes > nextLows.length) {
                nextLows = new double[4 * boxes];
                nextHighs = new double[4 * boxes];
            }
            int kept = 0;
            for (int i = 0; i < boxes; i++) {
                double low = lows[i];
                double high = highs[i];
                if (bound(low, high) >= best * (1 - 1e-13)) {
                    continue;
                }
                double middle = (low + high) / 2;
                if (Math.nextUp((float) low) >= (float) high) {
                    consider((float) low);
                    consider((float) high);
                    continue;
                }
                consider((float) middle);
                nextLows[kept] = low;
                nextHighs[kept++] = middle;
                nextLows[kept] = middle;
                nextHighs[kept++] = high;
            }
            double[] swap = lows;
            lows = nextLows;
            nextLows = swap;
            swap = highs;
            highs = nextHighs;
            nextHighs = swap;
            boxes = kept;
        }
        return bestScale;
    }

    /** The published scan: 201 scales within a tenth of max / n; {@code zeros} pruned elements may count as errors. */
    float scan(LevelSet set, long zeros) {
        use(set);
        best = Double.POSITIVE_INFINITY;
        bestScale = 1;
        if (sorted.count == 0) {
            best = 0;
            return 1;
        }
        double start = sorted.value(sorted.count - 1) / steps[steps.length - 1];
        double first = steps[0];
        double least = Double.POSITIVE_INFINITY;
        float chosen = 1;
        for (int i = -100; i <= 100; i++) {
            float q = (float) (start * (1 + i * 0.001));
            double error = error(q) + zeros * (first * q) * (first * q);
            if (error < least) {
                least = error;
                chosen = q;
            }
        }
        bestScale = chosen;
        best = error(chosen);
        return chosen;
    }

    /** Alternates assignment and scale from {@code q} on, which never raises the error. */
    private void improve(double q) {
        double at = q;
        for (int i = 0; i < 4; i++) {
            consider((float) at);
            double cross = 0;
            double square = 0;
            double w = 0;
            double s = 0;
            for (int j = 0; j < steps.length; j++) {
                sorted.before(j < middles.length ? sorted.below(at * middles[j]) : sorted.count, edge);
                cross += steps[j] * (edge[1] - s + sorted.centre * (edge[0] - w));
                square += steps[j] * steps[j] * (edge[0] - w);
                w = edge[0];
                s = edge[1];
            }
            if (!(square > 0)) {
                return;
            }
            at = cross / square;
        }
        consider((float) at);
    }

    private void consider(float q) {
        if (q > 0) {
            double error = error(q);
            if (error < best || error == best && q < bestScale) {
                best = error;
                bestScale = q;
            }
        }
    }

    private double error(double q) {
        double error = 0;
        double w = 0;
        double s = 0;
        double p = 0;
        for (int j = 0; j < steps.length; j++) {
            sorted.before(j < middles.length ? sorted.below(q * middles[j]) : sorted.count, edge);
            // The level is stored as a float.
            double level = (float) (q * steps[j]) - sorted.centre;
            error += Math.max(0, edge[2] - p - 2 * level * (edge[1] - s) + level * level * (edge[0] - w));
            w = edge[0];
            s = edge[1];
            p = edge[2];
        }
        return error;
    }

    /** A lower bound of the error for every scale in [low, high]. */
    private double bound(double low, double high) {
        double square = 0;
        double cross = 0;
        double changing = 0;
        double w = 0;
        double s = 0;
        double p = 0;
        for (int j = 0; j < steps.length; j++) {
            // Elements from here (w, s, p are the sums before) to low * middle keep level j on the whole interval.
            long stay = j < middles.length ? sorted.below(low * middles[j]) : sorted.count;
            sorted.before(stay, edge);
            if (edge[0] > w) {
                weights[j] = edge[0] - w;
                firsts[j] = edge[1] - s;
                seconds[j] = edge[2] - p;
                cross += steps[j] * (firsts[j] + sorted.centre * weights[j]);
                square += steps[j] * steps[j] * weights[j];
            } else {
                weights[j] = 0;
            }
            if (j < middles.length) {
                double before = Math.max(w, edge[0]);
                sorted.before(sorted.below(high * middles[j]), edge);
                if (edge[0] > before) {
                    // Where the windows of two midpoints overlap, an element may pass both: its bound is zero.
                    boolean both = j + 1 < middles.length && low * middles[j + 1] < high * middles[j];
                    double gap = both
                            ? 0
                            : Math.max(0, Math.min(low * middles[j] - high * steps[j],
                                    low * steps[j + 1] - high * middles[j]));
                    changing += (edge[0] - before) * gap * gap;
                }
                if (edge[0] > w) {
                    w = edge[0];
                    s = edge[1];
                    p = edge[2];
                }
            }
        }
        double q = square > 0 ? Math.clamp(cross / square, low, high) : low;
        // The minimum of the quadratic, level by level around the centre, so that nothing cancels.
        double own = 0;
        for (int j = 0; j < steps.length; j++) {
            if (weights[j] > 0) {
                double level = q * steps[j] - sorted.centre;
                own += Math.max(0, seconds[j] - 2 * level * firsts[j] + level * level * weights[j]);
            }
        }
        return own + changing;
    }

    @Override
    public void close() {
        sorted.close();
    }
}
