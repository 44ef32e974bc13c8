package io.pare.format.protobuf;

import io.pare.file.FormatException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The wire format of protocol buffers (protobuf.dev/programming-guides/encoding), as much of it as Pare's files need. */
public final class Protobuf {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private Protobuf() {}

    /** Builds one message; messages nest as bytes. */
    public static final class Writer {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                out.write((int) (rest & 0x7f | 0x80));
                rest >>>= 7;
            }
            out.write((int) rest);
        }

        public Writer number(int field, long value) {
            varint((long) field << 3 | VARINT);
            varint(value);
            return this;
        }

        public Writer decimal(int field, float value) {
            varint((long) field << 3 | FIXED32);
            int bits = Float.floatToRawIntBits(value);
            for (int i = 0; i < 4; i++) {
                out.write(bits >>> 8 * i);
            }
            return this;
        }

        public Writer real(int field, double value) {
            varint((long) field << 3 | FIXED64);
            fixed(value);
            return this;
        }

        /** A repeated number, packed. */
        public Writer reals(int field, double[] values) {
            varint((long) field << 3 | BYTES);
            varint((long) values.length * Double.BYTES);
            for (double value : values) {
                fixed(value);
            }
            return this;
        }

        private void fixed(double value) {
            long bits = Double.doubleToRawLongBits(value);
            for (int i = 0; i < Double.BYTES; i++) {
                out.write((int) (bits >>> 8 * i));
            }
        }

        public Writer bytes(int field, byte[] value) {
            varint((long) field << 3 | BYTES);
            varint(value.length);
            out.writeBytes(value);
            return this;
        }

        public Writer text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        public Writer message(int field, Writer value) {
            return bytes(field, value.toByteArray());
        }

        public byte[] toByteArray() {
            return out.toByteArray();
        }
    }

    /** Walks over the fields of one message inside a buffer. Every length is checked against the message's end. */
    public static final class Reader {
        private final ByteBuffer bytes;
        private final int start;
        private final int end;
        private int at;
        private int field;
        private int type;
        private long number;
        private int valueAt;
        private int valueBytes;

        public Reader(byte[] bytes) {
            this(ByteBuffer.wrap(bytes));
        }

        /** Of all of a buffer, whose position does not matter. */
        public Reader(ByteBuffer bytes) {
            this(bytes, 0, bytes.limit());
        }

        private Reader(ByteBuffer bytes, int from, int end) {
            this.bytes = bytes;
            this.start = from;
            this.at = from;
            this.end = end;
        }

        /** The same message, read from its beginning. */
        public Reader again() {
            return new Reader(bytes, start, end);
        }

        /** Moves to the next field; false at the end. */
        public boolean next() {
            if (at == end) {
                return false;
            }
            long tag = varint();
            field = (int) (tag >>> 3);
            type = (int) (tag & 7);
            if (field <= 0 || tag >>> 3 > (1 << 29) - 1) {
                throw damaged();
            }
            switch (type) {
                case VARINT -> number = varint();
                case FIXED64 -> take(8);
                case BYTES -> {
                    long length = varint();
                    if (length < 0 || length > end - at) {
                        throw damaged();
                    }
                    take((int) length);
                }
                case FIXED32 -> take(4);
                default -> throw damaged();
            }
            return true;
        }

        private void take(int length) {
            if (length > end - at) {
                throw damaged();
            }
            valueAt = at;
            valueBytes = length;
            at += length;
        }

        private long varint() {
            long value = 0;
            for (int shift = 0; shift < 64; shift += 7) {
                if (at == end) {
                    throw damaged();
                }
                int next = bytes.get(at++);
                value |= (long) (next & 0x7f) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            throw damaged();
        }

        private static FormatException damaged() {
            return new FormatException("not a valid protocol buffer: damaged, or a file of another kind");
        }

        public int field() {
            return field;
        }

        private void expect(int wanted) {
            if (type != wanted) {
                throw damaged();
            }
        }

        public long number() {
            expect(VARINT);
            return number;
        }

        public float decimal() {
            expect(FIXED32);
            return buffer().getFloat();
        }

        public String text() {
            expect(BYTES);
            byte[] text = new byte[valueBytes];
            bytes.get(valueAt, text);
            return new String(text, StandardCharsets.UTF_8);
        }

        public Reader message() {
            expect(BYTES);
            return new Reader(bytes, valueAt, valueAt + valueBytes);
        }

        /** A value of bytes, not copied, little-endian. */
        public ByteBuffer bytes() {
            expect(BYTES);
            return buffer();
        }

        /** The bytes of a value of any type but {@link #VARINT}, not copied, little-endian. */
        public ByteBuffer buffer() {
            if (type == VARINT) {
                throw damaged();
            }
            return bytes.slice(valueAt, valueBytes).order(ByteOrder.LITTLE_ENDIAN);
        }

        /** Writes the field as it is. */
        public void copyTo(Writer to) {
            switch (type) {
                case VARINT -> to.number(field, number);
                case BYTES -> {
                    byte[] value = new byte[valueBytes];
                    bytes.get(valueAt, value);
                    to.bytes(field, value);
                }
                case FIXED32 -> to.decimal(field, buffer().getFloat());
                case FIXED64 -> to.real(field, buffer().getDouble());
                default -> throw damaged();
            }
        }

        /** Appends a repeated number, packed or not. */
        public void numbers(Numbers into) {
            if (type == VARINT) {
                into.add(number);
            } else {
                Reader packed = message();
                while (packed.at < packed.end) {
                    into.add(packed.varint());
                }
            }
        }
    }

    /** A growing list of longs. */
    public static final class Numbers {
        private long[] values = new long[4];
        private int size;

        public void add(long value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, size * 2);
            }
            values[size++] = value;
        }

        public int size() {
            return size;
        }

        public long get(int index) {
            return values[index];
        }

        public long[] toArray() {
            return Arrays.copyOf(values, size);
        }
    }
}
