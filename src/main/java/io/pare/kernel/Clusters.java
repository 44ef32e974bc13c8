package io.pare.kernel;

/**
 * The result of a 1-D k-means.
 *
 * @param size codewords in use, ascending at the start of the codebook; fewer than asked for where there are fewer
 *     distinct non-zero values
 * @param error sum of squared distances of the non-zero elements from their codewords, each times its importance
 * @param rounds of Lloyd's algorithm that were run; 0 where the optimum was computed directly
 */
public record Clusters(int size, double error, int rounds) {}
