package io.pare.kernel.passes;

import java.lang.foreign.MemorySegment;

/**
 * The passes that write the k greatest magnitudes, by a guess or by the threshold: see {@link Passes} for the terms.
 *
 * <p>They take many numbers instead of a few objects, because they are too large to be inlined: an object made for a
 * call would be allocated.
 */
public interface TopKPasses {
    /**
     * Writes {@code z = key >= guess ? x : 0} and collects, as {@link SelectPasses#collect} does, what lies in [lo, hi):
     * not the keys alone but the elements, sign included, with their indices within the chunk.
     */
    int speculate(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int lo, int guess, int hi,
            MemorySegment keys, MemorySegment places, long at, long[] tally, int slot);

    /** As {@link #speculate}, writing a bit for each element, set where {@code key >= guess}, instead of {@code z}. */
    int speculateBits(MemorySegment x, long xOff, MemorySegment bits, long bitsOff, int n, int lo, int guess, int hi,
            MemorySegment keys, MemorySegment places, long at, long[] tally, int slot);

    /**
     * As {@link #speculate} for {@code v = w + u}, with {@code u = key >= guess ? 0 : v} written besides {@code z}, the
     * old {@code z} of the collected elements in {@code olds}, and the sums of {@code (w - z)^2} and
     * {@code (z - old z)^2} as they stand with the guess.
     *
     * @param primal {@link Passes#STRIDE} accumulators, of which this pass adds to the first {@link Passes#RESIDUALS}
     * @param dual likewise
     */
    int speculateAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff, int n, int lo,
            int guess, int hi, MemorySegment keys, MemorySegment places, MemorySegment olds, long at, long[] tally,
            int slot, double[] primal, double[] dual);

    /** Writes {@code z = x} for keys above {@code key} and for the first {@code ties} equal to it, 0 elsewhere. */
    void mask(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int key, long ties);

    /** As {@link #mask} for {@code v = w + u}, with the outputs and sums of {@link #speculateAdmm}. */
    void maskAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff, int n, int key,
            long ties, double[] primal, double[] dual);

    /** As {@link #mask}, writing one bit for each element instead; {@code bitsOff} is the byte of the first. */
    void maskBits(MemorySegment x, long xOff, MemorySegment u, long uOff, MemorySegment bits, long bitsOff, int n,
            int key, long ties);
}
