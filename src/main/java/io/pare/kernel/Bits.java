package io.pare.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * A read-only view of one bit for each element: bit {@code i & 7} of byte {@code i >> 3}, least significant first.
 *
 * @param segment native memory of at least {@link #bytes bytes(n)} bytes from {@code offset}
 * @param offset in bytes at which bit 0 lies
 */
public record Bits(MemorySegment segment, long offset) {
    /** Checks that there is memory and the offset is not negative. */
    public Bits {
        Objects.requireNonNull(segment);
        if (offset < 0) {
            throw new IllegalArgumentException("negative offset: " + offset);
        }
    }

    /**
     * {@return the bytes that {@code n} bits take}
     *
     * @param n number of elements, at least 0
     */
    public static long bytes(long n) {
        return (n + 7) >>> 3;
    }

    /**
     * {@return the bits from number {@code first} on, a multiple of 8}
     *
     * @param first number of an element
     */
    public Bits from(long first) {
        return first == 0 ? this : new Bits(segment, offset + first / Byte.SIZE);
    }

    /**
     * {@return whether bit {@code i} is set}
     *
     * @param i number of an element, below that for which there is memory
     */
    public boolean get(long i) {
        return (segment.get(ValueLayout.JAVA_BYTE, offset + (i >>> 3)) >>> (i & 7) & 1) != 0;
    }
}
