package io.pare.kernel.simd;

import static io.pare.kernel.simd.Species.F32;
import static io.pare.kernel.simd.Species.F64;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums of the lanes of a vector, in an order of their own. That of {@code reduceLanes} changes when the optimising compiler
 * takes over from the interpreter in the middle of a run, and the last bit of the sum with it.
 */
final class Lanes {
    static final VectorShuffle<Float> FLOATS_BY_1 = rotation(F32, 1);
    static final VectorShuffle<Float> FLOATS_BY_2 = rotation(F32, 2);
    static final VectorShuffle<Float> FLOATS_BY_4 = rotation(F32, 4);
    static final VectorShuffle<Float> FLOATS_BY_8 = rotation(F32, 8);
    private static final VectorShuffle<Double> DOUBLES_BY_1 = rotation(F64, 1);
    private static final VectorShuffle<Double> DOUBLES_BY_2 = rotation(F64, 2);
    private static final VectorShuffle<Double> DOUBLES_BY_4 = rotation(F64, 4);

    private Lanes() {}

    private static <E> VectorShuffle<E> rotation(VectorSpecies<E> species, int by) {
        return VectorShuffle.fromOp(species, i -> (i + by) % species.length());
    }

    static double sum(DoubleVector v) {
        DoubleVector by4 = F64.length() > 4 ? v.add(v.rearrange(DOUBLES_BY_4)) : v;
        DoubleVector by2 = F64.length() > 2 ? by4.add(by4.rearrange(DOUBLES_BY_2)) : by4;
        return by2.add(by2.rearrange(DOUBLES_BY_1)).lane(0);
    }
}
