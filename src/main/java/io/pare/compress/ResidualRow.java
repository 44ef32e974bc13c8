package io.pare.compress;

import java.util.Objects;

/**
 * What one ADMM iteration found for one tensor under one constraint.
 *
 * @param tensor name
 * @param constraint in words
 * @param primal norm of W - Z
 * @param dual rho times the norm of Z's change
 * @param norm norm of W
 * @param rho in this iteration
 * @param seconds of the Z and U steps
 */
public record ResidualRow(String tensor, String constraint, double primal, double dual, double norm, double rho,
        double seconds) {
    /** Refuses a row that names no tensor or no constraint. */
    public ResidualRow {
        Objects.requireNonNull(tensor);
        Objects.requireNonNull(constraint);
    }
}
