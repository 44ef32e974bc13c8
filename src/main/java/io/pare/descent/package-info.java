/**
 * What trainings of all kinds share.
 *
 * <p>{@link io.pare.descent.Optimizer} says how a gradient becomes a step, {@link io.pare.descent.Schedule} how long steps
 * are, and a {@link io.pare.descent.Descent} is both. Runs of {@code train}, stages of {@code compress} and programs that
 * embed Pare say by these how they train.
 *
 * <p>Public. All records are immutable.
 *
 * <p>May use {@code kernel} and {@code mem}.
 */
package io.pare.descent;
