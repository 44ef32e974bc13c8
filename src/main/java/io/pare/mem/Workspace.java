package io.pare.mem;

import java.lang.foreign.MemorySegment;

/**
 * Memory that users share who never run at the same time: what one leaves there the next may overwrite. The region owns
 * it. One thread at a time, which {@link #oneThread} sees to.
 */
public final class Workspace {
    private final Region region;
    private final OneThread oneThread;
    private MemorySegment memory;
    private Object lastUser;

    public Workspace(Region region) {
        this.region = region;
        this.oneThread = new OneThread("the working memory of '" + region.name() + "'");
    }

    /** What every user enters. */
    public OneThread oneThread() {
        return oneThread;
    }

    /** Says that from now on the content is this user's. */
    public void claim(Object user) {
        lastUser = user;
    }

    /** Whether the content is still this user's. */
    public boolean isClaimedBy(Object user) {
        return lastUser == user;
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
