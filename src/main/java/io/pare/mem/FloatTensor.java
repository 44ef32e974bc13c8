package io.pare.mem;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A contiguous, row-major tensor of 32-bit floats over off-heap memory that a {@link Region} owns.
 *
 * <p>The last dimension varies fastest (NCHW for images, OIHW for filters). The tensor is a view: it frees nothing, and
 * it is as thread-safe as its memory.
 */
public final class FloatTensor {
    private final MemorySegment segment;
    private final long[] shape;
    private final long count;

    /**
     * Views {@code segment} as a tensor; it must hold exactly the shape's number of floats and be native memory.
     *
     * @param segment row-major, aligned to 4 bytes at least; not copied
     * @param shape sizes of the dimensions, the slowest first; none for a scalar
     */
    public FloatTensor(MemorySegment segment, long... shape) {
        this.shape = shape.clone();
        this.count = count(shape);
        if (!segment.isNative()) {
            throw new IllegalArgumentException("a tensor needs off-heap memory, this segment is on the heap");
        }
        if (segment.byteSize() != count * Float.BYTES) {
            throw new IllegalArgumentException("shape " + Arrays.toString(shape) + " needs " + count * Float.BYTES
                    + " bytes, the segment has " + segment.byteSize());
        }
        this.segment = segment;
    }

    /**
     * {@return the number of elements of a shape; 1 for the empty shape} Throws on negative sizes and where the bytes
     * overflow.
     *
     * @param shape sizes of the dimensions, the slowest first; none for a scalar
     */
    public static long count(long... shape) {
        long count = 1;
        for (long size : shape) {
            if (size < 0) {
                throw new IllegalArgumentException("negative size in shape " + Arrays.toString(shape));
            }
            count = Math.multiplyExact(count, size);
        }
        Math.multiplyExact(count, Float.BYTES);
        return count;
    }

    /** {@return the memory itself, not copied} */
    public MemorySegment segment() {
        return segment;
    }

    /** {@return a copy of the shape} */
    public long[] shape() {
        return shape.clone();
    }

    /**
     * {@return the size of dimension {@code axis}}
     *
     * @param axis from 0 to {@link #rank} - 1
     */
    public long size(int axis) {
        return shape[axis];
    }

    /** {@return the number of dimensions, 0 for a scalar} */
    public int rank() {
        return shape.length;
    }

    /** {@return the number of elements} */
    public long count() {
        return count;
    }

    /** {@return the bytes of the elements, four each} */
    public long byteSize() {
        return segment.byteSize();
    }

    /**
     * {@return the element at row-major {@code index}} For edges and tests; kernels work on ranges.
     *
     * @param index from 0 to {@link #count} - 1
     */
    public float get(long index) {
        return segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }

    /**
     * Sets the element at row-major {@code index}.
     *
     * @param index from 0 to {@link #count} - 1
     * @param value any float
     */
    public void set(long index, float value) {
        segment.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
    }

    /**
     * {@return the same memory under another shape of the same count}
     *
     * @param newShape sizes of the dimensions, the slowest first
     */
    public FloatTensor reshape(long... newShape) {
        return new FloatTensor(segment, newShape);
    }

    /**
     * {@return the rows {@code from} (inclusive) to {@code to} (exclusive) of the first dimension, as a view}
     *
     * @param from first row
     * @param to behind the last row
     */
    public FloatTensor rows(long from, long to) {
        long[] sliced = shape.clone();
        long rowBytes = shape[0] == 0 ? 0 : byteSize() / shape[0];
        sliced[0] = to - from;
        return new FloatTensor(segment.asSlice(from * rowBytes, (to - from) * rowBytes), sliced);
    }

    /**
     * Copies {@code values} in; their number must be the tensor's count.
     *
     * @param values in row-major order
     * @return this tensor
     */
    public FloatTensor copyFrom(float[] values) {
        if (values.length != count) {
            throw new IllegalArgumentException(
                    "shape " + Arrays.toString(shape) + " holds " + count + " floats, given " + values.length);
        }
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_FLOAT, 0, values.length);
        return this;
    }

    /**
     * Copies another tensor of the same count in.
     *
     * @param other of the same count; its shape may differ
     * @return this tensor
     */
    public FloatTensor copyFrom(FloatTensor other) {
        if (other.count != count) {
            throw new IllegalArgumentException("cannot copy " + other + " into " + this);
        }
        segment.copyFrom(other.segment);
        return this;
    }

    /**
     * Sets all elements.
     *
     * @param value any float
     * @return this tensor
     */
    public FloatTensor fill(float value) {
        if (Float.floatToRawIntBits(value) == 0) {
            segment.fill((byte) 0);
        } else {
            for (long i = 0; i < count; i++) {
                set(i, value);
            }
        }
        return this;
    }

    /** {@return the elements, copied to the heap} */
    public float[] toArray() {
        return segment.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Override
    public String toString() {
        return "f32" + Arrays.toString(shape);
    }
}
