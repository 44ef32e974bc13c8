package io.pare.kernel;

import io.pare.kernel.passes.Passes;
import io.pare.kernel.passes.SelectPasses;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Finds the k-th greatest magnitude of one or several spans, exactly, in about one pass over memory.
 *
 * <p>A stratified random sample brackets the threshold. One pass counts the elements above the bracket and collects
 * those inside; a vector quickselect over the collected keys finishes. If the bracket holds too many elements, as with heavy ties,
 * counting passes with pivots from the sample isolate the tied value. If the bracket misses, the search continues
 * beside it: the sample affects the time only. Chunks, sample and order of sums are the same for every number of
 * threads, and so is the result.
 */
final class Selector implements AutoCloseable {
    final SelectPasses passes;
    final Spans spans = new Spans();
    final Bracket bracket;
    final Candidates candidates;
    final Tally tally;
    private final Pivots pivots;
    private final Workers workers;
    private final Quickselect quickselect;
    private final Sample sample;
    private final Chunk[] at;
    private final Workers.Task task = this::work;
    private final Chunk.Pass collecting = this::collect;
    private Chunk.Pass current;

    // The bounds of the bracket for the keys of each span.
    private int[] spanLo = new int[1];
    private int[] spanHi = new int[1];

    // One entry for each chunk.
    /** Elements equal to the threshold, where {@link #tiesKnown}, and how many of them survive. */
    private int[] tied = new int[1];
    private int[] kept = new int[1];
    private boolean tiesKnown;

    /** Key of the least survivor. */
    int key;
    /** Elements above it, elements equal to it, and how many of the latter survive. */
    long above;
    long equal;
    long ties;
    /** Ranks by which tests push the bracket aside, to see a miss. */
    double bias;

    Selector(SelectPasses passes, Workers workers) {
        this.passes = passes;
        this.workers = workers;
        quickselect = new Quickselect(passes);
        sample = new Sample(passes, workers, quickselect, spans);
        bracket = new Bracket(sample);
        candidates = new Candidates(passes, workers, spans);
        tally = new Tally(spans);
        pivots = new Pivots(passes, spans, tally);
        at = new Chunk[workers.count()];
        for (int worker = 0; worker < at.length; worker++) {
            at[worker] = new Chunk(worker);
        }
    }

    // ---- the input of a call ------------------------------------------------------------------------------------

    void one(Span span) {
        spans.one(span);
        begin();
    }

    void many(List<Span> list) {
        spans.many(list);
        begin();
    }

    private void begin() {
        if (spanLo.length < spans.count()) {
            spanLo = new int[spans.count()];
            spanHi = new int[spans.count()];
        }
        int chunks = spans.chunks();
        if (tied.length < chunks) {
            tied = new int[chunks];
            kept = new int[chunks];
        }
        tally.prepare(chunks);
        pivots.prepare(chunks);
        candidates.prepare(chunks);
    }

    // ---- passes over all chunks ---------------------------------------------------------------------------------

    void pass(Chunk.Pass next) {
        current = next;
        workers.run(task, spans.chunks());
    }

    private void work(int worker) {
        candidates.visit(at[worker], current);
    }

    private int collect(Chunk chunk) {
        Span span = chunk.span;
        int lo = chunk.full ? Spans.END : spanLo[chunk.spanIndex];
        int hi = chunk.full ? Spans.END : spanHi[chunk.spanIndex];
        int found = passes.collect(span.x(), chunk.xOff(), span.u(), chunk.uOff(), chunk.count, lo, hi, candidates.keys,
                chunk.at, tally.values, 2 * chunk.index);
        candidates.found[chunk.index] = found;
        if (span.weight() != 1) {
            candidates.weigh(chunk);
        }
        return found;
    }

    /** Refuses NaN in a range, which becomes the input of the call. */
    void refuseNaN(MemorySegment x, long xOff, long n) {
        one(Span.of(x, xOff, n));
        trivial(0);
    }

    // ---- the search ---------------------------------------------------------------------------------------------

    /**
     * Finds the threshold for {@code k} survivors, 1 to n: {@link #key}, {@link #above}, {@link #equal}, {@link #ties}.
     */
    void select(long k) {
        if (k < 1 || k > spans.total()) {
            throw new AssertionError(k + " of " + spans.total());
        }
        bracket(k);
        search(k);
    }

    /** Brackets the threshold. */
    void bracket(long k) {
        tiesKnown = false;
        bracket.around(k, spans.total(), bias);
    }

    /** Finds the threshold from any bracket. */
    void search(long k) {
        while (true) {
            if (!bracket.collectable()) {
                if (narrow(k)) {
                    return;
                }
                continue;
            }
            candidates.reserve(bracket.expected);
            for (int s = 0; s < spans.count(); s++) {
                spanLo[s] = Spans.raw(bracket.lo, spans.get(s).weight());
                spanHi[s] = Spans.raw(bracket.hi, spans.get(s).weight());
            }
            pass(collecting);
            if (candidates.overflowed()) {
                bracket.expectAll();
                continue;
            }
            tally.refuseNaN(Spans::value);
            long over = tally.above();
            if (!bracket.miss(k, over, candidates.count())) {
                rank(k, over);
                return;
            }
        }
    }

    /** Finds the threshold among the candidates; {@code over} elements are above all of them. */
    void rank(long k, long over) {
        MemorySegment keys = candidates.gather();
        key = quickselect.select(keys, 0, candidates.count(), bracket.lo, bracket.hi, k - over,
                bracket.sampled() ? Quickselect.Pivoting.EVEN : Quickselect.Pivoting.PROBED, candidates.ranked, 0);
        above = over + quickselect.above;
        equal = quickselect.equal;
        ties = k - above;
        if (ties < equal) {
            candidates.countEqual(key, tied);
            tiesKnown = true;
        }
    }

    /** Counts at four pivots inside the bracket and keeps the part that holds the k-th; true when that is one key. */
    private boolean narrow(long k) {
        if (!bracket.decided()) {
            setPivots();
            tiesKnown = false;
            pass(pivots.counting);
            tally.refuseNaN(Spans::value);
            int part = 0;
            while (part < 4 && k <= pivots.reached(part)) {
                part++;
            }
            switch (part) {
                case 0 -> bracket.below(pivots.key(0), pivots.reached(0));
                case 4 -> bracket.from(pivots.key(3), pivots.reached(3));
                default -> bracket.enclose(pivots.key(part - 1), pivots.reached(part - 1), pivots.key(part),
                        pivots.reached(part));
            }
            if (!bracket.decided()) {
                return false;
            }
            if (part > 0 && part < 4) {
                setTied(part - 1);
            }
        }
        key = bracket.lo;
        above = bracket.above();
        equal = bracket.equal();
        ties = k - above;
        return true;
    }

    /**
     * Sets four ascending pivots in the bracket: the middle of the bracket's sample and the key after it, which isolate
     * a tied value, and a key on either side; without a sample, even cuts of the key range.
     */
    private void setPivots() {
        int lo = bracket.lo;
        int hi = bracket.hi;
        if (hi - lo == 1) {
            pivots.set(lo, hi, hi, hi);
            return;
        }
        int middle = sample.middle(lo, hi);
        if (middle < 0) {
            int step = Math.max(1, (hi - lo) / 5);
            int first = Math.min(hi, lo + step);
            int second = Math.min(hi, first + step);
            int third = Math.min(hi, second + step);
            pivots.set(first, second, third, Math.min(hi, third + step));
            return;
        }
        // Halving the key range as well guarantees that the search ends, whatever the sample says.
        int half = lo + (hi - lo) / 2;
        pivots.set(Math.min(middle, Math.max(lo, half)), middle, middle + 1, Math.max(middle + 1, half));
    }

    /** Sets the threshold if {@code k} is 0 or n, which needs no selection: a key of END or -1. */
    boolean trivial(long k) {
        if (k < 0 || k > spans.total()) {
            throw new IllegalArgumentException("cannot keep " + k + " of " + spans.total() + " elements");
        }
        if (k > 0 && k < spans.total()) {
            return false;
        }
        pivots.set(Spans.END, Spans.END, Spans.END, Spans.END);
        pass(pivots.counting);
        tally.refuseNaN(Spans::value);
        key = k == 0 ? Spans.END : -1;
        above = k;
        equal = 0;
        ties = 0;
        return true;
    }

    // ---- ties ---------------------------------------------------------------------------------------------------

    /** Divides {@code k} survivors over the spans. */
    void budget(long k, long[] budget) {
        if (trivial(k)) {
            for (int s = 0; s < spans.count(); s++) {
                budget[s] = k == 0 ? 0 : spans.get(s).count();
            }
            return;
        }
        select(k);
        countTies();
        long left = ties;
        for (int s = 0; s < spans.count(); s++) {
            long over = 0;
            long same = 0;
            for (int chunk = spans.firstChunk(s); chunk < spans.firstChunk(s + 1); chunk++) {
                over += pivots.reached(1, chunk);
                same += tied[chunk];
            }
            budget[s] = over + Math.min(left, same);
            left -= Math.min(left, same);
        }
    }

    /** Sets how many ties of each chunk survive: the first {@link #ties} of all. */
    void shareTies() {
        if (ties >= equal) {
            Arrays.fill(kept, 0, spans.chunks(), Passes.CHUNK);
            return;
        }
        if (!tiesKnown) {
            countTies();
        }
        long left = ties;
        for (int chunk = 0; chunk < spans.chunks(); chunk++) {
            kept[chunk] = (int) Math.min(left, tied[chunk]);
            left -= kept[chunk];
        }
    }

    /** Takes the ties of each chunk from a counting pass in which the threshold and the key after it were pivots. */
    private void setTied(int pivot) {
        for (int chunk = 0; chunk < spans.chunks(); chunk++) {
            tied[chunk] = (int) (pivots.reached(pivot, chunk) - pivots.reached(pivot + 1, chunk));
        }
        tiesKnown = true;
    }

    /** Counts the elements of each chunk that are {@link #key}. */
    private void countTies() {
        pivots.set(key, key + 1, Spans.END, Spans.END);
        pass(pivots.counting);
        setTied(0);
    }

    /** Makes a key the threshold for {@code k} survivors if it is, by a counting pass. */
    boolean take(int likely, long k) {
        key = likely;
        countTies();
        long over = pivots.reached(1);
        if (k <= over || k > pivots.reached(0)) {
            tiesKnown = false;
            return false;
        }
        above = over;
        equal = pivots.reached(0) - over;
        ties = k - above;
        return true;
    }

    /** Lets no ties survive, for the time being. */
    void dropTies() {
        Arrays.fill(kept, 0, spans.chunks(), 0);
    }

    /** Elements of a chunk that are {@link #key}; only where not all of them survive. */
    int tied(int chunk) {
        return tied[chunk];
    }

    /** How many elements of a chunk that are {@link #key} survive, the first ones; a chunk's size for all. */
    int kept(int chunk) {
        return kept[chunk];
    }

    @Override
    public void close() {
        sample.close();
        candidates.close();
    }
}
