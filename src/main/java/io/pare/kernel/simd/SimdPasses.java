package io.pare.kernel.simd;

import static io.pare.kernel.simd.Species.F32;
import static io.pare.kernel.simd.Species.F64;
import static io.pare.kernel.simd.Species.I32;
import static io.pare.kernel.simd.Species.LANES;
import static io.pare.mem.Unconfined.MEMORY;
import static io.pare.mem.Unconfined.floats;
import static io.pare.mem.Unconfined.writableFloats;

import io.pare.kernel.Passes;
import io.pare.kernel.scalar.ScalarPasses;
import io.pare.mem.Unconfined;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * {@link Passes} on the Vector API; each has its loop over whole vectors here and its tail in the scalar twin.
 *
 * <p>Compaction compresses in a register and stores a whole vector at a cursor: compressing into memory is microcoded
 * on Zen 4 (hundreds of cycles), and the cursor needs only a count of the mask.
 *
 * <p>Loops address {@link Unconfined#MEMORY}, after a check of each range: {@link Unconfined} tells why.
 */
public final class SimdPasses implements Passes {
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(LE);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(LE);
    private static final ValueLayout.OfLong BITS64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LE);
    private static final ValueLayout.OfShort BITS16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LE);
    private static final int HALF = LANES / 2;
    /** Elements of a block: 256 vectors. */
    private static final int BLOCK = 256 * LANES;
    /** Cuts that {@link #reach} sums for at a time. */
    private static final int CUTS = 8;
    /** Where counts begin: a block's fine parts in a lane stay below 256 * FINE / 2 in magnitude. */
    private static final int COUNT_SHIFT = 22;
    private static final VectorShuffle<Float> UPPER = VectorShuffle.iota(F32, HALF, 1, true);
    private static final IntVector INDEX = IntVector.zero(I32).addIndex(1);

    /** Where an array begins that receives {@code n} elements at most from {@code at} on, a whole vector at a time. */
    private static long found(MemorySegment segment, long at, int n) {
        long offset = at * Integer.BYTES;
        return Unconfined.writable(segment, offset, (n + (long) LANES) * Integer.BYTES) - offset;
    }

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(F32, MEMORY, address, LE);
    }

    /** Bits of x, or of x + u. */
    private static IntVector bits(long x, long u) {
        return u == 0
                ? IntVector.fromMemorySegment(I32, MEMORY, x, LE)
                : load(x).add(load(u)).reinterpretAsInts();
    }

    private static IntVector key(IntVector bits) {
        return bits.and(MAGNITUDE);
    }

    @Override
    public int count(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int pivot0, int pivot1, int pivot2,
            int pivot3, long[] counts, int at) {
        int whole = n - n % LANES;
        int max = u == null
                ? countOne(floats(x, xOff, whole), whole, pivot0, pivot1, pivot2, pivot3, counts, at)
                : countSum(floats(x, xOff, whole), floats(u, uOff, whole), whole, pivot0, pivot1, pivot2, pivot3,
                        counts, at);
        return Math.max(max,
                ScalarPasses.countFrom(whole, x, xOff, u, uOff, n, pivot0, pivot1, pivot2, pivot3, counts, at));
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
            count0 = count0.add(1, key.compare(VectorOperators.GE, pivot0));
            count1 = count1.add(1, key.compare(VectorOperators.GE, pivot1));
            count2 = count2.add(1, key.compare(VectorOperators.GE, pivot2));
            count3 = count3.add(1, key.compare(VectorOperators.GE, pivot3));
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
            count0 = count0.add(1, key.compare(VectorOperators.GE, pivot0));
            count1 = count1.add(1, key.compare(VectorOperators.GE, pivot1));
            count2 = count2.add(1, key.compare(VectorOperators.GE, pivot2));
            count3 = count3.add(1, key.compare(VectorOperators.GE, pivot3));
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
        return found + ScalarPasses.collectFrom(whole, x, xOff, u, uOff, n, lo, hi, keys, at + found, tally, slot);
    }

    private static int collectOne(long x, int n, int lo, int hi, long keys, long at, long[] tally, int slot) {
        IntVector max = IntVector.zero(I32);
        IntVector above = max;
        long out = at * Integer.BYTES;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            IntVector key = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE).and(MAGNITUDE);
            VectorMask<Integer> over = key.compare(VectorOperators.GE, hi);
            VectorMask<Integer> inside = key.compare(VectorOperators.GE, lo).andNot(over);
            max = max.max(key);
            above = above.add(1, over);
            key.compress(inside).intoMemorySegment(MEMORY, keys + out, LE);
            out += (long) inside.trueCount() * Integer.BYTES;
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
            VectorMask<Integer> over = key.compare(VectorOperators.GE, hi);
            VectorMask<Integer> inside = key.compare(VectorOperators.GE, lo).andNot(over);
            max = max.max(key);
            above = above.add(1, over);
            key.compress(inside).intoMemorySegment(MEMORY, keys + out, LE);
            out += (long) inside.trueCount() * Integer.BYTES;
        }
        tally[slot] = above.reduceLanes(VectorOperators.ADD);
        tally[slot + 1] = max.reduceLanes(VectorOperators.MAX);
        return (int) (out / Integer.BYTES - at);
    }

    @Override
    public int speculate(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int lo, int guess, int hi,
            MemorySegment keys, MemorySegment places, long at, long[] tally, int slot) {
        int whole = n - n % LANES;
        int found = guess(floats(x, xOff, whole), writableFloats(z, zOff, whole), whole, lo, guess, hi,
                found(keys, at, whole), found(places, at, whole), at, tally, slot);
        return found + ScalarPasses.speculateFrom(whole, x, xOff, z, zOff, n, lo, guess, hi, keys, places, at + found,
                tally, slot);
    }

    private static int guess(long x, long z, int n, int lo, int guess, int hi, long keys, long places, long at,
            long[] tally, int slot) {
        IntVector zero = IntVector.zero(I32);
        IntVector max = zero;
        IntVector above = zero;
        long out = at * Integer.BYTES;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            IntVector bits = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE);
            IntVector key = bits.and(MAGNITUDE);
            zero.blend(bits, key.compare(VectorOperators.GE, guess)).intoMemorySegment(MEMORY, z + o, LE);
            VectorMask<Integer> over = key.compare(VectorOperators.GE, hi);
            VectorMask<Integer> inside = key.compare(VectorOperators.GE, lo).andNot(over);
            max = max.max(key);
            above = above.add(1, over);
            key.compress(inside).intoMemorySegment(MEMORY, keys + out, LE);
            INDEX.add(i).compress(inside).intoMemorySegment(MEMORY, places + out, LE);
            out += (long) inside.trueCount() * Integer.BYTES;
        }
        tally[slot] = above.reduceLanes(VectorOperators.ADD);
        tally[slot + 1] = max.reduceLanes(VectorOperators.MAX);
        return (int) (out / Integer.BYTES - at);
    }

    @Override
    public int speculateBits(MemorySegment x, long xOff, MemorySegment bits, long bitsOff, int n, int lo, int guess,
            int hi, MemorySegment keys, MemorySegment places, long at, long[] tally, int slot) {
        int whole = n - n % Long.SIZE;
        int found = guessBits(floats(x, xOff, whole), Unconfined.writable(bits, bitsOff, whole / 8), whole, lo, guess,
                hi, found(keys, at, whole), found(places, at, whole), at, tally, slot);
        return found + ScalarPasses.speculateBitsFrom(whole, x, xOff, bits, bitsOff, n, lo, guess, hi, keys, places,
                at + found, tally, slot);
    }

    private static int guessBits(long x, long bits, int n, int lo, int guess, int hi, long keys, long places, long at,
            long[] tally, int slot) {
        IntVector max = IntVector.zero(I32);
        IntVector above = max;
        long out = at * Integer.BYTES;
        for (int i = 0; i < n; i += Long.SIZE) {
            long set = 0;
            for (int j = 0; j < Long.SIZE; j += LANES) {
                long o = (long) (i + j) * Float.BYTES;
                IntVector key = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE).and(MAGNITUDE);
                set |= key.compare(VectorOperators.GE, guess).toLong() << j;
                VectorMask<Integer> over = key.compare(VectorOperators.GE, hi);
                VectorMask<Integer> inside = key.compare(VectorOperators.GE, lo).andNot(over);
                max = max.max(key);
                above = above.add(1, over);
                key.compress(inside).intoMemorySegment(MEMORY, keys + out, LE);
                INDEX.add(i + j).compress(inside).intoMemorySegment(MEMORY, places + out, LE);
                out += (long) inside.trueCount() * Integer.BYTES;
            }
            MEMORY.set(BITS64, bits + (i >>> 3), set);
        }
        tally[slot] = above.reduceLanes(VectorOperators.ADD);
        tally[slot + 1] = max.reduceLanes(VectorOperators.MAX);
        return (int) (out / Integer.BYTES - at);
    }

    @Override
    public int speculateAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff, int n,
            int lo, int guess, int hi, MemorySegment keys, MemorySegment places, MemorySegment olds, long at,
            long[] tally, int slot, double[] primal, double[] dual) {
        int whole = n - n % Passes.STRIDE;
        long wAt = floats(w, wOff, whole);
        long uAt = writableFloats(u, uOff, whole);
        long zAt = writableFloats(z, zOff, whole);
        long keysAt = found(keys, at, whole);
        long placesAt = found(places, at, whole);
        long oldsAt = found(olds, at, whole);
        int found = LANES == Passes.STRIDE
                ? step(wAt, uAt, zAt, whole, lo, guess, hi, keysAt, placesAt, oldsAt, at, tally, slot, primal, dual)
                : shortStep(wAt, uAt, zAt, whole, lo, guess, hi, keysAt, placesAt, oldsAt, at, tally, slot, primal,
                        dual);
        return found + ScalarPasses.speculateAdmmFrom(whole, w, wOff, u, uOff, z, zOff, n, lo, guess, hi, keys, places,
                olds, at + found, tally, slot, primal, dual);
    }

    /**
     * One loop does everything, since it waits for memory anyway. No method of ours is called in it, nor is there a
     * branch: in a loop so large the JIT may stop inlining, and box vectors. The products are exact in double precision,
     * so that fma rounds as the scalar twin does.
     */
    private static int step(long w, long u, long z, int n, int lo, int guess, int hi, long keys, long places, long olds,
            long at, long[] tally, int slot, double[] primal, double[] dual) {
        IntVector zero = IntVector.zero(I32);
        IntVector max = zero;
        IntVector above = zero;
        DoubleVector primal0 = DoubleVector.fromArray(F64, primal, 0);
        DoubleVector primal1 = DoubleVector.fromArray(F64, primal, HALF);
        DoubleVector dual0 = DoubleVector.fromArray(F64, dual, 0);
        DoubleVector dual1 = DoubleVector.fromArray(F64, dual, HALF);
        long out = at * Integer.BYTES;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            FloatVector weight = FloatVector.fromMemorySegment(F32, MEMORY, w + o, LE);
            FloatVector old = FloatVector.fromMemorySegment(F32, MEMORY, z + o, LE);
            IntVector v = weight.add(FloatVector.fromMemorySegment(F32, MEMORY, u + o, LE)).reinterpretAsInts();
            IntVector key = v.and(MAGNITUDE);
            VectorMask<Integer> kept = key.compare(VectorOperators.GE, guess);
            IntVector next = zero.blend(v, kept);
            next.intoMemorySegment(MEMORY, z + o, LE);
            v.blend(zero, kept).intoMemorySegment(MEMORY, u + o, LE);
            FloatVector p = weight.sub(next.reinterpretAsFloats());
            FloatVector d = next.reinterpretAsFloats().sub(old);
            DoubleVector p0 = (DoubleVector) p.convertShape(VectorOperators.F2D, F64, 0);
            DoubleVector p1 = (DoubleVector) p.rearrange(UPPER).convertShape(VectorOperators.F2D, F64, 0);
            DoubleVector d0 = (DoubleVector) d.convertShape(VectorOperators.F2D, F64, 0);
            DoubleVector d1 = (DoubleVector) d.rearrange(UPPER).convertShape(VectorOperators.F2D, F64, 0);
            primal0 = p0.fma(p0, primal0);
            primal1 = p1.fma(p1, primal1);
            dual0 = d0.fma(d0, dual0);
            dual1 = d1.fma(d1, dual1);
            VectorMask<Integer> over = key.compare(VectorOperators.GE, hi);
            VectorMask<Integer> inside = key.compare(VectorOperators.GE, lo).andNot(over);
            max = max.max(key);
            above = above.add(1, over);
            key.compress(inside).intoMemorySegment(MEMORY, keys + out, LE);
            INDEX.add(i).compress(inside).intoMemorySegment(MEMORY, places + out, LE);
            old.reinterpretAsInts().compress(inside).intoMemorySegment(MEMORY, olds + out, LE);
            out += (long) inside.trueCount() * Integer.BYTES;
        }
        primal0.intoArray(primal, 0);
        primal1.intoArray(primal, HALF);
        dual0.intoArray(dual, 0);
        dual1.intoArray(dual, HALF);
        tally[slot] = above.reduceLanes(VectorOperators.ADD);
        tally[slot + 1] = max.reduceLanes(VectorOperators.MAX);
        return (int) (out / Integer.BYTES - at);
    }

    /** {@link #step} for vectors shorter than the strided sums. */
    private static int shortStep(long w, long u, long z, int n, int lo, int guess, int hi, long keys, long places,
            long olds, long at, long[] tally, int slot, double[] primal, double[] dual) {
        IntVector zero = IntVector.zero(I32);
        IntVector max = zero;
        IntVector above = zero;
        long out = at * Integer.BYTES;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            FloatVector weight = load(w + o);
            FloatVector old = load(z + o);
            IntVector v = weight.add(load(u + o)).reinterpretAsInts();
            IntVector key = key(v);
            VectorMask<Integer> kept = key.compare(VectorOperators.GE, guess);
            IntVector next = zero.blend(v, kept);
            int lane = i & Passes.STRIDE - 1;
            square(weight, next.reinterpretAsFloats(), primal, lane);
            square(next.reinterpretAsFloats(), old, dual, lane);
            next.intoMemorySegment(MEMORY, z + o, LE);
            v.blend(zero, kept).intoMemorySegment(MEMORY, u + o, LE);
            VectorMask<Integer> over = key.compare(VectorOperators.GE, hi);
            VectorMask<Integer> inside = key.compare(VectorOperators.GE, lo).andNot(over);
            max = max.max(key);
            above = above.add(1, over);
            key.compress(inside).intoMemorySegment(MEMORY, keys + out, LE);
            INDEX.add(i).compress(inside).intoMemorySegment(MEMORY, places + out, LE);
            old.reinterpretAsInts().compress(inside).intoMemorySegment(MEMORY, olds + out, LE);
            out += (long) inside.trueCount() * Integer.BYTES;
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
            IntVector key = IntVector.fromMemorySegment(I32, MEMORY, keysAt + (long) i * Integer.BYTES, LE);
            VectorMask<Integer> inside = key.compare(VectorOperators.GE, from)
                    .andNot(key.compare(VectorOperators.GE, to));
            INDEX.add(i).compress(inside).intoMemorySegment(MEMORY, foundAt + out, LE);
            out += (long) inside.trueCount() * Integer.BYTES;
        }
        int count = (int) (out / Integer.BYTES - at);
        return count + ScalarPasses.betweenFrom(whole, keys, at, n, from, to, found, at + count);
    }

    /** Adds (a - b)^2 to the strided accumulators, from {@code lane} on; the float difference is rounded first. */
    private static void square(FloatVector a, FloatVector b, double[] lanes, int lane) {
        FloatVector difference = a.sub(b);
        DoubleVector low = low(difference);
        DoubleVector high = high(difference);
        DoubleVector.fromArray(F64, lanes, lane).add(low.mul(low)).intoArray(lanes, lane);
        DoubleVector.fromArray(F64, lanes, lane + HALF).add(high.mul(high)).intoArray(lanes, lane + HALF);
    }

    private static DoubleVector low(FloatVector v) {
        return (DoubleVector) v.convertShape(VectorOperators.F2D, F64, 0);
    }

    /** The upper half, moved down by a constant: the conversion of part 1 computes its permutation each time. */
    private static DoubleVector high(FloatVector v) {
        return (DoubleVector) v.rearrange(UPPER).convertShape(VectorOperators.F2D, F64, 0);
    }

    @Override
    public void mask(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int key, long ties) {
        int whole = n - n % LANES;
        long xAt = floats(x, xOff, whole);
        long zAt = writableFloats(z, zOff, whole);
        if (ties >= n) {
            maskAbove(xAt, zAt, 0, whole, key - 1);
            ScalarPasses.maskFrom(whole, x, xOff, z, zOff, n, key, ties);
            return;
        }
        int i = 0;
        long left = ties;
        IntVector zero = IntVector.zero(I32);
        for (; i < whole; i += LANES) {
            long o = (long) i * Float.BYTES;
            IntVector bits = IntVector.fromMemorySegment(I32, MEMORY, xAt + o, LE);
            IntVector found = bits.and(MAGNITUDE);
            int same = found.compare(VectorOperators.EQ, key).trueCount();
            if (same >= left) {
                break;
            }
            zero.blend(bits, found.compare(VectorOperators.GE, key)).intoMemorySegment(MEMORY, zAt + o, LE);
            left -= same;
        }
        if (i < whole) {
            // The vector in which the last survivor of the ties lies.
            ScalarPasses.maskFrom(i, x, xOff, z, zOff, i + LANES, key, left);
            left = 0;
            i += LANES;
        }
        maskAbove(xAt, zAt, i, whole, key);
        ScalarPasses.maskFrom(whole, x, xOff, z, zOff, n, key, left);
    }

    private static void maskAbove(long x, long z, int from, int to, int key) {
        IntVector zero = IntVector.zero(I32);
        for (int i = from; i < to; i += LANES) {
            long o = (long) i * Float.BYTES;
            IntVector bits = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE);
            zero.blend(bits, key(bits).compare(VectorOperators.GT, key)).intoMemorySegment(MEMORY, z + o, LE);
        }
    }

    @Override
    public void maskAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff, int n,
            int key, long ties, double[] primal, double[] dual) {
        int whole = n - n % Passes.STRIDE;
        long wAt = floats(w, wOff, whole);
        long uAt = writableFloats(u, uOff, whole);
        long zAt = writableFloats(z, zOff, whole);
        if (ties >= n) {
            maskAdmmAbove(wAt, uAt, zAt, 0, whole, key - 1, primal, dual);
            ScalarPasses.maskAdmmFrom(whole, w, wOff, u, uOff, z, zOff, n, key, ties, primal, dual);
            return;
        }
        int i = 0;
        long left = ties;
        for (; i < whole && left > 0; i += Passes.STRIDE) {
            int same = 0;
            for (int j = i; j < i + Passes.STRIDE; j += LANES) {
                long o = (long) j * Float.BYTES;
                same += key(bits(wAt + o, uAt + o)).compare(VectorOperators.EQ, key).trueCount();
            }
            if (same > left) {
                ScalarPasses.maskAdmmFrom(i, w, wOff, u, uOff, z, zOff, i + Passes.STRIDE, key, left, primal, dual);
                left = 0;
            } else {
                maskAdmmAbove(wAt, uAt, zAt, i, i + Passes.STRIDE, key - 1, primal, dual);
                left -= same;
            }
        }
        maskAdmmAbove(wAt, uAt, zAt, i, whole, key, primal, dual);
        ScalarPasses.maskAdmmFrom(whole, w, wOff, u, uOff, z, zOff, n, key, left, primal, dual);
    }

    private static void maskAdmmAbove(long w, long u, long z, int from, int to, int key, double[] primal,
            double[] dual) {
        if (LANES < Passes.STRIDE) {
            shortMaskAdmmAbove(w, u, z, from, to, key, primal, dual);
            return;
        }
        IntVector zero = IntVector.zero(I32);
        DoubleVector primal0 = DoubleVector.fromArray(F64, primal, 0);
        DoubleVector primal1 = DoubleVector.fromArray(F64, primal, HALF);
        DoubleVector dual0 = DoubleVector.fromArray(F64, dual, 0);
        DoubleVector dual1 = DoubleVector.fromArray(F64, dual, HALF);
        for (int i = from; i < to; i += LANES) {
            long o = (long) i * Float.BYTES;
            FloatVector weight = FloatVector.fromMemorySegment(F32, MEMORY, w + o, LE);
            FloatVector old = FloatVector.fromMemorySegment(F32, MEMORY, z + o, LE);
            IntVector v = weight.add(FloatVector.fromMemorySegment(F32, MEMORY, u + o, LE)).reinterpretAsInts();
            VectorMask<Integer> kept = v.and(MAGNITUDE).compare(VectorOperators.GT, key);
            IntVector next = zero.blend(v, kept);
            next.intoMemorySegment(MEMORY, z + o, LE);
            v.blend(zero, kept).intoMemorySegment(MEMORY, u + o, LE);
            FloatVector p = weight.sub(next.reinterpretAsFloats());
            FloatVector d = next.reinterpretAsFloats().sub(old);
            DoubleVector p0 = low(p);
            DoubleVector p1 = high(p);
            DoubleVector d0 = low(d);
            DoubleVector d1 = high(d);
            primal0 = p0.fma(p0, primal0);
            primal1 = p1.fma(p1, primal1);
            dual0 = d0.fma(d0, dual0);
            dual1 = d1.fma(d1, dual1);
        }
        primal0.intoArray(primal, 0);
        primal1.intoArray(primal, HALF);
        dual0.intoArray(dual, 0);
        dual1.intoArray(dual, HALF);
    }

    /** {@link #maskAdmmAbove} for vectors shorter than the strided sums. */
    private static void shortMaskAdmmAbove(long w, long u, long z, int from, int to, int key, double[] primal,
            double[] dual) {
        IntVector zero = IntVector.zero(I32);
        for (int i = from; i < to; i += LANES) {
            long o = (long) i * Float.BYTES;
            FloatVector weight = load(w + o);
            FloatVector old = load(z + o);
            IntVector v = weight.add(load(u + o)).reinterpretAsInts();
            VectorMask<Integer> kept = key(v).compare(VectorOperators.GT, key);
            IntVector next = zero.blend(v, kept);
            int lane = i & Passes.STRIDE - 1;
            square(weight, next.reinterpretAsFloats(), primal, lane);
            square(next.reinterpretAsFloats(), old, dual, lane);
            next.intoMemorySegment(MEMORY, z + o, LE);
            v.blend(zero, kept).intoMemorySegment(MEMORY, u + o, LE);
        }
    }

    @Override
    public void maskBits(MemorySegment x, long xOff, MemorySegment u, long uOff, MemorySegment bits, long bitsOff,
            int n, int key, long ties) {
        int whole = n - n % Passes.STRIDE;
        long xAt = floats(x, xOff, whole);
        long uAt = u == null ? 0 : floats(u, uOff, whole);
        long bitsAt = Unconfined.writable(bits, bitsOff, whole / 8);
        int i = 0;
        long left = ties;
        if (ties < n) {
            for (; i < whole && left > 0; i += Passes.STRIDE) {
                int same = 0;
                for (int j = i; j < i + Passes.STRIDE; j += LANES) {
                    long o = (long) j * Float.BYTES;
                    same += key(bits(xAt + o, u == null ? 0 : uAt + o)).compare(VectorOperators.EQ, key).trueCount();
                }
                if (same > left) {
                    ScalarPasses.maskBitsFrom(i, x, xOff, u, uOff, bits, bitsOff, i + Passes.STRIDE, key, left);
                    left = 0;
                } else {
                    bitsAbove(xAt, uAt, bitsAt, i, i + Passes.STRIDE, key - 1);
                    left -= same;
                }
            }
        }
        bitsAbove(xAt, uAt, bitsAt, i, whole, ties < n ? key : key - 1);
        ScalarPasses.maskBitsFrom(whole, x, xOff, u, uOff, bits, bitsOff, n, key, left);
    }

    private static void bitsAbove(long x, long u, long bits, int from, int to, int key) {
        if (u == 0) {
            bitsOfOne(x, bits, from, to, key);
        } else {
            bitsOfSum(x, u, bits, from, to, key);
        }
    }

    private static void bitsOfOne(long x, long bits, int from, int to, int key) {
        int i = from;
        // A word at a time while there are enough: small stores hold up the loads.
        for (; i + Long.SIZE <= to; i += Long.SIZE) {
            long set = 0;
            for (int j = 0; j < Long.SIZE; j += LANES) {
                long o = (long) (i + j) * Float.BYTES;
                IntVector v = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE);
                set |= v.and(MAGNITUDE).compare(VectorOperators.GT, key).toLong() << j;
            }
            MEMORY.set(BITS64, bits + (i >>> 3), set);
        }
        for (; i < to; i += Passes.STRIDE) {
            long set = 0;
            for (int j = 0; j < Passes.STRIDE; j += LANES) {
                long o = (long) (i + j) * Float.BYTES;
                IntVector v = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE);
                set |= v.and(MAGNITUDE).compare(VectorOperators.GT, key).toLong() << j;
            }
            MEMORY.set(BITS16, bits + (i >>> 3), (short) set);
        }
    }

    private static void bitsOfSum(long x, long u, long bits, int from, int to, int key) {
        for (int i = from; i < to; i += Passes.STRIDE) {
            long set = 0;
            for (int j = 0; j < Passes.STRIDE; j += LANES) {
                long o = (long) (i + j) * Float.BYTES;
                IntVector v = FloatVector.fromMemorySegment(F32, MEMORY, x + o, LE)
                        .add(FloatVector.fromMemorySegment(F32, MEMORY, u + o, LE)).reinterpretAsInts();
                set |= v.and(MAGNITUDE).compare(VectorOperators.GT, key).toLong() << j;
            }
            MEMORY.set(BITS16, bits + (i >>> 3), (short) set);
        }
    }

    @Override
    public void norm(int power, MemorySegment x, long xOff, int n, double[] sums) {
        int whole = n - n % Passes.STRIDE;
        long at = floats(x, xOff, whole);
        if (LANES == Passes.STRIDE) {
            if (power == 1) {
                magnitudes(at, whole, sums);
            } else {
                squares(at, whole, sums);
            }
            ScalarPasses.normFrom(whole, power, x, xOff, n, sums);
            return;
        }
        for (int i = 0; i < whole; i += LANES) {
            FloatVector v = load(at + (long) i * Float.BYTES);
            int lane = i & Passes.STRIDE - 1;
            DoubleVector low = low(v);
            DoubleVector high = high(v);
            low = power == 1 ? low.abs() : low.mul(low);
            high = power == 1 ? high.abs() : high.mul(high);
            DoubleVector.fromArray(F64, sums, lane).add(low).intoArray(sums, lane);
            DoubleVector.fromArray(F64, sums, lane + HALF).add(high).intoArray(sums, lane + HALF);
        }
        ScalarPasses.normFrom(whole, power, x, xOff, n, sums);
    }

    private static void magnitudes(long x, int n, double[] sums) {
        DoubleVector low = DoubleVector.fromArray(F64, sums, 0);
        DoubleVector high = DoubleVector.fromArray(F64, sums, HALF);
        for (int i = 0; i < n; i += LANES) {
            FloatVector v = load(x + (long) i * Float.BYTES).abs();
            low = low.add(low(v));
            high = high.add(high(v));
        }
        low.intoArray(sums, 0);
        high.intoArray(sums, HALF);
    }

    private static void squares(long x, int n, double[] sums) {
        DoubleVector low = DoubleVector.fromArray(F64, sums, 0);
        DoubleVector high = DoubleVector.fromArray(F64, sums, HALF);
        for (int i = 0; i < n; i += LANES) {
            FloatVector v = load(x + (long) i * Float.BYTES);
            DoubleVector v0 = low(v);
            DoubleVector v1 = high(v);
            low = low.add(v0.mul(v0));
            high = high.add(v1.mul(v1));
        }
        low.intoArray(sums, 0);
        high.intoArray(sums, HALF);
    }

    /** Groups of a power of two that fit a vector: each lane counts who of its group precedes it. */
    @Override
    public void keepOfGroup(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int keep, int group) {
        int whole = 0;
        if (Integer.bitCount(group) == 1 && group <= LANES) {
            whole = n - n % LANES;
            keepOfPower(floats(x, xOff, whole), writableFloats(z, zOff, whole), whole, keep, group);
        }
        ScalarPasses.keepOfGroupFrom(whole, x, xOff, z, zOff, n, keep, group);
    }

    private static void keepOfPower(long x, long z, int n, int keep, int group) {
        IntVector zero = IntVector.zero(I32);
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            IntVector bits = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE);
            IntVector key = key(bits);
            IntVector ahead = zero;
            for (int j = 1; j < group; j++) {
                IntVector partner = INDEX.lanewise(VectorOperators.XOR, j);
                IntVector other = partner.selectFrom(key);
                VectorMask<Integer> precedes = other.compare(VectorOperators.GT, key).or(other
                        .compare(VectorOperators.EQ, key).and(partner.compare(VectorOperators.LT, INDEX)));
                ahead = ahead.add(1, precedes);
            }
            zero.blend(bits, ahead.compare(VectorOperators.LT, keep)).intoMemorySegment(MEMORY, z + o, LE);
        }
    }

    @Override
    public void assign(MemorySegment x, long xOff, int n, float[] codebook, float[] cuts, int size,
            MemorySegment values, long valuesOff, MemorySegment codes, long codesOff, double[] sums) {
        int whole = n - n % Passes.STRIDE;
        long xAt = floats(x, xOff, whole);
        long valuesAt = values == null ? 0 : writableFloats(values, valuesOff, whole);
        long codesAt = codes == null ? 0 : Unconfined.writable(codes, codesOff, whole);
        if (size <= LANES) {
            assignFew(xAt, whole, codebook, cuts, size, valuesAt, codesAt, sums);
        } else {
            assignMany(xAt, whole, codebook, cuts, size, valuesAt, codesAt, sums);
        }
        ScalarPasses.assignFrom(whole, x, xOff, n, codebook, cuts, size, values, valuesOff, codes, codesOff, sums);
    }

    /** Codebook and cuts in a register each: binary search by permutation, in cuts moved by what a step would add. */
    private static void assignFew(long x, int n, float[] codebook, float[] cuts, int size, long values, long codes,
            double[] sums) {
        IntVector cuts4 = FloatVector.fromArray(F32, cuts, 3).reinterpretAsInts();
        IntVector cuts2 = FloatVector.fromArray(F32, cuts, 1).reinterpretAsInts();
        IntVector cuts1 = FloatVector.fromArray(F32, cuts, 0).reinterpretAsInts();
        IntVector words = FloatVector.fromArray(F32, codebook, 0).reinterpretAsInts();
        FloatVector zero = FloatVector.zero(F32);
        IntVector none = IntVector.zero(I32);
        float cut8 = cuts[7];
        DoubleVector sum0 = DoubleVector.fromArray(F64, sums, 0);
        DoubleVector sum1 = DoubleVector.fromArray(F64, sums, HALF);
        boolean many = size > 8;
        for (int i = 0; i < n; i += LANES) {
            FloatVector v = load(x + (long) i * Float.BYTES);
            VectorMask<Float> alive = v.compare(VectorOperators.NE, zero);
            IntVector code = none;
            // Written out: a loop that carries a vector is not always unrolled, and then it is boxed.
            if (LANES > 8 && many) {
                code = none.add(8, v.compare(VectorOperators.GE, cut8).cast(I32));
            }
            if (LANES > 4) {
                code = further(code, v, cuts4, 4);
            }
            code = further(code, v, cuts2, 2);
            code = further(code, v, cuts1, 1);
            FloatVector word = zero.blend(code.selectFrom(words).reinterpretAsFloats(), alive);
            if (LANES == Passes.STRIDE) {
                FloatVector d = v.sub(word);
                DoubleVector d0 = low(d);
                DoubleVector d1 = high(d);
                // The squares are exact in double precision, so that fma rounds as the scalar twin does.
                sum0 = d0.fma(d0, sum0);
                sum1 = d1.fma(d1, sum1);
            } else {
                square(v, word, sums, i & Passes.STRIDE - 1);
            }
            if (values != 0) {
                word.intoMemorySegment(MEMORY, values + (long) i * Float.BYTES, LE);
            }
            if (codes != 0) {
                bytes(none.blend(code, alive.cast(I32)), codes + i);
            }
        }
        if (LANES == Passes.STRIDE) {
            sum0.intoArray(sums, 0);
            sum1.intoArray(sums, HALF);
        }
    }

    /** Adds {@code step} to the codes whose numbers reach the bound in the table at their code. */
    private static IntVector further(IntVector code, FloatVector v, IntVector table, int step) {
        FloatVector bound = code.selectFrom(table).reinterpretAsFloats();
        return code.add(step, v.compare(VectorOperators.GE, bound).cast(I32));
    }

    private static void assignMany(long x, int n, float[] codebook, float[] cuts, int size, long values, long codes,
            double[] sums) {
        FloatVector zero = FloatVector.zero(F32);
        for (int i = 0; i < n; i += LANES) {
            FloatVector v = load(x + (long) i * Float.BYTES);
            IntVector code = IntVector.zero(I32);
            FloatVector word = FloatVector.broadcast(F32, codebook[0]);
            for (int j = 0; j < size - 1; j++) {
                VectorMask<Float> reached = v.compare(VectorOperators.GE, cuts[j]);
                code = code.add(1, reached.cast(I32));
                word = word.blend(codebook[j + 1], reached);
            }
            VectorMask<Float> alive = v.compare(VectorOperators.NE, zero);
            word = zero.blend(word, alive);
            square(v, word, sums, i & Passes.STRIDE - 1);
            if (values != 0) {
                word.intoMemorySegment(MEMORY, values + (long) i * Float.BYTES, LE);
            }
            if (codes != 0) {
                bytes(IntVector.zero(I32).blend(code, alive.cast(I32)), codes + i);
            }
        }
    }

    /** Stores the low byte of each lane. */
    private static void bytes(IntVector v, long codes) {
        if (LANES == 16) {
            ((ByteVector) v.convertShape(VectorOperators.I2B, ByteVector.SPECIES_128, 0)).intoMemorySegment(MEMORY,
                    codes, LE);
        } else if (LANES == 8) {
            ((ByteVector) v.convertShape(VectorOperators.I2B, ByteVector.SPECIES_64, 0)).intoMemorySegment(MEMORY,
                    codes, LE);
        } else {
            for (int lane = 0; lane < LANES; lane++) {
                MEMORY.set(ValueLayout.JAVA_BYTE, codes + lane, (byte) v.lane(lane));
            }
        }
    }

    @Override
    public int zones(MemorySegment x, long xOff, int n, float[] cuts, float[] zoneFrom, float[] zoneTo, int size,
            float scale, long[] sums, double[] squares, int[] survey, MemorySegment zoned, long at) {
        int whole = n - n % Passes.STRIDE;
        long xAt = floats(x, xOff, whole);
        long zonedAt = found(zoned, at, whole);
        int found = 0;
        survey[0] = 0;
        // Blocks that stay in the first-level cache while each cut passes over them.
        for (int from = 0; from < whole; from += BLOCK) {
            int to = Math.min(whole, from + BLOCK);
            int zeros = to - from - survey(xAt, from, to, squares, survey);
            for (int j = 0; j < size; j += CUTS) {
                reach(xAt, from, to, cuts, j, scale, survey);
                addReached(survey, cuts, j, zeros, sums);
            }
            found += size <= LANES
                    ? insideFew(xAt, from, to, zoneFrom, zoneTo, size - 1, zonedAt, at + found)
                    : inside(xAt, from, to, zoneFrom, zoneTo, size - 1, zonedAt, at + found);
        }
        return found + ScalarPasses.zonesFrom(whole, x, xOff, n, cuts, zoneFrom, zoneTo, size, scale, sums, squares,
                survey, zoned, at + found);
    }

    /** Adds the squares of all elements to the accumulators and finds the greatest key; counts non-zeros. */
    private static int survey(long x, int from, int to, double[] squares, int[] survey) {
        IntVector count = IntVector.zero(I32);
        IntVector max = count;
        DoubleVector square0 = DoubleVector.fromArray(F64, squares, 0);
        DoubleVector square1 = DoubleVector.fromArray(F64, squares, HALF);
        for (int i = from; i < to; i += LANES) {
            FloatVector v = load(x + (long) i * Float.BYTES);
            IntVector key = v.reinterpretAsInts().and(MAGNITUDE);
            max = max.max(key);
            count = count.add(1, key.compare(VectorOperators.NE, 0));
            DoubleVector low = low(v);
            DoubleVector high = high(v);
            if (LANES == Passes.STRIDE) {
                square0 = low.fma(low, square0);
                square1 = high.fma(high, square1);
            } else {
                int lane = i & Passes.STRIDE - 1;
                low.fma(low, DoubleVector.fromArray(F64, squares, lane)).intoArray(squares, lane);
                high.fma(high, DoubleVector.fromArray(F64, squares, lane + HALF)).intoArray(squares, lane + HALF);
            }
        }
        if (LANES == Passes.STRIDE) {
            square0.intoArray(squares, 0);
            square1.intoArray(squares, HALF);
        }
        survey[0] = Math.max(survey[0], max.reduceLanes(VectorOperators.MAX));
        return count.reduceLanes(VectorOperators.ADD);
    }

    /**
     * Sums coarse and fine parts of what reaches each of eight cuts, lane by lane, in a block of so few vectors that
     * nothing overflows. Fine parts carry the count above them: a sum of its own would cost half as much again. Written
     * out, because vectors in an array are boxed.
     */
    private static void reach(long x, int from, int to, float[] cuts, int first, float scale, int[] survey) {
        IntVector zero = IntVector.zero(I32);
        float cut0 = cuts[first];
        float cut1 = cuts[first + 1];
        float cut2 = cuts[first + 2];
        float cut3 = cuts[first + 3];
        float cut4 = cuts[first + 4];
        float cut5 = cuts[first + 5];
        float cut6 = cuts[first + 6];
        float cut7 = cuts[first + 7];
        IntVector coarse0 = zero;
        IntVector fine0 = zero;
        IntVector coarse1 = zero;
        IntVector fine1 = zero;
        IntVector coarse2 = zero;
        IntVector fine2 = zero;
        IntVector coarse3 = zero;
        IntVector fine3 = zero;
        IntVector coarse4 = zero;
        IntVector fine4 = zero;
        IntVector coarse5 = zero;
        IntVector fine5 = zero;
        IntVector coarse6 = zero;
        IntVector fine6 = zero;
        IntVector coarse7 = zero;
        IntVector fine7 = zero;
        for (int i = from; i < to; i += LANES) {
            FloatVector v = FloatVector.fromMemorySegment(F32, MEMORY, x + (long) i * Float.BYTES, LE);
            FloatVector scaled = v.mul(scale);
            FloatVector rounded = scaled.add(ROUND);
            IntVector coarse = rounded.reinterpretAsInts().sub(ROUND_BITS);
            IntVector fine = scaled.sub(rounded.sub(ROUND)).mul(FINE).add(ROUND).reinterpretAsInts()
                    .sub(ROUND_BITS - (1 << COUNT_SHIFT));
            VectorMask<Integer> reached = v.compare(VectorOperators.GE, cut0).cast(I32);
            coarse0 = coarse0.add(coarse, reached);
            fine0 = fine0.add(fine, reached);
            reached = v.compare(VectorOperators.GE, cut1).cast(I32);
            coarse1 = coarse1.add(coarse, reached);
            fine1 = fine1.add(fine, reached);
            reached = v.compare(VectorOperators.GE, cut2).cast(I32);
            coarse2 = coarse2.add(coarse, reached);
            fine2 = fine2.add(fine, reached);
            reached = v.compare(VectorOperators.GE, cut3).cast(I32);
            coarse3 = coarse3.add(coarse, reached);
            fine3 = fine3.add(fine, reached);
            reached = v.compare(VectorOperators.GE, cut4).cast(I32);
            coarse4 = coarse4.add(coarse, reached);
            fine4 = fine4.add(fine, reached);
            reached = v.compare(VectorOperators.GE, cut5).cast(I32);
            coarse5 = coarse5.add(coarse, reached);
            fine5 = fine5.add(fine, reached);
            reached = v.compare(VectorOperators.GE, cut6).cast(I32);
            coarse6 = coarse6.add(coarse, reached);
            fine6 = fine6.add(fine, reached);
            reached = v.compare(VectorOperators.GE, cut7).cast(I32);
            coarse7 = coarse7.add(coarse, reached);
            fine7 = fine7.add(fine, reached);
        }
        coarse0.intoArray(survey, 1);
        fine0.intoArray(survey, 1 + LANES);
        coarse1.intoArray(survey, 1 + 2 * LANES);
        fine1.intoArray(survey, 1 + 3 * LANES);
        coarse2.intoArray(survey, 1 + 4 * LANES);
        fine2.intoArray(survey, 1 + 5 * LANES);
        coarse3.intoArray(survey, 1 + 6 * LANES);
        fine3.intoArray(survey, 1 + 7 * LANES);
        coarse4.intoArray(survey, 1 + 8 * LANES);
        fine4.intoArray(survey, 1 + 9 * LANES);
        coarse5.intoArray(survey, 1 + 10 * LANES);
        fine5.intoArray(survey, 1 + 11 * LANES);
        coarse6.intoArray(survey, 1 + 12 * LANES);
        fine6.intoArray(survey, 1 + 13 * LANES);
        coarse7.intoArray(survey, 1 + 14 * LANES);
        fine7.intoArray(survey, 1 + 15 * LANES);
    }

    /** Takes the lanes of {@link #reach} apart, and zeros, which reach the cuts up to zero, out of the counts. */
    private static void addReached(int[] survey, float[] cuts, int first, int zeros, long[] sums) {
        for (int j = 0; j < CUTS; j++) {
            long coarse = 0;
            long fine = 0;
            long count = cuts[first + j] <= 0 ? -zeros : 0;
            int at = 1 + 2 * j * LANES;
            for (int lane = at; lane < at + LANES; lane++) {
                int mixed = survey[lane + LANES];
                int number = mixed + (1 << COUNT_SHIFT - 1) >> COUNT_SHIFT;
                coarse += survey[lane];
                fine += mixed - (number << COUNT_SHIFT);
                count += number;
            }
            int out = 3 * (first + j);
            sums[out] += coarse;
            sums[out + 1] += fine;
            sums[out + 2] += count;
        }
    }

    /**
     * Compacts the non-zero elements that lie in a zone, for fewer zones than lanes: a search by permutation counts the
     * lower bounds that an element reaches, and it lies inside if it is below the upper bound of the last of them.
     */
    private static int insideFew(long x, int from, int to, float[] zoneFrom, float[] zoneTo, int size, long zoned,
            long at) {
        IntVector lowers4 = FloatVector.fromArray(F32, zoneFrom, 3).reinterpretAsInts();
        IntVector lowers2 = FloatVector.fromArray(F32, zoneFrom, 1).reinterpretAsInts();
        IntVector lowers1 = FloatVector.fromArray(F32, zoneFrom, 0).reinterpretAsInts();
        IntVector uppers = FloatVector.fromArray(F32, zoneTo, 0).reinterpretAsInts();
        IntVector none = IntVector.zero(I32);
        float lower8 = zoneFrom[7];
        boolean many = size > 7;
        long out = at * Float.BYTES;
        for (int i = from; i < to; i += LANES) {
            FloatVector v = load(x + (long) i * Float.BYTES);
            IntVector reached = none;
            if (LANES > 8 && many) {
                reached = none.add(8, v.compare(VectorOperators.GE, lower8).cast(I32));
            }
            if (LANES > 4) {
                reached = further(reached, v, lowers4, 4);
            }
            reached = further(reached, v, lowers2, 2);
            reached = further(reached, v, lowers1, 1);
            // The number before 0 wraps to the last lane, which is minus infinity.
            FloatVector bound = reached.sub(1).selectFrom(uppers).reinterpretAsFloats();
            VectorMask<Float> inside = v.compare(VectorOperators.LT, bound).and(v.compare(VectorOperators.NE, 0f));
            v.compress(inside).intoMemorySegment(MEMORY, zoned + out, LE);
            out += (long) inside.trueCount() * Float.BYTES;
        }
        return (int) (out / Float.BYTES - at);
    }

    /** Compacts the non-zero elements that lie in a zone, for any number of zones. */
    private static int inside(long x, int from, int to, float[] zoneFrom, float[] zoneTo, int size, long zoned,
            long at) {
        long out = at * Float.BYTES;
        for (int i = from; i < to; i += LANES) {
            FloatVector v = load(x + (long) i * Float.BYTES);
            // As a number: a mask that a loop carries is boxed.
            long bounds = 0;
            for (int j = 0; j < size; j++) {
                bounds ^= v.compare(VectorOperators.GE, zoneFrom[j]).toLong()
                        ^ v.compare(VectorOperators.GE, zoneTo[j]).toLong();
            }
            VectorMask<Float> odd = VectorMask.fromLong(F32, bounds).and(v.compare(VectorOperators.NE, 0f));
            v.compress(odd).intoMemorySegment(MEMORY, zoned + out, LE);
            out += (long) odd.trueCount() * Float.BYTES;
        }
        return (int) (out / Float.BYTES - at);
    }
}
