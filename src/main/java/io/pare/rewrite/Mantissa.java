package io.pare.rewrite;

import io.pare.format.pare.UniformLevels;
import io.pare.mem.FloatTensor;
import io.pare.net.CompressedTensor;

/**
 * Rounds values to few bits of mantissa, which a {@code .pare} file then needs few bits for. Done before a network is
 * evaluated: a file holds the rounded values exactly.
 */
public final class Mantissa {
    private static final int BITS = 23;

    private Mantissa() {}

    /**
     * Rounds all values of a tensor in place. Values that are multiples of one step stay so: the step is rounded.
     *
     * @param tensor rounded in place
     * @param bits of the mantissa behind its leading 1, 0 to 23
     */
    public static void round(FloatTensor tensor, int bits) {
        CompressedTensor compressed = CompressedTensor.of(tensor);
        float[] values = compressed.codebook();
        UniformLevels levels = values.length < 2 ? null : UniformLevels.of(values);
        float step = levels == null ? 0 : round(levels.step(), bits);
        for (int i = 0; i < compressed.nonzeros(); i++) {
            tensor.set(compressed.position(i), levels == null
                    ? round(compressed.value(i), bits)
                    : step * levels.levels()[compressed.code(i)]);
        }
    }

    /** The nearest float of so many bits of mantissa, of two equally near ones that of larger magnitude. */
    static float round(float value, int bits) {
        int dropped = BITS - bits;
        int raw = Float.floatToRawIntBits(value);
        return dropped == 0 ? value : Float.intBitsToFloat(raw + (1 << dropped - 1) >> dropped << dropped);
    }
}
