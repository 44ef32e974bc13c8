package io.pare.compress;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a stage runs ADMM. Keys of the same names stand under {@code admm:} in a recipe.
 *
 * @param rho weight of the penalty in the first iteration
 * @param rhoOf other weights for single tensors, by name or pattern
 * @param rule how rho changes from iteration to iteration
 * @param factor of {@link Rule#MULTIPLY}; ratio of residuals of {@link Rule#BALANCE}
 * @param limit largest rho
 * @param updatesPerEpoch ADMM iterations in an epoch, evenly spread; a share below one makes an iteration span epochs
 * @param restart whether the learning rate's course begins anew in each iteration, rather than spanning the stage
 * @param tolerance residuals, relative to the weights, at which the stage ends early; 0 for never
 * @param fisher whether a squared change of a weight counts, in Z steps and in the cut, by a running mean of the
 *            weight's squared gradient
 * @param consensus whether ranks train apart between two iterations, each by its own gradients, see
 *            {@link Admm.Builder#consensus}; one process is as without it; {@code null} for not
 */
public record AdmmOptions(double rho, Map<String, Double> rhoOf, Rule rule, double factor, double limit,
        double updatesPerEpoch, boolean restart, double tolerance, boolean fisher,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Boolean consensus) {
    /** Values of the keys that a recipe leaves out. */
    public static final AdmmOptions DEFAULTS = new AdmmOptions(1e-3, Map.of(), Rule.FIXED, 1.3, 1, 1, false, 0);

    private static final double MOST = 1e6;

    /** How rho changes between iterations. */
    public enum Rule {
        /** It stays. */
        FIXED,
        /** It is multiplied by the factor in each iteration, see {@link RhoRule.Multiplied}. */
        MULTIPLY,
        /** It follows the residuals, see {@link RhoRule.Balanced}. */
        BALANCE
    }

    /**
     * Takes all changes as equal, as without {@code fisher}.
     *
     * @param rho weight of the penalty in the first iteration
     * @param rhoOf other weights for single tensors
     * @param rule how rho changes
     * @param factor of the rule
     * @param limit largest rho
     * @param updatesPerEpoch ADMM iterations in an epoch
     * @param restart whether the learning rate's course begins anew in each iteration
     * @param tolerance at which the stage ends early; 0 for never
     */
    public AdmmOptions(double rho, Map<String, Double> rhoOf, Rule rule, double factor, double limit,
            double updatesPerEpoch, boolean restart, double tolerance) {
        this(rho, rhoOf, rule, factor, limit, updatesPerEpoch, restart, tolerance, false, null);
    }

    /**
     * Checks every value against the range of its key.
     *
     * @throws IllegalArgumentException if one is out of its range; the message names the key
     */
    public AdmmOptions {
        rhoOf = TensorPattern.inOrder("rhoOf", rhoOf);
        if (rule == null) {
            throw new IllegalArgumentException("rule must be one of fixed, multiply and balance");
        }
        positive("rho", rho);
        rhoOf.forEach((pattern, weight) -> positive("rhoOf: " + pattern, weight));
        positive("factor", factor);
        positive("limit", limit);
        positive("updatesPerEpoch", updatesPerEpoch);
        if (!(tolerance >= 0 && tolerance <= MOST)) {
            throw new IllegalArgumentException("tolerance cannot be " + tolerance);
        }
        // Left out where it is not asked for, as in runs that were saved before there was such a key.
        consensus = Boolean.TRUE.equals(consensus) ? Boolean.TRUE : null;
        if (consensus != null && fisher) {
            throw new IllegalArgumentException(
                    "consensus and fisher exclude each other: each rank has gradients of its own");
        }
        if (rule == Rule.BALANCE && factor <= 1) {
            throw new IllegalArgumentException("factor of balance must be above 1, not " + factor);
        }
        if (rule != Rule.FIXED && limit < rho) {
            throw new IllegalArgumentException(
                    "limit " + limit + " is below rho " + rho + ", which could never change");
        }
    }

    private static void positive(String name, double value) {
        if (!(value > 0 && value <= MOST)) {
            throw new IllegalArgumentException(name + " cannot be " + value + ": must be above 0 and at most " + MOST);
        }
    }

    /** {@return the same with {@code fisher}} */
    public AdmmOptions byFisher() {
        return new AdmmOptions(rho, rhoOf, rule, factor, limit, updatesPerEpoch, restart, tolerance, true, consensus);
    }

    /** {@return whether ranks train apart between two iterations} */
    public boolean apart() {
        return consensus != null;
    }

    /** {@return the rule as the solver takes it} */
    public RhoRule rhoRule() {
        return switch (rule) {
            case FIXED -> new RhoRule.Fixed();
            case MULTIPLY -> new RhoRule.Multiplied(factor, limit);
            case BALANCE -> new RhoRule.Balanced(factor, rho / 1000, limit);
        };
    }

    /**
     * {@return rho for one tensor}
     *
     * @param name of the tensor, for which the longest pattern counts
     */
    public double rho(String name) {
        return TensorPattern.first(rhoOf, name, rho);
    }
}
