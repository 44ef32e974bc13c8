package io.pare.kernel;

import io.pare.kernel.passes.TopKPasses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Top-k that writes a set bit for each survivor, in the layout of {@link Bits}. */
final class BitsTopK extends TopK {
    private MemorySegment bits;
    private long bitsOff;

    BitsTopK(TopKPasses passes, Selector selector) {
        super(passes, selector);
    }

    /** Writes the bits of the {@code k} greatest magnitudes of the selector's one span. */
    void write(long k, MemorySegment output, long outputOff) {
        bits = output;
        bitsOff = outputOff;
        if (!selector.trivial(k)) {
            selector.bracket(k);
            if (bracket.speculative() && bracket.whole() && speculate(k)) {
                return;
            }
            selector.search(k);
        }
        maskAll();
    }

    /** The byte in which the bits of a chunk begin. */
    private long first(Chunk chunk) {
        return bitsOff + chunk.offset / 32;
    }

    @Override
    int guess(Chunk chunk) {
        int found = passes.speculateBits(chunk.span.x(), chunk.xOff(), bits, first(chunk), chunk.count, least(chunk),
                bracket.guess, bracket.hi, candidates.keys, candidates.places, chunk.at, tally.values,
                2 * chunk.index);
        candidates.found[chunk.index] = found;
        return found;
    }

    @Override
    int correct(Chunk chunk) {
        long at = chunk.at;
        long first = first(chunk);
        int wrong = listWrong(chunk);
        for (int i = 0; i < wrong; i++) {
            int place = candidates.place(candidates.wrong(at, i));
            long octet = first + (place >>> 3);
            bits.set(ValueLayout.JAVA_BYTE, octet, (byte) (bits.get(ValueLayout.JAVA_BYTE, octet) ^ 1 << (place & 7)));
        }
        return candidates.found[chunk.index];
    }

    @Override
    int mask(Chunk chunk) {
        Span span = chunk.span;
        passes.maskBits(span.x(), chunk.xOff(), span.u(), chunk.uOff(), bits, first(chunk), chunk.count, selector.key,
                selector.kept(chunk.index));
        return 0;
    }
}
