package io.pare.kernel;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * Finds the k-th greatest magnitude of one or several spans, exactly, in about one pass over memory.
 *
 * <p>A stratified random sample brackets the threshold; one pass counts what lies above the bracket and collects what
 * lies inside; radix steps on the collected keys finish. Where the bracket holds too much (heavy ties), counting
 * passes with pivots from the sample isolate the tied value. Where the bracket misses, the search goes on beside it:
 * sampling only ever costs time. Chunks, sample and order of sums are the same for every number of threads, and so is
 * the result.
 *
 * <p>Keys of a span of weight other than 1 are compared as keys of {@code weight * magnitude}; because rounding is
 * monotone, each bound on such keys is a bound on the span's own keys, and the passes never multiply.
 */
final class Selector implements AutoCloseable {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int CHUNK = Passes.CHUNK;
    private static final long SEED = 0x9e3779b97f4a7c15L;
    /** One above the key of infinity. */
    private static final int END = Passes.INFINITY + 1;
    /** Up to this many elements everything is collected: a sample would cost more than it saves. */
    private static final int SMALL = 8192;
    /** Half the width of the bracket, in standard deviations of the sample's rank. */
    private static final double DEVIATIONS = 5;
    /** Neighbours that the sample takes at each place: they share a cache line, which costs more than a key. */
    private static final int NEIGHBOURS = 4;
    /** Share of the elements from which on a value counts as shared by many. */
    private static final double HEAVY = 1.0 / 8;
    private static final int RADIX_BITS = 11;
    /** Bits of a key within one bin of the sample. */
    private static final int SAMPLE_SHIFT = 20;
    /** From this many keys on, radix steps are preceded by vector passes that narrow the range. */
    private static final int MANY = 4096;

    final Passes passes;
    final Workers workers;
    private Region scratch;
    private final long[] histogram = new long[1 << RADIX_BITS];
    private final long[] spare = new long[4];

    // The spans of the current call.
    private Span[] spans = new Span[1];
    private int spanCount;
    private long total;
    private int[] firstChunk = new int[2];
    private int[] spanLo = new int[1];
    private int[] spanGuess = new int[1];
    private int[] spanHi = new int[1];

    // One entry for each chunk.
    private long[] tallies = new long[2];
    private int[] found = new int[1];
    private long[] counts = new long[4];
    private double[] sums = new double[2];

    // Candidates: each worker has its own stretch of each array.
    private MemorySegment keys;
    private MemorySegment places;
    private MemorySegment olds;
    private MemorySegment ranked;
    private long capacity;
    private final long[] stretchEnd;
    private final boolean[] overflow;
    private MemorySegment sample;
    private long sampleCapacity;
    private int sampled;
    private double stratumWidth;

    // The bracket, in keys after weighting.
    private int lo;
    private int guess;
    private int hi;
    long expected;
    /** Values that many elements share and that were cut off the bracket, or -1: then a miss is nothing rare. */
    private int tiedLo;
    private int tiedHi;
    /** The pivot of the last counting pass that is {@link #key}, with the key after it as next pivot; -1 for none. */
    private int tiePivot;
    /** The key that {@link #sampleRank} returned last. */
    private int sampleKey;
    /** Keys that surely enclose the threshold, [sureLo, sureHi), and how many keys reach each. */
    private int sureLo;
    private int sureHi;
    private long sureLoCount;
    private long sureHiCount;
    /** Ranks by which tests push the bracket aside, to see a miss. */
    double bias;
    private int pivot0;
    private int pivot1;
    private int pivot2;
    private int pivot3;

    // The outputs of the current call.
    MemorySegment z;
    long zOff;
    private MemorySegment bits;
    private long bitsOff;

    /** Key of the least survivor. */
    int key;
    /** Elements above it, and elements equal to it, and how many of these survive. */
    long above;
    long equal;
    long ties;
    private final double[][] primal;
    private final double[][] dual;
    double primalSum;
    double dualSum;

    enum Phase {
        COLLECT, COUNT, SPECULATE, SPECULATE_ADMM, SPECULATE_BITS, MEND, MEND_ADMM, MEND_BITS, MASK, MASK_ADMM,
        MASK_BITS, MEND_TIES
    }

    private Phase phase;
    private final Workers.Task task = this::work;
    private final Workers.Task drawing = this::draw;

    Selector(Passes passes, Workers workers) {
        this.passes = passes;
        this.workers = workers;
        stretchEnd = new long[workers.count()];
        overflow = new boolean[workers.count()];
        primal = new double[workers.count()][Passes.STRIDE];
        dual = new double[workers.count()][Passes.STRIDE];
    }

    // ---- the call's input ---------------------------------------------------------------------------------------

    void one(Span span) {
        spans[0] = span.unconfined();
        begin(1);
    }

    void many(List<Span> list) {
        if (spans.length < list.size()) {
            spans = new Span[list.size()];
            firstChunk = new int[list.size() + 1];
            spanLo = new int[list.size()];
            spanGuess = new int[list.size()];
            spanHi = new int[list.size()];
        }
        for (int s = 0; s < list.size(); s++) {
            spans[s] = list.get(s).unconfined();
        }
        begin(list.size());
    }

    private void begin(int count) {
        spanCount = count;
        total = 0;
        long chunks = 0;
        for (int s = 0; s < count; s++) {
            firstChunk[s] = Math.toIntExact(chunks);
            chunks += Passes.chunks(spans[s].count());
            total = Math.addExact(total, spans[s].count());
        }
        int all = Math.toIntExact(chunks);
        firstChunk[count] = all;
        if (found.length < all) {
            found = new int[all];
            tallies = new long[2 * all];
            counts = new long[4 * all];
            sums = new double[2 * all];
        }
    }

    private int chunks() {
        return firstChunk[spanCount];
    }

    private int spanOf(int chunk) {
        int at = Arrays.binarySearch(firstChunk, 0, spanCount, chunk);
        int s = at >= 0 ? at : -at - 2;
        // Empty spans share their first chunk with the next one.
        while (chunk >= firstChunk[s + 1]) {
            s++;
        }
        return s;
    }

    private static int weighted(int raw, float weight) {
        return weight == 1 ? raw : Float.floatToRawIntBits(Float.intBitsToFloat(raw) * weight) & Passes.MAGNITUDE;
    }

    /** Least key of a span whose weighted key reaches {@code bound}. */
    private static int raw(int bound, float weight) {
        if (weight == 1 || bound <= 0 || bound >= END) {
            return bound;
        }
        int from = 0;
        int to = Passes.INFINITY;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (weighted(middle, weight) >= bound) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        return from;
    }

    void bound() {
        for (int s = 0; s < spanCount; s++) {
            spanLo[s] = raw(lo, spans[s].weight());
            spanGuess[s] = raw(guess, spans[s].weight());
            spanHi[s] = raw(hi, spans[s].weight());
        }
    }

    // ---- passes over all chunks ---------------------------------------------------------------------------------

    void pass(Phase next) {
        phase = next;
        workers.run(task, chunks());
    }

    private void work(int worker) {
        int from = firstOf(worker);
        int to = firstOf(worker + 1);
        long at = stretch(worker);
        overflow[worker] = false;
        for (int chunk = from; chunk < to; chunk++) {
            int s = spanOf(chunk);
            Span span = spans[s];
            long first = (long) (chunk - firstChunk[s]) * CHUNK;
            int n = (int) Math.min(CHUNK, span.count() - first);
            if (at + n > stretch(worker + 1) - Passes.SLACK) {
                overflow[worker] = true;
                // Nothing collected counts any more, and the passes need their room.
                at = stretch(worker);
            }
            at += chunk(chunk, s, span, first * Float.BYTES, n, at, worker);
        }
        stretchEnd[worker] = at;
    }

    private int firstOf(int worker) {
        return (int) workers.first(worker, chunks());
    }

    private long stretch(int worker) {
        return capacity / workers.count() * worker;
    }

    private int chunk(int chunk, int s, Span span, long o, int n, long at, int worker) {
        long xOff = span.xOffset() + o;
        long uOff = span.uOffset() + o;
        switch (phase) {
            case COLLECT -> {
                found[chunk] = passes.collect(span.x(), xOff, span.u(), uOff, n, overflow[worker] ? END : spanLo[s],
                        overflow[worker] ? END : spanHi[s],
                        keys, at, tallies, 2 * chunk);
                if (span.weight() != 1) {
                    for (long i = at; i < at + found[chunk]; i++) {
                        keys.set(I32, i * 4, weighted(keys.get(I32, i * 4), span.weight()));
                    }
                }
                return found[chunk];
            }
            case COUNT -> {
                Arrays.fill(counts, 4 * chunk, 4 * chunk + 4, 0);
                tallies[2 * chunk + 1] = passes.count(span.x(), xOff, span.u(), uOff, n, raw(pivot0, span.weight()),
                        raw(pivot1, span.weight()), raw(pivot2, span.weight()), raw(pivot3, span.weight()), counts,
                        4 * chunk);
            }
            case SPECULATE -> {
                found[chunk] =
                        passes.speculate(span.x(), xOff, z, zOff + o, n, overflow[worker] ? hi : lo, guess, hi, keys,
                                places, at, tallies, 2 * chunk);
                return found[chunk];
            }
            case SPECULATE_ADMM -> {
                clear(worker);
                found[chunk] = passes.speculateAdmm(span.x(), xOff, span.u(), uOff, z, zOff + o, n,
                        overflow[worker] ? hi : lo, guess, hi, keys, places, olds, at, tallies, 2 * chunk,
                        primal[worker], dual[worker]);
                total(chunk, worker);
                return found[chunk];
            }
            case SPECULATE_BITS -> {
                found[chunk] = passes.speculateBits(span.x(), xOff, bits, bitsOff + o / 32, n,
                        overflow[worker] ? hi : lo, guess, hi, keys, places, at, tallies, 2 * chunk);
                return found[chunk];
            }
            case MEND -> {
                mend(span, o, chunk, at);
                return found[chunk];
            }
            case MEND_ADMM -> {
                mendAdmm(span, o, chunk, at);
                return found[chunk];
            }
            case MEND_BITS -> {
                mendBits(bitsOff + o / 32, chunk, at);
                return found[chunk];
            }
            case MASK -> passes.mask(span.x(), xOff, z, zOff + o, n, key, found[chunk]);
            case MEND_TIES -> {
                // All of the guess's chunk is right if it was right about the tied value.
                long same = counts[4 * chunk + tiePivot] - counts[4 * chunk + tiePivot + 1];
                if (found[chunk] != (key >= guess ? same : 0)) {
                    passes.mask(span.x(), xOff, z, zOff + o, n, key, found[chunk]);
                }
            }
            case MASK_ADMM -> {
                clear(worker);
                passes.maskAdmm(span.x(), xOff, span.u(), uOff, z, zOff + o, n, key, found[chunk], primal[worker],
                        dual[worker]);
                total(chunk, worker);
            }
            case MASK_BITS -> passes.maskBits(span.x(), xOff, span.u(), uOff, bits, bitsOff + o / 32, n, key,
                    found[chunk]);
        }
        return 0;
    }

    private void clear(int worker) {
        Arrays.fill(primal[worker], 0);
        Arrays.fill(dual[worker], 0);
    }

    private void total(int chunk, int worker) {
        sums[2 * chunk] = sum(primal[worker]);
        sums[2 * chunk + 1] = sum(dual[worker]);
    }

    static double sum(double[] lanes) {
        double sum = 0;
        for (double lane : lanes) {
            sum += lane;
        }
        return sum;
    }

    /** Refuses NaN by the greatest keys that the last pass saw. */
    private void refuseNaN() {
        for (int chunk = 0; chunk < chunks(); chunk++) {
            if (tallies[2 * chunk + 1] > Passes.INFINITY) {
                int s = spanOf(chunk);
                Span span = spans[s];
                for (long i = (long) (chunk - firstChunk[s]) * CHUNK; i < span.count(); i++) {
                    // The fused pass has written the sum that is not a number to Z, and 0 to U.
                    float v = phase == Phase.SPECULATE_ADMM ? z.get(F32, zOff + i * 4) : value(span, i);
                    if (Float.isNaN(v)) {
                        throw new IllegalArgumentException("NaN at index " + i
                                + (spanCount > 1 ? " of tensor " + s : "")
                                + (span.u() == null ? "" : " of the sum of W and U"));
                    }
                }
            }
        }
    }

    private static float value(Span span, long i) {
        float x = span.x().get(F32, span.xOffset() + i * 4);
        return span.u() == null ? x : x + span.u().get(F32, span.uOffset() + i * 4);
    }

    // ---- sample and bracket -------------------------------------------------------------------------------------

    /**
     * Draws a few neighbours from each of many strata of the concatenated spans, so many that sampling costs about what
     * the width of the bracket costs, for a threshold that {@code share} of the elements reach.
     */
    void drawSample(double share) {
        double wanted = 2 * Math.cbrt((double) total * total * Math.max(4 * share * (1 - share), 0.02));
        int strata = (int) Math.min(wanted, 1 << 20) / NEIGHBOURS;
        sampled = strata * NEIGHBOURS;
        if (sampleCapacity < 2L * sampled + Passes.SLACK) {
            renew(capacity, 2L * sampled + Passes.SLACK);
        }
        double width = (double) total / strata;
        if (spanCount == 1 && spans[0].weight() == 1) {
            Span span = spans[0];
            stratumWidth = width;
            if (workers.count() == 1 || strata < 2048) {
                drawPlain(0, strata);
            } else {
                workers.run(drawing);
            }
            // NaN, which the pass over everything refuses, must not break the radix steps before.
            int numbers = passes.collect(sample, 0, span.u() == null ? null : sample, sampled * 4L, sampled, 0, END,
                    sample, 0, spare, 0);
            for (int i = numbers; i < sampled; i++) {
                sample.set(I32, i * 4L, Passes.INFINITY);
            }
            return;
        }
        int s = 0;
        long start = 0;
        for (int i = 0; i < strata; i++) {
            long at = Math.min(total - 1, place(i, width));
            while (at - start >= spans[s].count()) {
                start += spans[s].count();
                s++;
            }
            Span span = spans[s];
            long first = Math.max(0, Math.min(at - start, span.count() - NEIGHBOURS));
            long last = span.count() - 1;
            for (int j = 0; j < NEIGHBOURS; j++) {
                int k = Float.floatToRawIntBits(value(span, Math.min(first + j, last))) & Passes.MAGNITUDE;
                sample.set(I32, (i * NEIGHBOURS + j) * 4L, weighted(Math.min(k, Passes.INFINITY), span.weight()));
            }
        }
    }

    /** A random element of stratum {@code i}, whoever asks: a hash, and not a sequence, for the threads' sake. */
    private static long place(int i, double width) {
        long random = (i + 1) * SEED;
        random = (random ^ random >>> 32) * 0xd1342543de82ef95L;
        return (long) ((i + ((random ^ random >>> 32) >>> 11) * 0x1p-53) * width);
    }

    private void draw(int worker) {
        int strata = sampled / NEIGHBOURS;
        drawPlain((int) ((long) strata * worker / workers.count()),
                (int) ((long) strata * (worker + 1) / workers.count()));
    }

    /** The usual case: the strata from {@code from} to {@code to} of one span, W and U apart. */
    private void drawPlain(int from, int to) {
        Span span = spans[0];
        long last = span.count() - NEIGHBOURS;
        drawPlain(span.x(), span.xOffset(), last, sample, 0, from, to, stratumWidth);
        if (span.u() != null) {
            drawPlain(span.u(), span.uOffset(), last, sample, sampled * 4L, from, to, stratumWidth);
        }
    }

    /** In as few instructions as it takes to have many cache misses under way at once. */
    private static void drawPlain(MemorySegment x, long xOff, long last, MemorySegment sample, long sampleOff, int from,
            int to, double width) {
        for (int i = from; i < to; i++) {
            long o = xOff + Math.min(last, place(i, width)) * 4;
            long out = sampleOff + i * 16L;
            sample.set(I64, out, x.get(I64, o));
            sample.set(I64, out + 8, x.get(I64, o + 8));
        }
    }

    /** Sets a bracket that holds the k-th greatest key with all but certainty, and what it is expected to hold. */
    void bracket(long k) {
        sureLo = 0;
        sureLoCount = total;
        sureHi = END;
        sureHiCount = 0;
        tiedLo = -1;
        tiedHi = -1;
        tiePivot = -1;
        if (total <= SMALL) {
            sampled = 0;
            lo = 0;
            guess = END;
            hi = END;
            expected = total;
            return;
        }
        double share = (double) k / total;
        drawSample(share);
        double rank = share * sampled + bias;
        double margin = DEVIATIONS * Math.sqrt(share * sampled * (1 - share)) + 2 * DEVIATIONS;
        int upper = (int) Math.floor(rank - margin);
        int lower = (int) Math.ceil(rank + margin);
        long reachLo = sampled;
        long beyondLo = sampled;
        lo = 0;
        sampleKey = -1;
        if (lower < sampled) {
            lo = sampleRank(Math.max(1, lower));
            reachLo = above + equal;
            beyondLo = above;
        }
        guess = sampleRank((long) Math.clamp(rank, 1, sampled));
        hi = END;
        long reachHi = 0;
        long reachLast = 0;
        if (upper >= 1) {
            hi = sampleRank(Math.min(sampled, upper)) + 1;
            reachHi = above;
            reachLast = above + equal;
        }
        expect(reachLo - reachHi);
        // Where an end of the bracket is a value that many elements share, what remains without it may do.
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
        expected = (long) ((double) inSample / sampled * total) + 1;
    }

    /** The {@code rank}-th greatest key of the sample, by its histogram; sets above and equal, as {@link #radix}. */
    private int sampleRank(long rank) {
        if (sampleKey >= 0 && rank > above && rank <= above + equal) {
            // Many are equal: the same key as of the rank before.
            return sampleKey;
        }
        // Vector passes divide the bins by five each: a histogram would wait for its own counts where keys are equal.
        long greater = 0;
        int low = 0;
        int bins = (Passes.INFINITY >>> SAMPLE_SHIFT) + 1;
        while (bins > 1) {
            int step = (bins + 4) / 5;
            Arrays.fill(spare, 0);
            passes.count(sample, 0, null, 0, sampled, low + step << SAMPLE_SHIFT,
                    low + Math.min(bins, 2 * step) << SAMPLE_SHIFT, low + Math.min(bins, 3 * step) << SAMPLE_SHIFT,
                    low + Math.min(bins, 4 * step) << SAMPLE_SHIFT, spare, 0);
            int part = 0;
            while (part < 4 && rank <= spare[part]) {
                part++;
            }
            greater = part == 4 ? greater : spare[part];
            int end = Math.min(bins, (part + 1) * step);
            low += part * step;
            bins = end - part * step;
        }
        int from = low << SAMPLE_SHIFT;
        int n = passes.collect(sample, 0, null, 0, sampled, from, from + (1 << SAMPLE_SHIFT), sample, sampled, spare,
                0);
        // Where many are equal, the middle one of the bin is likely to be the one: a vector pass tells.
        int likely = sample.get(I32, (sampled + n / 2) * 4L);
        Arrays.fill(spare, 0);
        passes.count(sample, sampled * 4L, null, 0, n, likely, likely + 1, END, END, spare, 0);
        int found = likely;
        if (rank - greater > spare[1] && rank - greater <= spare[0]) {
            above = spare[1];
            equal = spare[0] - spare[1];
        } else {
            found = radix(sample, sampled, n, from, from + (1 << SAMPLE_SHIFT), rank - greater);
        }
        above += greater;
        sampleKey = found;
        return found;
    }

    private boolean collectable() {
        return expected <= total / 6 + SMALL && hi - lo > 1;
    }

    void reserve() {
        long need = workers.count()
                * (expected * 3 / 2 / workers.count() + 64 * 1024 + Math.min(total, CHUNK) + Passes.SLACK);
        if (capacity < need) {
            renew(need, sampleCapacity);
        }
    }

    private void renew(long wanted, long wantedSample) {
        // Should memory be short, nothing is taken for granted by the next call.
        close();
        scratch = Region.shared("projection scratch");
        keys = scratch.allocate(wanted * 4 + 64);
        places = scratch.allocate(wanted * 4 + 64);
        olds = scratch.allocate(wanted * 4 + 64);
        ranked = scratch.allocate(wanted * 4 + 64);
        sample = scratch.allocate(wantedSample * 4 + 64);
        capacity = wanted;
        sampleCapacity = wantedSample;
    }

    /**
     * The {@code rank}-th greatest (from 1) of {@code n} keys, all in [from, to), which it reorders; leaves in
     * {@link #above} how many of them are greater and in {@link #equal} how many are the same.
     */
    private int radix(MemorySegment segment, long at, long n, int from, int to, long rank) {
        int low = from;
        int range = to - from;
        long count = n;
        long greater = 0;
        while (count > MANY && range > 64) {
            int step = range / 5;
            int first = low + step;
            int second = first + step;
            int third = second + step;
            int fourth = third + step;
            Arrays.fill(spare, 0);
            passes.count(segment, at * 4, null, 0, (int) count, first, second, third, fourth, spare, 0);
            int high = low + range;
            if (rank > greater + spare[0]) {
                greater += spare[0];
                high = first;
            } else if (rank > greater + spare[1]) {
                greater += spare[1];
                low = first;
                high = second;
            } else if (rank > greater + spare[2]) {
                greater += spare[2];
                low = second;
                high = third;
            } else if (rank > greater + spare[3]) {
                greater += spare[3];
                low = third;
                high = fourth;
            } else {
                low = fourth;
            }
            range = high - low;
            count = passes.collect(segment, at * 4, null, 0, (int) count, low, high, segment, at, spare, 0);
        }
        while (true) {
            int shift = Math.max(0, 32 - Integer.numberOfLeadingZeros(range - 1) - RADIX_BITS);
            if (count == 0) {
                throw new AssertionError("rank " + rank + " of " + n + " keys");
            }
            int used = (range - 1 >>> shift) + 1;
            Arrays.fill(histogram, 0, used, 0);
            for (long i = at; i < at + count; i++) {
                histogram[segment.get(I32, i * 4) - low >>> shift]++;
            }
            int bin = used - 1;
            while (greater + histogram[bin] < rank) {
                greater += histogram[bin];
                bin--;
            }
            low += bin << shift;
            if (shift == 0) {
                above = greater;
                equal = histogram[bin];
                return low;
            }
            range = 1 << shift;
            long kept = at;
            for (long i = at; i < at + count; i++) {
                int candidate = segment.get(I32, i * 4);
                segment.set(I32, kept * 4, candidate);
                kept += candidate - low >>> shift == 0 ? 1 : 0;
            }
            count = kept - at;
        }
    }

    /** Finds the threshold among the collected keys, which it leaves in their order; {@code over} elements are above all. */
    private void rank(long k, long over) {
        long n = 0;
        for (int worker = 0; worker < workers.count(); worker++) {
            long from = stretch(worker);
            MemorySegment.copy(keys, from * 4, ranked, n * 4, (stretchEnd[worker] - from) * 4);
            n += stretchEnd[worker] - from;
        }
        key = radix(ranked, 0, n, lo, hi, k - over);
        above += over;
        ties = k - above;
    }

    /** How many of the keys collected from a chunk, which begin at {@code at}, are the threshold. */
    private long same(int chunk, long at) {
        Arrays.fill(spare, 0);
        passes.count(keys, at * 4, null, 0, found[chunk], key, key + 1, END, END, spare, 0);
        return spare[0] - spare[1];
    }

    // ---- selection ----------------------------------------------------------------------------------------------

    /** Finds the threshold for {@code k} survivors, 1 to n: key, above, equal, ties. */
    void select(long k) {
        if (k < 1 || k > total) {
            throw new AssertionError(k + " of " + total);
        }
        bracket(k);
        search(k);
    }

    private void search(long k) {
        while (true) {
            if (collectable()) {
                reserve();
                bound();
                pass(Phase.COLLECT);
                if (overflowed()) {
                    expected = total;
                    continue;
                }
                refuseNaN();
                long over = tallied();
                long inside = collected();
                if (!miss(k, over, inside)) {
                    rank(k, over);
                    if (ties < equal) {
                        for (int worker = 0; worker < workers.count(); worker++) {
                            long at = stretch(worker);
                            for (int chunk = firstOf(worker); chunk < firstOf(worker + 1); chunk++) {
                                counts[4 * chunk] = same(chunk, at);
                                counts[4 * chunk + 1] = 0;
                                at += found[chunk];
                            }
                        }
                        tiePivot = 0;
                    }
                    return;
                }
            } else if (narrow(k)) {
                return;
            }
        }
    }

    private boolean overflowed() {
        for (boolean one : overflow) {
            if (one) {
                return true;
            }
        }
        return false;
    }

    private long tallied() {
        long over = 0;
        for (int chunk = 0; chunk < chunks(); chunk++) {
            over += tallies[2 * chunk];
        }
        return over;
    }

    long collected() {
        long inside = 0;
        for (int chunk = 0; chunk < chunks(); chunk++) {
            inside += found[chunk];
        }
        return inside;
    }

    /** Whether the k-th is not inside; then the bracket becomes what lies on the side where it is. */
    private boolean miss(long k, long over, long inside) {
        if (k <= over) {
            enclose(hi, over, sureHi, sureHiCount);
            return true;
        }
        if (k > over + inside) {
            enclose(sureLo, sureLoCount, lo, over + inside);
            return true;
        }
        return false;
    }

    private void enclose(int newLo, long loCount, int newHi, long hiCount) {
        lo = newLo;
        hi = newHi;
        sureLo = newLo;
        sureLoCount = loCount;
        sureHi = newHi;
        sureHiCount = hiCount;
        expected = loCount - hiCount;
    }

    /** Counts at four pivots inside the bracket and keeps the part that holds the k-th; true when that is one key. */
    private boolean narrow(long k) {
        if (hi - lo == 1 && lo == sureLo && hi == sureHi) {
            return found(k);
        }
        pivots();
        bound();
        tiePivot = -1;
        pass(Phase.COUNT);
        refuseNaN();
        long count0 = count(0);
        long count1 = count(1);
        long count2 = count(2);
        long count3 = count(3);
        if (k > count0) {
            enclose(sureLo, sureLoCount, pivot0, count0);
        } else if (k > count1) {
            tiePivot = 0;
            enclose(pivot0, count0, pivot1, count1);
        } else if (k > count2) {
            tiePivot = 1;
            enclose(pivot1, count1, pivot2, count2);
        } else if (k > count3) {
            tiePivot = 2;
            enclose(pivot2, count2, pivot3, count3);
        } else {
            enclose(pivot3, count3, sureHi, sureHiCount);
        }
        return hi - lo == 1 && found(k);
    }

    /** Takes the one key that is left. */
    private boolean found(long k) {
        key = lo;
        above = sureHiCount;
        equal = sureLoCount - sureHiCount;
        ties = k - above;
        return true;
    }

    private long count(int pivot) {
        long sum = 0;
        for (int chunk = 0; chunk < chunks(); chunk++) {
            sum += counts[4 * chunk + pivot];
        }
        return sum;
    }

    /**
     * Four ascending pivots in the bracket: the middle of the bracket's sample and the key after it, which isolate a
     * tied value, and a key on either side; without a sample, even cuts of the key range.
     */
    private void pivots() {
        if (hi - lo == 1) {
            pivot0 = lo;
            pivot1 = hi;
            pivot2 = hi;
            pivot3 = hi;
            return;
        }
        MemorySegment work = sampled == 0 ? null : sample.asSlice(sampled * 4L, sampled * 4L + Passes.SLACK * 4L);
        int inside = 0;
        for (int i = 0; i < sampled; i++) {
            int sampledKey = sample.get(I32, i * 4L);
            if (sampledKey >= lo && sampledKey < hi) {
                work.set(I32, inside * 4L, sampledKey);
                inside++;
            }
        }
        if (inside == 0) {
            int step = Math.max(1, (hi - lo) / 5);
            pivot0 = Math.min(hi, lo + step);
            pivot1 = Math.min(hi, pivot0 + step);
            pivot2 = Math.min(hi, pivot1 + step);
            pivot3 = Math.min(hi, pivot2 + step);
            return;
        }
        int middle = radix(work, 0, inside, lo, hi, (inside + 1) / 2);
        // Halving the key range besides guarantees an end whatever the sample says.
        int half = lo + (hi - lo) / 2;
        pivot0 = Math.min(middle, Math.max(lo, half));
        pivot1 = middle;
        pivot2 = middle + 1;
        pivot3 = Math.max(middle + 1, half);
    }

    /** Divides {@code k} survivors over the spans. */
    void budget(long k, long[] budget) {
        if (trivial(k)) {
            for (int s = 0; s < spanCount; s++) {
                budget[s] = k == 0 ? 0 : spans[s].count();
            }
            return;
        }
        select(k);
        countTies();
        long left = ties;
        for (int s = 0; s < spanCount; s++) {
            long over = 0;
            long same = 0;
            for (int chunk = firstChunk[s]; chunk < firstChunk[s + 1]; chunk++) {
                over += counts[4 * chunk + 1];
                same += counts[4 * chunk] - counts[4 * chunk + 1];
            }
            budget[s] = over + Math.min(left, same);
            left -= Math.min(left, same);
        }
    }

    // ---- outputs ------------------------------------------------------------------------------------------------

    /** Sets, for each chunk, how many of its elements equal to {@link #key} survive: the first {@link #ties} of all. */
    private void shareTies() {
        if (ties >= equal) {
            Arrays.fill(found, 0, chunks(), CHUNK);
            return;
        }
        if (tiePivot < 0) {
            countTies();
        }
        long left = ties;
        for (int chunk = 0; chunk < chunks(); chunk++) {
            int at = 4 * chunk + tiePivot;
            found[chunk] = (int) Math.min(left, counts[at] - counts[at + 1]);
            left -= found[chunk];
        }
    }

    /** Sets the threshold of the trivial cases, which need no selection; false if {@code k} is not one. */
    private boolean trivial(long k) {
        if (k < 0 || k > total) {
            throw new IllegalArgumentException("cannot keep " + k + " of " + total + " elements");
        }
        if (k > 0 && k < total) {
            return false;
        }
        pivot0 = END;
        pivot1 = END;
        pivot2 = END;
        pivot3 = END;
        pass(Phase.COUNT);
        refuseNaN();
        key = k == 0 ? END : -1;
        above = k;
        equal = 0;
        ties = 0;
        return true;
    }

    /** Finds the threshold of any {@code k}; one of 0 or n elements has key END or -1. */
    void threshold(long k) {
        if (!trivial(k)) {
            select(k);
        }
    }

    /** Refuses NaN in a range; replaces the spans of the current call. */
    void refuseNaN(MemorySegment x, long xOff, long n) {
        one(Span.of(x, xOff, n));
        threshold(0);
    }

    void topK(long k, MemorySegment output, long outputOff) {
        z = output;
        zOff = outputOff;
        Span span = spans[0];
        // In place a wrong guess would destroy what the right answer needs.
        boolean inPlace = output.address() + outputOff == span.x().address() + span.xOffset();
        if (!trivial(k)) {
            bracket(k);
            if (!inPlace && total > SMALL && collectable()) {
                if (speculate(k, Phase.SPECULATE) || speculateTied(k)) {
                    return;
                }
            }
            search(k);
        }
        shareTies();
        pass(Phase.MASK);
    }

    void topKBits(long k, MemorySegment output, long outputOff) {
        bits = output;
        bitsOff = outputOff;
        if (!trivial(k)) {
            bracket(k);
            if (total > SMALL && tiedLo < 0 && tiedHi < 0 && collectable() && speculate(k, Phase.SPECULATE_BITS)) {
                return;
            }
            search(k);
        }
        shareTies();
        pass(Phase.MASK_BITS);
    }

    /** The fused step; leaves the sums of squares in {@link #primalSum} and {@link #dualSum}. */
    void topKAdmm(long k, MemorySegment output, long outputOff) {
        z = output;
        zOff = outputOff;
        if (!trivial(k)) {
            bracket(k);
            if (total > SMALL && tiedLo < 0 && tiedHi < 0 && collectable()) {
                if (!speculate(k, Phase.SPECULATE_ADMM)) {
                    afterMiss(k);
                    return;
                }
                addSums();
                return;
            }
            search(k);
        }
        shareTies();
        pass(Phase.MASK_ADMM);
        addSums();
    }

    private void addSums() {
        primalSum = 0;
        dualSum = 0;
        for (int chunk = 0; chunk < chunks(); chunk++) {
            primalSum += sums[2 * chunk];
            dualSum += sums[2 * chunk + 1];
        }
        // What the guess added and mending took off may leave a rounding error below zero.
        primalSum = Math.max(0, primalSum);
        dualSum = Math.max(0, dualSum);
    }

    /**
     * Writes the outputs with the guessed threshold, finds the true one among the candidates and mends what the guess
     * got wrong; false if the bracket missed, and then {@link #search} can go on.
     */
    boolean speculate(long k, Phase how) {
        reserve();
        bound();
        pass(how);
        refuseNaN();
        if (overflowed()) {
            expected = total;
            return false;
        }
        long over = tallied();
        if (miss(k, over, collected())) {
            return false;
        }
        rank(k, over);
        long left = ties;
        for (int worker = 0; worker < workers.count(); worker++) {
            long at = stretch(worker);
            for (int chunk = firstOf(worker); chunk < firstOf(worker + 1); chunk++) {
                // One means all, where all survive.
                long same = ties < equal ? same(chunk, at) : 1;
                at += found[chunk];
                counts[4 * chunk] = Math.min(left, same);
                counts[4 * chunk + 1] = same;
                left -= ties < equal ? counts[4 * chunk] : 0;
            }
        }
        pass(switch (how) {
            case SPECULATE_ADMM -> Phase.MEND_ADMM;
            case SPECULATE_BITS -> Phase.MEND_BITS;
            default -> Phase.MEND;
        });
        return true;
    }

    /**
     * Ends a speculation whose bracket missed because the threshold is the value that was cut off it: all candidates are
     * then on one side, and the chunks in which the guess was wrong about the value are written once more. False where
     * there is no such value, or it is not the threshold.
     */
    private boolean speculateTied(long k) {
        // The bracket is by now what lies on the missed side.
        int tied = tiedHi >= 0 && lo == tiedHi ? tiedHi : tiedLo >= 0 && hi == tiedLo + 1 ? tiedLo : -1;
        if (tied < 0 || overflowed()) {
            return false;
        }
        key = tied;
        Arrays.fill(counts, 0, 4 * chunks(), 0);
        pass(Phase.MEND);
        countTies();
        long reaching = count(0);
        long over = count(1);
        if (k <= over || k > reaching) {
            tiePivot = -1;
            return false;
        }
        above = over;
        equal = reaching - over;
        ties = k - over;
        shareTies();
        pass(Phase.MEND_TIES);
        return true;
    }

    /** Counts, in each chunk, the elements that reach {@link #key}, and those above it. */
    private void countTies() {
        pivot0 = key;
        pivot1 = key + 1;
        pivot2 = END;
        pivot3 = END;
        pass(Phase.COUNT);
        tiePivot = 0;
    }

    /** Corrects the candidates of a chunk on which the guess and the threshold disagree. */
    private void mend(Span span, long o, int chunk, long at) {
        int wrong = wrong(chunk, at);
        for (long i = at; i < at + wrong; i++) {
            long candidate = at + ranked.get(I32, i * 4);
            long place = o + places.get(I32, candidate * 4) * 4L;
            boolean keep = keys.get(I32, candidate * 4) < guess;
            z.set(F32, zOff + place, keep ? span.x().get(F32, span.xOffset() + place) : 0);
        }
    }

    private void mendBits(long first, int chunk, long at) {
        int wrong = wrong(chunk, at);
        for (long i = at; i < at + wrong; i++) {
            int place = places.get(I32, (at + ranked.get(I32, i * 4)) * 4);
            long octet = first + (place >>> 3);
            bits.set(ValueLayout.JAVA_BYTE, octet, (byte) (bits.get(ValueLayout.JAVA_BYTE, octet) ^ 1 << (place & 7)));
        }
    }

    private void mendAdmm(Span span, long o, int chunk, long at) {
        int wrong = wrong(chunk, at);
        for (long i = at; i < at + wrong; i++) {
            long candidate = at + ranked.get(I32, i * 4);
            long place = o + places.get(I32, candidate * 4) * 4L;
            boolean keep = keys.get(I32, candidate * 4) < guess;
            float weight = span.x().get(F32, span.xOffset() + place);
            float wasZ = z.get(F32, zOff + place);
            float wasU = span.u().get(F32, span.uOffset() + place);
            float isZ = keep ? wasU : 0;
            z.set(F32, zOff + place, isZ);
            span.u().set(F32, span.uOffset() + place, keep ? 0 : wasZ);
            float old = olds.get(F32, candidate * 4);
            sums[2 * chunk] += square(weight - isZ) - square(weight - wasZ);
            sums[2 * chunk + 1] += square(isZ - old) - square(wasZ - old);
        }
    }

    /** Writes to {@link #ranked} which candidates of a chunk were guessed wrong, in order; returns their number. */
    private int wrong(int chunk, long at) {
        long left = counts[4 * chunk];
        long same = counts[4 * chunk + 1];
        if (left == 0 || left == same) {
            int least = left == 0 ? key + 1 : key;
            return passes.between(keys, at, found[chunk], Math.min(guess, least), Math.max(guess, least), ranked);
        }
        int wrong = 0;
        for (int i = 0; i < found[chunk]; i++) {
            int candidate = keys.get(I32, (at + i) * 4);
            boolean keep = candidate > key;
            if (candidate == key && left > 0) {
                keep = true;
                left--;
            }
            if (keep != candidate >= guess) {
                ranked.set(I32, (at + wrong) * 4, i);
                wrong++;
            }
        }
        return wrong;
    }

    private static double square(double x) {
        return x * x;
    }

    /**
     * Ends the fused step after a bracket that missed, in scalar code because it happens once in a million calls.
     * The sum W + U is still there, as Z or as U, the other being zero; the old Z is not, so that the dual residual
     * becomes its upper bound by the triangle inequality over the guessed Z.
     */
    private void afterMiss(long k) {
        addSums();
        double guessed = Math.sqrt(dualSum);
        Span span = spans[0];
        for (long i = 0; i < total; i++) {
            int both = z.get(I32, zOff + i * 4) | span.u().get(I32, span.uOffset() + i * 4);
            span.u().set(I32, span.uOffset() + i * 4, both);
        }
        spans[0] = Span.of(span.u(), span.uOffset(), span.count());
        search(k);
        primalSum = 0;
        dualSum = 0;
        long left = ties;
        for (long i = 0; i < total; i++) {
            float v = span.u().get(F32, span.uOffset() + i * 4);
            int candidate = Float.floatToRawIntBits(v) & Passes.MAGNITUDE;
            boolean keep = candidate > key;
            if (candidate == key && left > 0) {
                keep = true;
                left--;
            }
            float kept = keep ? v : 0;
            dualSum += square(kept - z.get(F32, zOff + i * 4));
            primalSum += square(span.x().get(F32, span.xOffset() + i * 4) - kept);
            z.set(F32, zOff + i * 4, kept);
            span.u().set(F32, span.uOffset() + i * 4, keep ? 0 : v);
        }
        dualSum = square(guessed + Math.sqrt(dualSum));
    }

    @Override
    public void close() {
        capacity = 0;
        sampleCapacity = 0;
        if (scratch != null) {
            scratch.close();
            scratch = null;
        }
    }
}
