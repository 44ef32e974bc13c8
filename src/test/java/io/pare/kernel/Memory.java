package io.pare.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Off-heap arrays for the kernel tests; freed with the garbage, so that properties need no clean-up. */
public final class Memory {
    private Memory() {}

    public static MemorySegment floats(float... values) {
        MemorySegment segment = Arena.ofAuto().allocate(Math.max(4, values.length * 4L), 64);
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_FLOAT, 0, values.length);
        return segment;
    }

    /** {@code values} from byte {@code offset} on, a multiple of four. */
    public static MemorySegment floatsAt(long offset, float... values) {
        MemorySegment segment = Arena.ofAuto().allocate(offset + Math.max(4, values.length * 4L), 64);
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_FLOAT, offset, values.length);
        return segment;
    }

    public static MemorySegment ints(int... values) {
        MemorySegment segment = Arena.ofAuto().allocate(Math.max(4, values.length * 4L), 64);
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_INT, 0, values.length);
        return segment;
    }

    public static MemorySegment zeros(long n) {
        return Arena.ofAuto().allocate(Math.max(4, n * 4), 64);
    }

    public static MemorySegment bits(boolean... bits) {
        MemorySegment segment = Arena.ofAuto().allocate(Bits.bytes(bits.length) + 8, 64);
        for (int i = 0; i < bits.length; i++) {
            if (bits[i]) {
                byte old = segment.get(ValueLayout.JAVA_BYTE, i >> 3);
                segment.set(ValueLayout.JAVA_BYTE, i >> 3, (byte) (old | 1 << (i & 7)));
            }
        }
        return segment;
    }

    public static float[] array(MemorySegment segment, long offset, int n) {
        return segment.asSlice(offset, n * 4L).toArray(ValueLayout.JAVA_FLOAT);
    }

    public static float[] gaussian(int n, long seed) {
        Random random = new Random(seed);
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) (0.02 * random.nextGaussian());
        }
        return values;
    }

    public static int[] rawBits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }
}
