package io.pare.format.pare;

/**
 * The logistic function and its inverse from tables.
 *
 * <p>Writer and reader must agree to the last bit on every machine, so the tables are made of additions,
 * multiplications and divisions only, which Java defines exactly; {@code Math.exp} and {@code Math.log} may differ.
 */
final class Logistic {
    /** Logits are clamped to this range on both sides. */
    static final float RANGE = 11.5f;

    private static final int STEPS = 64;
    private static final int SMALLEST_EXPONENT = -20;
    private static final int MANTISSA_BITS = 6;
    private static final int SHIFT = 23 - MANTISSA_BITS;
    private static final int FIRST = SMALLEST_EXPONENT + 127 << MANTISSA_BITS;
    private static final float[] SQUASH = new float[(int) (2 * RANGE * STEPS) + 2];
    private static final float[] STRETCH = new float[(-SMALLEST_EXPONENT << MANTISSA_BITS) + 1];
    private static final float SMALLEST = 0x1p-20f;

    static {
        for (int i = 0; i < SQUASH.length; i++) {
            SQUASH[i] = (float) (1 / (1 + exp(RANGE - (double) i / STEPS)));
        }
        for (int i = 0; i < STRETCH.length; i++) {
            // The middle of the interval that the table entry stands for.
            double p = Float.intBitsToFloat(FIRST + i << SHIFT) * (1 + 0.5 / (1 << MANTISSA_BITS));
            STRETCH[i] = (float) (log(p) - log(1 - p));
        }
    }

    private Logistic() {}

    /** 1 / (1 + exp(-x)) by linear interpolation. */
    static float squash(float x) {
        float at = (Math.clamp(x, -RANGE, RANGE) + RANGE) * STEPS;
        int index = (int) at;
        float below = SQUASH[index];
        return below + (SQUASH[index + 1] - below) * (at - index);
    }

    /** ln(p / (1 - p)), with p held between 2^-20 and 1 - 2^-20. */
    static float stretch(float p) {
        return p <= 0.5f ? lower(Math.max(p, SMALLEST)) : -lower(Math.max(1 - p, SMALLEST));
    }

    /** A probability in the coder's units, neither 0 nor 1. */
    static int probability(float p) {
        return Math.clamp((int) (p * BitCoder.ONE + 0.5f), 1, BitCoder.ONE - 1);
    }

    private static float lower(float p) {
        return STRETCH[(Float.floatToRawIntBits(p) >>> SHIFT) - FIRST];
    }

    private static double exp(double x) {
        double y = x / 1024;
        double term = 1;
        double sum = 1;
        for (int i = 1; i < 12; i++) {
            term *= y / i;
            sum += term;
        }
        for (int i = 0; i < 10; i++) {
            sum *= sum;
        }
        return sum;
    }

    private static double log(double x) {
        int exponent = Math.getExponent(x);
        double mantissa = Math.scalb(x, -exponent);
        double y = (mantissa - 1) / (mantissa + 1);
        double power = y;
        double sum = 0;
        for (int i = 1; i < 40; i += 2) {
            sum += power / i;
            power *= y * y;
        }
        return 2 * sum + exponent * 0.6931471805599453;
    }
}
