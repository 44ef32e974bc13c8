package io.pare.kernel.simd;

import static io.pare.kernel.passes.Passes.MAGNITUDE;
import static io.pare.kernel.passes.Passes.STRIDE;
import static io.pare.kernel.simd.Packing.BY_TABLE;
import static io.pare.kernel.simd.Packing.MASKS;
import static io.pare.kernel.simd.Packing.ROWS;
import static io.pare.kernel.simd.Species.F32;
import static io.pare.kernel.simd.Species.F64;
import static io.pare.kernel.simd.Species.I32;
import static io.pare.kernel.simd.Species.LANES;
import static io.pare.kernel.simd.Vectors.HALF;
import static io.pare.kernel.simd.Vectors.INDEX;
import static io.pare.kernel.simd.Vectors.LE;
import static io.pare.kernel.simd.Vectors.UPPER;
import static io.pare.kernel.simd.Vectors.bits;
import static io.pare.kernel.simd.Vectors.found;
import static io.pare.kernel.simd.Vectors.high;
import static io.pare.kernel.simd.Vectors.key;
import static io.pare.kernel.simd.Vectors.low;
import static io.pare.mem.direct.Unconfined.MEMORY;
import static io.pare.mem.direct.Unconfined.floats;
import static io.pare.mem.direct.Unconfined.writableFloats;

import io.pare.kernel.passes.Passes;
import io.pare.kernel.passes.TopKPasses;
import io.pare.kernel.scalar.ScalarTopKPasses;
import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * {@link TopKPasses} on the Vector API; each has its loop over whole vectors here and its tail in the scalar twin.
 *
 * <p>Compaction ({@link Packing}) packs in a register and stores a whole vector at a cursor. Compressing into memory is
 * microcoded on Zen 4 (hundreds of cycles), and the cursor needs only a count of the mask. Keys are compared by
 * "greater" because AVX2 knows no "at least".
 *
 * <p>Loops address {@link Unconfined#MEMORY}, after a check of each range: {@link Unconfined} tells why.
 */
public final class SimdTopKPasses implements TopKPasses {
    private static final ValueLayout.OfLong BITS64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LE);
    private static final ValueLayout.OfShort BITS16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LE);
    /** Elements of three arrays that stay in the first-level cache. */
    private static final int BLOCK = 2048;

    @Override
    public int speculate(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int lo, int guess, int hi,
            MemorySegment keys, MemorySegment places, long at, long[] tally, int slot) {
        int whole = n - n % LANES;
        int found = guess(floats(x, xOff, whole), writableFloats(z, zOff, whole), whole, lo, guess, hi,
                found(keys, at, whole), found(places, at, whole), at, tally, slot);
        return found
                + ScalarTopKPasses.speculateFrom(whole, x, xOff, z, zOff, n, lo, guess, hi, keys, places, at + found,
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
            zero.blend(bits, key.compare(VectorOperators.GT, guess - 1)).intoMemorySegment(MEMORY, z + o, LE);
            VectorMask<Integer> over = key.compare(VectorOperators.GT, hi - 1);
            VectorMask<Integer> inside = key.compare(VectorOperators.GT, lo - 1).andNot(over);
            max = max.max(key);
            above = above.add(1, over);
            long mask = inside.toLong();
            if (BY_TABLE) {
                IntVector row = IntVector.fromArray(I32, ROWS, ((int) mask & MASKS) * LANES);
                row.selectFrom(bits).intoMemorySegment(MEMORY, keys + out, LE);
                row.add(i).intoMemorySegment(MEMORY, places + out, LE);
            } else {
                bits.compress(inside).intoMemorySegment(MEMORY, keys + out, LE);
                INDEX.add(i).compress(inside).intoMemorySegment(MEMORY, places + out, LE);
            }
            out += (long) Long.bitCount(mask) * Integer.BYTES;
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
        return found + ScalarTopKPasses.speculateBitsFrom(whole, x, xOff, bits, bitsOff, n, lo, guess, hi, keys, places,
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
                IntVector v = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE);
                IntVector key = v.and(MAGNITUDE);
                set |= key.compare(VectorOperators.GT, guess - 1).toLong() << j;
                VectorMask<Integer> over = key.compare(VectorOperators.GT, hi - 1);
                VectorMask<Integer> inside = key.compare(VectorOperators.GT, lo - 1).andNot(over);
                max = max.max(key);
                above = above.add(1, over);
                long mask = inside.toLong();
                if (BY_TABLE) {
                    IntVector row = IntVector.fromArray(I32, ROWS, ((int) mask & MASKS) * LANES);
                    row.selectFrom(v).intoMemorySegment(MEMORY, keys + out, LE);
                    row.add(i + j).intoMemorySegment(MEMORY, places + out, LE);
                } else {
                    v.compress(inside).intoMemorySegment(MEMORY, keys + out, LE);
                    INDEX.add(i + j).compress(inside).intoMemorySegment(MEMORY, places + out, LE);
                }
                out += (long) Long.bitCount(mask) * Integer.BYTES;
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
        int whole = n - n % STRIDE;
        long wAt = floats(w, wOff, whole);
        long uAt = writableFloats(u, uOff, whole);
        long zAt = writableFloats(z, zOff, whole);
        long keysAt = found(keys, at, whole);
        long placesAt = found(places, at, whole);
        long oldsAt = found(olds, at, whole);
        int found = switch (LANES) {
            case STRIDE ->
                    step(wAt, uAt, zAt, whole, lo, guess, hi, keysAt, placesAt, oldsAt, at, tally, slot, primal, dual);
            case Passes.RESIDUALS -> middleStep(wAt, uAt, zAt, whole, lo, guess, hi, keysAt, placesAt, oldsAt, at,
                    tally, slot, primal, dual);
            default -> shortStep(wAt, uAt, zAt, whole, lo, guess, hi, keysAt, placesAt, oldsAt, at, tally, slot, primal,
                    dual);
        };
        return found
                + ScalarTopKPasses.speculateAdmmFrom(whole, w, wOff, u, uOff, z, zOff, n, lo, guess, hi, keys, places,
                        olds, at + found, tally, slot, primal, dual);
    }

    /**
     * One loop does everything, because it waits for memory anyway. It calls no method of ours and has no branch: in a
     * loop this large the JIT may stop inlining, and then it boxes vectors. Products are exact in double precision, so
     * fma rounds as the scalar twin does.
     *
     * <p>There are {@link Passes#RESIDUALS} sums each, as many as two registers of AVX2 hold: with twice as many, which
     * take two vectors in turn, that loop spills registers and takes an eighth longer.
     */
    private static int step(long w, long u, long z, int n, int lo, int guess, int hi, long keys, long places,
            long olds, long at, long[] tally, int slot, double[] primal, double[] dual) {
        IntVector zero = IntVector.zero(I32);
        IntVector max = zero;
        IntVector above = zero;
        DoubleVector primal0 = DoubleVector.fromArray(F64, primal, 0);
        DoubleVector dual0 = DoubleVector.fromArray(F64, dual, 0);
        long out = at * Integer.BYTES;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            FloatVector weight = FloatVector.fromMemorySegment(F32, MEMORY, w + o, LE);
            FloatVector old = FloatVector.fromMemorySegment(F32, MEMORY, z + o, LE);
            IntVector v = weight.add(FloatVector.fromMemorySegment(F32, MEMORY, u + o, LE)).reinterpretAsInts();
            IntVector key = v.and(MAGNITUDE);
            VectorMask<Integer> kept = key.compare(VectorOperators.GT, guess - 1);
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
            primal0 = p1.fma(p1, primal0);
            dual0 = d0.fma(d0, dual0);
            dual0 = d1.fma(d1, dual0);
            VectorMask<Integer> over = key.compare(VectorOperators.GT, hi - 1);
            VectorMask<Integer> inside = key.compare(VectorOperators.GT, lo - 1).andNot(over);
            max = max.max(key);
            above = above.add(1, over);
            v.compress(inside).intoMemorySegment(MEMORY, keys + out, LE);
            INDEX.add(i).compress(inside).intoMemorySegment(MEMORY, places + out, LE);
            old.reinterpretAsInts().compress(inside).intoMemorySegment(MEMORY, olds + out, LE);
            out += (long) Long.bitCount(inside.toLong()) * Integer.BYTES;
        }
        primal0.intoArray(primal, 0);
        dual0.intoArray(dual, 0);
        tally[slot] = above.reduceLanes(VectorOperators.ADD);
        tally[slot + 1] = max.reduceLanes(VectorOperators.MAX);
        return (int) (out / Integer.BYTES - at);
    }

    /** {@link #step} for vectors of as many lanes as there are sums. */
    private static int middleStep(long w, long u, long z, int n, int lo, int guess, int hi, long keys, long places,
            long olds, long at, long[] tally, int slot, double[] primal, double[] dual) {
        IntVector zero = IntVector.zero(I32);
        IntVector max = zero;
        long above = 0;
        DoubleVector primal0 = DoubleVector.fromArray(F64, primal, 0);
        DoubleVector dual0 = DoubleVector.fromArray(F64, dual, 0);
        DoubleVector primal1 = DoubleVector.fromArray(F64, primal, HALF);
        DoubleVector dual1 = DoubleVector.fromArray(F64, dual, HALF);
        long out = at * Integer.BYTES;
        for (int i = 0; i < n; i += LANES) {
            long o = (long) i * Float.BYTES;
            FloatVector weight = FloatVector.fromMemorySegment(F32, MEMORY, w + o, LE);
            FloatVector old = FloatVector.fromMemorySegment(F32, MEMORY, z + o, LE);
            IntVector v = weight.add(FloatVector.fromMemorySegment(F32, MEMORY, u + o, LE)).reinterpretAsInts();
            IntVector key = v.and(MAGNITUDE);
            VectorMask<Integer> kept = key.compare(VectorOperators.GT, guess - 1);
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
            VectorMask<Integer> over = key.compare(VectorOperators.GT, hi - 1);
            VectorMask<Integer> inside = key.compare(VectorOperators.GT, lo - 1).andNot(over);
            max = max.max(key);
            above += Long.bitCount(over.toLong());
            long mask = inside.toLong();
            IntVector row = IntVector.fromArray(I32, ROWS, ((int) mask & MASKS) * LANES);
            row.selectFrom(v).intoMemorySegment(MEMORY, keys + out, LE);
            row.add(i).intoMemorySegment(MEMORY, places + out, LE);
            row.selectFrom(old.reinterpretAsInts()).intoMemorySegment(MEMORY, olds + out, LE);
            out += (long) Long.bitCount(mask) * Integer.BYTES;
        }
        primal0.intoArray(primal, 0);
        dual0.intoArray(dual, 0);
        primal1.intoArray(primal, HALF);
        dual1.intoArray(dual, HALF);
        tally[slot] = above;
        tally[slot + 1] = max.reduceLanes(VectorOperators.MAX);
        return (int) (out / Integer.BYTES - at);
    }

    /** {@link #step} for vectors of half as many lanes. */
    private static int shortStep(long w, long u, long z, int n, int lo, int guess, int hi, long keys, long places,
            long olds, long at, long[] tally, int slot, double[] primal, double[] dual) {
        IntVector zero = IntVector.zero(I32);
        IntVector max = zero;
        long above = 0;
        DoubleVector primal0 = DoubleVector.fromArray(F64, primal, 0);
        DoubleVector dual0 = DoubleVector.fromArray(F64, dual, 0);
        DoubleVector primal1 = DoubleVector.fromArray(F64, primal, HALF);
        DoubleVector dual1 = DoubleVector.fromArray(F64, dual, HALF);
        DoubleVector primal2 = DoubleVector.fromArray(F64, primal, 2 * HALF);
        DoubleVector dual2 = DoubleVector.fromArray(F64, dual, 2 * HALF);
        DoubleVector primal3 = DoubleVector.fromArray(F64, primal, 3 * HALF);
        DoubleVector dual3 = DoubleVector.fromArray(F64, dual, 3 * HALF);
        long out = at * Integer.BYTES;
        for (int i = 0; i < n; i += 2 * LANES) {
            long o = (long) i * Float.BYTES;
            FloatVector weight = FloatVector.fromMemorySegment(F32, MEMORY, w + o, LE);
            FloatVector old = FloatVector.fromMemorySegment(F32, MEMORY, z + o, LE);
            IntVector v = weight.add(FloatVector.fromMemorySegment(F32, MEMORY, u + o, LE)).reinterpretAsInts();
            IntVector key = v.and(MAGNITUDE);
            VectorMask<Integer> kept = key.compare(VectorOperators.GT, guess - 1);
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
            VectorMask<Integer> over = key.compare(VectorOperators.GT, hi - 1);
            VectorMask<Integer> inside = key.compare(VectorOperators.GT, lo - 1).andNot(over);
            max = max.max(key);
            above += Long.bitCount(over.toLong());
            long mask = inside.toLong();
            IntVector row = IntVector.fromArray(I32, ROWS, ((int) mask & MASKS) * LANES);
            row.selectFrom(v).intoMemorySegment(MEMORY, keys + out, LE);
            row.add(i).intoMemorySegment(MEMORY, places + out, LE);
            row.selectFrom(old.reinterpretAsInts()).intoMemorySegment(MEMORY, olds + out, LE);
            out += (long) Long.bitCount(mask) * Integer.BYTES;
            long oNext = (long) (i + LANES) * Float.BYTES;
            FloatVector weightNext = FloatVector.fromMemorySegment(F32, MEMORY, w + oNext, LE);
            FloatVector oldNext = FloatVector.fromMemorySegment(F32, MEMORY, z + oNext, LE);
            IntVector vNext =
                    weightNext.add(FloatVector.fromMemorySegment(F32, MEMORY, u + oNext, LE)).reinterpretAsInts();
            IntVector keyNext = vNext.and(MAGNITUDE);
            VectorMask<Integer> keptNext = keyNext.compare(VectorOperators.GT, guess - 1);
            IntVector nextNext = zero.blend(vNext, keptNext);
            nextNext.intoMemorySegment(MEMORY, z + oNext, LE);
            vNext.blend(zero, keptNext).intoMemorySegment(MEMORY, u + oNext, LE);
            FloatVector pNext = weightNext.sub(nextNext.reinterpretAsFloats());
            FloatVector dNext = nextNext.reinterpretAsFloats().sub(oldNext);
            DoubleVector p0Next = (DoubleVector) pNext.convertShape(VectorOperators.F2D, F64, 0);
            DoubleVector p1Next = (DoubleVector) pNext.rearrange(UPPER).convertShape(VectorOperators.F2D, F64, 0);
            DoubleVector d0Next = (DoubleVector) dNext.convertShape(VectorOperators.F2D, F64, 0);
            DoubleVector d1Next = (DoubleVector) dNext.rearrange(UPPER).convertShape(VectorOperators.F2D, F64, 0);
            primal2 = p0Next.fma(p0Next, primal2);
            primal3 = p1Next.fma(p1Next, primal3);
            dual2 = d0Next.fma(d0Next, dual2);
            dual3 = d1Next.fma(d1Next, dual3);
            VectorMask<Integer> overNext = keyNext.compare(VectorOperators.GT, hi - 1);
            VectorMask<Integer> insideNext = keyNext.compare(VectorOperators.GT, lo - 1).andNot(overNext);
            max = max.max(keyNext);
            above += Long.bitCount(overNext.toLong());
            long maskNext = insideNext.toLong();
            IntVector rowNext = IntVector.fromArray(I32, ROWS, ((int) maskNext & MASKS) * LANES);
            rowNext.selectFrom(vNext).intoMemorySegment(MEMORY, keys + out, LE);
            rowNext.add(i + LANES).intoMemorySegment(MEMORY, places + out, LE);
            rowNext.selectFrom(oldNext.reinterpretAsInts()).intoMemorySegment(MEMORY, olds + out, LE);
            out += (long) Long.bitCount(maskNext) * Integer.BYTES;
        }
        primal0.intoArray(primal, 0);
        dual0.intoArray(dual, 0);
        primal1.intoArray(primal, HALF);
        dual1.intoArray(dual, HALF);
        primal2.intoArray(primal, 2 * HALF);
        dual2.intoArray(dual, 2 * HALF);
        primal3.intoArray(primal, 3 * HALF);
        dual3.intoArray(dual, 3 * HALF);
        tally[slot] = above;
        tally[slot + 1] = max.reduceLanes(VectorOperators.MAX);
        return (int) (out / Integer.BYTES - at);
    }

    @Override
    public void mask(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int key, long ties) {
        int whole = n - n % LANES;
        long xAt = floats(x, xOff, whole);
        long zAt = writableFloats(z, zOff, whole);
        if (ties >= n) {
            maskAbove(xAt, zAt, 0, whole, key - 1);
            ScalarTopKPasses.maskFrom(whole, x, xOff, z, zOff, n, key, ties);
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
            zero.blend(bits, found.compare(VectorOperators.GT, key - 1)).intoMemorySegment(MEMORY, zAt + o, LE);
            left -= same;
        }
        if (i < whole) {
            // The vector in which the last survivor of the ties lies.
            ScalarTopKPasses.maskFrom(i, x, xOff, z, zOff, i + LANES, key, left);
            left = 0;
            i += LANES;
        }
        maskAbove(xAt, zAt, i, whole, key);
        ScalarTopKPasses.maskFrom(whole, x, xOff, z, zOff, n, key, left);
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
        int whole = n - n % STRIDE;
        long wAt = floats(w, wOff, whole);
        long uAt = writableFloats(u, uOff, whole);
        long zAt = writableFloats(z, zOff, whole);
        if (ties >= n) {
            maskAdmmAbove(wAt, uAt, zAt, 0, whole, key - 1, primal, dual);
            ScalarTopKPasses.maskAdmmFrom(whole, w, wOff, u, uOff, z, zOff, n, key, ties, primal, dual);
            return;
        }
        int i = 0;
        long left = ties;
        for (; i < whole && left > 0; i += STRIDE) {
            int same = 0;
            for (int j = i; j < i + STRIDE; j += LANES) {
                long o = (long) j * Float.BYTES;
                same += key(bits(wAt + o, uAt + o)).compare(VectorOperators.EQ, key).trueCount();
            }
            if (same > left) {
                ScalarTopKPasses.maskAdmmFrom(i, w, wOff, u, uOff, z, zOff, i + STRIDE, key, left, primal, dual);
                left = 0;
            } else {
                maskAdmmAbove(wAt, uAt, zAt, i, i + STRIDE, key - 1, primal, dual);
                left -= same;
            }
        }
        maskAdmmAbove(wAt, uAt, zAt, i, whole, key, primal, dual);
        ScalarTopKPasses.maskAdmmFrom(whole, w, wOff, u, uOff, z, zOff, n, key, left, primal, dual);
    }

    private static void maskAdmmAbove(long w, long u, long z, int from, int to, int key, double[] primal,
            double[] dual) {
        if (LANES == STRIDE) {
            maskAdmmAbove(w, u, z, from, to, key, primal, dual, 0);
            return;
        }
        // Blocks stay in the first-level cache while each part of the sums passes over them.
        for (int at = from; at < to; at += BLOCK) {
            for (int lane = 0; lane < STRIDE; lane += LANES) {
                maskAdmmAbove(w, u, z, at + lane, Math.min(to, at + BLOCK), key, primal, dual, lane);
            }
        }
    }

    /**
     * A vector of each {@link Passes#STRIDE} elements. Its sums, from accumulator {@code lane} on, then fit registers of any
     * width: sums of all {@link Passes#STRIDE} would be kept in memory.
     */
    private static void maskAdmmAbove(long w, long u, long z, int from, int to, int key, double[] primal, double[] dual,
            int lane) {
        IntVector zero = IntVector.zero(I32);
        DoubleVector primal0 = DoubleVector.fromArray(F64, primal, lane);
        DoubleVector primal1 = DoubleVector.fromArray(F64, primal, lane + HALF);
        DoubleVector dual0 = DoubleVector.fromArray(F64, dual, lane);
        DoubleVector dual1 = DoubleVector.fromArray(F64, dual, lane + HALF);
        for (int i = from; i < to; i += STRIDE) {
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
        primal0.intoArray(primal, lane);
        primal1.intoArray(primal, lane + HALF);
        dual0.intoArray(dual, lane);
        dual1.intoArray(dual, lane + HALF);
    }

    @Override
    public void maskBits(MemorySegment x, long xOff, MemorySegment u, long uOff, MemorySegment bits, long bitsOff,
            int n, int key, long ties) {
        int whole = n - n % STRIDE;
        long xAt = floats(x, xOff, whole);
        long uAt = u == null ? 0 : floats(u, uOff, whole);
        long bitsAt = Unconfined.writable(bits, bitsOff, whole / 8);
        int i = 0;
        long left = ties;
        if (ties < n) {
            for (; i < whole && left > 0; i += STRIDE) {
                int same = 0;
                for (int j = i; j < i + STRIDE; j += LANES) {
                    long o = (long) j * Float.BYTES;
                    same += key(bits(xAt + o, u == null ? 0 : uAt + o)).compare(VectorOperators.EQ, key).trueCount();
                }
                if (same > left) {
                    ScalarTopKPasses.maskBitsFrom(i, x, xOff, u, uOff, bits, bitsOff, i + STRIDE, key, left);
                    left = 0;
                } else {
                    bitsAbove(xAt, uAt, bitsAt, i, i + STRIDE, key - 1);
                    left -= same;
                }
            }
        }
        bitsAbove(xAt, uAt, bitsAt, i, whole, ties < n ? key : key - 1);
        ScalarTopKPasses.maskBitsFrom(whole, x, xOff, u, uOff, bits, bitsOff, n, key, left);
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
        // A word at a time while there are enough elements: small stores hold up the loads.
        for (; i + Long.SIZE <= to; i += Long.SIZE) {
            long set = 0;
            for (int j = 0; j < Long.SIZE; j += LANES) {
                long o = (long) (i + j) * Float.BYTES;
                IntVector v = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE);
                set |= v.and(MAGNITUDE).compare(VectorOperators.GT, key).toLong() << j;
            }
            MEMORY.set(BITS64, bits + (i >>> 3), set);
        }
        for (; i < to; i += STRIDE) {
            long set = 0;
            for (int j = 0; j < STRIDE; j += LANES) {
                long o = (long) (i + j) * Float.BYTES;
                IntVector v = IntVector.fromMemorySegment(I32, MEMORY, x + o, LE);
                set |= v.and(MAGNITUDE).compare(VectorOperators.GT, key).toLong() << j;
            }
            MEMORY.set(BITS16, bits + (i >>> 3), (short) set);
        }
    }

    private static void bitsOfSum(long x, long u, long bits, int from, int to, int key) {
        for (int i = from; i < to; i += STRIDE) {
            long set = 0;
            for (int j = 0; j < STRIDE; j += LANES) {
                long o = (long) (i + j) * Float.BYTES;
                IntVector v = FloatVector.fromMemorySegment(F32, MEMORY, x + o, LE)
                        .add(FloatVector.fromMemorySegment(F32, MEMORY, u + o, LE)).reinterpretAsInts();
                set |= v.and(MAGNITUDE).compare(VectorOperators.GT, key).toLong() << j;
            }
            MEMORY.set(BITS16, bits + (i >>> 3), (short) set);
        }
    }
}
