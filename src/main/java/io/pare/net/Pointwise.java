package io.pare.net;

/**
 * Functions of one number: what {@link TensorOp.Map} applies to each value by itself.
 *
 * <p>Every constant gives its value and its derivative in double precision. Two numbers {@code a} and {@code b} shape some
 * of them; the others ignore them. At a kink the derivative is that of the right side.
 */
public enum Pointwise {
    /** x above zero, {@code a} x below. */
    LEAKY_RELU {
        @Override
        public double of(double x, double a, double b) {
            return x >= 0 ? x : a * x;
        }

        @Override
        public double slope(double x, double a, double b) {
            return x >= 0 ? 1 : a;
        }
    },
    /** x above zero, {@code a} (e^x - 1) below (Clevert, Unterthiner, Hochreiter, 1511.07289). */
    ELU {
        @Override
        public double of(double x, double a, double b) {
            return x >= 0 ? x : a * Math.expm1(x);
        }

        @Override
        public double slope(double x, double a, double b) {
            return x >= 0 ? 1 : a * Math.exp(x);
        }
    },
    /** {@code b} times {@link #ELU} (Klambauer and others, 1706.02515). */
    SELU {
        @Override
        public double of(double x, double a, double b) {
            return b * ELU.of(x, a, 0);
        }

        @Override
        public double slope(double x, double a, double b) {
            return b * ELU.slope(x, a, 0);
        }
    },
    /** x above zero, {@code a} (e^(x / a) - 1) below (Barron, 1704.07483). */
    CELU {
        @Override
        public double of(double x, double a, double b) {
            return x >= 0 ? x : a * Math.expm1(x / a);
        }

        @Override
        public double slope(double x, double a, double b) {
            return x >= 0 ? 1 : Math.exp(x / a);
        }
    },
    /** x, at least {@code a}, at most {@code b}; where {@code a} is above {@code b}, always {@code b}. */
    CLIP {
        @Override
        public double of(double x, double a, double b) {
            return Math.min(Math.max(x, a), b);
        }

        @Override
        public double slope(double x, double a, double b) {
            return x >= a && x < b ? 1 : 0;
        }
    },
    /** {@code a} x + {@code b}, from 0 to 1. */
    HARD_SIGMOID {
        @Override
        public double of(double x, double a, double b) {
            return Math.min(Math.max(a * x + b, 0), 1);
        }

        @Override
        public double slope(double x, double a, double b) {
            double line = a * x + b;
            return line >= 0 && line < 1 ? a : 0;
        }
    },
    /** x times {@link #HARD_SIGMOID} of {@code a} and {@code b} (Howard and others, 1905.02244: 1/6 and 1/2). */
    HARD_SWISH {
        @Override
        public double of(double x, double a, double b) {
            return x * HARD_SIGMOID.of(x, a, b);
        }

        @Override
        public double slope(double x, double a, double b) {
            return HARD_SIGMOID.of(x, a, b) + x * HARD_SIGMOID.slope(x, a, b);
        }
    },
    /** x / (1 + e^-x), also called SiLU. */
    SWISH {
        @Override
        public double of(double x, double a, double b) {
            return x / (1 + Math.exp(-x));
        }

        @Override
        public double slope(double x, double a, double b) {
            double gate = 1 / (1 + Math.exp(-x));
            return gate * (1 + x * (1 - gate));
        }
    },
    /** x tanh(log(1 + e^x)) (Misra, 1908.08681). */
    MISH {
        @Override
        public double of(double x, double a, double b) {
            return x * Math.tanh(SOFTPLUS.of(x, 0, 0));
        }

        @Override
        public double slope(double x, double a, double b) {
            double gate = Math.tanh(SOFTPLUS.of(x, 0, 0));
            return gate + x * (1 - gate * gate) * SOFTPLUS.slope(x, 0, 0);
        }
    },
    /** Hyperbolic tangent. */
    TANH {
        @Override
        public double of(double x, double a, double b) {
            return Math.tanh(x);
        }

        @Override
        public double slope(double x, double a, double b) {
            double y = Math.tanh(x);
            return 1 - y * y;
        }
    },
    /** log(1 + e^x). */
    SOFTPLUS {
        @Override
        public double of(double x, double a, double b) {
            return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
        }

        @Override
        public double slope(double x, double a, double b) {
            return 1 / (1 + Math.exp(-x));
        }
    },
    /** x / (1 + |x|). */
    SOFTSIGN {
        @Override
        public double of(double x, double a, double b) {
            return x / (1 + Math.abs(x));
        }

        @Override
        public double slope(double x, double a, double b) {
            double below = 1 + Math.abs(x);
            return 1 / (below * below);
        }
    },
    /** x times the normal distribution function (Hendrycks, Gimpel, 1606.08415). */
    GELU {
        @Override
        public double of(double x, double a, double b) {
            return 0.5 * x * (1 + ERF.of(x * Math.sqrt(0.5), 0, 0));
        }

        @Override
        public double slope(double x, double a, double b) {
            return 0.5 * (1 + ERF.of(x * Math.sqrt(0.5), 0, 0)) + x * Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
        }
    },
    /** The approximation of {@link #GELU} by a hyperbolic tangent in the same paper. */
    GELU_TANH {
        @Override
        public double of(double x, double a, double b) {
            return 0.5 * x * (1 + Math.tanh(inner(x)));
        }

        @Override
        public double slope(double x, double a, double b) {
            double gate = Math.tanh(inner(x));
            double steep = Math.sqrt(2 / Math.PI) * (1 + 3 * CUBIC * x * x);
            return 0.5 * (1 + gate) + 0.5 * x * (1 - gate * gate) * steep;
        }

        private double inner(double x) {
            return Math.sqrt(2 / Math.PI) * (x + CUBIC * x * x * x);
        }
    },
    /** The error function. */
    ERF {
        @Override
        public double of(double x, double a, double b) {
            return ErrorFunction.of(x);
        }

        @Override
        public double slope(double x, double a, double b) {
            return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x);
        }
    },
    /** e to the power x. */
    EXP {
        @Override
        public double of(double x, double a, double b) {
            return Math.exp(x);
        }

        @Override
        public double slope(double x, double a, double b) {
            return Math.exp(x);
        }
    },
    /** The natural logarithm. */
    LOG {
        @Override
        public double of(double x, double a, double b) {
            return Math.log(x);
        }

        @Override
        public double slope(double x, double a, double b) {
            return 1 / x;
        }
    },
    /** Square root; NaN below 0. */
    SQRT {
        @Override
        public double of(double x, double a, double b) {
            return Math.sqrt(x);
        }

        @Override
        public double slope(double x, double a, double b) {
            return 0.5 / Math.sqrt(x);
        }
    },
    /** 1 / x. */
    RECIPROCAL {
        @Override
        public double of(double x, double a, double b) {
            return 1 / x;
        }

        @Override
        public double slope(double x, double a, double b) {
            return -1 / (x * x);
        }
    },
    /** |x|. */
    ABS {
        @Override
        public double of(double x, double a, double b) {
            return Math.abs(x);
        }

        @Override
        public double slope(double x, double a, double b) {
            return x >= 0 ? 1 : -1;
        }
    },
    /** {@code a} x + {@code b}. */
    LINEAR {
        @Override
        public double of(double x, double a, double b) {
            return a * x + b;
        }

        @Override
        public double slope(double x, double a, double b) {
            return a;
        }
    },
    /** x to the power {@code a}. */
    POWER {
        @Override
        public double of(double x, double a, double b) {
            return Math.pow(x, a);
        }

        @Override
        public double slope(double x, double a, double b) {
            return a == 0 ? 0 : a * Math.pow(x, a - 1);
        }
    },
    /** Sine, of radians. */
    SIN {
        @Override
        public double of(double x, double a, double b) {
            return Math.sin(x);
        }

        @Override
        public double slope(double x, double a, double b) {
            return Math.cos(x);
        }
    },
    /** Cosine, of radians. */
    COS {
        @Override
        public double of(double x, double a, double b) {
            return Math.cos(x);
        }

        @Override
        public double slope(double x, double a, double b) {
            return -Math.sin(x);
        }
    },
    /** The largest integer that is not above x. */
    FLOOR {
        @Override
        public double of(double x, double a, double b) {
            return Math.floor(x);
        }
    },
    /** The smallest integer that is not below x. */
    CEIL {
        @Override
        public double of(double x, double a, double b) {
            return Math.ceil(x);
        }
    },
    /** The nearest integer, the even one of two. */
    ROUND {
        @Override
        public double of(double x, double a, double b) {
            return Math.rint(x);
        }
    },
    /** The integer towards zero. */
    TRUNCATE {
        @Override
        public double of(double x, double a, double b) {
            return x < 0 ? Math.ceil(x) : Math.floor(x);
        }
    },
    /** -1, 0 or 1. */
    SIGN {
        @Override
        public double of(double x, double a, double b) {
            return Math.signum(x);
        }
    },
    /** 1 where x is zero, 0 elsewhere. */
    NOT {
        @Override
        public double of(double x, double a, double b) {
            return x == 0 ? 1 : 0;
        }
    };

    private static final double CUBIC = 0.044715;

    /**
     * {@return its value}
     *
     * @param x the value
     * @param a first parameter
     * @param b second parameter
     */
    public abstract double of(double x, double a, double b);

    /**
     * {@return its derivative; 0 where steps are all that it has}
     *
     * @param x the value
     * @param a first parameter
     * @param b second parameter
     */
    public double slope(double x, double a, double b) {
        return 0;
    }
}
