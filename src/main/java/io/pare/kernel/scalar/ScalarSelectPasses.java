package io.pare.kernel.scalar;

import static io.pare.kernel.passes.Passes.MAGNITUDE;
import static io.pare.kernel.scalar.Elements.key;
import static io.pare.kernel.scalar.Elements.sum;

import io.pare.kernel.passes.SelectPasses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** {@link SelectPasses} in plain Java. Static methods take a first element, because they are also the SIMD tails. */
public final class ScalarSelectPasses implements SelectPasses {
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public int count(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int pivot0, int pivot1, int pivot2,
            int pivot3, long[] counts, int at) {
        return countFrom(0, x, xOff, u, uOff, n, pivot0, pivot1, pivot2, pivot3, counts, at);
    }

    /** {@link #count} from element {@code from} on. */
    public static int countFrom(int from, MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int pivot0,
            int pivot1, int pivot2, int pivot3, long[] counts, int at) {
        int max = 0;
        for (int i = from; i < n; i++) {
            int key = key(sum(x, xOff, u, uOff, i));
            max = Math.max(max, key);
            counts[at] += key >= pivot0 ? 1 : 0;
            counts[at + 1] += key >= pivot1 ? 1 : 0;
            counts[at + 2] += key >= pivot2 ? 1 : 0;
            counts[at + 3] += key >= pivot3 ? 1 : 0;
        }
        return max;
    }

    @Override
    public int collect(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int lo, int hi,
            MemorySegment keys, long at, long[] tally, int slot) {
        tally[slot] = 0;
        tally[slot + 1] = 0;
        return collectFrom(0, x, xOff, u, uOff, n, lo, hi, keys, at, tally, slot);
    }

    /** {@link #collect} from element {@code from} on; adds to the tally. */
    public static int collectFrom(int from, MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int lo,
            int hi, MemorySegment keys, long at, long[] tally, int slot) {
        int found = 0;
        long above = 0;
        int max = 0;
        for (int i = from; i < n; i++) {
            int key = key(sum(x, xOff, u, uOff, i));
            max = Math.max(max, key);
            above += key >= hi ? 1 : 0;
            if (key >= lo && key < hi) {
                keys.set(I32, (at + found) * Integer.BYTES, key);
                found++;
            }
        }
        tally[slot] += above;
        tally[slot + 1] = Math.max(tally[slot + 1], max);
        return found;
    }

    @Override
    public int between(MemorySegment keys, long at, int n, int from, int to, MemorySegment found) {
        return betweenFrom(0, keys, at, n, from, to, found, at);
    }

    /** {@link #between} from key {@code first} on, written from element {@code out} on. */
    public static int betweenFrom(int first, MemorySegment keys, long at, int n, int from, int to, MemorySegment found,
            long out) {
        int count = 0;
        for (int i = first; i < n; i++) {
            int key = keys.get(I32, (at + i) * Integer.BYTES) & MAGNITUDE;
            if (key >= from && key < to) {
                found.set(I32, (out + count) * Integer.BYTES, i);
                count++;
            }
        }
        return count;
    }
}
