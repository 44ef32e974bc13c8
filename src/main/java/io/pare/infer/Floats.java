package io.pare.infer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * Reads and writes floats in what a caller keeps them in. Without state, so that a call makes no object.
 *
 * @param <T> what holds the floats
 */
sealed interface Floats<T> {
    Floats<float[]> ARRAY = new Array();
    /** From the position on, which stays. */
    Floats<FloatBuffer> BUFFER = new Buffer();
    /** In the buffer's byte order, from the position on, which stays. */
    Floats<ByteBuffer> BYTES = new Bytes();
    /** In the machine's byte order, at any address. */
    Floats<MemorySegment> SEGMENT = new Segment();

    /** What holds them, as messages call it. */
    String name();

    /** How many it holds. */
    long count(T holder);

    boolean isReadOnly(T holder);

    /** Copies {@code count} floats from place {@code from} on to the beginning of {@code to}. */
    void read(T holder, long from, float[] to, int count);

    /** Copies the first {@code count} floats of {@code from} to place {@code to} and those behind it. */
    void write(T holder, long to, float[] from, int count);

    /** Arrays. */
    record Array() implements Floats<float[]> {
        @Override
        public String name() {
            return "array";
        }

        @Override
        public long count(float[] holder) {
            return holder.length;
        }

        @Override
        public boolean isReadOnly(float[] holder) {
            return false;
        }

        @Override
        public void read(float[] holder, long from, float[] to, int count) {
            System.arraycopy(holder, (int) from, to, 0, count);
        }

        @Override
        public void write(float[] holder, long to, float[] from, int count) {
            System.arraycopy(from, 0, holder, (int) to, count);
        }
    }

    /** Buffers of floats, on the heap or not, in any byte order. */
    record Buffer() implements Floats<FloatBuffer> {
        @Override
        public String name() {
            return "buffer";
        }

        @Override
        public long count(FloatBuffer holder) {
            return holder.remaining();
        }

        @Override
        public boolean isReadOnly(FloatBuffer holder) {
            return holder.isReadOnly();
        }

        @Override
        public void read(FloatBuffer holder, long from, float[] to, int count) {
            holder.get(holder.position() + (int) from, to, 0, count);
        }

        @Override
        public void write(FloatBuffer holder, long to, float[] from, int count) {
            holder.put(holder.position() + (int) to, from, 0, count);
        }
    }

    /** Buffers of bytes, on the heap or not. */
    record Bytes() implements Floats<ByteBuffer> {
        @Override
        public String name() {
            return "buffer";
        }

        @Override
        public long count(ByteBuffer holder) {
            return holder.remaining() / Float.BYTES;
        }

        @Override
        public boolean isReadOnly(ByteBuffer holder) {
            return holder.isReadOnly();
        }

        @Override
        public void read(ByteBuffer holder, long from, float[] to, int count) {
            int at = holder.position() + (int) from * Float.BYTES;
            for (int i = 0; i < count; i++) {
                to[i] = holder.getFloat(at + i * Float.BYTES);
            }
        }

        @Override
        public void write(ByteBuffer holder, long to, float[] from, int count) {
            int at = holder.position() + (int) to * Float.BYTES;
            for (int i = 0; i < count; i++) {
                holder.putFloat(at + i * Float.BYTES, from[i]);
            }
        }
    }

    /** Segments, on the heap or not. */
    record Segment() implements Floats<MemorySegment> {
        @Override
        public String name() {
            return "segment";
        }

        @Override
        public long count(MemorySegment holder) {
            return holder.byteSize() / Float.BYTES;
        }

        @Override
        public boolean isReadOnly(MemorySegment holder) {
            return holder.isReadOnly();
        }

        @Override
        public void read(MemorySegment holder, long from, float[] to, int count) {
            MemorySegment.copy(holder, ValueLayout.JAVA_FLOAT_UNALIGNED, from * Float.BYTES, to, 0, count);
        }

        @Override
        public void write(MemorySegment holder, long to, float[] from, int count) {
            MemorySegment.copy(from, 0, holder, ValueLayout.JAVA_FLOAT_UNALIGNED, to * Float.BYTES, count);
        }
    }
}
