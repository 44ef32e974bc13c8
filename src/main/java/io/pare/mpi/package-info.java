/**
 * The processes that a launcher such as {@code mpirun} started together, and what they send to each other over MPI.
 *
 * <p>{@link io.pare.mpi.Ranks#world()} finds them. Without a launcher there is one process, and no library is loaded. Open
 * MPI 4 and 5 and MPICH are bound, each by its own binary interface.
 *
 * <p>Public. One thread at a time.
 *
 * <p>May use {@code ffm.openmpi}, {@code ffm.mpich}, {@code ffm.lookup} and {@code mem}.
 */
@NullMarked
package io.pare.mpi;

import org.jspecify.annotations.NullMarked;
