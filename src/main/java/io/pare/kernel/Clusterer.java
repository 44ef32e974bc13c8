package io.pare.kernel;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * 1-D k-means over the non-zero elements of a range: chooses the algorithm, owns the codebook and the scratch memory.
 */
final class Clusterer implements AutoCloseable {
    final Codebook codebook = new Codebook();
    private final Sorted sorted;
    private final ExactKMeans exact;
    private final WarmKMeans warm;
    private final Lloyd lloyd;
    private final LinearStart start;

    Clusterer(CodebookPasses passes, Workers workers) {
        sorted = new Sorted(workers);
        exact = new ExactKMeans(workers, sorted, codebook);
        warm = new WarmKMeans(passes, workers, sorted, codebook);
        lloyd = new Lloyd(sorted, codebook);
        start = new LinearStart(workers, codebook);
    }

    /** Finds the globally optimal codebook of at most {@code m} codewords. */
    Clusters exact(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff, int m) {
        sorted.fill(x, xOff, n, importance, importanceOff, false);
        return new Clusters(exact.find(m), codebook.error, 0);
    }

    /** Runs Lloyd's algorithm, at most {@code most} rounds, from the first {@code m} codewords of the codebook. */
    Clusters lloyd(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff, int m, int most) {
        Arrays.sort(codebook.words, 0, m);
        int rounds = -1;
        if (importance == null && most > 0 && WarmKMeans.suits(n, m)) {
            rounds = warm.run(x, xOff, n, m, most);
        }
        if (rounds < 0) {
            sorted.fill(x, xOff, n, importance, importanceOff, false);
            rounds = lloyd.run(m, most);
        }
        return new Clusters(codebook.compact(m), codebook.error, rounds);
    }

    /** Sets {@code m} codewords evenly over the range of the non-zero values. */
    void linearStart(MemorySegment x, long xOff, long n, int m) {
        start.set(x, xOff, n, m);
    }

    @Override
    public void close() {
        warm.close();
        sorted.close();
    }
}
