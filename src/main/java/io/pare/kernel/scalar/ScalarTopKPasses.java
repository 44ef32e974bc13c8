package io.pare.kernel.scalar;

import static io.pare.kernel.passes.Passes.RESIDUALS;
import static io.pare.kernel.passes.Passes.STRIDE;
import static io.pare.kernel.scalar.Elements.get;
import static io.pare.kernel.scalar.Elements.key;
import static io.pare.kernel.scalar.Elements.put;
import static io.pare.kernel.scalar.Elements.sum;

import io.pare.kernel.passes.TopKPasses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** {@link TopKPasses} in plain Java. Static methods take a first element, because they are also the SIMD tails. */
public final class ScalarTopKPasses implements TopKPasses {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public int speculate(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int lo, int guess, int hi,
            MemorySegment keys, MemorySegment places, long at, long[] tally, int slot) {
        tally[slot] = 0;
        tally[slot + 1] = 0;
        return speculateFrom(0, x, xOff, z, zOff, n, lo, guess, hi, keys, places, at, tally, slot);
    }

    /** {@link #speculate} from element {@code from} on; adds to the tally. */
    public static int speculateFrom(int from, MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int lo,
            int guess, int hi, MemorySegment keys, MemorySegment places, long at, long[] tally, int slot) {
        int found = 0;
        long above = 0;
        int max = 0;
        for (int i = from; i < n; i++) {
            float v = get(x, xOff, i);
            int key = key(v);
            max = Math.max(max, key);
            above += key >= hi ? 1 : 0;
            put(z, zOff, i, key >= guess ? v : 0);
            if (key >= lo && key < hi) {
                keys.set(F32, (at + found) * Integer.BYTES, v);
                places.set(I32, (at + found) * Integer.BYTES, i);
                found++;
            }
        }
        tally[slot] += above;
        tally[slot + 1] = Math.max(tally[slot + 1], max);
        return found;
    }

    @Override
    public int speculateBits(MemorySegment x, long xOff, MemorySegment bits, long bitsOff, int n, int lo, int guess,
            int hi, MemorySegment keys, MemorySegment places, long at, long[] tally, int slot) {
        tally[slot] = 0;
        tally[slot + 1] = 0;
        return speculateBitsFrom(0, x, xOff, bits, bitsOff, n, lo, guess, hi, keys, places, at, tally, slot);
    }

    /** {@link #speculateBits} from element {@code from} on, a multiple of eight; adds to the tally. */
    public static int speculateBitsFrom(int from, MemorySegment x, long xOff, MemorySegment bits, long bitsOff, int n,
            int lo, int guess, int hi, MemorySegment keys, MemorySegment places, long at, long[] tally, int slot) {
        int found = 0;
        long above = 0;
        int max = 0;
        for (int i = from; i < n; i += 8) {
            int octet = 0;
            for (int j = i; j < Math.min(n, i + 8); j++) {
                float v = get(x, xOff, j);
                int key = key(v);
                max = Math.max(max, key);
                above += key >= hi ? 1 : 0;
                octet |= key >= guess ? 1 << (j & 7) : 0;
                if (key >= lo && key < hi) {
                    keys.set(F32, (at + found) * Integer.BYTES, v);
                    places.set(I32, (at + found) * Integer.BYTES, j);
                    found++;
                }
            }
            bits.set(ValueLayout.JAVA_BYTE, bitsOff + (i >>> 3), (byte) octet);
        }
        tally[slot] += above;
        tally[slot + 1] = Math.max(tally[slot + 1], max);
        return found;
    }

    @Override
    public int speculateAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff, int n,
            int lo, int guess, int hi, MemorySegment keys, MemorySegment places, MemorySegment olds, long at,
            long[] tally, int slot, double[] primal, double[] dual) {
        tally[slot] = 0;
        tally[slot + 1] = 0;
        return speculateAdmmFrom(0, w, wOff, u, uOff, z, zOff, n, lo, guess, hi, keys, places, olds, at, tally, slot,
                primal, dual);
    }

    /** {@link #speculateAdmm} from element {@code from} on; adds to the tally. */
    public static int speculateAdmmFrom(int from, MemorySegment w, long wOff, MemorySegment u, long uOff,
            MemorySegment z, long zOff, int n, int lo, int guess, int hi, MemorySegment keys, MemorySegment places,
            MemorySegment olds, long at, long[] tally, int slot, double[] primal, double[] dual) {
        int found = 0;
        long above = 0;
        int max = 0;
        for (int i = from; i < n; i++) {
            float weight = get(w, wOff, i);
            float v = weight + get(u, uOff, i);
            float old = get(z, zOff, i);
            int key = key(v);
            max = Math.max(max, key);
            above += key >= hi ? 1 : 0;
            float kept = key >= guess ? v : 0;
            put(z, zOff, i, kept);
            put(u, uOff, i, key >= guess ? 0 : v);
            double p = weight - kept;
            double d = kept - old;
            primal[i & RESIDUALS - 1] += p * p;
            dual[i & RESIDUALS - 1] += d * d;
            if (key >= lo && key < hi) {
                keys.set(F32, (at + found) * Integer.BYTES, v);
                places.set(I32, (at + found) * Integer.BYTES, i);
                olds.set(F32, (at + found) * Integer.BYTES, old);
                found++;
            }
        }
        tally[slot] += above;
        tally[slot + 1] = Math.max(tally[slot + 1], max);
        return found;
    }

    @Override
    public void mask(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int key, long ties) {
        maskFrom(0, x, xOff, z, zOff, n, key, ties);
    }

    /** {@link #mask} from element {@code from} on. */
    public static void maskFrom(int from, MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int key,
            long ties) {
        long left = ties;
        for (int i = from; i < n; i++) {
            float v = get(x, xOff, i);
            boolean kept = key(v) > key;
            if (key(v) == key && left > 0) {
                kept = true;
                left--;
            }
            put(z, zOff, i, kept ? v : 0);
        }
    }

    @Override
    public void maskAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff, int n,
            int key, long ties, double[] primal, double[] dual) {
        maskAdmmFrom(0, w, wOff, u, uOff, z, zOff, n, key, ties, primal, dual);
    }

    /** {@link #maskAdmm} from element {@code from} on. */
    public static void maskAdmmFrom(int from, MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z,
            long zOff, int n, int key, long ties, double[] primal, double[] dual) {
        long left = ties;
        for (int i = from; i < n; i++) {
            float weight = get(w, wOff, i);
            float v = weight + get(u, uOff, i);
            float old = get(z, zOff, i);
            boolean keep = key(v) > key;
            if (key(v) == key && left > 0) {
                keep = true;
                left--;
            }
            float kept = keep ? v : 0;
            put(z, zOff, i, kept);
            put(u, uOff, i, keep ? 0 : v);
            double p = weight - kept;
            double d = kept - old;
            primal[i & STRIDE - 1] += p * p;
            dual[i & STRIDE - 1] += d * d;
        }
    }

    @Override
    public void maskBits(MemorySegment x, long xOff, MemorySegment u, long uOff, MemorySegment bits, long bitsOff,
            int n, int key, long ties) {
        maskBitsFrom(0, x, xOff, u, uOff, bits, bitsOff, n, key, ties);
    }

    /** {@link #maskBits} from element {@code from} on, a multiple of eight. */
    public static void maskBitsFrom(int from, MemorySegment x, long xOff, MemorySegment u, long uOff,
            MemorySegment bits, long bitsOff, int n, int key, long ties) {
        long left = ties;
        for (int i = from; i < n; i += 8) {
            int octet = 0;
            for (int j = i; j < Math.min(n, i + 8); j++) {
                int candidate = key(sum(x, xOff, u, uOff, j));
                boolean kept = candidate > key;
                if (candidate == key && left > 0) {
                    kept = true;
                    left--;
                }
                octet |= kept ? 1 << (j & 7) : 0;
            }
            bits.set(ValueLayout.JAVA_BYTE, bitsOff + (i >>> 3), (byte) octet);
        }
    }
}
