/**
 * Compression without training: weights of one layer that lie in a set and change its outputs least, given some inputs.
 *
 * <p>{@link io.pare.reconstruct.Reconstruction} solves it by ADMM with the projections of Pare and one factor of the
 * inputs' {@link io.pare.reconstruct.Hessian}. Published methods are options of the same class.
 * {@link io.pare.reconstruct.Surgery} removes weights of a whole network by the Hessian of its loss.
 *
 * <p>Public. Begin with {@link io.pare.reconstruct.Reconstruction}. It knows matrices only: no network, no file, no
 * training.
 *
 * <p>May use {@code compress.constraint}, {@code kernel}, {@code blas} and {@code mem}.
 */
@NullMarked
package io.pare.reconstruct;

import org.jspecify.annotations.NullMarked;
