package io.pare.kernel.passes;

import java.lang.foreign.MemorySegment;

/** The passes over groups of elements: see {@link Passes} for the terms. */
public interface GroupPasses {
    /** Adds |v| (power 1) or v^2 (power 2) of {@code n} elements to the accumulators. */
    void norm(int power, MemorySegment x, long xOff, int n, double[] sums);

    /**
     * Keeps the {@code keep} greatest magnitudes of every {@code group} consecutive elements, the lowest index among
     * equals; {@code n} is a multiple of the group.
     */
    void keepOfGroup(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int keep, int group);
}
