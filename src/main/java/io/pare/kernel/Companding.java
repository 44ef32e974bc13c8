package io.pare.kernel;

import java.util.Arrays;

/**
 * The measure by which the best codewords of many lie evenly: the integral of the density to the power 1/3 (Panter and
 * Dite 1951; Bennett 1948).
 *
 * <p>Sorted values are cut into blocks. A block of weight w and width d adds w^(1/3) d^(2/3), as if its density were
 * even. Of the integral I, k codewords leave a squared error of about I^3 / (12 k^2).
 */
final class Companding {
    /** Blocks at most: 32 for each of 256 codewords. */
    static final int BLOCKS = 1 << 13;

    /** The integral over the blocks before each. */
    private final double[] before = new double[BLOCKS + 1];
    private int blocks;
    /** Where {@link #find} found its target within its block, from 0 to 1. */
    double fraction;

    /** Begins anew, without blocks. */
    void clear() {
        blocks = 0;
    }

    /** Adds the next block. */
    void add(double weight, double width) {
        before[blocks + 1] = before[blocks] + Math.cbrt(weight * width * width);
        blocks++;
    }

    double integral() {
        return before[blocks];
    }

    /** The block in which the share {@code share} of the integral is reached; sets {@link #fraction}. */
    int find(double share) {
        double target = share * integral();
        int at = Arrays.binarySearch(before, 0, blocks + 1, target);
        int block = Math.clamp(at < 0 ? -at - 2 : at, 0, blocks - 1);
        double mass = before[block + 1] - before[block];
        fraction = mass > 0 ? Math.clamp((target - before[block]) / mass, 0, 1) : 0;
        return block;
    }
}
