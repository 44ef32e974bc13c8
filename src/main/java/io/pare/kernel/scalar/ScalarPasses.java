package io.pare.kernel.scalar;

import io.pare.kernel.Passes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** {@link Passes} in plain Java; its static methods take a first element, because they are also the vector tails. */
public final class ScalarPasses implements Passes {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static float get(MemorySegment segment, long offset, int i) {
        return segment.get(F32, offset + (long) i * Float.BYTES);
    }

    private static void put(MemorySegment segment, long offset, int i, float value) {
        segment.set(F32, offset + (long) i * Float.BYTES, value);
    }

    private static float sum(MemorySegment x, long xOff, MemorySegment u, long uOff, int i) {
        return u == null ? get(x, xOff, i) : get(x, xOff, i) + get(u, uOff, i);
    }

    private static int key(float v) {
        return Float.floatToRawIntBits(v) & MAGNITUDE;
    }

    @Override
    public int count(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int pivot0, int pivot1, int pivot2,
            int pivot3, long[] counts, int at) {
        return countFrom(0, x, xOff, u, uOff, n, pivot0, pivot1, pivot2, pivot3, counts, at);
    }

    /** {@link #count} from element {@code from} on. */
    public static int countFrom(int from, MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int pivot0,
            int pivot1, int pivot2, int pivot3, long[] counts, int at) {
        int max = 0;
        for (int i = from; i < n; i++) {
            int key = key(sum(x, xOff, u, uOff, i));
            max = Math.max(max, key);
            counts[at] += key >= pivot0 ? 1 : 0;
            counts[at + 1] += key >= pivot1 ? 1 : 0;
            counts[at + 2] += key >= pivot2 ? 1 : 0;
            counts[at + 3] += key >= pivot3 ? 1 : 0;
        }
        return max;
    }

    @Override
    public int collect(MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int lo, int hi,
            MemorySegment keys, long at, long[] tally, int slot) {
        tally[slot] = 0;
        tally[slot + 1] = 0;
        return collectFrom(0, x, xOff, u, uOff, n, lo, hi, keys, at, tally, slot);
    }

    /** {@link #collect} from element {@code from} on; adds to the tally. */
    public static int collectFrom(int from, MemorySegment x, long xOff, MemorySegment u, long uOff, int n, int lo,
            int hi, MemorySegment keys, long at, long[] tally, int slot) {
        int found = 0;
        long above = 0;
        int max = 0;
        for (int i = from; i < n; i++) {
            int key = key(sum(x, xOff, u, uOff, i));
            max = Math.max(max, key);
            above += key >= hi ? 1 : 0;
            if (key >= lo && key < hi) {
                keys.set(I32, (at + found) * Integer.BYTES, key);
                found++;
            }
        }
        tally[slot] += above;
        tally[slot + 1] = Math.max(tally[slot + 1], max);
        return found;
    }

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
                keys.set(I32, (at + found) * Integer.BYTES, key);
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
                int key = key(get(x, xOff, j));
                max = Math.max(max, key);
                above += key >= hi ? 1 : 0;
                octet |= key >= guess ? 1 << (j & 7) : 0;
                if (key >= lo && key < hi) {
                    keys.set(I32, (at + found) * Integer.BYTES, key);
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
            primal[i & STRIDE - 1] += p * p;
            dual[i & STRIDE - 1] += d * d;
            if (key >= lo && key < hi) {
                keys.set(I32, (at + found) * Integer.BYTES, key);
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
    public int between(MemorySegment keys, long at, int n, int from, int to, MemorySegment found) {
        return betweenFrom(0, keys, at, n, from, to, found, at);
    }

    /** {@link #between} from key {@code first} on, written from element {@code out} on. */
    public static int betweenFrom(int first, MemorySegment keys, long at, int n, int from, int to, MemorySegment found,
            long out) {
        int count = 0;
        for (int i = first; i < n; i++) {
            int key = keys.get(I32, (at + i) * Integer.BYTES);
            if (key >= from && key < to) {
                found.set(I32, (out + count) * Integer.BYTES, i);
                count++;
            }
        }
        return count;
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

    @Override
    public void norm(int power, MemorySegment x, long xOff, int n, double[] sums) {
        normFrom(0, power, x, xOff, n, sums);
    }

    /** {@link #norm} from element {@code from} on. */
    public static void normFrom(int from, int power, MemorySegment x, long xOff, int n, double[] sums) {
        for (int i = from; i < n; i++) {
            double v = Math.abs(get(x, xOff, i));
            sums[i & STRIDE - 1] += power == 1 ? v : v * v;
        }
    }

    @Override
    public void keepOfGroup(MemorySegment x, long xOff, MemorySegment z, long zOff, int n, int keep, int group) {
        keepOfGroupFrom(0, x, xOff, z, zOff, n, keep, group);
    }

    /** {@link #keepOfGroup} from element {@code from} on, a multiple of the group. */
    public static void keepOfGroupFrom(int from, MemorySegment x, long xOff, MemorySegment z, long zOff, int n,
            int keep, int group) {
        for (int start = from; start < n; start += group) {
            int last = keep == 0 ? -1 : ranked(x, xOff, start, group, keep - 1);
            int key = last < 0 ? MAGNITUDE : key(get(x, xOff, last));
            int ties = 0;
            for (int i = start; i <= last; i++) {
                ties += key(get(x, xOff, i)) == key ? 1 : 0;
            }
            maskFrom(start, x, xOff, z, zOff, start + group, key, ties);
        }
    }

    /** Index of the element that {@code rank} others of its group precede by magnitude, then by index. */
    private static int ranked(MemorySegment x, long xOff, int start, int group, int rank) {
        for (int i = start; i < start + group; i++) {
            int key = key(get(x, xOff, i));
            int ahead = 0;
            for (int j = start; j < start + group; j++) {
                int other = key(get(x, xOff, j));
                ahead += other > key || other == key && j < i ? 1 : 0;
            }
            if (ahead == rank) {
                return i;
            }
        }
        throw new AssertionError("no element of rank " + rank);
    }

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

    /** {@link #zones} from element {@code from} on; {@code survey[0]} is of those before. */
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
