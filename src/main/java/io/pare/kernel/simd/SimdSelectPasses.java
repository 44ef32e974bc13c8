package io.pare.kernel.simd;

import static io.pare.kernel.passes.Passes.MAGNITUDE;
import static io.pare.kernel.simd.Packing.BY_TABLE;
import static io.pare.kernel.simd.Packing.MASKS;
import static io.pare.kernel.simd.Packing.ROWS;
import static io.pare.kernel.simd.Species.F32;
import static io.pare.kernel.simd.Species.I32;
import static io.pare.kernel.simd.Species.LANES;
import static io.pare.kernel.simd.Vectors.INDEX;
import static io.pare.kernel.simd.Vectors.LE;
import static io.pare.kernel.simd.Vectors.found;
import static io.pare.mem.direct.Unconfined.MEMORY;
import static io.pare.mem.direct.Unconfined.floats;

import io.pare.kernel.passes.SelectPasses;
import io.pare.kernel.scalar.ScalarSelectPasses;
import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * {@link SelectPasses} on the Vector API; each has its loop over whole vectors here and its tail in the scalar twin.
 *
 * <p>Compaction ({@link Packing}) packs in a register and stores a whole vector at a cursor. Compressing into memory is
 * microcoded on Zen 4 (hundreds of cycles), and the cursor needs only a count of the mask. Keys are compared by
 * "greater" because AVX2 knows no "at least".
 *
 * <p>Loops address {@link Unconfined#MEMORY}, after a check of each range: {@link Unconfined} tells why.
 */
public final class SimdSelectPasses implements SelectPasses {
    @Override
    public int count(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int pivot0, int pivot1, int pivot2,
            int pivot3, long[] counts, int at) {
        int whole = n - n % LANES;
        int max = u == null
                ? countOne(floats(x, xOff, whole), whole, pivot0, pivot1, pivot2, pivot3, counts, at)
                : countSum(floats(x, xOff, whole), floats(u, uOff, whole), whole, pivot0, pivot1, pivot2, pivot3,
                        counts, at);
        return Math.max(max,
                ScalarSelectPasses.countFrom(whole, x, xOff, u, uOff, n, pivot0, pivot1, pivot2, pivot3, counts, at));
    }

    private static int countOne(long x, int n, int pivot0, int pivot1, int pivot2, int pivot3, long[] counts, int at) {
        IntVector max = IntVector.zero(I32);
        // Masked additions count in lanes: no move from a mask to a register in the loop.
        IntVector count0 = max;
        IntVector count1 = max;
        IntVector count2 = max;
        IntVector count3 = max;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            IntVector key = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE).and(MAGNITUDE);
            max = max.max(key);
            count0 = count0.add(1, key.compare(VectorOperators.GT, pivot0 - 1));
            count1 = count1.add(1, key.compare(VectorOperators.GT, pivot1 - 1));
            count2 = count2.add(1, key.compare(VectorOperators.GT, pivot2 - 1));
            count3 = count3.add(1, key.compare(VectorOperators.GT, pivot3 - 1));
        }
        counts[at] += count0.reduceLanes(VectorOperators.ADD);
        counts[at + 1] += count1.reduceLanes(VectorOperators.ADD);
        counts[at + 2] += count2.reduceLanes(VectorOperators.ADD);
        counts[at + 3] += count3.reduceLanes(VectorOperators.ADD);
        return max.reduceLanes(VectorOperators.MAX);
    }

    /** A loop of its own, because a vector that comes from one of two branches is boxed. */
    private static int countSum(long x, long u, int n, int pivot0, int pivot1, int pivot2, int pivot3, long[] counts,
            int at) {
        IntVector max = IntVector.zero(I32);
        // Masked additions count in lanes: no move from a mask to a register in the loop.
        IntVector count0 = max;
        IntVector count1 = max;
        IntVector count2 = max;
        IntVector count3 = max;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            IntVector key = FloatVector.fromMemorySegment(F32, MEMORY, x + o, LE)
                    .add(FloatVector.fromMemorySegment(F32, MEMORY, u + o, LE)).reinterpretAsInts().and(MAGNITUDE);
            max = max.max(key);
            count0 = count0.add(1, key.compare(VectorOperators.GT, pivot0 - 1));
            count1 = count1.add(1, key.compare(VectorOperators.GT, pivot1 - 1));
            count2 = count2.add(1, key.compare(VectorOperators.GT, pivot2 - 1));
            count3 = count3.add(1, key.compare(VectorOperators.GT, pivot3 - 1));
        }
        counts[at] += count0.reduceLanes(VectorOperators.ADD);
        counts[at + 1] += count1.reduceLanes(VectorOperators.ADD);
        counts[at + 2] += count2.reduceLanes(VectorOperators.ADD);
        counts[at + 3] += count3.reduceLanes(VectorOperators.ADD);
        return max.reduceLanes(VectorOperators.MAX);
    }

    @Override
    public int collect(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int lo, int hi,
            MemorySegment keys, long at, long[] tally, int slot) {
        int whole = n - n % LANES;
        int found = u == null
                ? collectOne(floats(x, xOff, whole), whole, lo, hi, found(keys, at, whole), at, tally, slot)
                : collectSum(floats(x, xOff, whole), floats(u, uOff, whole), whole, lo, hi, found(keys, at, whole), at,
                        tally, slot);
        return found
                + ScalarSelectPasses.collectFrom(whole, x, xOff, u, uOff, n, lo, hi, keys, at + found, tally, slot);
    }

    private static int collectOne(long x, int n, int lo, int hi, long keys, long at, long[] tally, int slot) {
        IntVector max = IntVector.zero(I32);
        IntVector above = max;
        long out = at * Integer.BYTES;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            IntVector key = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE).and(MAGNITUDE);
            VectorMask<Integer> over = key.compare(VectorOperators.GT, hi - 1);
            VectorMask<Integer> inside = key.compare(VectorOperators.GT, lo - 1).andNot(over);
            max = max.max(key);
            above = above.add(1, over);
            long mask = inside.toLong();
            (BY_TABLE
                    ? IntVector.fromArray(I32, ROWS, ((int) mask & MASKS) * LANES).selectFrom(key)
                    : key.compress(inside)).intoMemorySegment(MEMORY, keys + out, LE);
            out += (long) Long.bitCount(mask) * Integer.BYTES;
        }
        tally[slot] = above.reduceLanes(VectorOperators.ADD);
        tally[slot + 1] = max.reduceLanes(VectorOperators.MAX);
        return (int) (out / Integer.BYTES - at);
    }

    private static int collectSum(long x, long u, int n, int lo, int hi, long keys, long at, long[] tally, int slot) {
        IntVector max = IntVector.zero(I32);
        IntVector above = max;
        long out = at * Integer.BYTES;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            IntVector key = FloatVector.fromMemorySegment(F32, MEMORY, x + o, LE)
                    .add(FloatVector.fromMemorySegment(F32, MEMORY, u + o, LE)).reinterpretAsInts().and(MAGNITUDE);
            VectorMask<Integer> over = key.compare(VectorOperators.GT, hi - 1);
            VectorMask<Integer> inside = key.compare(VectorOperators.GT, lo - 1).andNot(over);
            max = max.max(key);
            above = above.add(1, over);
            long mask = inside.toLong();
            (BY_TABLE
                    ? IntVector.fromArray(I32, ROWS, ((int) mask & MASKS) * LANES).selectFrom(key)
                    : key.compress(inside)).intoMemorySegment(MEMORY, keys + out, LE);
            out += (long) Long.bitCount(mask) * Integer.BYTES;
        }
        tally[slot] = above.reduceLanes(VectorOperators.ADD);
        tally[slot + 1] = max.reduceLanes(VectorOperators.MAX);
        return (int) (out / Integer.BYTES - at);
    }

    @Override
    public int between(MemorySegment keys, long at, int n, int from, int to, MemorySegment found) {
        int whole = n - n % LANES;
        long keysAt = floats(keys, at * Integer.BYTES, whole);
        long foundAt = found(found, at, whole);
        long out = at * Integer.BYTES;
        for (int i = 0; i < whole; i += LANES) {
            IntVector key = IntVector.fromMemorySegment(I32, MEMORY, keysAt + (long) i * Integer.BYTES, LE)
                    .and(MAGNITUDE);
            VectorMask<Integer> inside = key.compare(VectorOperators.GT, from - 1)
                    .andNot(key.compare(VectorOperators.GT, to - 1));
            long mask = inside.toLong();
            (BY_TABLE
                    ? IntVector.fromArray(I32, ROWS, ((int) mask & MASKS) * LANES).add(i)
                    : INDEX.add(i).compress(inside)).intoMemorySegment(MEMORY, foundAt + out, LE);
            out += (long) Long.bitCount(mask) * Integer.BYTES;
        }
        int count = (int) (out / Integer.BYTES - at);
        return count + ScalarSelectPasses.betweenFrom(whole, keys, at, n, from, to, found, at + count);
    }
}
