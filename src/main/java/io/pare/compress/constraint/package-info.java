/**
 * Sets that weights are to lie in, each known by its projection and by a count that proves membership.
 *
 * <p>{@link io.pare.compress.constraint.Constraint} is the contract. What a constraint carries from one projection to the
 * next, such as a codebook, lies in a {@link io.pare.compress.constraint.ProjectionState}.
 * {@link io.pare.compress.constraint.Projector} passes tensors to the kernels and counts what they hold.
 *
 * <p>Public. A constraint knows tensors only: no name, no training, no solver. Callers bring their own as
 * {@link io.pare.compress.constraint.Constraint.Custom}.
 *
 * <p>May use {@code descent}, {@code kernel} and {@code mem}.
 */
@NullMarked
package io.pare.compress.constraint;

import org.jspecify.annotations.NullMarked;
