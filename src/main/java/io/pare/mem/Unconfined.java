package io.pare.mem;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Memory without an owner, for kernels: what a call lends to its threads, and what loops address.
 *
 * <p>The JIT compiles into every access a check of who owns the segment, by a profile that all accesses of the JVM share.
 * Where some segments have an owner and others none it hoists, from each loop, a comparison that fails, then compiles
 * anew, and calls take a hundred times as long for minutes (JDK 25): a loop that fills confined memory before is enough.
 * The kind of a segment is guessed likewise. Loops over {@link #MEMORY}, a constant, contain no such check. Checks are
 * made before them, by {@link #address}: memory must therefore stay allocated until the call that uses it returns, as
 * with native code. A {@link Region} or a confined arena cannot help doing so where one thread has both; whoever closes
 * a shared arena from another thread must wait.
 */
public final class Unconfined {
    /** All memory of the process, by address. */
    @SuppressWarnings("restricted")
    public static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    /** Never started: what is accessible by it is accessible by all. */
    private static final Thread ANY = Thread.ofPlatform().unstarted(() -> {});

    private Unconfined() {}

    /**
     * The same memory, which any thread may touch until the call of the owner, who waits meanwhile, ends.
     *
     * @throws IllegalArgumentException for a segment on the Java heap
     */
    public static MemorySegment of(MemorySegment segment) {
        if (segment.isAccessibleBy(ANY) && segment.isNative()) {
            return segment;
        }
        MemorySegment lent = MEMORY.asSlice(address(segment, 0, segment.byteSize()), segment.byteSize());
        return segment.isReadOnly() ? lent.asReadOnly() : lent;
    }

    /**
     * The address of {@code bytes} bytes that lie in the segment from {@code offset} on.
     *
     * @throws IndexOutOfBoundsException if they do not
     * @throws IllegalArgumentException for a segment on the Java heap
     * @throws IllegalStateException if the segment's arena is closed
     * @throws WrongThreadException if the segment is confined to another thread
     */
    public static long address(MemorySegment segment, long offset, long bytes) {
        Objects.checkFromIndexSize(offset, bytes, segment.byteSize());
        if (!segment.isNative()) {
            throw new IllegalArgumentException("a segment is on the Java heap, off-heap memory is needed");
        }
        if (!segment.isAccessibleBy(Thread.currentThread())) {
            throw new WrongThreadException("a segment is confined to another thread");
        }
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException("a segment's arena is closed");
        }
        return segment.address() + offset;
    }

    /**
     * As {@link #address}, of memory that is written.
     *
     * @throws UnsupportedOperationException if the segment is read-only
     */
    public static long writable(MemorySegment segment, long offset, long bytes) {
        if (segment.isReadOnly()) {
            throw new UnsupportedOperationException("a segment that is to be written is read-only");
        }
        return address(segment, offset, bytes);
    }

    /** {@link #address} of {@code n} floats. */
    public static long floats(MemorySegment segment, long offset, int n) {
        return address(segment, offset, (long) n * Float.BYTES);
    }

    /** {@link #writable} of {@code n} floats. */
    public static long writableFloats(MemorySegment segment, long offset, int n) {
        return writable(segment, offset, (long) n * Float.BYTES);
    }
}
