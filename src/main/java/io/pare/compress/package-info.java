/**
 * Compression by ADMM (arXiv 1811.01907): the solver, and what it asks of a training.
 *
 * <p>{@link io.pare.compress.Admm} alternates gradient steps on W with projections onto a
 * {@link io.pare.compress.constraint.Constraint}. It sees tensors and gradients through {@link io.pare.compress.Training}
 * and knows no network, data set or optimiser. {@link io.pare.compress.GradientTraining} serves callers with a network of
 * their own.
 *
 * <p>Public. Three packages belong to it. {@code constraint} has the sets, {@code stage} the steps of a run that use the
 * solver or retrain. {@code recipe} lists stages and runs them.
 *
 * <p>May use {@code compress.constraint}, {@code descent}, {@code kernel}, {@code mpi} and {@code mem}.
 */
@NullMarked
package io.pare.compress;

import org.jspecify.annotations.NullMarked;
