package io.pare.tensor;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Small arrays of the running thread. The JIT compiler vectorises loops over arrays, but not those over segments that may
 * lie on the heap or off it: so loops load a block of a segment, compute on arrays, and store the result.
 */
final class Blocks {
    /** Floats in a block: some of them fit a first-level cache. */
    static final int SIZE = 1024;

    private static final int COUNT = 9;
    /** The array that functions of blocks use themselves. */
    static final int LAST = COUNT - 1;

    private static final ThreadLocal<float[][]> MINE = ThreadLocal.withInitial(() -> new float[COUNT][SIZE]);
    private static final ThreadLocal<double[][]> DOUBLES = ThreadLocal.withInitial(() -> new double[2][SIZE]);

    private Blocks() {}

    /** The arrays of this thread, with undefined content. No computation holds them beyond a call. */
    static float[][] mine() {
        return MINE.get();
    }

    /** Two more, of doubles. */
    static double[][] doubles() {
        return DOUBLES.get();
    }

    static void load(MemorySegment from, long index, float[] block, int count) {
        MemorySegment.copy(from, JAVA_FLOAT, index * Float.BYTES, block, 0, count);
    }

    /** Loads neighbouring values, or one value again and again. */
    static void load(MemorySegment from, long index, boolean neighbours, float[] block, int count) {
        if (neighbours) {
            load(from, index, block, count);
        } else {
            Arrays.fill(block, 0, count, Floats.get(from, index));
        }
    }

    static void store(float[] block, MemorySegment into, long index, int count) {
        MemorySegment.copy(block, 0, into, JAVA_FLOAT, index * Float.BYTES, count);
    }

    /** Adds a block to what is there, or its sum to one value. */
    static void addTo(MemorySegment into, long index, boolean neighbours, float[] block, float[] room, int count) {
        if (!neighbours) {
            Floats.add(into, index, sum(block, count));
            return;
        }
        load(into, index, room, count);
        for (int i = 0; i < count; i++) {
            room[i] += block[i];
        }
        store(room, into, index, count);
    }

    /** The sum, of four interleaved ones. */
    static double sum(float[] block, int count) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i < count - 3; i += 4) {
            a += block[i];
            b += block[i + 1];
            c += block[i + 2];
            d += block[i + 3];
        }
        for (; i < count; i++) {
            a += block[i];
        }
        return a + b + (c + d);
    }

    /** The sum of products, of four interleaved ones. */
    static double dot(float[] left, float[] right, int count) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i < count - 3; i += 4) {
            a += (double) left[i] * right[i];
            b += (double) left[i + 1] * right[i + 1];
            c += (double) left[i + 2] * right[i + 2];
            d += (double) left[i + 3] * right[i + 3];
        }
        for (; i < count; i++) {
            a += (double) left[i] * right[i];
        }
        return a + b + (c + d);
    }

    static float largest(float[] block, int count) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, block[i]);
        }
        return largest;
    }
}
