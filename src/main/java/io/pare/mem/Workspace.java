package io.pare.mem;

import java.lang.foreign.MemorySegment;

/**
 * Memory shared by users that never run at the same time: each may overwrite what the one before has left. The region owns
 * it. One thread at a time, which {@link #oneThread} enforces.
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

    /** Makes a user the owner of the content. */
    public void claim(Object user) {
        lastUser = user;
    }

    /** Whether the content is still this user's. */
    public boolean isClaimedBy(Object user) {
        return lastUser == user;
    }

    /** The first {@code bytes} of the memory. If it is too small, allocates anew; earlier users keep the old memory. */
    public MemorySegment take(long bytes) {
        if (memory == null || memory.byteSize() < bytes) {
            memory = region.allocate(bytes);
        }
        return memory.asSlice(0, bytes);
    }
}
