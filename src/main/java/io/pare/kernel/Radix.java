package io.pare.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Finds the k-th greatest of a list of keys. Not thread-safe. */
final class Radix {
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int BITS = 11;
    /** From this many keys on, vector passes narrow the range before the radix steps. */
    private static final int MANY = 4096;

    private final SelectPasses passes;
    private final long[] histogram = new long[1 << BITS];
    private final long[] counts = new long[4];
    private final long[] tally = new long[2];
    /** Keys above the one found last, and keys equal to it. */
    long above;
    long equal;

    Radix(SelectPasses passes) {
        this.passes = passes;
    }

    /**
     * Finds the {@code rank}-th greatest (from 1) of {@code n} keys, all in [from, to).
     *
     * @param keys are reordered from element {@code at} on
     */
    int select(MemorySegment keys, long at, long n, int from, int to, long rank) {
        int low = from;
        int range = to - from;
        long count = n;
        long greater = 0;
        while (count > MANY && range > 64) {
            int step = range / 5;
            int first = low + step;
            int second = first + step;
            int third = second + step;
            int fourth = third + step;
            Arrays.fill(counts, 0);
            passes.count(keys, at * 4, null, 0, (int) count, first, second, third, fourth, counts, 0);
            int high = low + range;
            if (rank > greater + counts[0]) {
                greater += counts[0];
                high = first;
            } else if (rank > greater + counts[1]) {
                greater += counts[1];
                low = first;
                high = second;
            } else if (rank > greater + counts[2]) {
                greater += counts[2];
                low = second;
                high = third;
            } else if (rank > greater + counts[3]) {
                greater += counts[3];
                low = third;
                high = fourth;
            } else {
                low = fourth;
            }
            range = high - low;
            count = passes.collect(keys, at * 4, null, 0, (int) count, low, high, keys, at, tally, 0);
        }
        while (true) {
            int shift = Math.max(0, 32 - Integer.numberOfLeadingZeros(range - 1) - BITS);
            if (count == 0) {
                throw new AssertionError("rank " + rank + " of " + n + " keys");
            }
            int used = (range - 1 >>> shift) + 1;
            Arrays.fill(histogram, 0, used, 0);
            for (long i = at; i < at + count; i++) {
                histogram[keys.get(I32, i * 4) - low >>> shift]++;
            }
            int bin = used - 1;
            while (greater + histogram[bin] < rank) {
                greater += histogram[bin];
                bin--;
            }
            low += bin << shift;
            if (shift == 0) {
                above = greater;
                equal = histogram[bin];
                return low;
            }
            range = 1 << shift;
            long kept = at;
            for (long i = at; i < at + count; i++) {
                int candidate = keys.get(I32, i * 4);
                keys.set(I32, kept * 4, candidate);
                kept += candidate - low >>> shift == 0 ? 1 : 0;
            }
            count = kept - at;
        }
    }
}
