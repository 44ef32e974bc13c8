package io.pare.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The codewords of a clustering with the sums of their clusters. One per {@link Clusterer}, reused by every call. */
final class Codebook {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Codewords at most: their numbers are bytes. */
    static final int MOST = 256;

    /** Ascending once a clustering has begun. */
    final float[] words = new float[MOST];
    /** Sum of the importance of each cluster. */
    final double[] weights = new double[MOST];
    /** Sum of importance times value of each cluster; the values may be centred. */
    final double[] firsts = new double[MOST];
    /** Squared error of the last clustering. */
    double error;

    /** The least float that is nearer to {@code upper} than to {@code lower}; the midpoint belongs to {@code lower}. */
    static float cut(float lower, float upper) {
        double middle = ((double) lower + upper) / 2;
        float cut = (float) middle;
        return cut > middle ? cut : Math.nextUp(cut);
    }

    /** Takes {@code m} codewords from memory. */
    void read(int m, MemorySegment memory, long offset) {
        for (int j = 0; j < m; j++) {
            words[j] = memory.get(F32, offset + j * 4L);
        }
    }

    /** Writes {@code size} codewords and copies of the last up to {@code m}; zeros if there is none. */
    void write(int size, int m, MemorySegment memory, long offset) {
        for (int j = 0; j < m; j++) {
            memory.set(F32, offset + j * 4L, size == 0 ? 0 : words[Math.min(j, size - 1)]);
        }
    }

    /** Drops codewords that serve no element; returns how many remain. */
    int compact(int m) {
        int used = 0;
        for (int j = 0; j < m; j++) {
            if (weights[j] > 0 && (used == 0 || words[j] != words[used - 1])) {
                words[used++] = words[j];
            }
        }
        return used;
    }

    /** Whether a value is one of the first {@code m} codewords. */
    boolean holds(float value, int m) {
        for (int j = 0; j < m; j++) {
            if (words[j] == value) {
                return true;
            }
        }
        return false;
    }
}
