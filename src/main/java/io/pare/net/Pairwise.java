package io.pare.net;

/**
 * Functions of two numbers: what {@link TensorOp.Zip} applies to values of the same place. Where the answer is yes or no,
 * it is 1 or 0, and any number but 0 counts as yes.
 */
public enum Pairwise {
    /** x + y. */
    ADD {
        @Override
        public double of(double x, double y) {
            return x + y;
        }

        @Override
        public double slopeLeft(double x, double y) {
            return 1;
        }

        @Override
        public double slopeRight(double x, double y) {
            return 1;
        }
    },
    /** x - y. */
    SUBTRACT {
        @Override
        public double of(double x, double y) {
            return x - y;
        }

        @Override
        public double slopeLeft(double x, double y) {
            return 1;
        }

        @Override
        public double slopeRight(double x, double y) {
            return -1;
        }
    },
    /** x y. */
    MULTIPLY {
        @Override
        public double of(double x, double y) {
            return x * y;
        }

        @Override
        public double slopeLeft(double x, double y) {
            return y;
        }

        @Override
        public double slopeRight(double x, double y) {
            return x;
        }
    },
    /** x / y. */
    DIVIDE {
        @Override
        public double of(double x, double y) {
            return x / y;
        }

        @Override
        public double slopeLeft(double x, double y) {
            return 1 / y;
        }

        @Override
        public double slopeRight(double x, double y) {
            return -x / (y * y);
        }
    },
    /** The quotient of integers, cut towards zero. */
    DIVIDE_INTEGERS {
        @Override
        public double of(double x, double y) {
            return Pointwise.TRUNCATE.of(x / y, 0, 0);
        }
    },
    /** The smaller one; of equal ones the left has the gradient. */
    MINIMUM {
        @Override
        public double of(double x, double y) {
            return Math.min(x, y);
        }

        @Override
        public double slopeLeft(double x, double y) {
            return x <= y ? 1 : 0;
        }

        @Override
        public double slopeRight(double x, double y) {
            return x <= y ? 0 : 1;
        }
    },
    /** The larger one; of equal ones the left has the gradient. */
    MAXIMUM {
        @Override
        public double of(double x, double y) {
            return Math.max(x, y);
        }

        @Override
        public double slopeLeft(double x, double y) {
            return x >= y ? 1 : 0;
        }

        @Override
        public double slopeRight(double x, double y) {
            return x >= y ? 0 : 1;
        }
    },
    /** x to the power y. */
    POWER {
        @Override
        public double of(double x, double y) {
            return Math.pow(x, y);
        }

        @Override
        public double slopeLeft(double x, double y) {
            return y == 0 ? 0 : y * Math.pow(x, y - 1);
        }

        @Override
        public double slopeRight(double x, double y) {
            return x > 0 ? Math.pow(x, y) * Math.log(x) : 0;
        }
    },
    /** What is left of x, with the sign of y. */
    MODULO {
        @Override
        public double of(double x, double y) {
            double rest = x % y;
            return rest != 0 && rest < 0 != y < 0 ? rest + y : rest;
        }

        @Override
        public double slopeLeft(double x, double y) {
            return 1;
        }

        @Override
        public double slopeRight(double x, double y) {
            return -Math.floor(x / y);
        }
    },
    /** What is left of x, with its sign. */
    REMAINDER {
        @Override
        public double of(double x, double y) {
            return x % y;
        }

        @Override
        public double slopeLeft(double x, double y) {
            return 1;
        }

        @Override
        public double slopeRight(double x, double y) {
            return -DIVIDE_INTEGERS.of(x, y);
        }
    },
    /** x == y. */
    EQUAL {
        @Override
        public double of(double x, double y) {
            return x == y ? 1 : 0;
        }
    },
    /** x &lt; y. */
    LESS {
        @Override
        public double of(double x, double y) {
            return x < y ? 1 : 0;
        }
    },
    /** x &lt;= y. */
    LESS_OR_EQUAL {
        @Override
        public double of(double x, double y) {
            return x <= y ? 1 : 0;
        }
    },
    /** x &gt; y. */
    GREATER {
        @Override
        public double of(double x, double y) {
            return x > y ? 1 : 0;
        }
    },
    /** x &gt;= y. */
    GREATER_OR_EQUAL {
        @Override
        public double of(double x, double y) {
            return x >= y ? 1 : 0;
        }
    },
    /** Whether both are other than 0. */
    AND {
        @Override
        public double of(double x, double y) {
            return x != 0 && y != 0 ? 1 : 0;
        }
    },
    /** Whether one is other than 0. */
    OR {
        @Override
        public double of(double x, double y) {
            return x != 0 || y != 0 ? 1 : 0;
        }
    },
    /** Whether just one is other than 0. */
    XOR {
        @Override
        public double of(double x, double y) {
            return x != 0 != (y != 0) ? 1 : 0;
        }
    };

    /**
     * {@return its value}
     *
     * @param x left operand
     * @param y right operand
     */
    public abstract double of(double x, double y);

    /**
     * {@return its derivative by x; 0 where steps are all that it has}
     *
     * @param x left operand
     * @param y right operand
     */
    public double slopeLeft(double x, double y) {
        return 0;
    }

    /**
     * {@return its derivative by y; 0 where steps are all that it has}
     *
     * @param x left operand
     * @param y right operand
     */
    public double slopeRight(double x, double y) {
        return 0;
    }
}
