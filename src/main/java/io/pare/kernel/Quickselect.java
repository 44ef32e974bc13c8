package io.pare.kernel;

import io.pare.kernel.passes.Passes;
import io.pare.kernel.passes.SelectPasses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Finds the k-th greatest of a list of keys by vector passes: each counts at four pivots, and the part that holds the
 * rank is collected. Not thread-safe.
 *
 * <p>Keys of a narrow bracket lie evenly, so their number tells where the rank is, to a few times its square root: one
 * round leaves 60 of 3,000. Where a round leaves more than half, the next one takes its pivots from a sorted handful of
 * the keys, and the one after it from thirds of the range, which ends whatever the keys are. Both isolate a likely
 * key, for the sake of ties. The last few keys are counted by bins, about two for each.
 */
final class Quickselect {
    /** How a round finds its pivots. */
    enum Pivoting {
        EVEN, PROBED, THIRDS;

        private Pivoting next() {
            return switch (this) {
                case EVEN -> PROBED;
                case PROBED -> THIRDS;
                case THIRDS -> EVEN;
            };
        }
    }

    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Up to this many keys a round would cost more than bins. */
    private static final int FEW = 96;
    /** Greatest number of bits that tell bins apart. */
    private static final int BITS = 8;
    /** Keys that are sorted to find pivots. */
    private static final int PROBES = 32;

    private final SelectPasses passes;
    private final int[] bins = new int[1 << BITS];
    private final int[] probes = new int[PROBES];
    private final int[] pivots = new int[4];
    private final long[] counts = new long[4];
    private final long[] tally = new long[2];
    /** Keys above the one found last, and keys equal to it. */
    long above;
    long equal;

    Quickselect(SelectPasses passes) {
        this.passes = passes;
    }

    /**
     * Finds the {@code rank}-th greatest (from 1) of {@code n} keys from element {@code at} on, all in [from, to).
     *
     * @param first how the first round finds its pivots
     * @param work receives keys from element {@code workAt} on, with room as {@link SelectPasses#collect} asks for; may
     *     be the keys' own place, and then they are reordered
     */
    int select(MemorySegment keys, long at, long n, int from, int to, long rank, Pivoting first, MemorySegment work,
            long workAt) {
        MemorySegment in = keys;
        long inAt = at;
        int low = from;
        int range = to - from;
        long count = n;
        long greater = 0;
        Pivoting pivoting = first;
        while (count > FEW && range > 1) {
            switch (pivoting) {
                case EVEN -> setEven(low, range, count, rank - greater);
                case PROBED -> setProbed(in, inAt, low, range, count, rank - greater);
                case THIRDS -> setThirds(low, range, in.get(I32, (inAt + count / 2) * 4) & Passes.MAGNITUDE);
            }
            Arrays.fill(counts, 0);
            passes.count(in, inAt * 4, null, 0, (int) count, pivots[0], pivots[1], pivots[2], pivots[3], counts, 0);
            int part = 0;
            while (part < 4 && rank <= greater + counts[part]) {
                part++;
            }
            int high = part == 4 ? low + range : pivots[part];
            long reachHigh = part == 4 ? 0 : counts[part];
            long inside = (part == 0 ? count : counts[part - 1]) - reachHigh;
            low = part == 0 ? low : pivots[part - 1];
            range = high - low;
            greater += reachHigh;
            pivoting = 2 * inside <= count ? Pivoting.EVEN : pivoting.next();
            if (inside < count && range > 1) {
                passes.collect(in, inAt * 4, null, 0, (int) count, low, high, work, workAt, tally, 0);
                in = work;
                inAt = workAt;
            }
            count = inside;
        }
        if (count == 0) {
            throw new AssertionError("rank " + rank + " of " + n + " keys");
        }
        if (range == 1) {
            above = greater;
            equal = count;
            return low;
        }
        return byBins(in, inAt, count, low, range, greater, rank, work, workAt);
    }

    /** Sets pivots around the place of the rank among keys that lie evenly. */
    private void setEven(int low, int range, long count, long rank) {
        double share = (rank - 0.5) / count;
        double middle = low + range * (1 - share);
        double deviation = range * Math.sqrt(share * (1 - share) / count) + 1;
        double high = (double) low + range;
        pivots[0] = (int) Math.clamp(middle - 3 * deviation, low, high);
        pivots[1] = (int) Math.clamp(middle - 0.7 * deviation, low, high);
        pivots[2] = (int) Math.clamp(middle + 0.7 * deviation, low, high);
        pivots[3] = (int) Math.clamp(middle + 3 * deviation, low, high);
    }

    private void setProbed(MemorySegment keys, long at, int low, int range, long count, long rank) {
        int[] sorted = probes;
        long step = count / PROBES;
        for (int i = 0; i < PROBES; i++) {
            sorted[i] = keys.get(I32, (at + i * step) * 4) & Passes.MAGNITUDE;
        }
        Arrays.sort(sorted);
        double share = (rank - 0.5) / count;
        double place = PROBES * (1 - share);
        double margin = 1.5 * Math.sqrt(PROBES * share * (1 - share)) + 0.5;
        int likely = sorted[Math.min(PROBES - 1, (int) place)];
        int below = (int) Math.floor(place - margin);
        int beyond = (int) Math.ceil(place + margin);
        pivots[0] = below < 0 ? low : sorted[below];
        pivots[1] = likely;
        pivots[2] = likely + 1;
        pivots[3] = beyond >= PROBES ? low + range : Math.max(likely + 1, sorted[beyond]);
    }

    private void setThirds(int low, int range, int likely) {
        pivots[0] = Math.min(likely, low + range / 3);
        pivots[1] = likely;
        pivots[2] = likely + 1;
        pivots[3] = Math.max(likely + 1, low + (range - range / 3));
    }

    private int byBins(MemorySegment keys, long at, long n, int from, int width, long beyond, long rank,
            MemorySegment work, long workAt) {
        MemorySegment in = keys;
        long inAt = at;
        int low = from;
        int range = width;
        int count = (int) n;
        long greater = beyond;
        while (true) {
            int bits = Math.min(BITS, Integer.SIZE + 1 - Integer.numberOfLeadingZeros(count));
            int shift = Math.max(0, Integer.SIZE - Integer.numberOfLeadingZeros(range - 1) - bits);
            int used = (range - 1 >>> shift) + 1;
            Arrays.fill(bins, 0, used, 0);
            for (int i = 0; i < count; i++) {
                bins[(in.get(I32, (inAt + i) * 4) & Passes.MAGNITUDE) - low >>> shift]++;
            }
            int bin = used - 1;
            while (greater + bins[bin] < rank) {
                greater += bins[bin];
                bin--;
            }
            low += bin << shift;
            if (shift == 0) {
                above = greater;
                equal = bins[bin];
                return low;
            }
            range = 1 << shift;
            int kept = 0;
            for (int i = 0; i < count; i++) {
                int candidate = in.get(I32, (inAt + i) * 4) & Passes.MAGNITUDE;
                work.set(I32, (workAt + kept) * 4, candidate);
                kept += candidate - low >>> shift == 0 ? 1 : 0;
            }
            in = work;
            inAt = workAt;
            count = kept;
            if (count == 1) {
                above = greater;
                equal = 1;
                return in.get(I32, inAt * 4);
            }
        }
    }
}
