package io.pare.kernel.passes;

import java.lang.foreign.MemorySegment;

/** The passes that find a threshold: see {@link Passes} for the terms. */
public interface SelectPasses {
    /**
     * Adds to {@code counts[at + j]} the number of keys that reach pivot {@code j}.
     *
     * @return the greatest key
     */
    int count(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int pivot0, int pivot1, int pivot2,
            int pivot3, long[] counts, int at);

    /**
     * Writes the keys in [lo, hi) to {@code keys}, in order, from element {@code at}; the array has room for
     * {@code n} and {@link Passes#SLACK} more, which may be overwritten.
     *
     * @param tally receives at {@code slot} the number of keys of at least {@code hi}, then the greatest key
     * @return number of keys written
     */
    int collect(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int lo, int hi, MemorySegment keys,
            long at, long[] tally, int slot);

    /**
     * Writes the numbers of those of the {@code n} elements from element {@code at} on whose keys lie in [from, to). Numbers
     * begin at 0 and go to {@code found}, also from element {@code at} on, with room for {@code n} and
     * {@link Passes#SLACK} more.
     *
     * @return how many
     */
    int between(MemorySegment keys, long at, int n, int from, int to, MemorySegment found);
}
