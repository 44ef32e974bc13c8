package io.pare.kernel.simd;

import io.pare.kernel.KernelProvider;
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
