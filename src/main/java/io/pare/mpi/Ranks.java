package io.pare.mpi;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Processes that run the same program at the same time, each with a number of its own, its rank.
 *
 * <p>All methods but {@link #rank}, {@link #size}, {@link #words} and {@link #leave} are for all processes at once, in the
 * same order: a process waits in them for the others. Memory that is handed over stays the caller's and must outlive its
 * use. One thread at a time.
 */
public sealed interface Ranks permits OneRank, LaunchedRanks {
    /** {@return a process that is alone, which needs no MPI} */
    static Ranks alone() {
        return OneRank.INSTANCE;
    }

    /**
     * {@return the processes that a launcher started, of which this is one; {@link #alone} without a launcher}
     *
     * <p>The first call loads MPI and waits until all processes have called. A process leaves by {@link #leave}.
     *
     * @throws RanksException if a launcher started this process, and MPI cannot be loaded or begun
     */
    static Ranks world() {
        return LaunchedRanks.world();
    }

    /**
     * {@return the number that a launcher gave this process, from 0; 0 without one} Nothing is loaded to know it.
     */
    static int launchedRank() {
        return Launcher.found().map(Launcher::rank).orElse(0);
    }

    /**
     * {@return what a launcher, if there is one, and MPI are found to be, in words} Nothing is begun.
     */
    static String found() {
        return LaunchedRanks.found();
    }

    /**
     * Ends what {@link #world} began, if it did: in good order where the run is done or all processes have failed alike, else
     * by ending the other processes, too.
     *
     * @param code exit code of this process
     * @return the exit code of all where they end together, else {@code code}; the launcher gives it on
     */
    static int leave(int code) {
        return LaunchedRanks.leave(code);
    }

    /** {@return nanoseconds for which this process has waited for others by now; 0 if it does not} Any thread may ask. */
    static long waiting() {
        return LaunchedRanks.waiting();
    }

    /** {@return the number of this process, from 0} */
    int rank();

    /** {@return the number of processes} */
    int size();

    /** {@return whether this is the process that writes and prints} */
    default boolean first() {
        return rank() == 0;
    }

    /** {@return the number of processes on this machine, by the name that MPI has for it} All processes call. */
    int here();

    /** {@return the library and the number of processes, in words} */
    String words();

    /**
     * {@return the bytes of all processes, by rank}
     *
     * @param own of any length, fewer than 2^31 in all
     */
    byte[][] gather(byte[] own);

    /**
     * {@return the bytes of the first process}
     *
     * @param own read there alone
     */
    byte[] fromFirst(byte[] own);

    /**
     * Gives memory the content that it has at one process, without copies in between.
     *
     * @param rank of that process
     * @param memory off-heap, as long at all processes
     */
    void from(int rank, MemorySegment memory);

    /**
     * {@return a sum over all processes, in the order that MPI finds best}
     *
     * @param floats off-heap; replaced by the sums
     */
    Transfer sum(MemorySegment floats);

    /**
     * {@return an exchange in which each process gets part {@code r} of all others, if {@code r} is its rank}
     *
     * @param send {@link #size} parts of equal length, by rank of who gets them
     * @param receive likewise, by rank of who sent them
     */
    Transfer exchange(MemorySegment send, MemorySegment receive);

    /**
     * {@return a transfer by which all processes get all parts}
     *
     * @param parts {@link #size} of equal length, by rank of who has them
     */
    Transfer spread(MemorySegment parts);

    /**
     * Runs what each process does for itself. Where it fails in one, it fails in all, and all know of it.
     *
     * @param <T> type of the result
     * @param work done by each process
     * @return its result
     * @throws RanksException that is {@linkplain RanksException#shared() shared}, if it failed elsewhere; with the message of
     *             the first process where it failed
     * @throws E what failed here
     * @param <E> what may be thrown
     */
    <T, E extends Exception> T together(Work<T, E> work) throws E;

    /**
     * What a process does for itself.
     *
     * @param <T> type of its result
     * @param <E> what it may throw
     */
    interface Work<T, E extends Exception> {
        /**
         * {@return its result}
         *
         * @throws E if it fails
         */
        T run() throws E;
    }

    /**
     * Compares what must be the same everywhere.
     *
     * @param facts values by what they are, in the message
     * @throws RanksException that is shared, if a process differs from the first one
     */
    default void requireSame(Map<String, String> facts) {
        byte[][] all = gather(String.join("\0", new TreeMap<>(facts).values()).getBytes(StandardCharsets.UTF_8));
        List<String> names = List.copyOf(new TreeMap<>(facts).keySet());
        String[] expected = new String(all[0], StandardCharsets.UTF_8).split("\0", -1);
        for (int i = 1; i < all.length; i++) {
            String[] found = new String(all[i], StandardCharsets.UTF_8).split("\0", -1);
            for (int k = 0; k < names.size(); k++) {
                if (k >= found.length || k >= expected.length || !found[k].equals(expected[k])) {
                    endTogether();
                    throw new RanksException("rank " + i + " differs from rank 0 in " + names.get(k)
                            + (k < found.length && k < expected.length && found[k].length() + expected[k].length() < 200
                                    ? ": '" + found[k] + "', not '" + expected[k] + "'"
                                    : "")
                            + "; start all ranks alike", true);
                }
            }
        }
    }

    /**
     * {@return whether all processes of {@link #world} end, as all of them know: then one of them says why}
     */
    static boolean ending() {
        return LaunchedRanks.ending();
    }

    /** Says that all processes end at this point, whatever their exit code. */
    void endTogether();
}
