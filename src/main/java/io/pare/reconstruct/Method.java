package io.pare.reconstruct;

/** How a layer is reconstructed: by ADMM, or as published methods do it, for comparison. */
public sealed interface Method {
    /** ADMM with one factor of the Hessian, then the exact values on the support or steps on the codes. */
    Admm ADMM = new Admm(1, 25, 20, 12, 0);

    /** Nearest point to the weights; the inputs play no part. */
    record Magnitude() implements Method {}

    /**
     * Nearest point where a change of a weight counts by the norm of its input: Wanda (Sun et al. 2023) for top-k, and
     * k-means weighted by the Hessian's diagonal for codebooks. Weights that stay keep their values.
     */
    record Wanda() implements Method {}

    /**
     * One column after the other, each error made good by the columns that follow: SparseGPT (Frantar and Alistarh
     * 2023) for {@link io.pare.compress.constraint.Sparsity} and n of m, GPTQ (Frantar et al. 2022) for values, whose
     * codebook or scale comes from the weighted projection.
     *
     * @param block columns whose support is chosen together, and after which the rest is updated
     */
    record Columns(int block) implements Method {
        /** Checks the number. */
        public Columns {
            if (block < 1) {
                throw new IllegalArgumentException("a block cannot have " + block + " columns");
            }
        }

        /** Blocks of 128, as published. */
        public Columns() {
            this(128);
        }
    }

    /**
     * ADMM-Grad (Boza 2024): Z = projection of W + U, U += W - Z, W = (H + penalty)^-1 (H W0 + penalty (Z - U)), in
     * units in which the diagonal of H is 1. A support shrinks by 1 - (1 - t / ramp)^3, is frozen after {@code ramp}
     * iterations, and gets its least-squares values by conjugate gradients.
     *
     * <p>Values have no ramp. They end with rounds of coordinate descent on the codes, each with a least-squares fit of
     * the codebook or the interval.
     *
     * @param penalty above 0
     * @param iterations in all
     * @param ramp iterations after which a support is frozen; at most {@code iterations}
     * @param steps of conjugate gradients, or rounds of descent, at the end
     * @param swaps of two weights of a row, at most, that lower its error; each takes 2 d^2 multiply-adds, and the first of a
     *     row as many for each weight. For top-k and n of m only
     */
    record Admm(double penalty, int iterations, int ramp, int steps, int swaps) implements Method {
        /** Checks the numbers. */
        public Admm {
            if (!(penalty > 0 && penalty < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("the penalty must be above 0, not " + penalty);
            }
            if (ramp < 1 || iterations < ramp || steps < 0 || swaps < 0) {
                throw new IllegalArgumentException("no such schedule: " + iterations + " iterations, ramp of " + ramp
                        + ", " + steps + " steps, " + swaps + " swaps");
            }
        }

        /**
         * {@return the same with another penalty}
         *
         * @param other penalty, above 0
         */
        public Admm penalty(double other) {
            return new Admm(other, iterations, ramp, steps, swaps);
        }

        /**
         * {@return the same with so many swaps}
         *
         * @param most swaps of a row
         */
        public Admm swaps(int most) {
            return new Admm(penalty, iterations, ramp, steps, most);
        }
    }

    /**
     * ADMM with a growing penalty (ALPS, Meng et al. 2024): one eigen-decomposition serves all penalties. Every third
     * iteration the penalty grows by 30, 20 or 10 %, as more than a tenth, more than 0.5 % or less of the support has
     * changed. It ends when the support no longer changes. For sets of supports only.
     *
     * @param penalty to start with, above 0
     * @param iterations at most
     * @param steps of conjugate gradients at the end
     */
    record Alps(double penalty, int iterations, int steps) implements Method {
        /** Checks the numbers. */
        public Alps {
            if (!(penalty > 0 && penalty < Double.POSITIVE_INFINITY) || iterations < 1 || steps < 0) {
                throw new IllegalArgumentException(
                        "no such schedule: penalty " + penalty + ", " + iterations + " iterations, " + steps
                                + " steps");
            }
        }

        /** As published. */
        public Alps() {
            this(0.1, 300, 10);
        }
    }
}
