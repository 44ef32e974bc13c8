package io.pare.kernel.simd;

import static io.pare.kernel.passes.Passes.STRIDE;
import static io.pare.kernel.simd.Species.F64;
import static io.pare.kernel.simd.Species.I32;
import static io.pare.kernel.simd.Species.LANES;
import static io.pare.kernel.simd.Vectors.HALF;
import static io.pare.kernel.simd.Vectors.INDEX;
import static io.pare.kernel.simd.Vectors.LE;
import static io.pare.kernel.simd.Vectors.high;
import static io.pare.kernel.simd.Vectors.key;
import static io.pare.kernel.simd.Vectors.load;
import static io.pare.kernel.simd.Vectors.low;
import static io.pare.mem.direct.Unconfined.MEMORY;
import static io.pare.mem.direct.Unconfined.floats;
import static io.pare.mem.direct.Unconfined.writableFloats;

import io.pare.kernel.passes.GroupPasses;
import io.pare.kernel.scalar.ScalarGroupPasses;
import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * {@link GroupPasses} on the Vector API; each has its loop over whole vectors here and its tail in the scalar twin.
 *
 * <p>Loops address {@link Unconfined#MEMORY}, after a check of each range: {@link Unconfined} tells why.
 */
public final class SimdGroupPasses implements GroupPasses {
    @Override
    public void norm(int power, MemorySegment x, long xOff, int n, double[] sums) {
        int whole = n - n % STRIDE;
        long at = floats(x, xOff, whole);
        if (LANES == STRIDE) {
            if (power == 1) {
                magnitudes(at, whole, sums);
            } else {
                squares(at, whole, sums);
            }
            ScalarGroupPasses.normFrom(whole, power, x, xOff, n, sums);
            return;
        }
        for (int i = 0; i < whole; i += LANES) {
            FloatVector v = load(at + (long) i * Float.BYTES);
            int lane = i & STRIDE - 1;
            DoubleVector low = low(v);
            DoubleVector high = high(v);
            low = power == 1 ? low.abs() : low.mul(low);
            high = power == 1 ? high.abs() : high.mul(high);
            DoubleVector.fromArray(F64, sums, lane).add(low).intoArray(sums, lane);
            DoubleVector.fromArray(F64, sums, lane + HALF).add(high).intoArray(sums, lane + HALF);
        }
        ScalarGroupPasses.normFrom(whole, power, x, xOff, n, sums);
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

    /** Where groups are a power of two and fit a vector, each lane counts the elements of its group that precede it. */
    @Override
    public void keepOfGroup(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int keep, int group) {
        int whole = 0;
        if (Integer.bitCount(group) == 1 && group <= LANES) {
            whole = n - n % LANES;
            keepOfPower(floats(x, xOff, whole), writableFloats(z, zOff, whole), whole, keep, group);
        }
        ScalarGroupPasses.keepOfGroupFrom(whole, x, xOff, z, zOff, n, keep, group);
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
}
