package io.pare.kernel;

import io.pare.kernel.passes.TopKPasses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Top-k that writes the survivors, and 0 elsewhere. */
final class DenseTopK extends TopK {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Chunk.Pass correctingTies = this::correctTies;
    private MemorySegment z;
    private long zOff;

    DenseTopK(TopKPasses passes, Selector selector) {
        super(passes, selector);
    }

    /**
     * Writes the {@code k} greatest magnitudes of the selector's one span to {@code output}, which may be that span.
     */
    void write(long k, MemorySegment output, long outputOff) {
        z = output;
        zOff = outputOff;
        Span span = selector.spans.get(0);
        // In place, a wrong guess would destroy what the right answer needs.
        boolean inPlace = output.address() + outputOff == span.x().address() + span.xOffset();
        if (!selector.trivial(k)) {
            selector.bracket(k);
            if (!inPlace && bracket.speculative() && (speculate(k) || finishTied(k))) {
                return;
            }
            selector.search(k);
        }
        maskAll();
    }

    /**
     * Ends a speculation that missed because the threshold is the tied value cut off the bracket. All candidates are
     * then on one side, and only chunks whose ties were guessed wrong are written again. False where there is no such
     * value, or it is not the threshold.
     */
    private boolean finishTied(long k) {
        int tied = bracket.missedTie();
        if (tied < 0 || candidates.overflowed()) {
            return false;
        }
        correctBy(tied);
        if (!selector.take(tied, k)) {
            return false;
        }
        selector.shareTies();
        selector.pass(correctingTies);
        return true;
    }

    @Override
    int guess(Chunk chunk) {
        int found = passes.speculate(chunk.span.x(), chunk.xOff(), z, zOff + chunk.offset, chunk.count, least(chunk),
                bracket.guess, bracket.hi, candidates.keys, candidates.places, chunk.at, tally.values,
                2 * chunk.index);
        candidates.found[chunk.index] = found;
        return found;
    }

    @Override
    int correct(Chunk chunk) {
        long zAt = zOff + chunk.offset;
        long at = chunk.at;
        int guess = bracket.guess;
        int wrong = listWrong(chunk);
        for (int i = 0; i < wrong; i++) {
            long candidate = candidates.wrong(at, i);
            long place = candidates.place(candidate) * 4L;
            boolean keep = candidates.key(candidate) < guess;
            z.set(F32, zAt + place, keep ? candidates.value(candidate) : 0);
        }
        return candidates.found[chunk.index];
    }

    @Override
    int mask(Chunk chunk) {
        passes.mask(chunk.span.x(), chunk.xOff(), z, zOff + chunk.offset, chunk.count, selector.key,
                selector.kept(chunk.index));
        return 0;
    }

    private int correctTies(Chunk chunk) {
        // The guess kept all ties of a chunk or none.
        int guessed = selector.key >= bracket.guess ? selector.tied(chunk.index) : 0;
        return selector.kept(chunk.index) == guessed ? 0 : mask(chunk);
    }
}
