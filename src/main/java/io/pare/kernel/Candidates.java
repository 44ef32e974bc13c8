package io.pare.kernel;

import io.pare.kernel.passes.Passes;
import io.pare.kernel.passes.SelectPasses;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The elements that a pass collects from the bracket. Each worker has a stretch of its own in every array, in which its
 * chunks follow each other.
 */
final class Candidates implements AutoCloseable {
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final SelectPasses passes;
    private final Workers workers;
    private final Spans spans;
    private final Scratch scratch = new Scratch("projection candidates", this::lay);
    /** Keys after weighting; where places were collected too, the elements themselves. */
    MemorySegment keys;
    /** Index of each within its chunk. */
    MemorySegment places;
    /** Z before the step. */
    MemorySegment olds;
    /** Working memory of ranking, then the candidates that were guessed wrong. */
    MemorySegment ranked;
    /** Candidates of each chunk. */
    int[] found = new int[1];
    private final long[] stretchEnd;
    private final boolean[] full;
    private final long[] counts = new long[4];

    Candidates(SelectPasses passes, Workers workers, Spans spans) {
        this.passes = passes;
        this.workers = workers;
        this.spans = spans;
        stretchEnd = new long[workers.count()];
        full = new boolean[workers.count()];
    }

    void prepare(int chunks) {
        if (found.length < chunks) {
            found = new int[chunks];
        }
    }

    /** Makes room for {@code expected} candidates and half as many more. */
    void reserve(long expected) {
        int parts = workers.count();
        scratch.reserve(parts * (expected * 3 / 2 / parts + 64 * 1024 + Math.min(spans.total(), Passes.CHUNK)
                + Passes.SLACK));
    }

    private void lay(Region region, long room) {
        keys = region.allocate(room * 4 + 64);
        places = region.allocate(room * 4 + 64);
        olds = region.allocate(room * 4 + 64);
        ranked = region.allocate(room * 4 + 64);
    }

    /** Runs a pass over the worker's chunks. */
    void visit(Chunk chunk, Chunk.Pass pass) {
        int worker = chunk.worker;
        int to = firstChunk(worker + 1);
        chunk.at = stretch(worker);
        chunk.full = false;
        for (int index = firstChunk(worker); index < to; index++) {
            int s = spans.of(index);
            Span span = spans.get(s);
            long first = (long) (index - spans.firstChunk(s)) * Passes.CHUNK;
            chunk.index = index;
            chunk.spanIndex = s;
            chunk.span = span;
            chunk.offset = first * Float.BYTES;
            chunk.count = (int) Math.min(Passes.CHUNK, span.count() - first);
            if (chunk.at + chunk.count > stretch(worker + 1) - Passes.SLACK) {
                // What was collected is of no use any more, and the passes need room to write to.
                chunk.full = true;
                chunk.at = stretch(worker);
            }
            chunk.at += pass.run(chunk);
        }
        full[worker] = chunk.full;
        stretchEnd[worker] = chunk.at;
    }

    private int firstChunk(int worker) {
        return (int) workers.first(worker, spans.chunks());
    }

    private long stretch(int worker) {
        return scratch.capacity() / workers.count() * worker;
    }

    /** Whether some did not fit. */
    boolean overflowed() {
        for (boolean one : full) {
            if (one) {
                return true;
            }
        }
        return false;
    }

    /** How many were collected. */
    long count() {
        long sum = 0;
        for (int chunk = 0; chunk < spans.chunks(); chunk++) {
            sum += found[chunk];
        }
        return sum;
    }

    /** All candidates without gaps: where one worker has collected them, they lie so. */
    MemorySegment gather() {
        if (workers.count() == 1) {
            return keys;
        }
        long n = 0;
        for (int worker = 0; worker < workers.count(); worker++) {
            long from = stretch(worker);
            MemorySegment.copy(keys, from * 4, ranked, n * 4, (stretchEnd[worker] - from) * 4);
            n += stretchEnd[worker] - from;
        }
        return ranked;
    }

    /** Counts the candidates of each chunk that are {@code key}. */
    void countEqual(int key, int[] equal) {
        for (int worker = 0; worker < workers.count(); worker++) {
            long at = stretch(worker);
            for (int chunk = firstChunk(worker); chunk < firstChunk(worker + 1); chunk++) {
                Arrays.fill(counts, 0);
                passes.count(keys, at * 4, null, 0, found[chunk], key, key + 1, Spans.END, Spans.END, counts, 0);
                equal[chunk] = (int) (counts[0] - counts[1]);
                at += found[chunk];
            }
        }
    }

    /** Multiplies the collected keys of a chunk by the weight of its span. */
    void weigh(Chunk chunk) {
        float weight = chunk.span.weight();
        for (long i = chunk.at; i < chunk.at + found[chunk.index]; i++) {
            keys.set(I32, i * 4, Spans.weighted(key(i), weight));
        }
    }

    int key(long i) {
        return keys.get(I32, i * 4) & Passes.MAGNITUDE;
    }

    /** Candidate {@code i} itself; only of those that a pass collected together with their places. */
    float value(long i) {
        return keys.get(F32, i * 4);
    }

    /** Index of candidate {@code i} within its chunk. */
    int place(long i) {
        return places.get(I32, i * 4);
    }

    float old(long i) {
        return olds.get(F32, i * 4);
    }

    /**
     * Candidate number {@code i} of the list of those that were guessed wrong, of which a chunk's begin at {@code at}.
     */
    long wrong(long at, int i) {
        return at + ranked.get(I32, (at + i) * 4);
    }

    void setWrong(long at, int i, int candidate) {
        ranked.set(I32, (at + i) * 4, candidate);
    }

    @Override
    public void close() {
        scratch.close();
    }
}
