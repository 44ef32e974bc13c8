package io.pare.kernel;

import io.pare.kernel.passes.Passes;
import io.pare.kernel.passes.SelectPasses;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A stratified random sample of the keys of a call, the same for every number of threads.
 *
 * <p>A few neighbours are drawn from each of many strata of the concatenated spans. Ranks of the sample that lie
 * together are sought in a window of it.
 */
final class Sample implements AutoCloseable {
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long SEED = 0x9e3779b97f4a7c15L;
    /** Elements drawn from a stratum: they share a cache line, and a cache miss costs more than a key. */
    private static final int NEIGHBOURS = 4;
    /** Sampled keys that are sorted to find a window of the sample. */
    private static final int PROBES = 64;

    private final SelectPasses passes;
    private final Workers workers;
    private final Quickselect quickselect;
    private final Spans spans;
    private final Workers.Task drawing = this::draw;
    private final int[] probes = new int[PROBES];
    private final long[] tally = new long[2];
    private final Scratch scratch = new Scratch("projection sample", this::lay);
    /** The sample, its window, then as many keys of working memory. */
    private MemorySegment keys;
    /** The keys in [windowLo, windowHi), and how many lie above. */
    private int window;
    private int windowLo;
    private int windowHi;
    private long windowAbove;
    private int size;
    private double stratumWidth;
    /** The key that {@link #rank} returned last, or -1. */
    private int lastKey;
    /** Keys above the one that {@link #rank} returned last, and keys equal to it. */
    long above;
    long equal;

    Sample(SelectPasses passes, Workers workers, Quickselect quickselect, Spans spans) {
        this.passes = passes;
        this.workers = workers;
        this.quickselect = quickselect;
        this.spans = spans;
    }

    int size() {
        return size;
    }

    /** Leaves the call without a sample. */
    void clear() {
        size = 0;
    }

    /**
     * Draws a sample for a threshold that {@code share} of the elements reach. Its size balances its own cost against
     * that of the elements in the bracket.
     */
    void draw(double share) {
        long total = spans.total();
        double wanted = 2 * Math.cbrt((double) total * total * Math.max(4 * share * (1 - share), 0.02));
        int strata = (int) Math.min(wanted, 1 << 20) / NEIGHBOURS;
        size = strata * NEIGHBOURS;
        lastKey = -1;
        scratch.reserve(3L * size + Passes.SLACK);
        double width = (double) total / strata;
        if (spans.plain()) {
            Span span = spans.get(0);
            stratumWidth = width;
            if (workers.count() == 1 || strata < 2048) {
                drawPlain(0, strata);
            } else {
                workers.run(drawing);
            }
            // NaN is above all pivots: the pass over all elements refuses it later.
            int numbers = passes.collect(keys, 0, span.u() == null ? null : keys, size * 4L, size, 0, Spans.END, keys,
                    0, tally, 0);
            for (int i = numbers; i < size; i++) {
                keys.set(I32, i * 4L, Passes.INFINITY);
            }
            return;
        }
        int s = 0;
        long start = 0;
        for (int i = 0; i < strata; i++) {
            long at = Math.min(total - 1, place(i, width));
            while (at - start >= spans.get(s).count()) {
                start += spans.get(s).count();
                s++;
            }
            Span span = spans.get(s);
            long first = Math.max(0, Math.min(at - start, span.count() - NEIGHBOURS));
            long last = span.count() - 1;
            for (int j = 0; j < NEIGHBOURS; j++) {
                int key = Float.floatToRawIntBits(Spans.value(span, Math.min(first + j, last))) & Passes.MAGNITUDE;
                keys.set(I32, (i * NEIGHBOURS + j) * 4L, Spans.weighted(Math.min(key, Passes.INFINITY),
                        span.weight()));
            }
        }
    }

    private void lay(Region region, long room) {
        keys = region.allocate(room * 4 + 64);
    }

    /** A random element of stratum {@code i}: a hash and not a sequence, so that any thread can draw any stratum. */
    private static long place(int i, double width) {
        long random = (i + 1) * SEED;
        random = (random ^ random >>> 32) * 0xd1342543de82ef95L;
        return (long) ((i + ((random ^ random >>> 32) >>> 11) * 0x1p-53) * width);
    }

    private void draw(int worker) {
        int strata = size / NEIGHBOURS;
        drawPlain((int) ((long) strata * worker / workers.count()),
                (int) ((long) strata * (worker + 1) / workers.count()));
    }

    /** The usual case: the strata from {@code from} to {@code to} of one span, W and U apart. */
    private void drawPlain(int from, int to) {
        Span span = spans.get(0);
        long last = span.count() - NEIGHBOURS;
        drawPlain(span.x(), span.xOffset(), last, keys, 0, from, to, stratumWidth);
        if (span.u() != null) {
            drawPlain(span.u(), span.uOffset(), last, keys, size * 4L, from, to, stratumWidth);
        }
    }

    /** Takes as few instructions as possible, so that many cache misses are under way at once. */
    private static void drawPlain(MemorySegment x, long xOff, long last, MemorySegment sample, long sampleOff, int from,
            int to, double width) {
        for (int i = from; i < to; i++) {
            long o = xOff + Math.min(last, place(i, width)) * 4;
            long out = sampleOff + i * 16L;
            sample.set(I64, out, x.get(I64, o));
            sample.set(I64, out + 8, x.get(I64, o + 8));
        }
    }

    /** Makes a window for the ranks from {@code first} to {@code last}: it probably holds them. */
    void focus(double first, double last) {
        int[] sorted = probes;
        for (int i = 0; i < PROBES; i++) {
            // Not always the same of the neighbours.
            sorted[i] = keys.get(I32, ((long) i * size / PROBES & -NEIGHBOURS | i % NEIGHBOURS) * 4);
        }
        Arrays.sort(sorted);
        int beyond = (int) Math.floor(first / size * PROBES - margin(first));
        int least = (int) Math.ceil(last / size * PROBES + margin(last));
        windowHi = beyond < 1 ? Spans.END : sorted[PROBES - beyond] + 1;
        windowLo = least >= PROBES ? 0 : sorted[PROBES - 1 - least];
        window = passes.collect(keys, 0, null, 0, size, windowLo, windowHi, keys, size, tally, 0);
        windowAbove = tally[0];
    }

    /** Probes by which the place of a rank among them may be wrong. */
    private double margin(double rank) {
        double share = rank / size;
        return 2 * Math.sqrt(PROBES * share * (1 - share)) + 1;
    }

    /** Finds the {@code rank}-th greatest key (from 1) and sets {@link #above} and {@link #equal}. */
    int rank(long rank) {
        if (lastKey >= 0 && rank > above && rank <= above + equal) {
            // Many keys are equal: this rank has the key of the rank before.
            return lastKey;
        }
        if (rank > windowAbove && rank <= windowAbove + window) {
            lastKey = quickselect.select(keys, size, window, windowLo, windowHi, rank - windowAbove,
                    Quickselect.Pivoting.EVEN, keys, 2L * size);
            above = windowAbove + quickselect.above;
        } else {
            lastKey = quickselect.select(keys, 0, size, 0, Spans.END, rank, Quickselect.Pivoting.PROBED, keys,
                    2L * size);
            above = quickselect.above;
        }
        equal = quickselect.equal;
        return lastKey;
    }

    /** The middle one of the sample's keys in [lo, hi), or -1 if there is none. */
    int middle(int lo, int hi) {
        int inside = 0;
        for (int i = 0; i < size; i++) {
            int key = keys.get(I32, i * 4L);
            if (key >= lo && key < hi) {
                keys.set(I32, (size + inside) * 4L, key);
                inside++;
            }
        }
        return inside == 0
                ? -1
                : quickselect.select(keys, size, inside, lo, hi, (inside + 1) / 2, Quickselect.Pivoting.PROBED, keys,
                        size);
    }

    @Override
    public void close() {
        scratch.close();
    }
}
