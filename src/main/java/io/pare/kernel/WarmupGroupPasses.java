package io.pare.kernel;

import io.pare.kernel.passes.GroupPasses;
import java.lang.foreign.MemorySegment;

/** {@link GroupPasses} by vectors as soon as those are compiled: see {@link Warmup}. */
final class WarmupGroupPasses implements GroupPasses {
    /** Groups of 2, 4, 8 or 16 have vector loops, the greater of them only where vectors are as long. */
    private static final int LARGEST = 16;

    private final GroupPasses vectors;
    private final GroupPasses plain;
    private final Warmup magnitudes = new Warmup();
    private final Warmup squares = new Warmup();
    /** By the logarithm of the group. */
    private final Warmup[] keep = {new Warmup(), new Warmup(), new Warmup(), new Warmup(), new Warmup()};

    WarmupGroupPasses(GroupPasses vectors, GroupPasses plain) {
        this.vectors = vectors;
        this.plain = plain;
    }

    private GroupPasses of(Warmup.Slices slice) {
        return slice.vectors ? vectors : plain;
    }

    @Override
    public void norm(int power, MemorySegment x, long xOff, int n, double[] sums) {
        Warmup warmup = power == 1 ? magnitudes : squares;
        if (warmup.done()) {
            vectors.norm(power, x, xOff, n, sums);
            return;
        }
        for (Warmup.Slices slice = warmup.slices(n); slice.next();) {
            of(slice).norm(power, x, xOff + (long) slice.from * Float.BYTES, slice.count, sums);
        }
    }

    @Override
    public void keepOfGroup(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int keepers, int group) {
        if (group > LARGEST || Integer.bitCount(group) != 1) {
            plain.keepOfGroup(x, xOff, z, zOff, n, keepers, group);
            return;
        }
        Warmup warmup = keep[Integer.numberOfTrailingZeros(group)];
        if (warmup.done()) {
            vectors.keepOfGroup(x, xOff, z, zOff, n, keepers, group);
            return;
        }
        for (Warmup.Slices slice = warmup.slices(n); slice.next();) {
            long o = (long) slice.from * Float.BYTES;
            of(slice).keepOfGroup(x, xOff + o, z, zOff + o, slice.count, keepers, group);
        }
    }
}
