package io.pare.kernel;

import static io.pare.mem.direct.Unconfined.MEMORY;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * 1-D k-means whose number of clusters is free and costs a penalty each: the least cost of every prefix and of every
 * suffix of the sorted points (Groenlund et al., 1701.07204, section 4).
 *
 * <p>The cost of an interval has the Monge property. So of two starts of the last cluster the later one, once better,
 * stays better, and a queue holds the starts with the ends from which each is best (Galil and Park 1992). Where two
 * starts change over is found by doubling steps from the change before, mostly the next end: O(n) in practice and
 * O(n log n) at worst. The queue is about as long as a cluster.
 */
final class RegularizedKMeans implements AutoCloseable {
    private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Bytes of the sums before a point: of weight, of weight times value, of weight times square. */
    static final int SUMS = 24;
    /** Bytes of an entry of the queue: the cost of what is before a start, the start, the first end, and clusters. */
    private static final int ENTRY = 24;
    private static final int START = 8;
    private static final int FROM = 12;
    private static final int CLUSTERS = 16;
    /** Entries of a new queue. */
    private static final int QUEUE = 1 << 12;
    /** Penalties that a search tries at most. */
    private static final int TRIES = 40;
    /** How many of them follow the slope of many clusters; then the search narrows from both sides, which ends. */
    private static final int STEPS = 6;

    // The points of the current search: addresses of the sums before each and behind the last, and of a cost for each.
    private long sums;
    private int points;
    private long costs;
    private Region memory;
    private long queue;
    private int room;
    /** Entries that the last call of {@link #makeRoom} moved the queue forward by. */
    private int moved;
    /** The clusters of the last pass. */
    private int clusters;
    /** The penalty of the last search. */
    double penalty;
    /** The least squared error of a division into fewer clusters than asked for that the search met, or infinity. */
    double errorOfFewer;

    /**
     * Sets the points.
     *
     * @param sums address of the sums before each of {@code points} points and behind the last
     * @param costs address of {@code points + 1} doubles
     */
    void set(long sums, int points, long costs) {
        this.sums = sums;
        this.points = points;
        this.costs = costs;
    }

    /**
     * Searches for a penalty under which {@code k} clusters cost least, and leaves the costs of all prefixes under it.
     *
     * <p>The least error falls ever more slowly with the number of clusters, so each number has such penalties. Where
     * they are too few to be told apart, because several divisions cost the same, the search ends beside them.
     *
     * @return whether it was found
     */
    boolean search(int k, double first) {
        penalty = first;
        errorOfFewer = Double.POSITIVE_INFINITY;
        double errorOfMore = 0;
        int fewer = 0;
        int more = 0;
        double least = 0;
        double greatest = 0;
        for (int tries = 0; tries < TRIES; tries++) {
            prefixes();
            int found = clusters;
            if (found == k) {
                return true;
            }
            double error = total() - penalty * found;
            if (found < k) {
                fewer = found;
                errorOfFewer = error;
                greatest = penalty;
            } else {
                more = found;
                errorOfMore = error;
                least = penalty;
            }
            // The error is about proportional to 1 / k^2, its slope to 1 / k^3; ever further where that misses.
            double next = penalty * Math.pow((double) found / k, 3 + 0.5 * tries);
            if (fewer > 0 && more > 0 && (tries >= STEPS || !(next > least && next < greatest))) {
                // Under this penalty both cost the same, so that a number between them costs least, or no less.
                next = (errorOfFewer - errorOfMore) / (more - fewer);
            }
            if (!(next > 0 && next < Double.POSITIVE_INFINITY) || next == penalty) {
                return false;
            }
            penalty = next;
        }
        return false;
    }

    /** Costs all prefixes under the penalty of the last search. */
    void prefixes() {
        pass(sums, SUMS, 1, costs, 8, 0);
    }

    /**
     * Costs all suffixes under the penalty of the last search in place of the prefixes: infinity where both together
     * exceed {@code bound}.
     */
    void suffixes(double bound) {
        pass(sums + (long) points * SUMS, -SUMS, -1, costs + points * 8L, -8, bound);
    }

    /** The least cost of all points, penalties included, while the costs are those of prefixes. */
    double total() {
        return cost(points);
    }

    /** The cost of the prefix that ends, or of the suffix that begins, at {@code place}. */
    double cost(int place) {
        return MEMORY.get(F64, costs + place * 8L);
    }

    /**
     * Costs all prefixes, or, by negative steps and sign, all suffixes: places are counted from where it begins.
     *
     * @param from address of the sums at place 0
     * @param out address of the cost at place 0
     */
    private void pass(long from, long step, double sign, long out, long outStep, double bound) {
        if (memory == null) {
            makeRoom(0, 0);
        }
        MEMORY.set(F64, out, sign > 0 ? 0 : bounded(0, MEMORY.get(F64, out), bound));
        int last = points;
        double each = penalty;
        long entries = queue;
        int full = room;
        int head = 0;
        int tail = 0;
        int count = 0;
        put(entries, 0, 0, 1, 0);
        for (int place = 1; place <= last; place++) {
            long front = entries + (long) head * ENTRY;
            while (head < tail && MEMORY.get(I32, front + ENTRY + FROM) <= place) {
                head++;
                front += ENTRY;
            }
            long at = from + place * step;
            double cost = each
                    + cost(from + MEMORY.get(I32, front + START) * step, at, sign, MEMORY.get(F64, front));
            count = MEMORY.get(I32, front + CLUSTERS) + 1;
            long to = out + place * outStep;
            MEMORY.set(F64, to, sign > 0 ? cost : bounded(cost, MEMORY.get(F64, to), bound));
            // From this end on, the place is known to be the better start.
            int high = last + 1;
            int low = Math.max(MEMORY.get(I32, entries + (long) tail * ENTRY + FROM), place + 1);
            while (low <= last) {
                long back = entries + (long) tail * ENTRY;
                long other = from + MEMORY.get(I32, back + START) * step;
                double otherCost = MEMORY.get(F64, back);
                long end = from + low * step;
                if (cost(at, end, sign, cost) < cost(other, end, sign, otherCost)) {
                    high = low;
                    tail--;
                    if (tail < head) {
                        break;
                    }
                    low = Math.max(MEMORY.get(I32, back - ENTRY + FROM), place + 1);
                    continue;
                }
                for (int reach = 1; low + reach < high; reach *= 2) {
                    end = from + (low + reach) * step;
                    if (cost(at, end, sign, cost) < cost(other, end, sign, otherCost)) {
                        high = low + reach;
                    } else {
                        low += reach;
                    }
                }
                while (high - low > 1) {
                    int middle = (low + high) >>> 1;
                    end = from + middle * step;
                    if (cost(at, end, sign, cost) < cost(other, end, sign, otherCost)) {
                        high = middle;
                    } else {
                        low = middle;
                    }
                }
                break;
            }
            if (high <= last) {
                tail++;
                if (tail == full) {
                    makeRoom(head, tail);
                    head -= moved;
                    tail -= moved;
                    entries = queue;
                    full = room;
                }
                put(entries + (long) tail * ENTRY, cost, place, high, count);
            }
        }
        clusters = count;
    }

    private static double bounded(double suffix, double prefix, double bound) {
        return prefix + suffix <= bound ? suffix : Double.POSITIVE_INFINITY;
    }

    /** {@code before} and the squared error of one cluster between two places. */
    private static double cost(long start, long end, double sign, double before) {
        double w = MEMORY.get(F64, end) - MEMORY.get(F64, start);
        double s = MEMORY.get(F64, end + 8) - MEMORY.get(F64, start + 8);
        double q = MEMORY.get(F64, end + 16) - MEMORY.get(F64, start + 16);
        return before + sign * (q - s * s / w);
    }

    private static void put(long entry, double cost, int start, int from, int clusters) {
        MEMORY.set(F64, entry, cost);
        MEMORY.set(I32, entry + START, start);
        MEMORY.set(I32, entry + FROM, from);
        MEMORY.set(I32, entry + CLUSTERS, clusters);
    }

    /** Moves the entries [head, tail) to the front of the queue, or of one twice as long if they fill half of it. */
    private void makeRoom(int head, int tail) {
        int live = tail - head;
        Region old = memory;
        long source = queue + (long) head * ENTRY;
        if (old == null || live > room / 2) {
            int wanted = old == null ? QUEUE : Math.multiplyExact(room, 2);
            Region wider = Region.shared("k-means queue");
            queue = wider.allocate((long) wanted * ENTRY).address();
            room = wanted;
            memory = wider;
        }
        MemorySegment.copy(MEMORY, source, MEMORY, queue, (long) live * ENTRY);
        moved = head;
        if (old != null && old != memory) {
            old.close();
        }
    }

    @Override
    public void close() {
        if (memory != null) {
            memory.close();
            memory = null;
            room = 0;
        }
    }
}
