package io.pare.kernel;

import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;

/** Checks the ranges of a call, and the sizes that determine them, before the call begins. */
final class Ranges {
    private Ranges() {}

    /**
     * Checks {@code n} floats from {@code offset} on that are read.
     *
     * @throws IndexOutOfBoundsException if the segment does not hold them, or their size overflows
     * @throws IllegalArgumentException if they do not begin at a multiple of four bytes, or lie on the Java heap
     */
    static void floats(MemorySegment segment, long offset, long n) {
        elements(segment, offset, n, Float.BYTES);
    }

    /** As {@link #floats}, of ints. */
    static void ints(MemorySegment segment, long offset, long n) {
        elements(segment, offset, n, Integer.BYTES);
    }

    /** As {@link #floats}, of bytes. */
    static void bytes(MemorySegment segment, long offset, long n) {
        elements(segment, offset, n, Byte.BYTES);
    }

    /** {@link #floats} that are written. */
    static void writableFloats(MemorySegment segment, long offset, long n) {
        floats(segment, offset, n);
        Unconfined.checkWritable(segment);
    }

    /** {@link #bytes} that are written. */
    static void writableBytes(MemorySegment segment, long offset, long n) {
        bytes(segment, offset, n);
        Unconfined.checkWritable(segment);
    }

    /** Elements of a matrix. */
    static long product(long rows, long columns) {
        if (rows < 0 || columns < 0 || Math.multiplyHigh(rows, columns) != 0 || rows * columns < 0) {
            throw new IndexOutOfBoundsException("there is no matrix of " + rows + " x " + columns + " elements");
        }
        return rows * columns;
    }

    private static void elements(MemorySegment segment, long offset, long n, int width) {
        long size = segment.byteSize();
        if (offset < 0 || offset > size || n < 0 || n > (size - offset) / width) {
            throw new IndexOutOfBoundsException(n + " elements of " + width + " bytes from byte " + offset
                    + " on do not lie in a segment of " + size + " bytes");
        }
        Unconfined.check(segment, offset, n * width);
        if ((segment.address() + offset) % width != 0) {
            throw new IllegalArgumentException("elements of " + width + " bytes begin at a multiple of " + width
                    + " bytes, not at byte " + offset + " of a segment at " + segment.address());
        }
    }
}
