package io.pare.kernel;

/**
 * The result of a joint projection.
 *
 * @param size codewords in use
 * @param survivors non-zero elements of the result
 * @param error sum of squared distances of all elements from the result
 * @param rounds in which the error still fell
 */
public record Joint(int size, long survivors, double error, int rounds) {}
