package io.pare.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Rows of a matrix in memory, one for each sample.
 *
 * @param at index of the first row's first float
 * @param stride floats from row to row
 */
record Rows(MemorySegment memory, long at, int stride) {
    static Rows of(MemorySegment memory, int stride) {
        return new Rows(memory, 0, stride);
    }

    /** The same rows from a column on. */
    Rows from(long column) {
        return new Rows(memory, at + column, stride);
    }

    MemorySegment segment() {
        return Floats.from(memory, at);
    }

    void load(int row, int column, float[] block, int count) {
        Blocks.load(memory, at + (long) row * stride + column, block, count);
    }

    void store(float[] block, int row, int column, int count) {
        Blocks.store(block, memory, at + (long) row * stride + column, count);
    }
}
