package io.pare.kernel;

import static io.pare.kernel.RegularizedKMeans.SUMS;
import static io.pare.mem.direct.Unconfined.MEMORY;

import io.pare.mem.Region;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.IntToDoubleFunction;

/**
 * The globally optimal 1-D k-means, by dynamic programming over the few places where an optimal cluster can begin.
 *
 * <p>Clusters of an optimal solution are intervals of the sorted values, and the cost of an interval has the Monge
 * property. So divide and conquer fills each layer of the recurrence in O(s log s) for s places (Groenlund et al.,
 * 1701.07204).
 *
 * <p>The places are found under a penalty for each cluster that makes k clusters cheapest: {@link RegularizedKMeans}.
 * Let a(i) be the least cost of what is before place i under that penalty, and b(i) of what is from there on. A solution
 * with a cluster that begins at i costs a(i) + b(i) at least, whatever its clusters. Where that exceeds the cost of a
 * known solution by more than rounding explains, i takes no part in the recurrence, and the result is the same. Mostly
 * one place a cluster is left, whatever k. The same bound drops what each layer cannot use.
 */
final class ExactKMeans implements AutoCloseable {
    private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Up to this product of distinct values and clusters, all places take part: finding the few costs as much. */
    static final int SMALL = 1 << 15;
    /** Places in each of 256 clusters, about, of the coarse grid on which the search for the penalty begins. */
    private static final int GRID = 16;
    /**
     * What rounding may change the cost of a cluster by, in sums of squares. A cost has six roundings of at most half an
     * ulp each; comparing it with another and adding it up, in both directions, makes fewer than 32 of it.
     */
    private static final double ROUNDING = 32 * 0x1p-53;
    /** Bytes of tables that are kept for the next call: to zero fresh ones takes a third of the time. */
    private static final long KEPT = 1 << 26;
    /** A start of the next layer's clusters: its least cost, the sums before it, and its column. */
    private static final int START = 40;

    private final Sorted sorted;
    private final Codebook codebook;
    private final Companding companding = new Companding();
    private final int small;

    private final Scratch tables = new Scratch("k-means tables", this::lay);
    private final RegularizedKMeans bounds = new RegularizedKMeans();
    /** Address of the sums of weight, value and square before each distinct value of positive weight. */
    private long sums;
    /** Those values. */
    private int points;
    /** Addresses of a cost for each point, and of sums and costs of the coarse grid. */
    private long pointCosts;
    private long gridSums;
    private long gridCosts;
    /** Sums before a place of the grid. */
    private final double[] edgeSums = new double[3];
    /** Whether places must keep the bound. */
    private boolean bounded;
    /** What no optimal solution exceeds, penalties included; infinity where there are no bounds. */
    private double bound;
    /** Places where a cluster may begin or end, from the first end to the last point, the columns of a layer. */
    private long columns;
    private int columnCount;
    // Of the current layer: the least cost of each column, and the start that it comes from.
    private long costs;
    private long choices;
    /** The columns of the layer before that can still be part of an optimal solution. */
    private long starts;
    private int startCount;

    ExactKMeans(Sorted sorted, Codebook codebook) {
        this(sorted, codebook, SMALL);
    }

    /** @param small up to which product of points and clusters all places take part */
    ExactKMeans(Sorted sorted, Codebook codebook, int small) {
        this.sorted = sorted;
        this.codebook = codebook;
        this.small = small;
    }

    /** Finds the best codebook of at most {@code m} codewords for the sorted elements; returns how many are in use. */
    int find(int m) {
        tables.reserve(sorted.count + 1);
        points = Math.toIntExact((sorted.sums(sums) - sums) / SUMS);
        int k = divide(m, this::firstPenalty);
        if (tables.capacity() * (SUMS + 8) > KEPT) {
            tables.close();
            bounds.close();
        }
        return k;
    }

    /**
     * Sets {@code m} codewords for Lloyd's algorithm to begin with: the best for clusters that begin at places of a grid,
     * which lie as dense as the density to the power 1/3 (see {@link Companding}).
     */
    void start(int m) {
        tables.reserve(GRID * Codebook.MOST + 1);
        int blocks = Math.clamp(sorted.count - 1, 0, Companding.BLOCKS);
        companding.clear();
        for (int b = 0; b < blocks; b++) {
            long from = edge(b, blocks, sorted.count);
            long to = edge(b + 1, blocks, sorted.count);
            companding.add(sorted.weight(from, to), (double) sorted.value(to) - sorted.value(from));
        }
        points = layGrid(sums, blocks, sorted.count, sorted::before);
        int k = divide(m, this::expectedPenalty);
        for (int j = k; j < m; j++) {
            codebook.words[j] = k == 0 ? 0 : codebook.words[k - 1];
        }
    }

    /** Solves for at most {@code m} clusters of the points; returns their number. */
    private int divide(int m, IntToDoubleFunction penalty) {
        int k = Math.min(m, points);
        codebook.error = 0;
        bounded = k > 2 && (long) points * k > small;
        bound = Double.POSITIVE_INFINITY;
        if (bounded) {
            double first = penalty.applyAsDouble(k);
            bounds.set(sums, points, pointCosts);
            solveBounded(k, first);
        } else if (k > 0) {
            solve(k);
        }
        return k;
    }

    private void lay(Region region, long places) {
        sums = region.allocate(places * SUMS).address();
        pointCosts = region.allocate(places * 8).address();
        gridSums = region.allocate((GRID * Codebook.MOST + 1L) * SUMS).address();
        gridCosts = region.allocate((GRID * Codebook.MOST + 1L) * 8).address();
    }

    private void solveBounded(int k, double penalty) {
        bounds.search(k, penalty);
        double total = bounds.total();
        double slack = ROUNDING * (k + 1) * (sum(points, 16) + total);
        bound = total + slack;
        bounds.suffixes(bound);
        double error = solve(k);
        if (error + bounds.penalty * k > bound) {
            // The places of the cheapest solutions do not make k clusters as cheap. This solution bounds the best.
            double known = Math.min(error, Math.min(bounds.errorOfFewer, cost(0, points)));
            bound = known + bounds.penalty * k + slack;
            bounds.prefixes();
            bounds.suffixes(bound);
            solve(k);
        }
    }

    /** A penalty under which about {@code k} clusters cost least: from the density, then from a coarse grid. */
    private double firstPenalty(int k) {
        int blocks = Math.min(Companding.BLOCKS, points - 1);
        companding.clear();
        for (int b = 0; b < blocks; b++) {
            int from = (int) edge(b, blocks, points);
            int to = (int) edge(b + 1, blocks, points);
            companding.add(weight(from, to), value(to) - value(from));
        }
        double penalty = expectedPenalty(k);
        if (points < 4 * GRID * Codebook.MOST) {
            return penalty;
        }
        int count = layGrid(gridSums, blocks, points, (place, out) -> {
            for (int part = 0; part < 3; part++) {
                out[part] = sum((int) place, 8 * part);
            }
        });
        bounds.set(gridSums, count, gridCosts);
        return count > k && bounds.search(k, penalty) ? bounds.penalty : penalty;
    }

    /** The slope of the error that is expected of {@code k} codewords. */
    private double expectedPenalty(int k) {
        return Math.pow(companding.integral() / k, 3) / 6;
    }

    /** Writes the sums of weight, value and square before a place. */
    private interface Sums {
        void before(long place, double[] out);
    }

    /**
     * Writes the sums before each place of a grid of even shares of the companding, whose blocks cover all but the last
     * of {@code count} points, and behind the last point.
     *
     * @return places but the first
     */
    private int layGrid(long out, int blocks, long count, Sums before) {
        int grid = GRID * Codebook.MOST;
        int places = 0;
        long last = 0;
        double weight = 0;
        for (int part = 0; part < 3; part++) {
            MEMORY.set(F64, out + 8 * part, 0);
        }
        for (int g = 1; g <= grid; g++) {
            long place = count;
            if (g < grid && blocks > 0) {
                int block = companding.find((double) g / grid);
                long from = edge(block, blocks, count);
                place = from + (long) (companding.fraction * (edge(block + 1, blocks, count) - from));
            }
            if (place > last) {
                before.before(place, edgeSums);
                if (edgeSums[0] > weight) {
                    places++;
                    for (int part = 0; part < 3; part++) {
                        MEMORY.set(F64, out + (long) places * SUMS + 8 * part, edgeSums[part]);
                    }
                    weight = edgeSums[0];
                }
                last = place;
            }
        }
        return places;
    }

    /** The point with which a block begins. */
    private static long edge(int block, int blocks, long count) {
        return block * (count - 1) / blocks;
    }

    private double weight(int from, int to) {
        return sum(to, 0) - sum(from, 0);
    }

    /** The centred value of a point. */
    private double value(int point) {
        return (sum(point + 1, 8) - sum(point, 8)) / weight(point, point + 1);
    }

    private double sum(int place, int part) {
        return MEMORY.get(F64, sums + (long) place * SUMS + part);
    }

    /** Squared error of the points [from, to) as one cluster. */
    private double cost(int from, int to) {
        double w = weight(from, to);
        double s = sum(to, 8) - sum(from, 8);
        return sum(to, 16) - sum(from, 16) - s * s / w;
    }

    private float mean(int from, int to) {
        return (float) (sorted.centre + (sum(to, 8) - sum(from, 8)) / weight(from, to));
    }

    /**
     * Finds the best division into {@code k} clusters that begin where the bound allows, and sets the codebook.
     *
     * @return its squared error, or infinity where there is none
     */
    private double solve(int k) {
        try (Region layers = Region.shared("k-means layers")) {
            chooseColumns(layers);
            int last = columnCount - 1;
            costs = layers.allocate(columnCount * 8L).address();
            choices = layers.allocate(columnCount * 4L).address();
            starts = layers.allocate((long) columnCount * START).address();
            // The columns that remain of each layer, each with its place and its start in the layer before.
            long[] remaining = new long[k];
            for (int column = 0; column < columnCount; column++) {
                MEMORY.set(F64, costs + column * 8L, cost(0, place(column)));
                MEMORY.set(I32, choices + column * 4L, 0);
            }
            for (int layer = 1; layer < k; layer++) {
                remaining[layer] = keep(layer, layers);
                if (startCount == 0) {
                    return Double.POSITIVE_INFINITY;
                }
                // Of the last layer, only the whole is asked for.
                fill(layer + 1 == k ? last : 0, last, 0, startCount - 1);
            }
            double error = MEMORY.get(F64, costs + last * 8L);
            if (error == Double.POSITIVE_INFINITY) {
                return error;
            }
            codebook.error = Math.max(0, error);
            int end = points;
            int choice = MEMORY.get(I32, choices + last * 4L);
            for (int cluster = k - 1; cluster >= 0; cluster--) {
                long entry = remaining[cluster] + choice * 8L;
                int start = cluster == 0 ? 0 : MEMORY.get(I32, entry);
                codebook.words[cluster] = mean(start, end);
                end = start;
                choice = cluster == 0 ? 0 : MEMORY.get(I32, entry + 4);
            }
            return error;
        }
    }

    private void chooseColumns(Region layers) {
        int count = points;
        if (bounded) {
            count = 1;
            for (int place = 1; place < points; place++) {
                count += bounds.cost(place) < Double.POSITIVE_INFINITY ? 1 : 0;
            }
        }
        columns = layers.allocate(count * 4L).address();
        columnCount = 0;
        for (int place = 1; place <= points; place++) {
            if (!bounded || place == points || bounds.cost(place) < Double.POSITIVE_INFINITY) {
                MEMORY.set(I32, columns + columnCount * 4L, place);
                columnCount++;
            }
        }
    }

    /** Places that took part in the last call: where its clusters may end. */
    int places() {
        return columnCount;
    }

    private int place(int column) {
        return MEMORY.get(I32, columns + column * 4L);
    }

    /** Makes starts of the columns of the layer that is filled, and notes their places and choices. */
    private long keep(int layer, Region layers) {
        double penalties = bounded ? bounds.penalty * layer : 0;
        startCount = 0;
        for (int column = 0; column + 1 < columnCount; column++) {
            double cost = MEMORY.get(F64, costs + column * 8L);
            int place = place(column);
            double whole = bounded ? cost + penalties + bounds.cost(place) : cost;
            if (cost < Double.POSITIVE_INFINITY && whole <= bound) {
                long start = starts + (long) startCount * START;
                MEMORY.set(F64, start, cost);
                for (int part = 0; part < SUMS; part += 8) {
                    MEMORY.set(F64, start + 8 + part, sum(place, part));
                }
                MEMORY.set(I32, start + 32, column);
                startCount++;
            }
        }
        long noted = layers.allocate(Math.max(1, startCount) * 8L).address();
        for (int s = 0; s < startCount; s++) {
            int column = MEMORY.get(I32, starts + (long) s * START + 32);
            MEMORY.set(I32, noted + s * 8L, place(column));
            MEMORY.set(I32, noted + s * 8L + 4, MEMORY.get(I32, choices + column * 4L));
        }
        return noted;
    }

    /** Fills the columns [from, to], whose last clusters begin at the starts [low, high]. */
    private void fill(int from, int to, int low, int high) {
        if (from > to) {
            return;
        }
        int middle = (from + to) >>> 1;
        int choice = column(middle, low, high);
        fill(from, middle - 1, low, choice);
        fill(middle + 1, to, choice, high);
    }

    /** Fills one column; returns where its last cluster starts: of equal ones, the first. */
    private int column(int column, int low, int high) {
        long end = sums + (long) place(column) * SUMS;
        double w = MEMORY.get(F64, end);
        double s = MEMORY.get(F64, end + 8);
        double q = MEMORY.get(F64, end + 16);
        double best = Double.POSITIVE_INFINITY;
        int choice = low;
        for (int i = low; i <= high; i++) {
            long start = starts + (long) i * START;
            if (MEMORY.get(I32, start + 32) >= column) {
                break;
            }
            double ds = s - MEMORY.get(F64, start + 16);
            double total = MEMORY.get(F64, start)
                    + (q - MEMORY.get(F64, start + 24) - ds * ds / (w - MEMORY.get(F64, start + 8)));
            if (total < best) {
                best = total;
                choice = i;
            }
        }
        MEMORY.set(F64, costs + column * 8L, best);
        MEMORY.set(I32, choices + column * 4L, choice);
        return choice;
    }

    @Override
    public void close() {
        bounds.close();
        tables.close();
    }
}
