package io.pare.kernel.scalar;

import static io.pare.kernel.passes.Passes.MAGNITUDE;
import static io.pare.kernel.passes.Passes.STRIDE;
import static io.pare.kernel.scalar.Elements.get;
import static io.pare.kernel.scalar.Elements.key;

import io.pare.kernel.passes.GroupPasses;
import java.lang.foreign.MemorySegment;

/** {@link GroupPasses} in plain Java. Static methods take a first element, because they are also the SIMD tails. */
public final class ScalarGroupPasses implements GroupPasses {
    @Override
    public void norm(int power, MemorySegment x, long xOff, int n, double[] sums) {
        normFrom(0, power, x, xOff, n, sums);
    }

    /** {@link #norm} from element {@code from} on. */
    public static void normFrom(int from, int power, MemorySegment x, long xOff, int n, double[] sums) {
        for (int i = from; i < n; i++) {
            double v = Math.abs(get(x, xOff, i));
            sums[i & STRIDE - 1] += power == 1 ? v : v * v;
        }
    }

    @Override
    public void keepOfGroup(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int keep, int group) {
        keepOfGroupFrom(0, x, xOff, z, zOff, n, keep, group);
    }

    /** {@link #keepOfGroup} from element {@code from} on, a multiple of the group. */
    public static void keepOfGroupFrom(int from, MemorySegment x, long xOff, MemorySegment z, long zOff, int n,
            int keep, int group) {
        for (int start = from; start < n; start += group) {
            int last = keep == 0 ? -1 : ranked(x, xOff, start, group, keep - 1);
            int key = last < 0 ? MAGNITUDE : key(get(x, xOff, last));
            int ties = 0;
            for (int i = start; i <= last; i++) {
                ties += key(get(x, xOff, i)) == key ? 1 : 0;
            }
            ScalarTopKPasses.maskFrom(start, x, xOff, z, zOff, start + group, key, ties);
        }
    }

    /** Index of the element that {@code rank} others of its group precede, by magnitude and then by index. */
    private static int ranked(MemorySegment x, long xOff, int start, int group, int rank) {
        for (int i = start; i < start + group; i++) {
            int key = key(get(x, xOff, i));
            int ahead = 0;
            for (int j = start; j < start + group; j++) {
                int other = key(get(x, xOff, j));
                ahead += other > key || other == key && j < i ? 1 : 0;
            }
            if (ahead == rank) {
                return i;
            }
        }
        throw new AssertionError("no element of rank " + rank);
    }
}
