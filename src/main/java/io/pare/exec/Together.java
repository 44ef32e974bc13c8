package io.pare.exec;

/**
 * Sums over the processes that see a batch together, of which each runs the same tape on its own part at the same time.
 *
 * <p>One thread at a time, that of the tape.
 */
public interface Together {
    /** {@return the number of processes} */
    int size();

    /**
     * Replaces numbers by their sums over all processes, which are the same everywhere.
     *
     * @param numbers equally many at all of them
     */
    void sum(double[] numbers);
}
