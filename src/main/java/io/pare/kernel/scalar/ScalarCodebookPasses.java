package io.pare.kernel.scalar;

import static io.pare.kernel.passes.Passes.FINE;
import static io.pare.kernel.passes.Passes.MAGNITUDE;
import static io.pare.kernel.passes.Passes.ROUND;
import static io.pare.kernel.passes.Passes.ROUND_BITS;
import static io.pare.kernel.passes.Passes.STRIDE;
import static io.pare.kernel.scalar.Elements.get;
import static io.pare.kernel.scalar.Elements.put;

import io.pare.kernel.passes.CodebookPasses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** {@link CodebookPasses} in plain Java. Static methods take a first element, because they are also the SIMD tails. */
public final class ScalarCodebookPasses implements CodebookPasses {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public void assign(MemorySegment x, long xOff, int n, float[] codebook, float[] cuts, int size,
            MemorySegment values, long valuesOff, MemorySegment codes, long codesOff, double[] sums) {
        assignFrom(0, x, xOff, n, codebook, cuts, size, values, valuesOff, codes, codesOff, sums);
    }

    /** {@link #assign} from element {@code from} on. */
    public static void assignFrom(int from, MemorySegment x, long xOff, int n, float[] codebook, float[] cuts,
            int size, MemorySegment values, long valuesOff, MemorySegment codes, long codesOff, double[] sums) {
        for (int i = from; i < n; i++) {
            float v = get(x, xOff, i);
            int code = 0;
            float nearest = 0;
            if (v != 0) {
                int end = size - 1;
                while (code < end) {
                    int middle = (code + end) >>> 1;
                    if (v >= cuts[middle]) {
                        code = middle + 1;
                    } else {
                        end = middle;
                    }
                }
                nearest = codebook[code];
            }
            double d = v - nearest;
            sums[i & STRIDE - 1] += d * d;
            if (values != null) {
                put(values, valuesOff, i, nearest);
            }
            if (codes != null) {
                codes.set(ValueLayout.JAVA_BYTE, codesOff + i, (byte) code);
            }
        }
    }

    @Override
    public int zones(MemorySegment x, long xOff, int n, float[] cuts, float[] zoneFrom, float[] zoneTo, int size,
            float scale, long[] sums, double[] squares, int[] survey, MemorySegment zoned, long at) {
        survey[0] = 0;
        return zonesFrom(0, x, xOff, n, cuts, zoneFrom, zoneTo, size, scale, sums, squares, survey, zoned, at);
    }

    /** {@link #zones} from element {@code from} on; {@code survey[0]} covers those before. */
    public static int zonesFrom(int from, MemorySegment x, long xOff, int n, float[] cuts, float[] zoneFrom,
            float[] zoneTo, int size, float scale, long[] sums, double[] squares, int[] survey,
            MemorySegment zoned, long at) {
        int found = 0;
        for (int i = from; i < n; i++) {
            float v = get(x, xOff, i);
            if (v == 0) {
                continue;
            }
            survey[0] = Math.max(survey[0], Float.floatToRawIntBits(v) & MAGNITUDE);
            squares[i & STRIDE - 1] += (double) v * v;
            float scaled = v * scale;
            float rounded = scaled + ROUND;
            int coarse = Float.floatToRawIntBits(rounded) - ROUND_BITS;
            int fine = Float.floatToRawIntBits((scaled - (rounded - ROUND)) * FINE + ROUND) - ROUND_BITS;
            for (int j = 0; j < size && v >= cuts[j]; j++) {
                sums[3 * j] += coarse;
                sums[3 * j + 1] += fine;
                sums[3 * j + 2]++;
            }
            boolean inside = false;
            for (int j = 0; j < size - 1 && v >= zoneFrom[j]; j++) {
                inside |= v < zoneTo[j];
            }
            if (inside) {
                zoned.set(F32, (at + found) * Float.BYTES, v);
                found++;
            }
        }
        return found;
    }
}
