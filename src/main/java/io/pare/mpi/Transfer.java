package io.pare.mpi;

/**
 * A transfer between all processes, over memory that was named when it was made. It is started any number of times, by all
 * of them in the same order, and takes its course while the caller computes. Nothing of it allocates.
 *
 * <p>MPI moves on mostly while one of its functions runs: {@link #test} now and then keeps it going.
 */
public interface Transfer {
    /** Begins; the memory is MPI's until the end. */
    void start();

    /** {@return whether the transfer is over, which it is before the first start} */
    boolean test();

    /** Waits for the end. */
    void await();
}
