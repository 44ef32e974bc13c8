package io.pare.format.pare;

import io.pare.file.FormatException;
import io.pare.format.pare.BitCoder.Frequencies;

/**
 * Codes floats exactly: sign, exponent by a tree over the range of exponents that occur, and as many bits of the
 * mantissa as any of them needs. So values that were rounded to few bits take few bits, and halves take no more than as
 * halves.
 */
final class FloatCoder {
    private static final int MANTISSA_BITS = 23;
    /** Biased exponent of 1/8. */
    private static final int USUAL_EXPONENT = 124;

    private final BitCoder coder;
    private final Frequencies signs = new Frequencies(1);
    private Frequencies exponents;
    private int mantissaBits;
    private int lowest;
    private int width;

    FloatCoder(BitCoder coder) {
        this.coder = coder;
    }

    /** Codes the range of exponents and the number of mantissa bits of the values; null when reading. */
    void codeHead(float[] values) {
        int low = 255;
        int high = 0;
        int mantissas = 0;
        if (values != null) {
            for (float value : values) {
                int bits = Float.floatToRawIntBits(value);
                low = Math.min(low, bits >>> MANTISSA_BITS & 0xff);
                high = Math.max(high, bits >>> MANTISSA_BITS & 0xff);
                mantissas |= bits & (1 << MANTISSA_BITS) - 1;
            }
        }
        int span = 32 - Integer.numberOfLeadingZeros(Math.max(0, high - low));
        mantissaBits = coder.bits(mantissas == 0 ? 0 : MANTISSA_BITS - Integer.numberOfTrailingZeros(mantissas), 5);
        lowest = coder.signedNumber(low - USUAL_EXPONENT, 3) + USUAL_EXPONENT;
        width = coder.number(span, 0);
        if (mantissaBits > MANTISSA_BITS || lowest < 0 || lowest > 254 || width > 8) {
            throw new FormatException("floats with " + mantissaBits + " bits of mantissa, " + width
                    + " of exponent from " + lowest + ": the file is damaged");
        }
        exponents = new Frequencies(1 << width);
    }

    float code(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = signs.code(coder, 0, bits >>> 31);
        int exponent = lowest + exponents.tree(coder, (bits >>> MANTISSA_BITS & 0xff) - lowest, width);
        int dropped = MANTISSA_BITS - mantissaBits;
        int mantissa = coder.bits(bits >>> dropped, mantissaBits) << dropped;
        if (exponent > 254 || (exponent | mantissa) == 0) {
            throw new FormatException("a value in the file is zero, infinite or not a number: the file is damaged");
        }
        return Float.intBitsToFloat(sign << 31 | exponent << MANTISSA_BITS | mantissa);
    }
}
