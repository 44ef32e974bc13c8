package io.pare.mem;

import java.lang.foreign.MemorySegment;

/**
 * Memory that users share who never run at the same time: what one leaves there the next may overwrite. The region owns
 * it. One thread at a time.
 */
public final class Workspace {
    private final Region region;
    private MemorySegment memory;

    public Workspace(Region region) {
        this.region = region;
    }

    /** The first {@code bytes} of it; where it was smaller, of a new and larger one, while others keep the old. */
    public MemorySegment take(long bytes) {
        if (memory == null || memory.byteSize() < bytes) {
            memory = region.allocate(bytes);
        }
        return memory.asSlice(0, bytes);
    }

    /** An address with a size but no memory behind it, for plans of memory. Whoever touches it ends the process. */
    @SuppressWarnings("restricted")
    public static MemorySegment nowhere(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }
}
