package io.pare.kernel.passes;

/**
 * The passes over memory of which the projections are made, of one provider, by the algorithms that they serve.
 *
 * <p>A pass handles one chunk of at most {@link #CHUNK} elements. The key of
 * a number is its magnitude as an integer, {@code bits & 0x7fffffff}. Keys order like magnitudes; infinity is
 * {@link #INFINITY}, and NaN is above it. An element is {@code v = x}, or {@code v = x + u} where {@code u} is given.
 *
 * <p>All providers give the same bits. Sums too: every provider keeps them in {@link #STRIDE} strided accumulators of
 * double precision.
 *
 * @param select what finds a threshold
 * @param topK what writes the greatest magnitudes
 * @param groups what handles groups of elements
 * @param codebooks what clusters and assigns codewords
 */
public record Passes(SelectPasses select, TopKPasses topK, GroupPasses groups, CodebookPasses codebooks) {
    /** Elements of a chunk: a multiple of every vector length and of the strided accumulators. */
    public static final int CHUNK = 1 << 18;
    /** Elements behind its own room that a pass may overwrite in an array of collected elements. */
    public static final int SLACK = 1024;
    /** Key of infinity; greater keys are NaN. */
    public static final int INFINITY = 0x7f80_0000;
    /** Bits of a key. */
    public static final int MAGNITUDE = 0x7fff_ffff;
    /** Accumulators of a sum. */
    public static final int STRIDE = 16;
    /** Accumulators of a residual in the pass that guesses: element i goes to number {@code i % RESIDUALS}. */
    public static final int RESIDUALS = 8;
    /** Greatest magnitude of the coarse part of a fixed-point number. */
    public static final int COARSE = 1 << 21;
    /** Fine parts in a coarse one. */
    public static final int FINE = 1 << 13;
    /** Added to a float of at most 2^22 in magnitude, leaves the nearest integer, ties to even, in the low bits. */
    public static final float ROUND = 0x1.8p23f;
    /** The bits of {@link #ROUND}. */
    public static final int ROUND_BITS = 0x4b40_0000;
    /** Elements of the survey of {@link CodebookPasses#zones}, working memory included. */
    public static final int SURVEY = 1 + 16 * STRIDE;

    /** Chunks that {@code n} elements make. */
    public static int chunks(long n) {
        return Math.toIntExact((n + CHUNK - 1) / CHUNK);
    }

    /** Adds up the accumulators of a sum, in their order. */
    public static double sum(double[] accumulators) {
        double sum = 0;
        for (double part : accumulators) {
            sum += part;
        }
        return sum;
    }
}
