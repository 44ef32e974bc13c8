package io.pare.tensor;

import io.pare.net.Pointwise;

/** {@link Pointwise} functions over blocks of values; those that networks use most in loops that the JIT vectorises. */
final class PointwiseLoops {
    private static final float HALF_ROOT = (float) Math.sqrt(0.5);
    private static final double NORMAL = 1 / Math.sqrt(2 * Math.PI);

    private PointwiseLoops() {}

    /** Replaces values by those of a function. */
    static void values(Pointwise function, float a, float b, float[] x, int count) {
        switch (function) {
            case LEAKY_RELU -> {
                for (int i = 0; i < count; i++) {
                    x[i] = Math.max(x[i], 0) + a * Math.min(x[i], 0);
                }
            }
            case CLIP -> {
                for (int i = 0; i < count; i++) {
                    x[i] = Math.min(Math.max(x[i], a), b);
                }
            }
            case HARD_SIGMOID -> {
                for (int i = 0; i < count; i++) {
                    x[i] = Math.min(Math.max(a * x[i] + b, 0), 1);
                }
            }
            case HARD_SWISH -> {
                for (int i = 0; i < count; i++) {
                    x[i] *= Math.min(Math.max(a * x[i] + b, 0), 1);
                }
            }
            case LINEAR -> {
                for (int i = 0; i < count; i++) {
                    x[i] = a * x[i] + b;
                }
            }
            case ABS -> {
                for (int i = 0; i < count; i++) {
                    x[i] = Math.abs(x[i]);
                }
            }
            case RECIPROCAL -> {
                for (int i = 0; i < count; i++) {
                    x[i] = 1 / x[i];
                }
            }
            case SQRT -> {
                for (int i = 0; i < count; i++) {
                    x[i] = (float) Math.sqrt(x[i]);
                }
            }
            case ELU -> elu(a, 1, x, count);
            case SELU -> elu(a, b, x, count);
            case SWISH -> {
                for (int i = 0; i < count; i++) {
                    x[i] = (float) (x[i] * Functions.logistic(x[i]));
                }
            }
            case MISH -> {
                for (int i = 0; i < count; i++) {
                    x[i] = (float) (x[i] * Functions.tanhOfSoftplus(x[i]));
                }
            }
            case TANH -> Functions.tanh(x, count);
            case EXP -> {
                for (int i = 0; i < count; i++) {
                    x[i] = (float) Functions.exp(x[i]);
                }
            }
            case GELU -> {
                float[] share = normalShares(x, count);
                for (int i = 0; i < count; i++) {
                    x[i] *= share[i];
                }
            }
            case GELU_TANH -> {
                for (int i = 0; i < count; i++) {
                    x[i] = (float) (0.5 * x[i] * (1 + Functions.tanh(Functions.geluInner(x[i]))));
                }
            }
            case ERF -> Functions.erf(x, count);
            case POWER -> power(a, x, count);
            case CELU, SOFTPLUS, SOFTSIGN, LOG, SIN, COS, FLOOR, CEIL, ROUND, TRUNCATE, SIGN, NOT ->
                    each(function, a, b, x, count);
        }
    }

    /** The normal distribution function of each value. */
    private static float[] normalShares(float[] x, int count) {
        float[] share = Blocks.mine()[Blocks.LAST];
        for (int i = 0; i < count; i++) {
            share[i] = x[i] * HALF_ROOT;
        }
        Functions.erf(share, count);
        for (int i = 0; i < count; i++) {
            share[i] = 0.5f * (1 + share[i]);
        }
        return share;
    }

    private static void elu(float a, float b, float[] x, int count) {
        for (int i = 0; i < count; i++) {
            x[i] = (float) (b * (Math.max(x[i], 0) + a * Functions.expm1(Math.min(x[i], 0))));
        }
    }

    private static void power(float a, float[] x, int count) {
        if (a == 2) {
            for (int i = 0; i < count; i++) {
                x[i] *= x[i];
            }
        } else {
            each(Pointwise.POWER, a, 0, x, count);
        }
    }

    private static void each(Pointwise function, float a, float b, float[] x, int count) {
        for (int i = 0; i < count; i++) {
            x[i] = (float) function.of(x[i], a, b);
        }
    }

    /** Multiplies gradients by a function's slopes; the arguments may be overwritten. */
    static void slopes(Pointwise function, float a, float b, float[] x, float[] gradient, int count) {
        switch (function) {
            case LEAKY_RELU -> {
                for (int i = 0; i < count; i++) {
                    gradient[i] *= x[i] >= 0 ? 1 : a;
                }
            }
            case CLIP -> {
                for (int i = 0; i < count; i++) {
                    gradient[i] *= x[i] >= a && x[i] < b ? 1 : 0;
                }
            }
            case LINEAR -> {
                for (int i = 0; i < count; i++) {
                    gradient[i] *= a;
                }
            }
            case SWISH -> {
                for (int i = 0; i < count; i++) {
                    double gate = Functions.logistic(x[i]);
                    gradient[i] = (float) (gradient[i] * gate * (1 + x[i] * (1 - gate)));
                }
            }
            case TANH -> {
                Functions.tanh(x, count);
                for (int i = 0; i < count; i++) {
                    gradient[i] *= (1 - x[i]) * (1 + x[i]);
                }
            }
            case EXP -> {
                for (int i = 0; i < count; i++) {
                    gradient[i] = (float) (gradient[i] * Functions.exp(x[i]));
                }
            }
            case SQRT -> {
                for (int i = 0; i < count; i++) {
                    gradient[i] = (float) (0.5 * gradient[i] / Math.sqrt(x[i]));
                }
            }
            case GELU -> {
                float[] share = normalShares(x, count);
                for (int i = 0; i < count; i++) {
                    double density = NORMAL * Functions.exp(-0.5 * x[i] * x[i]);
                    gradient[i] = (float) (gradient[i] * (share[i] + x[i] * density));
                }
            }
            case POWER -> {
                if (a == 2) {
                    for (int i = 0; i < count; i++) {
                        gradient[i] *= 2 * x[i];
                    }
                } else {
                    eachSlope(function, a, b, x, gradient, count);
                }
            }
            case ELU, SELU, CELU, HARD_SIGMOID, HARD_SWISH, MISH, SOFTPLUS, SOFTSIGN, GELU_TANH, ERF, LOG, RECIPROCAL,
                    ABS, SIN, COS,
                    FLOOR, CEIL, ROUND, TRUNCATE, SIGN, NOT -> eachSlope(function, a, b, x, gradient, count);
        }
    }

    private static void eachSlope(Pointwise function, float a, float b, float[] x, float[] gradient, int count) {
        for (int i = 0; i < count; i++) {
            gradient[i] = (float) (gradient[i] * function.slope(x[i], a, b));
        }
    }
}
