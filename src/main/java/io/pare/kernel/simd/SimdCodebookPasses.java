package io.pare.kernel.simd;

import static io.pare.kernel.passes.Passes.FINE;
import static io.pare.kernel.passes.Passes.MAGNITUDE;
import static io.pare.kernel.passes.Passes.ROUND;
import static io.pare.kernel.passes.Passes.ROUND_BITS;
import static io.pare.kernel.passes.Passes.STRIDE;
import static io.pare.kernel.simd.Packing.BY_TABLE;
import static io.pare.kernel.simd.Packing.MASKS;
import static io.pare.kernel.simd.Packing.ROWS;
import static io.pare.kernel.simd.Species.F32;
import static io.pare.kernel.simd.Species.F64;
import static io.pare.kernel.simd.Species.I32;
import static io.pare.kernel.simd.Species.LANES;
import static io.pare.kernel.simd.Vectors.HALF;
import static io.pare.kernel.simd.Vectors.LE;
import static io.pare.kernel.simd.Vectors.found;
import static io.pare.kernel.simd.Vectors.further;
import static io.pare.kernel.simd.Vectors.high;
import static io.pare.kernel.simd.Vectors.load;
import static io.pare.kernel.simd.Vectors.low;
import static io.pare.kernel.simd.Vectors.square;
import static io.pare.mem.direct.Unconfined.MEMORY;
import static io.pare.mem.direct.Unconfined.floats;
import static io.pare.mem.direct.Unconfined.writableFloats;

import io.pare.kernel.passes.CodebookPasses;
import io.pare.kernel.scalar.ScalarCodebookPasses;
import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * {@link CodebookPasses} on the Vector API; each has its loop over whole vectors here and its tail in the scalar twin.
 *
 * <p>Loops address {@link Unconfined#MEMORY}, after a check of each range: {@link Unconfined} tells why.
 */
public final class SimdCodebookPasses implements CodebookPasses {
    /** Elements of a block: 256 vectors. */
    private static final int BLOCK = 256 * LANES;
    /** Cuts that {@link #reach} sums for at a time. */
    private static final int CUTS = 8;
    /** The bit where counts begin: a block's fine parts in a lane stay below 256 * FINE / 2 in magnitude. */
    private static final int COUNT_SHIFT = 22;

    @Override
    public void assign(MemorySegment x, long xOff, int n, float[] codebook, float[] cuts, int size,
            MemorySegment values, long valuesOff, MemorySegment codes, long codesOff, double[] sums) {
        int whole = n - n % STRIDE;
        long xAt = floats(x, xOff, whole);
        long valuesAt = values == null ? 0 : writableFloats(values, valuesOff, whole);
        long codesAt = codes == null ? 0 : Unconfined.writable(codes, codesOff, whole);
        if (size <= LANES) {
            assignFew(xAt, whole, codebook, cuts, size, valuesAt, codesAt, sums);
        } else {
            assignMany(xAt, whole, codebook, cuts, size, valuesAt, codesAt, sums);
        }
        ScalarCodebookPasses.assignFrom(whole, x, xOff, n, codebook, cuts, size, values, valuesOff, codes, codesOff,
                sums);
    }

    /** Codebook and cuts fit a register each: a binary search permutes the cuts, moved by what each step may add. */
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
            // Written out: a loop that carries a vector is not always unrolled, and then the vector is boxed.
            if (LANES > 8 && many) {
                code = none.add(8, v.compare(VectorOperators.GE, cut8).cast(I32));
            }
            if (LANES > 4) {
                code = further(code, v, cuts4, 4);
            }
            code = further(code, v, cuts2, 2);
            code = further(code, v, cuts1, 1);
            FloatVector word = zero.blend(code.selectFrom(words).reinterpretAsFloats(), alive);
            if (LANES == STRIDE) {
                FloatVector d = v.sub(word);
                DoubleVector d0 = low(d);
                DoubleVector d1 = high(d);
                // The squares are exact in double precision, so that fma rounds as the scalar twin does.
                sum0 = d0.fma(d0, sum0);
                sum1 = d1.fma(d1, sum1);
            } else {
                square(v, word, sums, i & STRIDE - 1);
            }
            if (values != 0) {
                word.intoMemorySegment(MEMORY, values + (long) i * Float.BYTES, LE);
            }
            if (codes != 0) {
                bytes(none.blend(code, alive.cast(I32)), codes + i);
            }
        }
        if (LANES == STRIDE) {
            sum0.intoArray(sums, 0);
            sum1.intoArray(sums, HALF);
        }
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
            square(v, word, sums, i & STRIDE - 1);
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
        int whole = n - n % STRIDE;
        long xAt = floats(x, xOff, whole);
        long zonedAt = found(zoned, at, whole);
        int found = 0;
        survey[0] = 0;
        // Blocks stay in the first-level cache while the cuts pass over them.
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
        return found
                + ScalarCodebookPasses.zonesFrom(whole, x, xOff, n, cuts, zoneFrom, zoneTo, size, scale, sums, squares,
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
            if (LANES == STRIDE) {
                square0 = low.fma(low, square0);
                square1 = high.fma(high, square1);
            } else {
                int lane = i & STRIDE - 1;
                low.fma(low, DoubleVector.fromArray(F64, squares, lane)).intoArray(squares, lane);
                high.fma(high, DoubleVector.fromArray(F64, squares, lane + HALF)).intoArray(squares, lane + HALF);
            }
        }
        if (LANES == STRIDE) {
            square0.intoArray(squares, 0);
            square1.intoArray(squares, HALF);
        }
        survey[0] = Math.max(survey[0], max.reduceLanes(VectorOperators.MAX));
        return count.reduceLanes(VectorOperators.ADD);
    }

    /**
     * Sums the coarse and fine parts of the elements that reach each of eight cuts, lane by lane. A block has so few
     * vectors that nothing overflows. Counts lie above the fine parts: counting apart would cost half as much again.
     * The loop is written out, because vectors in an array are boxed.
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

    /** Takes the lanes of {@link #reach} apart. Zeros, which reach the cuts up to zero, are not counted. */
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
     * Compacts the non-zero elements that lie in a zone, for fewer zones than lanes. A search by permutation counts the
     * lower bounds that an element reaches. It lies inside if it is below the upper bound of the last of them.
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
            long mask = inside.toLong();
            (BY_TABLE
                    ? IntVector.fromArray(I32, ROWS, ((int) mask & MASKS) * LANES).selectFrom(v.reinterpretAsInts())
                    : v.compress(inside).reinterpretAsInts()).intoMemorySegment(MEMORY, zoned + out, LE);
            out += (long) Long.bitCount(mask) * Float.BYTES;
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
            long mask = odd.toLong();
            (BY_TABLE
                    ? IntVector.fromArray(I32, ROWS, ((int) mask & MASKS) * LANES).selectFrom(v.reinterpretAsInts())
                    : v.compress(odd).reinterpretAsInts()).intoMemorySegment(MEMORY, zoned + out, LE);
            out += (long) Long.bitCount(mask) * Float.BYTES;
        }
        return (int) (out / Float.BYTES - at);
    }
}
