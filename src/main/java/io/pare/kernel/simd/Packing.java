package io.pare.kernel.simd;

import static io.pare.kernel.simd.Species.LANES;

/**
 * Moves the lanes that a mask names to the front of a vector, in order: compaction.
 *
 * <p>With 512 bits the processor has an instruction for it, and loops compress. Shorter vectors belong to processors
 * that do not: the JVM then looks a permutation up for each vector that is compressed and clears what lies behind it,
 * and counts the mask by way of bytes. Here a row of a table holds the numbers of the lanes, to select from any number
 * of vectors and, with the place of the first lane added, to serve as their places. A pass of top-k is 1.6 times faster
 * so, at any share of elements found.
 *
 * <p>Each loop does it in place and calls nothing: {@code LANES} is a constant, so the JIT compiles one of the two ways.
 */
final class Packing {
    /** Whether loops select by {@link #ROWS}. */
    static final boolean BY_TABLE = LANES < 16;
    /** Masks that there are, less one. */
    static final int MASKS = BY_TABLE ? (1 << LANES) - 1 : 0;
    /** For each mask, the numbers of its lanes, then zeros. */
    static final int[] ROWS = rows();

    private Packing() {}

    private static int[] rows() {
        int[] rows = new int[(MASKS + 1) * LANES];
        for (int mask = 0; mask <= MASKS; mask++) {
            int at = mask * LANES;
            for (int lane = 0; lane < LANES; lane++) {
                if ((mask >> lane & 1) != 0) {
                    rows[at++] = lane;
                }
            }
        }
        return rows;
    }
}
