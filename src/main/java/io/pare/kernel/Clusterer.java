package io.pare.kernel;

import io.pare.kernel.passes.CodebookPasses;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * 1-D k-means over the non-zero elements of a range: chooses the algorithm, owns the codebook and the scratch memory.
 */
final class Clusterer implements AutoCloseable {
    /**
     * From this many codewords on, Lloyd's algorithm starts from the optimum over a grid. From a linear start it ends
     * 1.7 % above the optimum at 32 codewords of a Gaussian and at 2.3 times the optimum at 256; below 32 it ends
     * within 0.1 %.
     */
    static final int MANY = 32;

    final Codebook codebook = new Codebook();
    private final Sorted sorted;
    private final ExactKMeans exact;
    private final WarmKMeans warm;
    private final Lloyd lloyd;
    private final LinearStart linear;

    Clusterer(CodebookPasses passes, Workers workers) {
        sorted = new Sorted(workers);
        exact = new ExactKMeans(sorted, codebook);
        warm = new WarmKMeans(passes, workers, sorted, codebook);
        lloyd = new Lloyd(sorted, codebook);
        linear = new LinearStart(workers, codebook);
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

    /** As {@link #lloyd}, from a start of its own: nearly the optimum for many codewords, else linear. */
    Clusters cold(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff, int m, int most) {
        if (m < MANY) {
            linear.set(x, xOff, n, m);
            return lloyd(x, xOff, n, importance, importanceOff, m, most);
        }
        sorted.fill(x, xOff, n, importance, importanceOff, false);
        exact.start(m);
        int rounds = lloyd.run(m, most);
        return new Clusters(codebook.compact(m), codebook.error, rounds);
    }

    /** Sets {@code m} codewords evenly over the range of the non-zero values. */
    void linearStart(MemorySegment x, long xOff, long n, int m) {
        linear.set(x, xOff, n, m);
    }

    @Override
    public void close() {
        exact.close();
        warm.close();
        sorted.close();
    }
}
