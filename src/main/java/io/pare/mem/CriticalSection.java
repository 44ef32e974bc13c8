package io.pare.mem;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Code in which one thread at a time computes on the memory of some regions, which stay open until it leaves.
 *
 * <pre>{@code
 * try (var _ = section.enter()) {
 *     ...
 * }
 * }</pre>
 */
public final class CriticalSection implements AutoCloseable {
    private final OneThread oneThread;
    private final List<Region.Hold> holds = new ArrayList<>();

    /**
     * Makes a section that covers no region yet.
     *
     * @param oneThread common to all sections of which one at a time may be entered
     */
    public CriticalSection(OneThread oneThread) {
        this.oneThread = oneThread;
    }

    /**
     * Says that the region of that memory is computed on; memory of no region is its owner's to keep.
     *
     * @param memory off-heap memory; its region stays open while the section is entered
     * @return this section
     */
    public CriticalSection on(MemorySegment memory) {
        return on(Region.holdOf(memory));
    }

    /**
     * Says that a region is computed on.
     *
     * @param region stays open while the section is entered
     * @return this section
     */
    public CriticalSection on(Region region) {
        return on(region.hold());
    }

    private CriticalSection on(Region.Hold hold) {
        if (hold != null && !holds.contains(hold)) {
            holds.add(hold);
        }
        return this;
    }

    /**
     * Enters, until {@link #close}; the thread that is inside may enter again.
     *
     * @return this section, for {@code try}
     * @throws IllegalStateException if another thread is inside, or a region is closed
     */
    public CriticalSection enter() {
        oneThread.enter();
        int taken = 0;
        try {
            for (; taken < holds.size(); taken++) {
                holds.get(taken).take();
            }
        } catch (IllegalStateException e) {
            leave(taken);
            throw e;
        }
        return this;
    }

    /** Leaves what was entered. */
    @Override
    public void close() {
        leave(holds.size());
    }

    private void leave(int taken) {
        for (int i = taken - 1; i >= 0; i--) {
            holds.get(i).close();
        }
        oneThread.exit();
    }
}
