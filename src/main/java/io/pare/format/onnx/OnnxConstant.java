package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.mem.FloatTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntToLongFunction;
import java.util.stream.IntStream;

/**
 * A tensor that an ONNX file holds or that follows from such tensors alone.
 *
 * @param type of its elements
 * @param shape none for a single number
 * @param data the elements in row-major order, little-endian, as in ONNX's {@code raw_data}; not to be changed
 */
public record OnnxConstant(Type type, long[] shape, ByteBuffer data) {
    /** Where a tensor without raw data holds its elements. */
    enum Field {
        FLOATS, INTEGERS, LONGS, DOUBLES, UNSIGNED_LONGS
    }

    /** Types of elements. Their names are those of ONNX. */
    public enum Type {
        /** IEEE single. */
        FLOAT(1, 4, Field.FLOATS),
        /** Unsigned, 8 bits. */
        UINT8(2, 1, Field.INTEGERS),
        /** Signed, 8 bits. */
        INT8(3, 1, Field.INTEGERS),
        /** Unsigned, 16 bits. */
        UINT16(4, 2, Field.INTEGERS),
        /** Signed, 16 bits. */
        INT16(5, 2, Field.INTEGERS),
        /** Signed, 32 bits. */
        INT32(6, 4, Field.INTEGERS),
        /** Signed, 64 bits. */
        INT64(7, 8, Field.LONGS),
        /** A byte; 0 is false. */
        BOOL(9, 1, Field.INTEGERS),
        /** IEEE half. */
        FLOAT16(10, 2, Field.INTEGERS),
        /** IEEE double. */
        DOUBLE(11, 8, Field.DOUBLES),
        /** Unsigned, 32 bits. */
        UINT32(12, 4, Field.UNSIGNED_LONGS),
        /** Unsigned, 64 bits. */
        UINT64(13, 8, Field.UNSIGNED_LONGS),
        /** The upper half of an IEEE single. */
        BFLOAT16(16, 2, Field.INTEGERS),
        /** Unsigned, 4 bits; two lie in a byte of a file, and each in a byte of its own here. */
        UINT4(21, 1, Field.INTEGERS),
        /** Signed, the same. */
        INT4(22, 1, Field.INTEGERS);

        private final int code;
        private final int width;
        private final Field field;

        Type(int code, int width, Field field) {
            this.code = code;
            this.width = width;
            this.field = field;
        }

        /** The type of that number in ONNX, or null if Pare does not read it. */
        static Type of(long code) {
            return Arrays.stream(values()).filter(type -> type.code == code).findFirst().orElse(null);
        }

        int code() {
            return code;
        }

        /** Bytes of one element. */
        int width() {
            return width;
        }

        Field field() {
            return field;
        }

        /** Whether two elements share a byte of a file, the first in its lower half. */
        boolean isPacked() {
            return this == UINT4 || this == INT4;
        }

        /** Bytes of elements in a file. */
        long bytes(int count) {
            return isPacked() ? Math.ceilDiv(count, 2) : (long) count * width;
        }

        /** Elements of a byte each as a file has them. */
        byte[] packed(byte[] elements) {
            if (!isPacked()) {
                return elements;
            }
            byte[] packed = new byte[Math.ceilDiv(elements.length, 2)];
            for (int i = 0; i < elements.length; i++) {
                packed[i / 2] |= (byte) ((elements[i] & 0xf) << i % 2 * 4);
            }
            return packed;
        }

        /** Elements of a file as they are here. */
        ByteBuffer unpacked(ByteBuffer packed, int count) {
            if (!isPacked()) {
                return packed;
            }
            ByteBuffer elements = OnnxConstant.bytes(count);
            int start = packed.position();
            for (int i = 0; i < count; i++) {
                int half = packed.get(start + i / 2) >> i % 2 * 4 & 0xf;
                elements.put(i, (byte) (this == INT4 ? (half ^ 8) - 8 : half));
            }
            return elements;
        }

        boolean isFloating() {
            return switch (this) {
                case FLOAT, FLOAT16, DOUBLE, BFLOAT16 -> true;
                case UINT8, INT8, UINT16, INT16, INT32, INT64, BOOL, UINT32, UINT64, UINT4, INT4 -> false;
            };
        }
    }

    /**
     * {@return a vector of integers}
     *
     * @param values the elements
     */
    public static OnnxConstant of(long... values) {
        ByteBuffer data = bytes(values.length * Long.BYTES);
        data.asLongBuffer().put(values);
        return new OnnxConstant(Type.INT64, new long[]{values.length}, data);
    }

    /**
     * {@return the row-major integers}
     *
     * @param values row-major; copied
     * @param shape sizes of the dimensions, the slowest first; none for a scalar
     */
    public static OnnxConstant of(long[] values, long... shape) {
        return of(values).reshaped(shape);
    }

    /** Zeros, to be written over before anybody else sees them. */
    static OnnxConstant empty(Type type, long... shape) {
        return new OnnxConstant(type, shape, bytes((long) count("a constant", shape) * type.width));
    }

    /** One value of a type of integers for each index. */
    static OnnxConstant integers(Type type, IntToLongFunction values, long... shape) {
        int count = count("a constant", shape);
        ByteBuffer into = bytes((long) count * type.width);
        for (int i = 0; i < count; i++) {
            switch (type) {
                case BOOL -> into.put(i, (byte) (values.applyAsLong(i) != 0 ? 1 : 0));
                case UINT8, INT8 -> into.put(i, (byte) values.applyAsLong(i));
                case UINT4 -> into.put(i, (byte) (values.applyAsLong(i) & 0xf));
                case INT4 -> into.put(i, (byte) ((values.applyAsLong(i) & 0xf ^ 8) - 8));
                case UINT16, INT16 -> into.putShort(i * 2, (short) values.applyAsLong(i));
                case INT32, UINT32 -> into.putInt(i * 4, (int) values.applyAsLong(i));
                case INT64, UINT64 -> into.putLong(i * 8, values.applyAsLong(i));
                case FLOAT, FLOAT16, DOUBLE, BFLOAT16 -> throw new IllegalStateException(type + " is no integer");
            }
        }
        return new OnnxConstant(type, shape, into);
    }

    /** One number of a floating-point type for each index. */
    static OnnxConstant decimals(Type type, IntToDoubleFunction values, long... shape) {
        int count = count("a constant", shape);
        ByteBuffer into = bytes((long) count * type.width);
        for (int i = 0; i < count; i++) {
            double value = values.applyAsDouble(i);
            switch (type) {
                case FLOAT -> into.putFloat(i * 4, (float) value);
                case DOUBLE -> into.putDouble(i * 8, value);
                case FLOAT16 -> into.putShort(i * 2, Float.floatToFloat16((float) value));
                case BFLOAT16 -> into.putShort(i * 2, bfloat16((float) value));
                case UINT8, INT8, UINT16, INT16, INT32, INT64, BOOL, UINT32, UINT64, UINT4, INT4 ->
                        throw new IllegalStateException(type + " is no floating-point type");
            }
        }
        return new OnnxConstant(type, shape, into);
    }

    /**
     * {@return the row-major values}
     *
     * @param values row-major; copied
     * @param shape sizes of the dimensions, the slowest first; none for a scalar
     */
    public static OnnxConstant of(float[] values, long... shape) {
        ByteBuffer data = bytes(values.length * Float.BYTES);
        data.asFloatBuffer().put(values);
        return new OnnxConstant(Type.FLOAT, shape, data);
    }

    private static ByteBuffer bytes(long count) {
        return ByteBuffer.allocate(Math.toIntExact(count)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * The number of elements.
     *
     * @throws FormatException if the shape is none, or too large for an array
     */
    static int count(String what, long... shape) {
        try {
            return Math.toIntExact(FloatTensor.count(shape));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new FormatException(what + " has the shape " + Arrays.toString(shape) + ", "
                    + (Arrays.stream(shape).anyMatch(size -> size < 0) ? "whose sizes cannot be negative"
                            : "more than fits into an array"),
                    e);
        }
    }

    int count() {
        return data.remaining() / type.width;
    }

    /** An element as a float; of a double the nearest one. */
    float decimal(int index) {
        return switch (type) {
            case FLOAT -> data.getFloat(index * 4);
            case FLOAT16 -> Float.float16ToFloat(data.getShort(index * 2));
            case BFLOAT16 -> Float.intBitsToFloat(data.getShort(index * 2) << 16);
            case DOUBLE -> (float) data.getDouble(index * 8);
            case UINT64 -> unsigned(integer(index));
            case UINT8, INT8, UINT16, INT16, INT32, INT64, BOOL, UINT32, UINT4, INT4 -> integer(index);
        };
    }

    /** 64 bits without a sign as a float, rounded once: the lowest bit of a half stands for all that is cut off. */
    private static float unsigned(long value) {
        return value >= 0 ? value : 2f * (value >>> 1 | value & 1);
    }

    /** An element of a type of integers; the largest half of UINT64 is negative. */
    long integer(int index) {
        return switch (type) {
            case UINT8, BOOL, UINT4 -> data.get(index) & 0xff;
            case INT8, INT4 -> data.get(index);
            case UINT16 -> data.getShort(index * 2) & 0xffff;
            case INT16 -> data.getShort(index * 2);
            case INT32 -> data.getInt(index * 4);
            case UINT32 -> data.getInt(index * 4) & 0xffff_ffffL;
            case INT64, UINT64 -> data.getLong(index * 8);
            case FLOAT, FLOAT16, DOUBLE, BFLOAT16 -> throw new IllegalStateException(type + " is no integer");
        };
    }

    /** {@return all elements as floats} */
    public float[] decimals() {
        float[] values = new float[count()];
        decimals(0, values, values.length);
        return values;
    }

    /** Writes {@code count} elements from one on as floats. */
    void decimals(int from, float[] into, int count) {
        if (type == Type.FLOAT) {
            data.asFloatBuffer().get(from, into, 0, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[i] = decimal(from + i);
        }
    }

    /** All elements as integers, or null if they are of another type. */
    long[] integers() {
        return type.isFloating() ? null : IntStream.range(0, count()).mapToLong(this::integer).toArray();
    }

    /** The same elements under another shape of the same count. */
    OnnxConstant reshaped(long... other) {
        return new OnnxConstant(type, other, data);
    }

    /**
     * The elements as another type: to integers they are cut off, narrower integers keep their lowest bits.
     *
     * @throws IllegalArgumentException if a number has no counterpart among the integers of that type
     */
    OnnxConstant cast(Type to) {
        if (to == type) {
            return this;
        }
        if (to == Type.BOOL) {
            return integers(to, i -> wide(i) != 0 ? 1 : 0, shape);
        }
        return switch (to) {
            case FLOAT, FLOAT16, BFLOAT16 -> decimals(to, this::decimal, shape);
            case DOUBLE -> decimals(to, this::wide, shape);
            case UINT8, INT8, UINT16, INT16, INT32, INT64, BOOL, UINT32, UINT64, UINT4, INT4 ->
                    integers(to, i -> whole(i, to), shape);
        };
    }

    /** An element as a double. */
    double wide(int index) {
        return switch (type) {
            case DOUBLE -> data.getDouble(index * 8);
            case FLOAT, FLOAT16, BFLOAT16 -> decimal(index);
            case UINT64 -> (integer(index) >>> 1) * 2.0 + (integer(index) & 1);
            case UINT8, INT8, UINT16, INT16, INT32, INT64, BOOL, UINT32, UINT4, INT4 -> integer(index);
        };
    }

    private long whole(int index, Type to) {
        if (!type.isFloating()) {
            return integer(index);
        }
        double value = wide(index);
        boolean signed = switch (to) {
            case INT8, INT16, INT32, INT64, INT4 -> true;
            case UINT4, UINT8, UINT16, UINT32, UINT64, BOOL, FLOAT, FLOAT16, DOUBLE, BFLOAT16 -> false;
        };
        double end = Math.scalb(1.0, (to.isPacked() ? 4 : to.width * 8) - (signed ? 1 : 0));
        double cut = value < 0 ? Math.ceil(value) : Math.floor(value);
        if (!(cut < end && cut >= (signed ? -end : 0))) {
            throw new IllegalArgumentException("turns " + value + " into " + to + ", which has no such number");
        }
        return cut < Long.MAX_VALUE ? (long) cut : (long) (cut - Math.scalb(1.0, 63)) ^ Long.MIN_VALUE;
    }

    /** The nearest number of 8 bits of fraction, the even one of two. */
    private static short bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return (short) (Float.isNaN(value) ? bits >>> 16 | 0x40 : bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    /** Element {@code i} of the result is the element at {@code places[i]}, or {@code filler} where that is below 0. */
    OnnxConstant moved(int[] places, float filler, long... other) {
        ByteBuffer into = bytes((long) places.length * type.width);
        OnnxConstant one = decimals(Type.FLOAT, _ -> filler).cast(type);
        for (int i = 0; i < places.length; i++) {
            boolean own = places[i] >= 0;
            into.put(i * type.width, own ? data : one.data, own ? places[i] * type.width : 0, type.width);
        }
        return new OnnxConstant(type, other, into);
    }

    /** {@code count} times the one element of this. */
    OnnxConstant repeated(int count, long... other) {
        ByteBuffer into = bytes((long) count * type.width);
        for (int i = 0; i < count; i++) {
            into.put(i * type.width, data, 0, type.width);
        }
        return new OnnxConstant(type, other, into);
    }

    /** Puts the elements of this vector at places of a tensor that is zero elsewhere. */
    OnnxConstant scattered(int[] places, int count, long... other) {
        ByteBuffer into = bytes((long) count * type.width);
        for (int i = 0; i < places.length; i++) {
            into.put(places[i] * type.width, data, i * type.width, type.width);
        }
        return new OnnxConstant(type, other, into);
    }
}
