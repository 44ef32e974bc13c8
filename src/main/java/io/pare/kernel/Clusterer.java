package io.pare.kernel;

import io.pare.mem.Region;
import io.pare.mem.Unconfined;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * 1-D k-means: the exact optimum by dynamic programming, and Lloyd's algorithm with rounds that do not depend on the
 * number of elements.
 *
 * <p>The optimum: clusters of an optimal solution are intervals of the sorted values, and the cost of an interval has
 * the Monge property, so that each layer of the recurrence is filled by divide and conquer in O(n log n) (as in
 * Ckmeans.1d.dp since 3.4.6; Groenlund et al., 1701.07204).
 */
final class Clusterer implements AutoCloseable {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Codewords at most: their numbers are bytes. */
    static final int MOST = 256;

    /** From this many elements on, a warm start is tried before sorting. */
    private static final int LARGE = 16_384;
    /** Codewords up to which the passes of a warm start are cheaper than sorting. */
    private static final int FEW = 32;
    /** Ranges of a layer's columns that are shared out. */
    private static final int RANGES = 64;

    private final Passes passes;
    private final Workers workers;
    private final Workers.Task surveying = this::survey;
    private final Workers.Task ranging = this::range;
    private final Workers.Task halving = this::halve;
    private final Workers.Task filling = this::fillRanges;
    private final Sorted sorted;
    /** Minus infinity, then the cuts between codewords: what each codeword's elements, and those above, reach. */
    private final float[] cuts = new float[FEW];
    /** Zone j, around cut j + 1, is [zoneFrom[j], zoneTo[j]); behind the last, no value is in any. */
    private final float[] zoneFrom = new float[FEW];
    private final float[] zoneTo = new float[FEW];
    /** What makes elements fixed point numbers. */
    private float scale;
    // Each worker's own.
    private final long[][] reached;
    private final double[][] squares;
    private final int[][] surveys;
    private final long[] zonedBy;
    private final int[] greatestBy;
    private final float[][] rangeBy;
    private double[] chunkSquares = new double[1];
    private MemorySegment input;
    private long inputOff;
    private long inputCount;
    private int codewords;
    /** Of the elements from each zone's upper bound on: sum and number. */
    private final double[] sumAbove = new double[FEW];
    private final long[] countAbove = new long[FEW];
    private final int[] zoneEnds = new int[FEW];
    private Region scratch;
    private MemorySegment zoned;
    private MemorySegment zonePrefix;
    private long zonedCapacity;
    private final float[] codebook = new float[MOST];
    private final float[] saved = new float[FEW];
    private final long[] ends = new long[MOST + 1];
    private final double[] edge = new double[3];
    private final double[] weights = new double[MOST];
    private final double[] firsts = new double[MOST];
    private final double[] seconds = new double[MOST];

    // The dynamic programme's tables, for the duration of a call.
    private MemorySegment prefix;
    private MemorySegment previous;
    private MemorySegment current;
    private MemorySegment choices;
    private long row;
    private long[] ranges = new long[4 * RANGES];
    private long[] halves = new long[4 * RANGES];
    private int rangeCount;
    private long points;
    private double totalSum;
    private long totalCount;
    private double error;

    Clusterer(Passes passes, Workers workers) {
        this.passes = passes;
        this.workers = workers;
        this.sorted = new Sorted(workers);
        reached = new long[workers.count()][3 * FEW];
        squares = new double[workers.count()][Passes.STRIDE];
        surveys = new int[workers.count()][Passes.SURVEY];
        zonedBy = new long[workers.count()];
        greatestBy = new int[workers.count()];
        rangeBy = new float[workers.count()][2];
    }

    float[] codebook() {
        return codebook;
    }

    double error() {
        return error;
    }

    /** The globally optimal codebook of at most {@code m} codewords; returns how many are in use. */
    int exact(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff, int m) {
        sorted.fill(x, xOff, n, importance, importanceOff, false);
        // Not confined, as all that loops touch: see Unconfined.
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
            error = points == 0 ? 0 : Math.max(0, previous.get(F64, points * 8));
            long end = points;
            for (int cluster = k - 1; cluster >= 0; cluster--) {
                long start = cluster == 0 ? 0 : choices.get(I32, cluster * (points + 1) * 4 + end * 4);
                codebook[cluster] = mean(start, end);
                end = start;
            }
            return k;
        }
    }

    /** Merges equal values and writes prefix sums of weight, value and square for each distinct one. */
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
            // Weightless values take part in no cost: without this they could fill clusters of their own.
            boolean last = i + 1 == sorted.count || sorted.value(i + 1) != sorted.value(i);
            if (last && weight > prefix.get(F64, points * 24)) {
                points++;
                prefix.set(F64, points * 24, weight);
                prefix.set(F64, points * 24 + 8, first);
                prefix.set(F64, points * 24 + 16, second);
            }
        }
    }

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
     * Fills a layer. Where columns are many, ranges of them are halved side by side, until there are enough to share
     * out; a column comes out the same wherever it is computed.
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

    /** Columns [from, to] whose last cluster starts within [low, high]. */
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

    /** Lloyd's algorithm from the first {@code m} codewords of {@link #codebook}; returns the rounds run. */
    int lloyd(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff, int m, int most) {
        Arrays.sort(codebook, 0, m);
        int rounds = 0;
        if (importance == null && n >= LARGE && m > 1 && m <= FEW && most > 0) {
            rounds = warm(x, xOff, n, m, most);
            if (rounds >= 0) {
                return rounds;
            }
            rounds = 0;
        }
        sorted.fill(x, xOff, n, importance, importanceOff, false);
        boolean moved = true;
        while (moved && rounds < most) {
            divide(m);
            moved = move(m);
            rounds++;
        }
        divide(m);
        error = 0;
        for (int j = 0; j < m; j++) {
            double c = codebook[j] - sorted.centre;
            error += Math.max(0, seconds[j] - 2 * c * firsts[j] + c * c * weights[j]);
        }
        return rounds;
    }

    /**
     * Lloyd's algorithm from a start that is nearly right, without sorting: one pass takes the sums beyond each cut and
     * the few elements near the cuts, and all further rounds touch only those, as long as every cut stays in its zone.
     * The sums are of fixed point numbers that resolve 2^-34 of the greatest magnitude. Returns the rounds run, or -1
     * where the start is too far off; the codebook is then as it was.
     */
    private int warm(MemorySegment x, long xOff, long n, int m, int most) {
        float[] start = saved;
        System.arraycopy(codebook, 0, start, 0, m);
        int rounds = 0;
        boolean moved = true;
        // Narrow first: what lies in the zones is sorted.
        for (double share = 1.0 / 256; share < 1; share *= 4) {
            if (!zones(m, share)) {
                break;
            }
            double square = gatherZones(x, xOff, n, m);
            if (!(square < Double.POSITIVE_INFINITY)) {
                break;
            }
            while (divideByZones(m)) {
                if (!moved || rounds >= most) {
                    error = square;
                    for (int j = 0; j < m; j++) {
                        double c = codebook[j];
                        error += c * c * weights[j] - 2 * c * firsts[j];
                    }
                    error = Math.max(0, error);
                    return rounds;
                }
                moved = false;
                for (int j = 0; j < m; j++) {
                    float mean = (float) (firsts[j] / weights[j]);
                    moved |= mean != codebook[j];
                    codebook[j] = mean;
                }
                rounds++;
            }
            if (strayed(m, share)) {
                break;
            }
        }
        System.arraycopy(start, 0, codebook, 0, m);
        return -1;
    }

    /** Lays a zone around each cut, as wide as {@code share} of the way to the codewords; false if two are equal. */
    private boolean zones(int m, double share) {
        cuts[0] = Float.NEGATIVE_INFINITY;
        Arrays.fill(cuts, m, FEW, Float.POSITIVE_INFINITY);
        Arrays.fill(zoneFrom, m - 1, FEW, Float.POSITIVE_INFINITY);
        Arrays.fill(zoneTo, m - 1, FEW, Float.NEGATIVE_INFINITY);
        for (int j = 0; j + 1 < m; j++) {
            float cut = cut(codebook[j], codebook[j + 1]);
            cuts[j + 1] = cut;
            double reach = share * ((double) codebook[j + 1] - codebook[j]);
            zoneFrom[j] = (float) (cut - reach);
            zoneTo[j] = (float) (cut + reach);
            if (!(zoneFrom[j] > codebook[j] && zoneTo[j] > zoneFrom[j] && cut >= zoneFrom[j] && cut <= zoneTo[j]
                    && codebook[j + 1] > zoneTo[j])) {
                return false;
            }
        }
        return true;
    }

    /** Whether a cut has moved so far out of its zone that sorting is the better way. */
    private boolean strayed(int m, double share) {
        for (int j = 0; j + 1 < m; j++) {
            double gap = ((double) zoneTo[j] - zoneFrom[j]) / (2 * share);
            if (!(Math.abs((double) cut(codebook[j], codebook[j + 1]) - cuts[j + 1]) < gap / 16)) {
                return true;
            }
        }
        return false;
    }

    /** Fills the zones; returns the sum of squares of all elements, or infinity where one is not finite. */
    private double gatherZones(MemorySegment x, long xOff, long n, int m) {
        input = x;
        inputOff = xOff;
        inputCount = n;
        int chunks = chunks();
        // Passes write beyond what they find.
        long room = (long) chunks * Passes.CHUNK + (long) workers.count() * Passes.SLACK;
        if (zonedCapacity < room) {
            closeScratch();
            scratch = Region.shared("clustering scratch");
            zoned = scratch.allocate(room * 4);
            zonePrefix = scratch.allocate((room + 1) * 8);
            chunkSquares = new double[chunks];
            zonedCapacity = room;
        }
        codewords = m;
        // Room for what a Gaussian has beyond its last codewords; where there is more, all is seen again.
        float greatest = 4 * Math.max(Math.abs(codebook[0]), Math.abs(codebook[m - 1]));
        float seen;
        do {
            scale = fixedPoint(greatest);
            if (scale == 0) {
                return Double.POSITIVE_INFINITY;
            }
            workers.run(surveying, chunks);
            seen = greatestSeen();
            greatest = Math.max(greatest, seen);
        } while (fixedPoint(greatest) < scale && seen < Float.POSITIVE_INFINITY);
        if (!(seen < Float.POSITIVE_INFINITY)) {
            return Double.POSITIVE_INFINITY;
        }
        double square = 0;
        for (int chunk = 0; chunk < chunks; chunk++) {
            square += chunkSquares[chunk];
        }
        long found = 0;
        for (int worker = 0; worker < workers.count(); worker++) {
            MemorySegment.copy(zoned, stretch(worker) * 4, zoned, found * 4, zonedBy[worker] * 4);
            found += zonedBy[worker];
        }
        sorted.fill(zoned, 0, found, null, 0, false);
        double sum = 0;
        long i = 0;
        for (int j = 0; j + 1 < m; j++) {
            sumAbove[j] = sumReached(j + 1);
            countAbove[j] = countReached(j + 1);
            while (i < sorted.count && sorted.value(i) < zoneTo[j]) {
                zonePrefix.set(F64, i * 8, sum);
                float v = sorted.value(i);
                sum += v;
                if (v >= cuts[j + 1]) {
                    sumAbove[j] -= v;
                    countAbove[j]--;
                }
                i++;
            }
            zoneEnds[j] = (int) i;
        }
        zonePrefix.set(F64, i * 8, sum);
        totalSum = sumReached(0);
        totalCount = countReached(0);
        return square;
    }

    /** The power of two that makes {@code greatest} a coarse part of half the room; 0 where there is none. */
    private static float fixedPoint(float greatest) {
        int exponent = Math.getExponent(Passes.COARSE / 2) - Math.getExponent(greatest);
        return greatest < Float.POSITIVE_INFINITY && exponent < Float.MAX_EXPONENT ? Math.scalb(1f, exponent) : 0;
    }

    private void survey(int worker) {
        int end = firstChunk(worker + 1);
        long at = stretch(worker);
        Arrays.fill(reached[worker], 0);
        greatestBy[worker] = 0;
        for (int chunk = firstChunk(worker); chunk < end; chunk++) {
            long first = (long) chunk * Passes.CHUNK;
            Arrays.fill(squares[worker], 0);
            at += passes.zones(input, inputOff + first * 4, (int) Math.min(inputCount - first, Passes.CHUNK), cuts,
                    zoneFrom, zoneTo, codewords, scale, reached[worker], squares[worker], surveys[worker], zoned, at);
            chunkSquares[chunk] = Selector.sum(squares[worker]);
            greatestBy[worker] = Math.max(greatestBy[worker], surveys[worker][0]);
        }
        zonedBy[worker] = at - stretch(worker);
    }

    private int firstChunk(int worker) {
        return (int) workers.first(worker, chunks());
    }

    private int chunks() {
        return Passes.chunks(inputCount);
    }

    private long stretch(int worker) {
        return (long) firstChunk(worker) * Passes.CHUNK + (long) worker * Passes.SLACK;
    }

    private float greatestSeen() {
        int greatest = 0;
        for (int key : greatestBy) {
            greatest = Math.max(greatest, key);
        }
        return Float.intBitsToFloat(greatest);
    }

    private double sumReached(int cut) {
        long coarse = 0;
        long fine = 0;
        for (long[] sums : reached) {
            coarse += sums[3 * cut];
            fine += sums[3 * cut + 1];
        }
        return (coarse + (double) fine / Passes.FINE) / scale;
    }

    private long countReached(int cut) {
        long count = 0;
        for (long[] sums : reached) {
            count += sums[3 * cut + 2];
        }
        return count;
    }

    /** Sums and counts of the clusters by the codebook's cuts; false if a cut has left its zone or a cluster is empty. */
    private boolean divideByZones(int m) {
        double beyond = totalSum;
        long beyondCount = totalCount;
        for (int j = 0; j < m; j++) {
            double above = 0;
            long count = 0;
            if (j + 1 < m) {
                float cut = cut(codebook[j], codebook[j + 1]);
                if (!(cut >= zoneFrom[j] && cut <= zoneTo[j])) {
                    return false;
                }
                long first = Math.max(j == 0 ? 0 : zoneEnds[j - 1], sorted.below(cut));
                int end = zoneEnds[j];
                above = sumAbove[j] + zonePrefix.get(F64, end * 8L) - zonePrefix.get(F64, first * 8);
                count = countAbove[j] + end - first;
            }
            firsts[j] = beyond - above;
            weights[j] = beyondCount - count;
            if (weights[j] <= 0) {
                return false;
            }
            beyond = above;
            beyondCount = count;
        }
        return true;
    }

    /** Finds where each cluster ends and its sums. */
    private void divide(int m) {
        double w = 0;
        double s = 0;
        double q = 0;
        ends[0] = 0;
        for (int j = 0; j < m; j++) {
            ends[j + 1] =
                    j + 1 == m ? sorted.count : Math.max(ends[j], sorted.below(cut(codebook[j], codebook[j + 1])));
            sorted.before(ends[j + 1], edge);
            weights[j] = edge[0] - w;
            firsts[j] = edge[1] - s;
            seconds[j] = edge[2] - q;
            w = edge[0];
            s = edge[1];
            q = edge[2];
        }
    }

    /** Moves every codeword to the mean of its cluster, an empty one to the worst served value; false if none moved. */
    private boolean move(int m) {
        boolean moved = false;
        for (int j = 0; j < m; j++) {
            if (weights[j] > 0) {
                float mean = (float) (sorted.centre + firsts[j] / weights[j]);
                moved |= mean != codebook[j];
                codebook[j] = mean;
            }
        }
        for (int j = 0; j < m; j++) {
            if (weights[j] <= 0) {
                moved |= reseed(j, m);
            }
        }
        if (moved) {
            Arrays.sort(codebook, 0, m);
        }
        return moved;
    }

    private boolean reseed(int empty, int m) {
        double worst = 0;
        float seed = 0;
        for (int j = 0; j < m; j++) {
            if (weights[j] > 0) {
                // The element of a cluster that is farthest from its codeword is its first or its last.
                for (int side = 0; side < 2; side++) {
                    long i = side == 0 ? ends[j] : ends[j + 1] - 1;
                    double distance = sorted.weight(i) * Math.abs(sorted.value(i) - codebook[j]);
                    if (distance > worst && !holds(sorted.value(i), m)) {
                        worst = distance;
                        seed = sorted.value(i);
                    }
                }
            }
        }
        if (worst > 0) {
            codebook[empty] = seed;
        }
        return worst > 0;
    }

    private boolean holds(float value, int m) {
        for (int j = 0; j < m; j++) {
            if (codebook[j] == value) {
                return true;
            }
        }
        return false;
    }

    /** The least float that is nearer to {@code upper} than to {@code lower}; a value in the middle goes down. */
    static float cut(float lower, float upper) {
        double middle = ((double) lower + upper) / 2;
        float cut = (float) middle;
        return cut > middle ? cut : Math.nextUp(cut);
    }

    /** Drops codewords that no element uses; returns how many are left. */
    int compact(int m) {
        int used = 0;
        for (int j = 0; j < m; j++) {
            if (weights[j] > 0 && (used == 0 || codebook[j] != codebook[used - 1])) {
                codebook[used++] = codebook[j];
            }
        }
        return used;
    }

    /** Codewords at the middles of {@code m} equal parts of the range of the non-zero values (linear start). */
    void linearStart(MemorySegment x, long xOff, long n, int m) {
        input = x;
        inputOff = xOff;
        inputCount = n;
        workers.run(ranging, chunks());
        float least = Float.POSITIVE_INFINITY;
        float greatest = Float.NEGATIVE_INFINITY;
        for (float[] found : rangeBy) {
            least = Math.min(least, found[0]);
            greatest = Math.max(greatest, found[1]);
        }
        if (least > greatest) {
            least = 0;
            greatest = 0;
        }
        for (int j = 0; j < m; j++) {
            codebook[j] = (float) (least + ((double) greatest - least) * (j + 0.5) / m);
        }
    }

    private void range(int worker) {
        long from = Unconfined.address(input, inputOff, inputCount * Float.BYTES);
        range(from, workers.first(worker, inputCount), workers.first(worker + 1, inputCount), rangeBy[worker]);
    }

    /** The least and the greatest non-zero value; plus and minus infinity where there is none. */
    private static void range(long x, long from, long to, float[] found) {
        float least = Float.POSITIVE_INFINITY;
        float greatest = Float.NEGATIVE_INFINITY;
        for (long i = from; i < to; i++) {
            float v = Unconfined.MEMORY.get(F32, x + i * 4);
            if (v != 0) {
                least = v < least ? v : least;
                greatest = v > greatest ? v : greatest;
            }
        }
        found[0] = least;
        found[1] = greatest;
    }

    @Override
    public void close() {
        closeScratch();
        sorted.close();
    }

    private void closeScratch() {
        zonedCapacity = 0;
        if (scratch != null) {
            scratch.close();
            scratch = null;
        }
    }
}
