package io.pare.tensor;

import io.pare.net.Pairwise;

/** {@link Pairwise} functions over blocks of values; those that networks use most in loops that the JIT vectorises. */
final class PairwiseLoops {
    private PairwiseLoops() {}

    static void values(Pairwise function, float[] x, float[] y, float[] out, int count) {
        switch (function) {
            case ADD -> {
                for (int i = 0; i < count; i++) {
                    out[i] = x[i] + y[i];
                }
            }
            case SUBTRACT -> {
                for (int i = 0; i < count; i++) {
                    out[i] = x[i] - y[i];
                }
            }
            case MULTIPLY -> {
                for (int i = 0; i < count; i++) {
                    out[i] = x[i] * y[i];
                }
            }
            case DIVIDE -> {
                for (int i = 0; i < count; i++) {
                    out[i] = x[i] / y[i];
                }
            }
            case MINIMUM -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Math.min(x[i], y[i]);
                }
            }
            case MAXIMUM -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Math.max(x[i], y[i]);
                }
            }
            case POWER, MODULO, REMAINDER, DIVIDE_INTEGERS, EQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL, AND,
                    OR, XOR -> {
                for (int i = 0; i < count; i++) {
                    out[i] = (float) function.of(x[i], y[i]);
                }
            }
        }
    }

    /** The gradient of the left input from that of the output. */
    static void slopesLeft(Pairwise function, float[] x, float[] y, float[] gradient, float[] out, int count) {
        switch (function) {
            case ADD, SUBTRACT -> System.arraycopy(gradient, 0, out, 0, count);
            case MULTIPLY -> {
                for (int i = 0; i < count; i++) {
                    out[i] = gradient[i] * y[i];
                }
            }
            case DIVIDE -> {
                for (int i = 0; i < count; i++) {
                    out[i] = gradient[i] / y[i];
                }
            }
            case MINIMUM, MAXIMUM, POWER, MODULO, REMAINDER, DIVIDE_INTEGERS, EQUAL, LESS, LESS_OR_EQUAL, GREATER,
                    GREATER_OR_EQUAL, AND, OR, XOR -> {
                for (int i = 0; i < count; i++) {
                    out[i] = (float) (gradient[i] * function.slopeLeft(x[i], y[i]));
                }
            }
        }
    }

    /** The gradient of the right input from that of the output. */
    static void slopesRight(Pairwise function, float[] x, float[] y, float[] gradient, float[] out, int count) {
        switch (function) {
            case ADD -> System.arraycopy(gradient, 0, out, 0, count);
            case SUBTRACT -> {
                for (int i = 0; i < count; i++) {
                    out[i] = -gradient[i];
                }
            }
            case MULTIPLY -> {
                for (int i = 0; i < count; i++) {
                    out[i] = gradient[i] * x[i];
                }
            }
            case DIVIDE -> {
                for (int i = 0; i < count; i++) {
                    out[i] = (float) (-(double) gradient[i] * x[i] / ((double) y[i] * y[i]));
                }
            }
            case MINIMUM, MAXIMUM, POWER, MODULO, REMAINDER, DIVIDE_INTEGERS, EQUAL, LESS, LESS_OR_EQUAL, GREATER,
                    GREATER_OR_EQUAL, AND, OR, XOR -> {
                for (int i = 0; i < count; i++) {
                    out[i] = (float) (gradient[i] * function.slopeRight(x[i], y[i]));
                }
            }
        }
    }
}
