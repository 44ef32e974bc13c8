package io.pare.kernel.simd;

import io.pare.kernel.KernelProvider;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The vector shapes in use, fixed when this class loads: the JIT must see constants. */
final class Species {
    private static final VectorShape SHAPE = shape(Integer.getInteger(KernelProvider.WIDTH, 0));

    static final VectorSpecies<Float> F32 = VectorSpecies.of(float.class, SHAPE);
    static final VectorSpecies<Integer> I32 = VectorSpecies.of(int.class, SHAPE);
    static final VectorSpecies<Double> F64 = VectorSpecies.of(double.class, SHAPE);
    /** Floats in a vector. */
    static final int LANES = F32.length();
    static final int BITS = SHAPE.vectorBitSize();

    private Species() {}

    /**
     * Loads a vector for nothing. The JIT takes the kind of a segment from the loads and stores that it has seen; stores
     * of vectors it has also seen to arrays, in the Vector API's own fallbacks, so that a segment that is only stored to
     * remains of unknown kind, and the checks of that and of every other segment stay in the loop. Call it before such
     * a loop, which then runs in half the time.
     */
    static void reveal(MemorySegment segment, long offset) {
        IntVector.fromMemorySegment(I32, segment, offset, ByteOrder.LITTLE_ENDIAN);
    }

    private static VectorShape shape(int bits) {
        int preferred = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        if (IntVector.SPECIES_PREFERRED.vectorBitSize() != preferred
                || DoubleVector.SPECIES_PREFERRED.vectorBitSize() != preferred) {
            throw new IllegalStateException("this machine prefers vectors of different widths for floats and integers");
        }
        return switch (bits) {
            case 0 -> shape(Math.clamp(preferred, 128, 512));
            case 128 -> VectorShape.S_128_BIT;
            case 256 -> VectorShape.S_256_BIT;
            case 512 -> VectorShape.S_512_BIT;
            default -> throw new IllegalStateException(
                    "-D" + KernelProvider.WIDTH + "=" + bits + " is none of 128, 256, 512");
        };
    }
}
