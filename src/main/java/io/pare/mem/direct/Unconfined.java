package io.pare.mem.direct;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Memory without an owner, for kernels: what a call lends to its threads, and what loops address.
 *
 * <p>The JIT compiles into every access a check of who owns the segment, by a profile that all accesses of the JVM share.
 * Where some segments have an owner and others none it hoists, from each loop, a comparison that fails, then compiles
 * anew, and calls take a hundred times as long for minutes (JDK 25): a loop that fills confined memory before is enough.
 * The kind of a segment is guessed likewise. Loops over {@link #MEMORY}, a constant, contain no such check. Checks are
 * made before them, by {@link #address}, and the memory must stay allocated until they end: {@link KeepAlive} sees to it.
 */
public final class Unconfined {
    /** All memory of the process, by address; of no size where this JVM denies native access. */
    public static final MemorySegment MEMORY;
    /** What to do about it, or {@code null} where native access is allowed. */
    private static final String DENIED;
    /** Never started: what is accessible by it is accessible by all. */
    private static final Thread ANY = Thread.ofPlatform().unstarted(() -> {});

    static {
        MemorySegment memory = MemorySegment.NULL;
        String denied = null;
        try {
            memory = everything();
        } catch (IllegalCallerException e) {
            Module module = Unconfined.class.getModule();
            denied = "the kernels address memory directly, and this JVM denies native access: start it with"
                    + " --enable-native-access=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
        }
        MEMORY = memory;
        DENIED = denied;
    }

    private Unconfined() {}

    @SuppressWarnings("restricted")
    private static MemorySegment everything() {
        return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }

    /**
     * Checks that memory can be addressed directly, before any is needed.
     *
     * @throws IllegalStateException if this JVM denies native access; the message says what to do
     */
    public static void requireNativeAccess() {
        if (DENIED != null) {
            throw new IllegalStateException(DENIED);
        }
    }

    static boolean isAccessibleByAll(MemorySegment segment) {
        return segment.isAccessibleBy(ANY);
    }

    /**
     * The same memory, which any thread may touch until the call of the owner, who waits meanwhile, ends.
     *
     * @throws IllegalArgumentException for a segment on the Java heap
     * @throws IllegalStateException if it has an owner and this JVM denies native access
     */
    public static MemorySegment of(MemorySegment segment) {
        if (isAccessibleByAll(segment) && segment.isNative()) {
            return segment;
        }
        MemorySegment lent = MEMORY.asSlice(address(segment, 0, segment.byteSize()), segment.byteSize());
        return segment.isReadOnly() ? lent.asReadOnly() : lent;
    }

    /**
     * Checks that {@code bytes} bytes lie in the segment from {@code offset} on and that this thread may touch them.
     *
     * @throws IndexOutOfBoundsException if they do not
     * @throws IllegalArgumentException for a segment on the Java heap
     * @throws IllegalStateException if the segment's arena is closed
     * @throws WrongThreadException if the segment is confined to another thread
     */
    public static void check(MemorySegment segment, long offset, long bytes) {
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
    }

    /**
     * The address of {@code bytes} bytes from {@code offset} on, which pass {@link #check}.
     *
     * @throws IllegalStateException also if this JVM denies native access
     */
    public static long address(MemorySegment segment, long offset, long bytes) {
        requireNativeAccess();
        check(segment, offset, bytes);
        return segment.address() + offset;
    }

    /**
     * As {@link #address}, of memory that is written.
     *
     * @throws UnsupportedOperationException if the segment is read-only
     */
    public static long writable(MemorySegment segment, long offset, long bytes) {
        checkWritable(segment);
        return address(segment, offset, bytes);
    }

    /** @throws UnsupportedOperationException if the segment is read-only */
    public static void checkWritable(MemorySegment segment) {
        if (segment.isReadOnly()) {
            throw new UnsupportedOperationException("a segment that is to be written is read-only");
        }
    }

    /** {@link #address} of {@code n} floats. */
    public static long floats(MemorySegment segment, long offset, int n) {
        return address(segment, offset, (long) n * Float.BYTES);
    }

    /** {@link #writable} of {@code n} floats. */
    public static long writableFloats(MemorySegment segment, long offset, int n) {
        return writable(segment, offset, (long) n * Float.BYTES);
    }

    /** A placeholder address with a size but no memory behind it, for dry runs. An access ends the process. */
    @SuppressWarnings("restricted")
    public static MemorySegment nowhere(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }
}
