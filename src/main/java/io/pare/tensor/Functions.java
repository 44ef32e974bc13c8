package io.pare.tensor;

import io.pare.net.Pointwise;
import java.util.Arrays;

/**
 * Functions by additions, multiplications and divisions alone, so that the JIT compiler vectorises loops of them. Their
 * relative error is below 1e-9, far below the rounding of a float.
 *
 * <p>A Taylor series takes x / 2^{@value #HALVINGS}; as many doublings of the argument follow.
 */
public final class Functions {
    private static final int HALVINGS = 10;
    private static final double PART = 1.0 / (1 << HALVINGS);
    /** Beyond these e^x is 0 or infinity as a float. */
    private static final double LOWEST = -104;
    private static final double HIGHEST = 89;

    private static final double ROOT = Math.sqrt(2 / Math.PI);
    /** From here on the error function is 1 as a float. */
    private static final double ONE = 4;
    private static final double[] ERF = erfOverX();

    private Functions() {}

    /** e^x. */
    public static double exp(double x) {
        double y = 1 + series(x);
        y *= y;
        y *= y;
        y *= y;
        y *= y;
        y *= y;
        y *= y;
        y *= y;
        y *= y;
        y *= y;
        return y * y;
    }

    /** e^x - 1, exact near zero too. */
    static double expm1(double x) {
        double y = series(x);
        y *= y + 2;
        y *= y + 2;
        y *= y + 2;
        y *= y + 2;
        y *= y + 2;
        y *= y + 2;
        y *= y + 2;
        y *= y + 2;
        y *= y + 2;
        return y * (y + 2);
    }

    /** e^r - 1 of the part r of x. */
    private static double series(double x) {
        double r = Math.max(LOWEST, Math.min(HIGHEST, x)) * PART;
        return r * (1 + r * (1 / 2.0 + r * (1 / 6.0 + r * (1 / 24.0
                + r * (1 / 120.0 + r * (1 / 720.0 + r * (1 / 5040.0)))))));
    }

    /** 1 / (1 + e^-x). */
    static double logistic(double x) {
        return 1 / (1 + exp(-x));
    }

    /** The hyperbolic tangent. */
    static double tanh(double x) {
        double power = expm1(2 * x);
        return power / (power + 2);
    }

    /** tanh(log(1 + e^x)), by e^x (e^x + 2) over itself and 2. */
    static double tanhOfSoftplus(double x) {
        double power = exp(x);
        double product = power * (power + 2);
        return product / (product + 2);
    }

    /** What GELU's approximation takes the hyperbolic tangent of (Hendrycks, Gimpel, 1606.08415). */
    static double geluInner(double x) {
        return ROOT * (x + 0.044715 * x * x * x);
    }

    /** Replaces values by their error functions, to an absolute error of 1e-9. */
    static void erf(float[] values, int count) {
        double[] sums = Blocks.doubles()[0];
        double[] arguments = Blocks.doubles()[1];
        for (int i = 0; i < count; i++) {
            double at = Math.max(-ONE, Math.min(ONE, values[i]));
            arguments[i] = at * at * (2 / (ONE * ONE)) - 1;
        }
        Arrays.fill(sums, 0, count, 0);
        for (int k = ERF.length - 6; k >= 0; k -= 6) {
            horner(arguments, sums, ERF[k], ERF[k + 1], ERF[k + 2], ERF[k + 3], ERF[k + 4], ERF[k + 5], count);
        }
        for (int i = 0; i < count; i++) {
            values[i] = (float) (Math.max(-ONE, Math.min(ONE, values[i])) * sums[i]);
        }
    }

    /** Six more terms of a polynomial. As parameters they are constant in the loop whatever it writes. */
    private static void horner(double[] u, double[] sums, double a, double b, double c, double d, double e,
            double f, int count) {
        for (int i = 0; i < count; i++) {
            sums[i] = a + u[i] * (b + u[i] * (c + u[i] * (d + u[i] * (e + u[i] * (f + u[i] * sums[i])))));
        }
    }

    /** The polynomial in u = 2 (x / ONE)^2 - 1 that is erf(x) / x at the Chebyshev nodes, its constant term first. */
    private static double[] erfOverX() {
        int nodes = 24;
        double[] powers = new double[nodes];
        double[] before = new double[nodes];
        double[] own = new double[nodes];
        own[0] = 1;
        for (int k = 0; k < nodes; k++) {
            double coefficient = 0;
            for (int j = 0; j < nodes; j++) {
                double angle = Math.PI * (j + 0.5) / nodes;
                double x = ONE * Math.cos(angle / 2);
                coefficient += (k == 0 ? 1.0 : 2.0) / nodes * Pointwise.ERF.of(x, 0, 0) / x * Math.cos(k * angle);
            }
            double[] next = new double[nodes];
            for (int i = 0; i < nodes; i++) {
                powers[i] += coefficient * own[i];
                next[i] = (k == 0 ? 1 : 2) * (i > 0 ? own[i - 1] : 0) - before[i];
            }
            before = own;
            own = next;
        }
        return powers;
    }

    static void logistic(float[] values, int count) {
        for (int i = 0; i < count; i++) {
            values[i] = (float) logistic(values[i]);
        }
    }

    static void tanh(float[] values, int count) {
        for (int i = 0; i < count; i++) {
            values[i] = (float) tanh(values[i]);
        }
    }
}
