package io.pare.kernel;

import io.pare.kernel.passes.SelectPasses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** {@link SelectPasses} by vectors as soon as those are compiled: see {@link Warmup}. */
final class WarmupSelectPasses implements SelectPasses {
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final SelectPasses vectors;
    private final SelectPasses plain;
    private final Warmup countOne = new Warmup();
    private final Warmup countSum = new Warmup();
    private final Warmup collectOne = new Warmup();
    private final Warmup collectSum = new Warmup();
    private final Warmup between = new Warmup();

    WarmupSelectPasses(SelectPasses vectors, SelectPasses plain) {
        this.vectors = vectors;
        this.plain = plain;
    }

    private SelectPasses of(Warmup.Slices slice) {
        return slice.vectors ? vectors : plain;
    }

    @Override
    public int count(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int pivot0, int pivot1, int pivot2,
            int pivot3, long[] counts, int at) {
        Warmup warmup = u == null ? countOne : countSum;
        if (warmup.done()) {
            return vectors.count(x, xOff, u, uOff, n, pivot0, pivot1, pivot2, pivot3, counts, at);
        }
        int max = 0;
        for (Warmup.Slices slice = warmup.slices(n); slice.next();) {
            long o = (long) slice.from * Float.BYTES;
            max = Math.max(max, of(slice).count(x, xOff + o, u, uOff + o, slice.count, pivot0, pivot1, pivot2, pivot3,
                    counts, at));
        }
        return max;
    }

    @Override
    public int collect(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int lo, int hi,
            MemorySegment keys, long at, long[] tally, int slot) {
        Warmup warmup = u == null ? collectOne : collectSum;
        if (warmup.done()) {
            return vectors.collect(x, xOff, u, uOff, n, lo, hi, keys, at, tally, slot);
        }
        int found = 0;
        long above = 0;
        long max = 0;
        for (Warmup.Slices slice = warmup.slices(n); slice.next();) {
            long o = (long) slice.from * Float.BYTES;
            found += of(slice).collect(x, xOff + o, u, uOff + o, slice.count, lo, hi, keys, at + found, tally, slot);
            above += tally[slot];
            max = Math.max(max, tally[slot + 1]);
        }
        tally[slot] = above;
        tally[slot + 1] = max;
        return found;
    }

    @Override
    public int between(MemorySegment keys, long at, int n, int from, int to, MemorySegment found) {
        if (between.done()) {
            return vectors.between(keys, at, n, from, to, found);
        }
        int total = 0;
        for (Warmup.Slices slice = between.slices(n); slice.next();) {
            long first = at + slice.from;
            int more = of(slice).between(keys, first, slice.count, from, to, found);
            move(found, first, at + total, more, slice.from);
            total += more;
        }
        return total;
    }

    /** Moves numbers within a chunk down, from those of a slice that begins at element {@code by}. */
    static void move(MemorySegment numbers, long from, long to, int n, int by) {
        for (int i = 0; i < n; i++) {
            numbers.set(I32, (to + i) * Integer.BYTES, numbers.get(I32, (from + i) * Integer.BYTES) + by);
        }
    }
}
