package io.pare.kernel.passes;

import java.lang.foreign.MemorySegment;

/** The passes that cluster elements and assign codewords to them: see {@link Passes} for the terms. */
public interface CodebookPasses {
    /**
     * Replaces every element but zeros (of either sign, which become +0 of code 0) by the nearest codeword.
     *
     * @param codebook {@code size} ascending floats; the array has {@link Passes#STRIDE} elements at least
     * @param cuts {@code size - 1} ascending floats: cut j is the least float that belongs above codeword j; after them
     *     infinities up to {@link Passes#STRIDE} elements at least
     * @param values receives the codewords, {@code null} for none; may be {@code x}
     * @param codes receives one byte for each element, {@code null} for none
     * @param sums accumulators of the squared distances
     */
    void assign(MemorySegment x, long xOff, int n, float[] codebook, float[] cuts, int size, MemorySegment values,
            long valuesOff, MemorySegment codes, long codesOff, double[] sums);

    /**
     * Sums and counts the non-zero elements that reach each cut, and collects those that lie in a zone, in order.
     *
     * <p>The sums are of fixed-point numbers, so the order of additions does not matter: {@code v * scale} is rounded
     * to an integer, the coarse part, and the rest times {@link Passes#FINE} to another one, the fine part. The sums
     * are undefined where an element times {@code scale} exceeds {@link Passes#COARSE} in magnitude.
     *
     * @param cuts {@code size} ascending floats, then plus infinity up to a multiple of eight
     * @param zoneFrom where zone j, which surrounds cut j + 1, begins, ascending, then plus infinity up to twice
     *     {@link Passes#STRIDE} elements at least
     * @param zoneTo what zone j is below, at most {@code zoneFrom[j + 1]}, then likewise minus infinity
     * @param scale a power of two
     * @param sums for each cut the sum of coarse parts, the sum of fine parts, and the count of elements; there is room
     *     for as many cuts as the array has
     * @param squares accumulators of the squares of all elements
     * @param survey receives the greatest key as its first element; {@link Passes#SURVEY} elements of working memory
     * @return elements written to {@code zoned} from element {@code at}; there is room for {@code n} and
     *     {@link Passes#SLACK} more
     */
    int zones(MemorySegment x, long xOff, int n, float[] cuts, float[] zoneFrom, float[] zoneTo, int size, float scale,
            long[] sums, double[] squares, int[] survey, MemorySegment zoned, long at);
}
