package io.pare.kernel;

import io.pare.kernel.passes.SelectPasses;
import io.pare.kernel.passes.TopKPasses;

/**
 * Keeps the k greatest magnitudes of a span, in about one pass: it speculates.
 *
 * <p>The pass that collects the bracket's elements also writes the output, by the threshold that the sample makes most
 * likely. Once the true threshold is known, only candidates between the two are wrong, and they are corrected. If the
 * bracket misses, or holds too much, a search and a second pass over everything write the output.
 */
abstract sealed class TopK permits DenseTopK, BitsTopK, AdmmTopK {
    final TopKPasses passes;
    final Selector selector;
    final Bracket bracket;
    final Candidates candidates;
    final Tally tally;
    private final SelectPasses selecting;
    private final Chunk.Pass guessing = this::guess;
    private final Chunk.Pass correcting = this::correct;
    private final Chunk.Pass masking = this::mask;
    private final Tally.Values guessed = this::guessed;

    TopK(TopKPasses passes, Selector selector) {
        this.passes = passes;
        this.selector = selector;
        bracket = selector.bracket;
        candidates = selector.candidates;
        tally = selector.tally;
        selecting = selector.passes;
    }

    /** Writes a chunk by the guess and collects the bracket's elements; returns their number. */
    abstract int guess(Chunk chunk);

    /** Corrects the candidates of a chunk on which guess and threshold disagree; returns the number of candidates. */
    abstract int correct(Chunk chunk);

    /** Writes a chunk by the threshold; returns 0. */
    abstract int mask(Chunk chunk);

    /** An element of the input once {@link #guess} has run over it. */
    float guessed(Span span, long i) {
        return Spans.value(span, i);
    }

    /**
     * Writes the output by the guess, finds the threshold among the candidates and corrects the output; false if the
     * bracket missed, and then {@link Selector#search} can continue.
     */
    final boolean speculate(long k) {
        candidates.reserve(bracket.expected);
        selector.pass(guessing);
        tally.refuseNaN(guessed);
        if (candidates.overflowed()) {
            bracket.expectAll();
            return false;
        }
        long over = tally.above();
        if (bracket.miss(k, over, candidates.count())) {
            return false;
        }
        selector.rank(k, over);
        selector.shareTies();
        selector.pass(correcting);
        return true;
    }

    /** Corrects the output as if {@code key} were the threshold and no element equal to it survived. */
    final void correctBy(int key) {
        selector.key = key;
        selector.dropTies();
        selector.pass(correcting);
    }

    /** Writes the output by the threshold of the last search. */
    final void maskAll() {
        selector.shareTies();
        selector.pass(masking);
    }

    /** The least key to collect: none where the worker has run out of room. */
    final int least(Chunk chunk) {
        return chunk.full ? bracket.hi : bracket.lo;
    }

    /** Lists the candidates of a chunk that were guessed wrong, in order; returns their number. */
    final int listWrong(Chunk chunk) {
        int found = candidates.found[chunk.index];
        int key = selector.key;
        int guess = bracket.guess;
        int left = selector.kept(chunk.index);
        if (left == 0 || left >= selector.tied(chunk.index)) {
            // The ties of the chunk survive all or not at all: what lies between two keys is wrong.
            int least = left == 0 ? key + 1 : key;
            return selecting.between(candidates.keys, chunk.at, found, Math.min(guess, least), Math.max(guess, least),
                    candidates.ranked);
        }
        int wrong = 0;
        for (int i = 0; i < found; i++) {
            int candidate = candidates.key(chunk.at + i);
            boolean keep = candidate > key;
            if (candidate == key && left > 0) {
                keep = true;
                left--;
            }
            if (keep != candidate >= guess) {
                candidates.setWrong(chunk.at, wrong, i);
                wrong++;
            }
        }
        return wrong;
    }
}
