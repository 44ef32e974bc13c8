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

    /**
     * Makes working memory of no size.
     *
     * @param region from which memory is taken, and which frees it
     */
    public Workspace(Region region) {
        this.region = region;
        this.oneThread = new OneThread("the working memory of '" + region.name() + "'");
    }

    /** {@return what every user enters} */
    public OneThread oneThread() {
        return oneThread;
    }

    /**
     * Makes a user the owner of the content.
     *
     * @param user whoever computes in the memory, known by identity
     */
    public void claim(Object user) {
        lastUser = user;
    }

    /**
     * {@return whether the content is still this user's}
     *
     * @param user whoever computes in the memory, known by identity
     */
    public boolean isClaimedBy(Object user) {
        return lastUser == user;
    }

    /**
     * {@return the first {@code bytes} of the memory} If it is too small, allocates anew; earlier users keep the old
     * memory.
     *
     * @param bytes at least 0
     */
    public MemorySegment take(long bytes) {
        if (memory == null || memory.byteSize() < bytes) {
            memory = region.allocate(bytes);
        }
        return memory.asSlice(0, bytes);
    }
}
