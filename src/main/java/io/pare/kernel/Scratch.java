package io.pare.kernel;

import io.pare.mem.Region;
import java.util.function.ObjLongConsumer;

/** Working memory that grows to the largest call. What it holds is lost when it grows. One thread at a time. */
final class Scratch implements AutoCloseable {
    private final String name;
    private final ObjLongConsumer<Region> layout;
    private Region region;
    private long capacity;

    /** @param layout allocates all arrays from a new region, for so much room, in the unit of its user */
    Scratch(String name, ObjLongConsumer<Region> layout) {
        this.name = name;
        this.layout = layout;
    }

    /** Makes so much room. */
    void reserve(long wanted) {
        if (region == null || capacity < wanted) {
            // Close first: if memory is short, the next call must not rely on the old arrays.
            close();
            region = Region.shared(name);
            layout.accept(region, wanted);
            capacity = wanted;
        }
    }

    /** The room that there is. */
    long capacity() {
        return capacity;
    }

    @Override
    public void close() {
        capacity = 0;
        if (region != null) {
            region.close();
            region = null;
        }
    }
}
