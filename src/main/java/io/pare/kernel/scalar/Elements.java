package io.pare.kernel.scalar;

import static io.pare.kernel.passes.Passes.MAGNITUDE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Reads, writes and ranks single elements of the ranges that passes take. */
final class Elements {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Elements() {}

    static float get(MemorySegment segment, long offset, int i) {
        return segment.get(F32, offset + (long) i * Float.BYTES);
    }

    static void put(MemorySegment segment, long offset, int i, float value) {
        segment.set(F32, offset + (long) i * Float.BYTES, value);
    }

    static float sum(MemorySegment x, long xOff, MemorySegment u, long uOff, int i) {
        return u == null ? get(x, xOff, i) : get(x, xOff, i) + get(u, uOff, i);
    }

    static int key(float v) {
        return Float.floatToRawIntBits(v) & MAGNITUDE;
    }
}
