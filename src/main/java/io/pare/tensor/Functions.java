package io.pare.tensor;

/**
 * Functions by additions, multiplications and divisions alone, so that the JIT compiler vectorises loops of them. Their
 * relative error is below 1e-9, far below the rounding of a float.
 *
 * <p>A Taylor series takes x / 2^{@value #HALVINGS}; as many doublings of the argument follow.
 */
final class Functions {
    private static final int HALVINGS = 10;
    private static final double PART = 1.0 / (1 << HALVINGS);
    /** Beyond these e^x is 0 or infinity as a float. */
    private static final double LOWEST = -104;
    private static final double HIGHEST = 89;

    private Functions() {}

    /** e^x. */
    static double exp(double x) {
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
