/**
 * What a provider of kernels implements for the projections: {@link io.pare.kernel.passes.Passes}, by the algorithms that
 * they serve.
 *
 * <p>Internal: {@link io.pare.kernel.Projections} is the door. The types are public only because their implementations
 * live in packages of their own.
 *
 * <p>This package may use nothing else of Pare.
 */
package io.pare.kernel.passes;
