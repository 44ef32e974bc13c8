package io.pare.mem;

import java.lang.foreign.MemorySegment;

/**
 * Memory that only one thread may touch, lent to the threads of a call by which that thread waits.
 *
 * <p>The owner cannot free it meanwhile, so nobody can. It is also a matter of speed: the JIT compiles one check of who
 * owns a segment into every loop, by a profile that all accesses of the JVM share. Where some segments have an owner
 * and others have none, it hoists a comparison that fails, compiles anew, and calls take a hundred times as long for
 * minutes (JDK 25). In the loops of kernels no segment has an owner.
 */
public final class Unconfined {
    /** Never started: who is accessible by it is accessible by all. */
    private static final Thread ANY = Thread.ofPlatform().unstarted(() -> {});

    private Unconfined() {}

    /** Made when it is first needed, because it takes a restricted method. */
    private static final class Everything {
        @SuppressWarnings("restricted")
        static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }

    /**
     * The same memory, which any thread may touch until the call ends.
     *
     * @throws IllegalArgumentException for a segment on the Java heap
     */
    public static MemorySegment of(MemorySegment segment) {
        if (!segment.isNative()) {
            throw new IllegalArgumentException("a segment is on the Java heap, off-heap memory is needed");
        }
        if (segment.isAccessibleBy(ANY)) {
            return segment;
        }
        if (!segment.isAccessibleBy(Thread.currentThread())) {
            throw new WrongThreadException("a segment is confined to another thread");
        }
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException("a segment's arena is closed");
        }
        MemorySegment lent = Everything.MEMORY.asSlice(segment.address(), segment.byteSize());
        return segment.isReadOnly() ? lent.asReadOnly() : lent;
    }
}
