package io.pare.tensor;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/** Floats in memory segments. */
final class Floats {
    private Floats() {}

    static float get(MemorySegment from, long index) {
        return from.getAtIndex(JAVA_FLOAT, index);
    }

    static void set(MemorySegment into, long index, double value) {
        into.setAtIndex(JAVA_FLOAT, index, (float) value);
    }

    static void add(MemorySegment into, long index, double value) {
        into.setAtIndex(JAVA_FLOAT, index, (float) (into.getAtIndex(JAVA_FLOAT, index) + value));
    }

    /** Copies {@code count} floats. */
    static void copy(MemorySegment from, long fromIndex, MemorySegment into, long intoIndex, long count) {
        MemorySegment.copy(from, fromIndex * Float.BYTES, into, intoIndex * Float.BYTES, count * Float.BYTES);
    }

    /** Sets {@code count} floats to zero. */
    static void clear(MemorySegment into, long count) {
        into.asSlice(0, count * Float.BYTES).fill((byte) 0);
    }

    /** Sets all floats to a value. */
    static void fill(MemorySegment into, float value) {
        for (long i = 0; i < into.byteSize() / Float.BYTES; i++) {
            into.setAtIndex(JAVA_FLOAT, i, value);
        }
    }

    /** The floats from an index on. */
    static MemorySegment from(MemorySegment all, long index) {
        return all.asSlice(index * Float.BYTES);
    }
}
