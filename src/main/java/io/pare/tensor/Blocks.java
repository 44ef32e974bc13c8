package io.pare.tensor;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/**
 * Small arrays of the running thread. The JIT compiler vectorises loops over arrays, but not those over segments that may
 * lie on the heap or off it: so loops load a block of a segment, compute on arrays, and store the result.
 */
final class Blocks {
    /** Floats in a block: some of them fit a first-level cache. */
    static final int SIZE = 1024;

    private static final int COUNT = 8;
    private static final ThreadLocal<float[][]> MINE = ThreadLocal.withInitial(() -> new float[COUNT][SIZE]);

    private Blocks() {}

    /** The arrays of this thread, with undefined content. No computation holds them beyond a call. */
    static float[][] mine() {
        return MINE.get();
    }

    static void load(MemorySegment from, long index, float[] block, int count) {
        MemorySegment.copy(from, JAVA_FLOAT, index * Float.BYTES, block, 0, count);
    }

    static void store(float[] block, MemorySegment into, long index, int count) {
        MemorySegment.copy(block, 0, into, JAVA_FLOAT, index * Float.BYTES, count);
    }
}
