package io.pare.kernel;

import io.pare.kernel.passes.CodebookPasses;
import io.pare.kernel.passes.Passes;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Replaces elements by their nearest codewords. */
final class Assignment {
    private static final long F = Float.BYTES;

    private final CodebookPasses passes;
    private final Parallel parallel;
    private final Selector selector;
    private final Codebook codebook;
    private final float[] cuts = new float[Codebook.MOST];
    private final double[][] lanes;

    Assignment(CodebookPasses passes, Workers workers, Parallel parallel, Selector selector, Codebook codebook) {
        this.passes = passes;
        this.parallel = parallel;
        this.selector = selector;
        this.codebook = codebook;
        lanes = new double[workers.count()][Passes.STRIDE];
    }

    /**
     * Assigns the {@code m} codewords at {@code words}, which ascend, to all elements.
     *
     * @param values receives the codewords; may be {@code x}; {@code null} for none
     * @param codes receives the codewords' numbers, {@code null} for none
     * @return sum of squared distances
     */
    double assign(MemorySegment x, long xOff, long n, int m, MemorySegment words, long wordsOff, MemorySegment values,
            long valuesOff, MemorySegment codes, long codesOff) {
        if (m == 0) {
            refuseNonZeros(x, xOff, n);
        } else {
            take(m, words, wordsOff);
        }
        boolean inPlace = values != null && values.address() + valuesOff == x.address() + xOff;
        if (inPlace) {
            selector.refuseNaN(x, xOff, n);
        }
        double error = parallel.sum(n, (worker, from, to) -> {
            Arrays.fill(lanes[worker], 0);
            passes.assign(x, xOff + from * F, (int) (to - from), codebook.words, cuts, m, values, valuesOff + from * F,
                    codes,
                    codesOff + from, lanes[worker]);
            return Passes.sum(lanes[worker]);
        });
        if (Double.isNaN(error) && !inPlace) {
            selector.refuseNaN(x, xOff, n);
        }
        return error;
    }

    /** Reads the codewords and sets the cuts between them. */
    private void take(int m, MemorySegment memory, long offset) {
        codebook.read(m, memory, offset);
        float[] words = codebook.words;
        for (int j = 0; j < m; j++) {
            if (!(Math.abs(words[j]) < Float.POSITIVE_INFINITY) || j > 0 && words[j] < words[j - 1]) {
                throw new IllegalArgumentException("codewords must be finite and ascending, number " + j + " is "
                        + words[j]);
            }
        }
        for (int j = 0; j + 1 < m; j++) {
            cuts[j] = Codebook.cut(words[j], words[j + 1]);
        }
        Arrays.fill(cuts, m - 1, Math.max(m, Passes.STRIDE), Float.POSITIVE_INFINITY);
    }

    /** Without codewords, only zeros have an image. */
    private void refuseNonZeros(MemorySegment x, long xOff, long n) {
        selector.refuseNaN(x, xOff, n);
        double found = parallel.sum(n, (worker, from, to) -> {
            long[] counts = new long[4];
            selector.passes.count(x, xOff + from * F, null, 0, (int) (to - from), 1, 1, 1, 1, counts, 0);
            return counts[0];
        });
        if (found > 0) {
            throw new IllegalArgumentException("no codeword was given for " + (long) found + " non-zero elements");
        }
    }
}
