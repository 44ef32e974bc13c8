package io.pare.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The passes over memory of which the projections are made; what the SIMD and the scalar provider each implement.
 *
 * <p>Not for users of the library: {@link Projections} is. A pass handles one chunk of at most {@link #CHUNK}
 * elements. The key of a number is its magnitude as an integer, {@code bits & 0x7fffffff}: keys order like magnitudes,
 * infinity is {@link #INFINITY} and NaN is above it. An element is {@code v = x}, or {@code v = x + u} where {@code u}
 * is given. Both providers give the same bits, including the sums, which every provider keeps in 16 strided
 * accumulators of double precision.
 */
public interface Passes {
    /** Elements of a chunk: a multiple of every vector length and of the strided accumulators. */
    int CHUNK = 1 << 18;
    /** Elements behind a chunk's own room in the arrays of collected elements that a pass may overwrite. */
    int SLACK = 1024;
    /** Key of infinity; greater keys are NaN. */
    int INFINITY = 0x7f80_0000;
    /** Bits of a key. */
    int MAGNITUDE = 0x7fff_ffff;
    /** Accumulators of a sum. */
    int STRIDE = 16;
    /** Magnitude that coarse parts of fixed point numbers may have. */
    int COARSE = 1 << 21;
    /** Fine parts in a coarse one. */
    int FINE = 1 << 13;
    /** Added to a float of at most 2^22 in magnitude, leaves the nearest integer, ties to even, in the low bits. */
    float ROUND = 0x1.8p23f;
    /** The bits of {@link #ROUND}. */
    int ROUND_BITS = 0x4b40_0000;
    /** Elements of what {@link #zones} surveys and works in. */
    int SURVEY = 1 + 16 * STRIDE;

    /** Chunks that {@code n} elements make. */
    static int chunks(long n) {
        return Math.toIntExact((n + CHUNK - 1) / CHUNK);
    }

    /** Adds up the accumulators of a sum, in their order. */
    static double sum(double[] accumulators) {
        double sum = 0;
        for (double part : accumulators) {
            sum += part;
        }
        return sum;
    }

    /**
     * Adds to {@code counts[at + j]} the number of keys that reach pivot {@code j}.
     *
     * @return the greatest key
     */
    int count(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int pivot0, int pivot1, int pivot2,
            int pivot3, long[] counts, int at);

    /**
     * Writes the keys in [lo, hi) to {@code keys}, in order, from element {@code at}; the array has room for
     * {@code n} and {@link #SLACK} more, which may be overwritten.
     *
     * @param tally receives at {@code slot} the number of keys of at least {@code hi}, then the greatest key
     * @return number of keys written
     */
    int collect(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int lo, int hi, MemorySegment keys,
            long at, long[] tally, int slot);

    /**
     * Writes {@code z = key >= guess ? x : 0} and collects, as {@link #collect} does, the keys in [lo, hi) with their
     * indices within the chunk.
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
     * @param primal {@link #STRIDE} accumulators, added to
     * @param dual likewise
     */
    int speculateAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff, int n, int lo,
            int guess, int hi, MemorySegment keys, MemorySegment places, MemorySegment olds, long at, long[] tally,
            int slot, double[] primal, double[] dual);

    /**
     * Writes to {@code found}, from element {@code at} on, the number (from 0) of each of the {@code n} keys from
     * element {@code at} on that lies in [from, to); there is room for {@code n} and {@link #SLACK} more.
     *
     * @return how many
     */
    int between(MemorySegment keys, long at, int n, int from, int to, MemorySegment found);

    /** Writes {@code z = x} for keys above {@code key} and for the first {@code ties} equal to it, 0 elsewhere. */
    void mask(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int key, long ties);

    /** As {@link #mask} for {@code v = w + u}, with the outputs and sums of {@link #speculateAdmm}. */
    void maskAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff, int n, int key,
            long ties, double[] primal, double[] dual);

    /** As {@link #mask}, writing one bit for each element instead; {@code bitsOff} is the byte of the first. */
    void maskBits(MemorySegment x, long xOff, MemorySegment u, long uOff, MemorySegment bits, long bitsOff, int n,
            int key, long ties);

    /** Adds |v| (power 1) or v^2 (power 2) of {@code n} elements to the accumulators. */
    void norm(int power, MemorySegment x, long xOff, int n, double[] sums);

    /**
     * Keeps the {@code keep} greatest magnitudes of every {@code group} consecutive elements, the lowest index among
     * equals; {@code n} is a multiple of the group.
     */
    void keepOfGroup(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int keep, int group);

    /**
     * Replaces every element but zeros (of either sign, which become +0 of code 0) by the nearest codeword.
     *
     * @param codebook {@code size} ascending floats; the array has {@link #STRIDE} elements at least
     * @param cuts {@code size - 1} ascending floats: cut j is the least float that belongs above codeword j; behind them
     *     infinities up to {@link #STRIDE} elements at least
     * @param values receives the codewords, {@code null} for none; may be {@code x}
     * @param codes receives one byte for each element, {@code null} for none
     * @param sums accumulators of the squared distances
     */
    void assign(MemorySegment x, long xOff, int n, float[] codebook, float[] cuts, int size, MemorySegment values,
            long valuesOff, MemorySegment codes, long codesOff, double[] sums);

    /**
     * Sums and counts the non-zero elements that reach each cut, and collects, in order, those that lie in a zone.
     *
     * <p>The sums are of fixed point numbers, so that no order of adding changes them: {@code v * scale} is rounded to
     * an integer, the coarse part, and what is left times {@link #FINE} to another one, the fine part. Where an element
     * times {@code scale} is beyond {@link #COARSE} in magnitude, they are of no use.
     *
     * @param cuts {@code size} ascending floats, then plus infinity up to a multiple of eight
     * @param zoneFrom where zone j, which surrounds cut j + 1, begins, ascending, then plus infinity up to twice
     *     {@link #STRIDE} elements at least
     * @param zoneTo what zone j is below, at most {@code zoneFrom[j + 1]}, then likewise minus infinity
     * @param scale a power of two
     * @param sums for each cut the sum of coarse parts, the sum of fine parts, and the count of elements; there is room
     *     for as many cuts as the array has
     * @param squares accumulators of the squares of all elements
     * @param survey receives the greatest key as its first element; {@link #SURVEY} elements of working memory
     * @return elements written to {@code zoned} from element {@code at}; there is room for {@link #SLACK} more than {@code n}
     */
    int zones(MemorySegment x, long xOff, int n, float[] cuts, float[] zoneFrom, float[] zoneTo, int size, float scale,
            long[] sums, double[] squares, int[] survey, MemorySegment zoned, long at);
}
