package io.pare.format;

import io.pare.mem.FloatTensor;
import java.util.Locale;

/**
 * How exactly biases are kept. Rounding happens before a network is evaluated; a file then holds the rounded values to
 * the last bit, so what is evaluated is what is stored.
 *
 * <p>Biases of dead units are best removed first: see {@link DeadPaths}.
 *
 * @param kind what is done to each value
 * @param bits of a level, sign included, for {@link Kind#UNIFORM}: 2 to 8
 */
public record BiasForm(Kind kind, int bits) {
    /** Kinds of rounding. */
    public enum Kind {
        /** All zero. */
        NONE,
        /** As they are. */
        F32,
        /** To the nearest half-precision float. */
        F16,
        /** To whole multiples of one step for each tensor, of which the largest bias is the highest. */
        UNIFORM
    }

    /** No biases. */
    public static final BiasForm NONE = new BiasForm(Kind.NONE, 0);
    /** Biases as they are. */
    public static final BiasForm F32 = new BiasForm(Kind.F32, 32);
    /** Biases in half precision. */
    public static final BiasForm F16 = new BiasForm(Kind.F16, 16);

    private static final int STEP_MANTISSA_BITS = 5;

    public BiasForm {
        if (kind == Kind.UNIFORM && (bits < 2 || bits > 8)) {
            throw new IllegalArgumentException("biases of " + bits + " bits; 2 to 8 are possible");
        }
    }

    /** Biases as multiples of a step, from -(2^(bits-1) - 1) to 2^(bits-1) - 1. */
    public static BiasForm uniform(int bits) {
        return new BiasForm(Kind.UNIFORM, bits);
    }

    /** Reads {@code none}, {@code f32}, {@code f16} or a number of bits from 2 to 8. */
    public static BiasForm of(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "none" -> NONE;
            case "f32" -> F32;
            case "f16" -> F16;
            default -> {
                if (!text.matches("[2-8]")) {
                    throw new IllegalArgumentException(
                            "'" + text + "' is no form for biases; there are none, f32, f16 and 2 to 8 bits");
                }
                yield uniform(Integer.parseInt(text));
            }
        };
    }

    /** Rounds a tensor in place. */
    public void round(FloatTensor biases) {
        float step = kind == Kind.UNIFORM ? step(biases) : 0;
        for (long i = 0; i < biases.count(); i++) {
            float value = biases.get(i);
            biases.set(i, switch (kind) {
                case NONE -> 0;
                case F32 -> value;
                case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
                case UNIFORM -> step == 0 ? 0 : step * Math.round(value / step);
            });
        }
    }

    /** The largest bias over the highest level, rounded up to few bits, which the file then needs few bits for. */
    private float step(FloatTensor biases) {
        float largest = 0;
        for (long i = 0; i < biases.count(); i++) {
            largest = Math.max(largest, Math.abs(biases.get(i)));
        }
        float step = largest / ((1 << bits - 1) - 1);
        int dropped = 23 - STEP_MANTISSA_BITS;
        return Float.intBitsToFloat(Float.floatToRawIntBits(step) + (1 << dropped) - 1 >> dropped << dropped);
    }
}
