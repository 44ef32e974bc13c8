/**
 * What this build is, and whether it is well.
 *
 * <p>{@link io.pare.Pare#status} is the health check of a service. {@link io.pare.Main} starts the command line and is
 * not part of the library's jar.
 *
 * <p>May use {@code blas}, {@code dnnl}, {@code kernel}, {@code natives}, {@code mpi} and {@code mem}.
 */
@NullMarked
package io.pare;

import org.jspecify.annotations.NullMarked;
