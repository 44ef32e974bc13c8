package io.pare.kernel;

/**
 * The residuals after an ADMM step.
 *
 * @param primal {@code ||W - Z||}, the distance from feasibility
 * @param dual {@code ||Z - Z before||}, how far the target moved; times rho it is the dual residual of Boyd et al.
 */
public record Residuals(double primal, double dual) {}
