package io.pare.kernel;

import io.pare.kernel.passes.Passes;
import io.pare.kernel.passes.TopKPasses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The Z and U steps of ADMM, fused with top-k: with {@code v = w + u}, Z becomes the top-k of {@code v} and U becomes
 * {@code v - z}. Sums of squares of both residuals come with it.
 */
final class AdmmTopK extends TopK {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private MemorySegment z;
    private long zOff;
    // The accumulators of each worker, and the two sums of each chunk.
    private final double[][] primal;
    private final double[][] dual;
    private double[] sums = new double[2];
    /** Sum of {@code (w - z)^2} after the last step. */
    double primalSum;
    /** Sum of {@code (z - old z)^2} after the last step, or an upper bound of it after a bracket that missed. */
    double dualSum;

    AdmmTopK(TopKPasses passes, Selector selector, int workers) {
        super(passes, selector);
        primal = new double[workers][Passes.STRIDE];
        dual = new double[workers][Passes.STRIDE];
    }

    /** Steps with {@code k} survivors; the selector's one span is W and U. */
    void step(long k, MemorySegment output, long outputOff) {
        z = output;
        zOff = outputOff;
        if (sums.length < 2 * selector.spans.chunks()) {
            sums = new double[2 * selector.spans.chunks()];
        }
        if (!selector.trivial(k)) {
            selector.bracket(k);
            if (bracket.speculative() && bracket.whole()) {
                if (speculate(k)) {
                    addSums();
                } else {
                    finishAfterMiss(k);
                }
                return;
            }
            selector.search(k);
        }
        maskAll();
        addSums();
    }

    private void addSums() {
        primalSum = 0;
        dualSum = 0;
        for (int chunk = 0; chunk < selector.spans.chunks(); chunk++) {
            primalSum += sums[2 * chunk];
            dualSum += sums[2 * chunk + 1];
        }
        // Corrections subtract what the guess added: rounding may leave a result below zero.
        primalSum = Math.max(0, primalSum);
        dualSum = Math.max(0, dualSum);
    }

    @Override
    int guess(Chunk chunk) {
        Span span = chunk.span;
        clear(chunk);
        int found = passes.speculateAdmm(span.x(), chunk.xOff(), span.u(), chunk.uOff(), z, zOff + chunk.offset,
                chunk.count, least(chunk), bracket.guess, bracket.hi, candidates.keys, candidates.places,
                candidates.olds, chunk.at, tally.values, 2 * chunk.index, primal[chunk.worker],
                dual[chunk.worker]);
        total(chunk);
        candidates.found[chunk.index] = found;
        return found;
    }

    private void clear(Chunk chunk) {
        Arrays.fill(primal[chunk.worker], 0);
        Arrays.fill(dual[chunk.worker], 0);
    }

    private void total(Chunk chunk) {
        sums[2 * chunk.index] = Passes.sum(primal[chunk.worker]);
        sums[2 * chunk.index + 1] = Passes.sum(dual[chunk.worker]);
    }

    /** The pass has written a sum that is NaN to Z, and 0 to U. */
    @Override
    float guessed(Span span, long i) {
        return z.get(F32, zOff + i * 4);
    }

    @Override
    int correct(Chunk chunk) {
        MemorySegment w = chunk.span.x();
        MemorySegment u = chunk.span.u();
        long wAt = chunk.xOff();
        long uAt = chunk.uOff();
        long zAt = zOff + chunk.offset;
        long at = chunk.at;
        int guess = bracket.guess;
        double primalOf = sums[2 * chunk.index];
        double dualOf = sums[2 * chunk.index + 1];
        int wrong = listWrong(chunk);
        for (int i = 0; i < wrong; i++) {
            long candidate = candidates.wrong(at, i);
            long place = candidates.place(candidate) * 4L;
            boolean keep = candidates.key(candidate) < guess;
            float weight = w.get(F32, wAt + place);
            float wasZ = z.get(F32, zAt + place);
            float wasU = u.get(F32, uAt + place);
            float isZ = keep ? wasU : 0;
            z.set(F32, zAt + place, isZ);
            u.set(F32, uAt + place, keep ? 0 : wasZ);
            float old = candidates.old(candidate);
            primalOf += square(weight - isZ) - square(weight - wasZ);
            dualOf += square(isZ - old) - square(wasZ - old);
        }
        sums[2 * chunk.index] = primalOf;
        sums[2 * chunk.index + 1] = dualOf;
        return candidates.found[chunk.index];
    }

    private static double square(double x) {
        return x * x;
    }

    @Override
    int mask(Chunk chunk) {
        Span span = chunk.span;
        clear(chunk);
        passes.maskAdmm(span.x(), chunk.xOff(), span.u(), chunk.uOff(), z, zOff + chunk.offset, chunk.count,
                selector.key, selector.kept(chunk.index), primal[chunk.worker], dual[chunk.worker]);
        total(chunk);
        return 0;
    }

    /**
     * Ends the step after a bracket that missed, in scalar code because it happens once in a million calls.
     *
     * <p>The sum W + U is still there, as Z or as U, the other being zero. The old Z is not, so the dual residual
     * becomes its upper bound by the triangle inequality over the guessed Z.
     */
    private void finishAfterMiss(long k) {
        addSums();
        double guessed = Math.sqrt(dualSum);
        Span span = selector.spans.get(0);
        long total = span.count();
        for (long i = 0; i < total; i++) {
            int both = z.get(I32, zOff + i * 4) | span.u().get(I32, span.uOffset() + i * 4);
            span.u().set(I32, span.uOffset() + i * 4, both);
        }
        selector.one(Span.of(span.u(), span.uOffset(), total));
        selector.search(k);
        primalSum = 0;
        dualSum = 0;
        long left = selector.ties;
        for (long i = 0; i < total; i++) {
            float v = span.u().get(F32, span.uOffset() + i * 4);
            int candidate = Float.floatToRawIntBits(v) & Passes.MAGNITUDE;
            boolean keep = candidate > selector.key;
            if (candidate == selector.key && left > 0) {
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
}
