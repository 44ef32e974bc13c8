package io.pare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Bounds on differences between floats that follow from how they were computed, so that they hold at every vector width
 * and in every order of summation.
 */
public final class Rounding {
    /** The unit roundoff of float: half the distance from 1 to the next float. */
    private static final double UNIT = 0x1p-24;

    private Rounding() {}

    /**
     * The most by which a float sum can differ from the exact one: n u / (1 - n u) times the sum of the terms' absolute
     * values (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
     *
     * @param roundings
     *            the roundings that a term can go through: the number of terms for a dot product in any order
     * @param size
     *            the sum of the absolute values of the terms
     */
    public static double bound(int roundings, double size) {
        return roundings * UNIT / (1 - roundings * UNIT) * size + Float.MIN_VALUE;
    }

    /** Checks one sum whose terms are known; two computed sums differ by twice the bound at most. */
    public static void assertSum(double expected, double actual, int roundings, double size, String what) {
        assertEquals(expected, actual, bound(2 * roundings, size), what);
    }

    /**
     * Checks a tensor whose elements' terms are not known one by one: each term is taken to be as large as the largest
     * element of the tensor.
     */
    public static void assertClose(double[] expected, double[] actual, int roundings, String what) {
        assertClose(expected, actual, roundings, largest(expected), what);
    }

    /** The same where the size of a term is known, because terms of this size may cancel. */
    public static void assertClose(double[] expected, double[] actual, int roundings, double size, String what) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], bound(2 * roundings, size), what + " at " + i);
        }
    }

    /** The largest absolute value of a tensor. */
    public static double largest(double[] values) {
        return Arrays.stream(values).map(Math::abs).max().orElse(0);
    }

    /** The same of a tensor that was computed in float. */
    public static void assertClose(double[] expected, float[] actual, int roundings, String what) {
        assertClose(expected, widened(actual), roundings, what);
    }

    /** The same of two tensors that were computed in float. */
    public static void assertClose(float[] expected, float[] actual, int roundings, String what) {
        assertClose(widened(expected), widened(actual), roundings, what);
    }

    /** The tensor in double. */
    public static double[] widened(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }
}
