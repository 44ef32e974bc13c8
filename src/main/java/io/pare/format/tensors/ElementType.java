package io.pare.format.tensors;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Types of elements of tensors in files, by the names that the safetensors format gives them. */
public enum ElementType {
    /** IEEE double. */
    F64(8),
    /** IEEE single. */
    F32(4),
    /** IEEE half. */
    F16(2),
    /** The upper half of an IEEE single. */
    BF16(2),
    /** Signed, 64 bits. */
    I64(8),
    /** Signed, 32 bits. */
    I32(4),
    /** Signed, 16 bits. */
    I16(2),
    /** Signed, 8 bits. */
    I8(1),
    /** Unsigned, 64 bits. */
    U64(8),
    /** Unsigned, 32 bits. */
    U32(4),
    /** Unsigned, 16 bits. */
    U16(2),
    /** Unsigned, 8 bits. */
    U8(1),
    /** A byte; 0 is false. */
    BOOL(1);

    private static final ValueLayout.OfShort LE_I16 = ValueLayout.JAVA_SHORT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE_I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LE_I64 = ValueLayout.JAVA_LONG_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    /** {@return the size of one element in bytes} */
    public int bytes() {
        return bytes;
    }

    /** {@return whether elements are floating point; the others are integers and truth values} */
    public boolean isFloat() {
        return switch (this) {
            case F64, F32, F16, BF16 -> true;
            case I64, I32, I16, I8, U64, U32, U16, U8, BOOL -> false;
        };
    }

    /**
     * {@return an element as float} F16 and BF16 are widened exactly; F64 and wide integers are rounded to the nearest.
     *
     * @param elements little-endian
     * @param index counted in elements
     */
    public float floatAt(MemorySegment elements, long index) {
        return switch (this) {
            case F64 -> (float) Double.longBitsToDouble(elements.get(LE_I64, index * 8));
            case F32 -> Float.intBitsToFloat(elements.get(LE_I32, index * 4));
            case F16 -> Float.float16ToFloat(elements.get(LE_I16, index * 2));
            case BF16 -> Float.intBitsToFloat(elements.get(LE_I16, index * 2) << 16);
            case U64 -> {
                long value = elements.get(LE_I64, index * 8);
                // The lowest bit stays in what is rounded, so that halving does not round twice.
                yield value < 0 ? 2 * (float) (value >>> 1 | value & 1) : value;
            }
            case I64, I32, I16, I8, U32, U16, U8, BOOL -> longAt(elements, index);
        };
    }

    /**
     * {@return an integer or truth value as long; that of U64 is negative where it takes 64 bits}
     *
     * @param elements little-endian
     * @param index counted in elements
     * @throws IllegalArgumentException if elements are floating point
     */
    public long longAt(MemorySegment elements, long index) {
        return switch (this) {
            case I64, U64 -> elements.get(LE_I64, index * 8);
            case I32 -> elements.get(LE_I32, index * 4);
            case U32 -> Integer.toUnsignedLong(elements.get(LE_I32, index * 4));
            case I16 -> elements.get(LE_I16, index * 2);
            case U16 -> Short.toUnsignedLong(elements.get(LE_I16, index * 2));
            case I8 -> elements.get(ValueLayout.JAVA_BYTE, index);
            case U8, BOOL -> Byte.toUnsignedLong(elements.get(ValueLayout.JAVA_BYTE, index));
            case F64, F32, F16, BF16 -> throw new IllegalArgumentException(this + " holds no integers");
        };
    }
}
