package io.pare.exec;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;

/**
 * Where the steps of a tape take memory while they are built.
 *
 * <p>Steps are built in the order in which they run, one moment each: forward in topological order, backward in reverse.
 * Memory lives from the moment in which it was taken to the last one in which it is used; after that others may lie in its
 * place. So whoever keeps memory for a later moment says so then, by {@link #use}. Memory that was not taken here, such as
 * a parameter's, is nobody's business.
 */
interface Storage {
    /**
     * Memory that is filled with anything.
     *
     * @param replaced {@code null}, or memory that this step has no more use for as soon as it begins to write: the new
     *            one may be the same if nobody uses it at a later moment
     */
    MemorySegment allocate(long bytes, MemorySegment replaced, int moment);

    /** Working memory of this moment, which all who ask for some in it share. */
    MemorySegment scratch(long bytes, int moment);

    /** Memory, zeroed, that keeps its content from pass to pass. */
    MemorySegment permanent(long bytes);

    /** Says that memory is used in a moment: written or read. */
    void use(MemorySegment memory, int moment);

    /** Says that what a step does in a moment, which is past, it does once more, on the same memory, in a later one. */
    void repeat(int moment, int later);

    /** Memory of its own for everything. */
    record Separate(Region region) implements Storage {
        @Override
        public MemorySegment allocate(long bytes, MemorySegment replaced, int moment) {
            return region.allocate(bytes);
        }

        @Override
        public MemorySegment scratch(long bytes, int moment) {
            return region.allocate(bytes);
        }

        @Override
        public MemorySegment permanent(long bytes) {
            return region.allocate(bytes);
        }

        @Override
        public void use(MemorySegment memory, int moment) {
            // It stays anyway.
        }

        @Override
        public void repeat(int moment, int later) {
            // Likewise.
        }
    }
}
