package io.pare.net;

/**
 * erf(x) = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, to about 15 digits.
 *
 * <p>Below {@value #SERIES} by its Taylor series in the form of Abramowitz and Stegun 7.1.6, whose terms are all positive;
 * above by the continued fraction of the complement, 7.1.14.
 */
final class ErrorFunction {
    private static final double SERIES = 2.5;
    /** From here on the complement is below half a unit of the last digit. */
    private static final double ONE = 6;
    /** Terms of the fraction that change nothing more from {@link #SERIES} on. */
    private static final int FRACTION = 60;

    private ErrorFunction() {}

    static double of(double x) {
        double size = Math.abs(x);
        if (Double.isNaN(x)) {
            return x;
        }
        return Math.copySign(size >= ONE ? 1 : size < SERIES ? series(size) : 1 - complement(size), x);
    }

    private static double series(double x) {
        double term = x;
        double sum = x;
        for (int n = 1; term > sum * 1e-17; n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }

    private static double complement(double x) {
        double fraction = x;
        for (int n = FRACTION; n > 0; n--) {
            fraction = x + n / 2.0 / fraction;
        }
        return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
    }
}
