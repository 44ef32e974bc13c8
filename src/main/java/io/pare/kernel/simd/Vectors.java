package io.pare.kernel.simd;

import static io.pare.kernel.passes.Passes.MAGNITUDE;
import static io.pare.kernel.simd.Species.F32;
import static io.pare.kernel.simd.Species.F64;
import static io.pare.kernel.simd.Species.I32;
import static io.pare.kernel.simd.Species.LANES;
import static io.pare.mem.direct.Unconfined.MEMORY;

import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/** Steps that several passes share: addresses, loads, keys, and halves of a vector in double precision. */
final class Vectors {
    static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    static final int HALF = LANES / 2;
    /** Numbers of the lanes. */
    static final IntVector INDEX = IntVector.zero(I32).addIndex(1);
    /** Moves the upper half down. */
    static final VectorShuffle<Float> UPPER = VectorShuffle.iota(F32, HALF, 1, true);

    private Vectors() {}

    /** Address of an array that receives at most {@code n} elements from {@code at} on, a whole vector at a time. */
    static long found(MemorySegment segment, long at, int n) {
        long offset = at * Integer.BYTES;
        return Unconfined.writable(segment, offset, (n + (long) LANES) * Integer.BYTES) - offset;
    }

    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(F32, MEMORY, address, LE);
    }

    /** Bits of x, or of x + u. */
    static IntVector bits(long x, long u) {
        return u == 0
                ? IntVector.fromMemorySegment(I32, MEMORY, x, LE)
                : load(x).add(load(u)).reinterpretAsInts();
    }

    static IntVector key(IntVector bits) {
        return bits.and(MAGNITUDE);
    }

    /** Adds (a - b)^2 to the strided accumulators, from {@code lane} on; the float difference is rounded first. */
    static void square(FloatVector a, FloatVector b, double[] lanes, int lane) {
        FloatVector difference = a.sub(b);
        DoubleVector low = low(difference);
        DoubleVector high = high(difference);
        DoubleVector.fromArray(F64, lanes, lane).add(low.mul(low)).intoArray(lanes, lane);
        DoubleVector.fromArray(F64, lanes, lane + HALF).add(high.mul(high)).intoArray(lanes, lane + HALF);
    }

    static DoubleVector low(FloatVector v) {
        return (DoubleVector) v.convertShape(VectorOperators.F2D, F64, 0);
    }

    /** The upper half, moved down by a constant: the conversion of part 1 computes its permutation each time. */
    static DoubleVector high(FloatVector v) {
        return (DoubleVector) v.rearrange(UPPER).convertShape(VectorOperators.F2D, F64, 0);
    }

    /** Adds {@code step} to the code of each element that reaches the table's entry at its code. */
    static IntVector further(IntVector code, FloatVector v, IntVector table, int step) {
        FloatVector bound = code.selectFrom(table).reinterpretAsFloats();
        return code.add(step, v.compare(VectorOperators.GE, bound).cast(I32));
    }
}
