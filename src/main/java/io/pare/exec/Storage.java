package io.pare.exec;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Where the steps of a tape take memory while they are built.
 *
 * <p>Steps are built in the order in which they run, one moment each: forward in topological order, backward in reverse.
 * Memory is live from the moment in which it is allocated to the last moment of {@link #use}; after that, other buffers may
 * take its place. Memory from elsewhere, such as a parameter's, is ignored.
 */
interface Storage {
    /**
     * Memory with undefined content.
     *
     * @param replaced {@code null}, or memory that this step no longer reads once it begins to write. The result may be the
     *            same memory if no later moment uses it
     */
    MemorySegment allocate(long bytes, @Nullable MemorySegment replaced, int moment);

    /** Working memory that is live in this moment only. All calls in one moment share it. */
    MemorySegment scratch(long bytes, int moment);

    /** Memory, zeroed, that keeps its content from pass to pass. */
    MemorySegment permanent(long bytes);

    /** Hears that a step reads or writes memory in a moment; of no use to a storage that knows, or that keeps all. */
    default void use(MemorySegment memory, int moment) {}

    /** Hears that the forward step of a past moment runs again in a later one, on the same memory. */
    default void repeat(int moment, int later) {}

    /** Memory of its own for everything. */
    record Separate(Region region) implements Storage {
        @Override
        public MemorySegment allocate(long bytes, @Nullable MemorySegment replaced, int moment) {
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
    }
}
