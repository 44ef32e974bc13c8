/**
 * Compression by ADMM (arXiv 1811.01907): constraint sets, the solver, stages, recipes and their runs.
 *
 * <p>{@link io.pare.compress.Admm} alternates gradient steps on W with projections onto a
 * {@link io.pare.compress.Constraint}. A {@link io.pare.compress.Stage} uses it or retrains;
 * a {@link io.pare.compress.Recipe} lists stages; a {@link io.pare.compress.Pipeline} runs them, keeps their state on
 * disk and recounts the result. {@link io.pare.compress.Compression} builds a pipeline in code.
 *
 * <p>Public. The package sees tensors and gradients through {@link io.pare.compress.Training} and knows no network, data
 * set or optimiser. {@link io.pare.compress.GradientTraining} serves callers with a network of their own.
 *
 * <p>May use {@code format.safetensors}, {@code kernel}, {@code mem} and {@code file}.
 */
package io.pare.compress;
