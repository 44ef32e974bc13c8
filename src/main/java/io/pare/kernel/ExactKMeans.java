package io.pare.kernel;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The globally optimal 1-D k-means, by dynamic programming.
 *
 * <p>Clusters of an optimal solution are intervals of the sorted values, and the cost of an interval has the Monge
 * property. Divide and conquer therefore fills each layer of the recurrence in O(n log n), as in Ckmeans.1d.dp since
 * 3.4.6 (Groenlund et al., 1701.07204).
 */
final class ExactKMeans {
    private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** From this many distinct values on, workers share a layer. */
    private static final int LARGE = 16_384;
    /** Ranges of columns into which a shared layer is divided. */
    private static final int RANGES = 64;

    private final Workers workers;
    private final Workers.Task halving = this::halve;
    private final Workers.Task filling = this::fillRanges;
    private final Sorted sorted;
    private final Codebook codebook;

    // The tables, which live as long as a call.
    private MemorySegment prefix;
    private MemorySegment previous;
    private MemorySegment current;
    private MemorySegment choices;
    /** Distinct values of positive weight. */
    private long points;
    /** Where the choices of the current layer begin, in bytes. */
    private long row;
    private long[] ranges = new long[4 * RANGES];
    private long[] halves = new long[4 * RANGES];
    private int rangeCount;

    ExactKMeans(Workers workers, Sorted sorted, Codebook codebook) {
        this.workers = workers;
        this.sorted = sorted;
        this.codebook = codebook;
    }

    /** Finds the best codebook of at most {@code m} codewords for the sorted elements; returns how many are in use. */
    int find(int m) {
        // Shared, because loops must not meet confined memory: see Unconfined.
        try (Region tables = Region.shared("k-means tables")) {
            collapse(tables);
            int k = (int) Math.min(m, points);
            previous = tables.allocate((points + 1) * 8);
            current = tables.allocate((points + 1) * 8);
            choices = tables.allocate(Math.multiplyExact(Math.multiplyExact(points + 1, 4L), (long) k));
            for (long j = 0; j <= points; j++) {
                previous.set(F64, j * 8, cost(0, j));
            }
            for (int layer = 1; layer < k; layer++) {
                fill(layer);
                MemorySegment swap = previous;
                previous = current;
                current = swap;
            }
            codebook.error = points == 0 ? 0 : Math.max(0, previous.get(F64, points * 8));
            long end = points;
            for (int cluster = k - 1; cluster >= 0; cluster--) {
                long start = cluster == 0 ? 0 : choices.get(I32, cluster * (points + 1) * 4 + end * 4);
                codebook.words[cluster] = mean(start, end);
                end = start;
            }
            return k;
        }
    }

    /** Merges equal values, then writes prefix sums of weight, value and square of the distinct ones. */
    private void collapse(Region tables) {
        prefix = tables.allocate((sorted.count + 1) * 24);
        points = 0;
        double weight = 0;
        double first = 0;
        double second = 0;
        for (long i = 0; i < sorted.count; i++) {
            double v = sorted.value(i) - sorted.centre;
            double w = sorted.weight(i);
            weight += w;
            first += w * v;
            second += w * v * v;
            // Values of weight 0 cost nothing, so they could otherwise fill clusters of their own.
            boolean last = i + 1 == sorted.count || sorted.value(i + 1) != sorted.value(i);
            if (last && weight > prefix.get(F64, points * 24)) {
                points++;
                prefix.set(F64, points * 24, weight);
                prefix.set(F64, points * 24 + 8, first);
                prefix.set(F64, points * 24 + 16, second);
            }
        }
    }

    /** Squared error of the points [from, to) as one cluster. */
    private double cost(long from, long to) {
        double w = prefix.get(F64, to * 24) - prefix.get(F64, from * 24);
        if (w <= 0) {
            return 0;
        }
        double s = prefix.get(F64, to * 24 + 8) - prefix.get(F64, from * 24 + 8);
        return prefix.get(F64, to * 24 + 16) - prefix.get(F64, from * 24 + 16) - s * s / w;
    }

    private float mean(long from, long to) {
        double w = prefix.get(F64, to * 24) - prefix.get(F64, from * 24);
        double s = prefix.get(F64, to * 24 + 8) - prefix.get(F64, from * 24 + 8);
        return (float) (sorted.centre + s / w);
    }

    /**
     * Fills a layer. A large one is halved in parallel until there are enough ranges of columns to share out. A column
     * does not depend on the worker that computes it.
     */
    private void fill(int layer) {
        row = layer * (points + 1) * 4;
        set(ranges, 0, layer + 1, points, layer, points - 1);
        rangeCount = 1;
        if (workers.count() > 1 && points >= LARGE) {
            for (; rangeCount < RANGES; rangeCount *= 2) {
                workers.run(halving);
                long[] swap = ranges;
                ranges = halves;
                halves = swap;
            }
            workers.run(filling);
        } else {
            fillRanges(0);
        }
    }

    /** Describes columns [from, to], whose last clusters start within [low, high]. */
    private static void set(long[] ranges, int range, long from, long to, long low, long high) {
        ranges[4 * range] = from;
        ranges[4 * range + 1] = to;
        ranges[4 * range + 2] = low;
        ranges[4 * range + 3] = high;
    }

    private void halve(int worker) {
        for (int range = worker; range < rangeCount; range += workers.count()) {
            long from = ranges[4 * range];
            long to = ranges[4 * range + 1];
            long middle = (from + to) >>> 1;
            long choice = from > to ? 0 : column(middle, ranges[4 * range + 2], ranges[4 * range + 3]);
            set(halves, 2 * range, from, middle - 1, ranges[4 * range + 2], choice);
            set(halves, 2 * range + 1, middle + 1, to, choice, ranges[4 * range + 3]);
        }
    }

    private void fillRanges(int worker) {
        for (int range = worker; range < rangeCount; range += workers.count()) {
            fill(ranges[4 * range], ranges[4 * range + 1], ranges[4 * range + 2], ranges[4 * range + 3]);
        }
    }

    private void fill(long from, long to, long low, long high) {
        if (from > to) {
            return;
        }
        long middle = (from + to) >>> 1;
        long choice = column(middle, low, high);
        fill(from, middle - 1, low, choice);
        fill(middle + 1, to, choice, high);
    }

    /** Fills one column; returns where its last cluster starts. */
    private long column(long end, long low, long high) {
        double best = Double.POSITIVE_INFINITY;
        long choice = low;
        for (long start = low; start <= Math.min(high, end - 1); start++) {
            double total = previous.get(F64, start * 8) + cost(start, end);
            if (total < best) {
                best = total;
                choice = start;
            }
        }
        current.set(F64, end * 8, best);
        choices.set(I32, row + end * 4, (int) choice);
        return choice;
    }
}
