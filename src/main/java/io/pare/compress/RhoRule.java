package io.pare.compress;

/** How the weight of ADMM's penalty changes from one iteration to the next. */
public sealed interface RhoRule {
    /**
     * {@return the next rho}
     *
     * @param rho the present one
     * @param primal norm of W - Z
     * @param dual rho times the norm of the change in Z
     */
    double next(double rho, double primal, double dual);

    /** Stays. */
    record Fixed() implements RhoRule {
        @Override
        public double next(double rho, double primal, double dual) {
            return rho;
        }
    }

    /**
     * Times {@code factor} in each iteration, up to {@code limit}.
     *
     * @param factor above 0
     * @param limit largest rho, above 0
     */
    record Multiplied(double factor, double limit) implements RhoRule {
        /**
         * Refuses a rho that is not positive.
         *
         * @throws IllegalArgumentException if a value is out of its range
         */
        public Multiplied {
            if (!(factor > 0) || !(limit > 0)) {
                throw new IllegalArgumentException("rho cannot grow by " + factor + " up to " + limit);
            }
        }

        @Override
        public double next(double rho, double primal, double dual) {
            return Math.min(Math.max(limit, rho), rho * factor);
        }
    }

    /**
     * Residual balancing (Boyd et al. 2011, section 3.4.1): doubled where the primal residual is more than
     * {@code ratio} times the dual one, halved in the opposite case.
     *
     * @param ratio of the residuals, above 1
     * @param least smallest rho, above 0
     * @param most largest rho
     */
    record Balanced(double ratio, double least, double most) implements RhoRule {
        /**
         * Refuses a rule that never changes rho or has no range.
         *
         * @throws IllegalArgumentException if a value is out of its range
         */
        public Balanced {
            if (!(ratio > 1) || !(least > 0) || !(most >= least)) {
                throw new IllegalArgumentException(
                        "rho cannot be balanced at " + ratio + " between " + least + " and " + most);
            }
        }

        @Override
        public double next(double rho, double primal, double dual) {
            if (primal > ratio * dual) {
                return Math.min(most, 2 * rho);
            }
            return dual > ratio * primal ? Math.max(least, rho / 2) : rho;
        }
    }
}
