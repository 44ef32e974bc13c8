package io.pare.kernel;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The non-zero elements of a range in ascending order, with their weights, and prefix sums over them.
 *
 * <p>Sorting is by radix, least significant digit first, on keys that order like the floats: three passes, linear
 * time, the same for every input. Prefix sums are kept for each 64th element and completed by adding up to 63: a
 * round of Lloyd's algorithm asks for few of them.
 */
final class Sorted implements AutoCloseable {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int DIGIT = 11;
    private static final int BLOCK = 64;

    private Region scratch;
    private long capacity;
    private MemorySegment front;
    private MemorySegment back;
    private MemorySegment prefixes;
    private final long[] histogram = new long[3 << DIGIT];
    private boolean weighted;
    /** Elements. */
    long count;
    /** Subtracted from every value in sums, so that squares do not cancel. */
    double centre;

    /** Takes and sorts the non-zero elements, by magnitude if asked, else by value. */
    void fill(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff, boolean magnitudes) {
        weighted = importance != null;
        long wanted = n * (weighted ? 8 : 4);
        if (scratch == null || capacity < wanted) {
            close();
            scratch = Region.shared("sorting scratch");
            capacity = wanted;
            front = scratch.allocate(wanted);
            back = scratch.allocate(wanted);
            prefixes = scratch.allocate((n / BLOCK + 2) * 3 * Double.BYTES * (weighted ? 1 : 2));
        }
        Arrays.fill(histogram, 0);
        count = weighted
                ? takePairs(x, xOff, n, importance, importanceOff, magnitudes, front, histogram)
                : take(x, xOff, n, magnitudes, front, histogram);
        for (int pass = 0; pass < 3; pass++) {
            scatter(pass);
        }
        restore(magnitudes);
        sum();
    }

    /** Writes what orders like the non-zero elements, or like their magnitudes, and counts its digits. */
    private static long take(MemorySegment x, long xOff, long n, boolean magnitudes, MemorySegment out,
            long[] histogram) {
        long taken = 0;
        for (long i = 0; i < n; i++) {
            int raw = x.get(I32, xOff + i * 4);
            if ((raw & Passes.MAGNITUDE) != 0) {
                int digits = digits(raw, magnitudes, i, histogram);
                out.set(I32, taken * 4, digits);
                taken++;
            }
        }
        return taken;
    }

    /** As {@link #take}, with the importance in the lower half of each pair. */
    private static long takePairs(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff,
            boolean magnitudes, MemorySegment out, long[] histogram) {
        long taken = 0;
        for (long i = 0; i < n; i++) {
            int raw = x.get(I32, xOff + i * 4);
            if ((raw & Passes.MAGNITUDE) != 0) {
                float weight = importance.get(F32, importanceOff + i * 4);
                if (!(weight >= 0 && weight < Float.POSITIVE_INFINITY)) {
                    throw new IllegalArgumentException("importance must be finite and not negative, is " + weight
                            + " at index " + i);
                }
                int digits = digits(raw, magnitudes, i, histogram);
                out.set(I64, taken * 8, (long) digits << 32 | Float.floatToRawIntBits(weight) & 0xffff_ffffL);
                taken++;
            }
        }
        return taken;
    }

    private static int digits(int raw, boolean magnitudes, long i, long[] histogram) {
        if ((raw & Passes.INFINITY) == Passes.INFINITY) {
            throw new IllegalArgumentException("clustering needs finite numbers, " + Float.intBitsToFloat(raw)
                    + " at index " + i);
        }
        // Flips what makes negative floats order backwards.
        int key = magnitudes ? (raw & Passes.MAGNITUDE) ^ Integer.MIN_VALUE : raw ^ raw >> 31 & Passes.MAGNITUDE;
        int digits = key ^ Integer.MIN_VALUE;
        histogram[digits & 2047]++;
        histogram[2048 + (digits >>> 11 & 2047)]++;
        histogram[4096 + (digits >>> 22)]++;
        return digits;
    }

    private void scatter(int pass) {
        int base = pass << DIGIT;
        long at = 0;
        for (int bin = base; bin < base + 2048; bin++) {
            long size = histogram[bin];
            if (size == count) {
                return;
            }
            histogram[bin] = at;
            at += size;
        }
        int shift = pass * DIGIT + (weighted ? 32 : 0);
        if (weighted) {
            scatterPairs(front, back, count, histogram, base, shift);
        } else {
            scatter(front, back, count, histogram, base, shift);
        }
        MemorySegment swap = front;
        front = back;
        back = swap;
    }

    private static void scatter(MemorySegment from, MemorySegment to, long n, long[] places, int base, int shift) {
        for (long i = 0; i < n; i++) {
            int digits = from.get(I32, i * 4);
            to.set(I32, places[base + (digits >>> shift & 2047)]++ * 4, digits);
        }
    }

    private static void scatterPairs(MemorySegment from, MemorySegment to, long n, long[] places, int base,
            int shift) {
        for (long i = 0; i < n; i++) {
            long pair = from.get(I64, i * 8);
            to.set(I64, places[base + (int) (pair >>> shift & 2047)]++ * 8, pair);
        }
    }

    private void restore(boolean magnitudes) {
        restore(front, count, weighted ? 8 : 4, weighted ? 4 : 0, magnitudes);
        centre = count == 0 ? 0 : value(count / 2);
    }

    private static void restore(MemorySegment values, long n, int stride, int first, boolean magnitudes) {
        for (long i = 0; i < n; i++) {
            long at = i * stride + first;
            int key = values.get(I32, at) ^ Integer.MIN_VALUE;
            values.set(I32, at, magnitudes ? key ^ Integer.MIN_VALUE : key ^ key >> 31 & Passes.MAGNITUDE);
        }
    }

    private void sum() {
        double weights = 0;
        double first = 0;
        double second = 0;
        for (long i = 0; i <= count; i++) {
            if (i % BLOCK == 0) {
                long at = i / BLOCK * 3 * 8;
                prefixes.set(F64, at, weights);
                prefixes.set(F64, at + 8, first);
                prefixes.set(F64, at + 16, second);
            }
            if (i < count) {
                double v = value(i) - centre;
                double weight = weight(i);
                weights += weight;
                first += weight * v;
                second += weight * v * v;
            }
        }
    }

    float value(long i) {
        return front.get(F32, weighted ? i * 8 + 4 : i * 4);
    }

    float weight(long i) {
        return weighted ? front.get(F32, i * 8) : 1;
    }

    /** Writes the sums of weight, weight * v and weight * v * v of the elements before {@code i}; v is centred. */
    void before(long i, double[] out) {
        long block = i / BLOCK;
        long at = block * 3 * 8;
        double weights = prefixes.get(F64, at);
        double first = prefixes.get(F64, at + 8);
        double second = prefixes.get(F64, at + 16);
        for (long j = block * BLOCK; j < i; j++) {
            double v = value(j) - centre;
            double weight = weight(j);
            weights += weight;
            first += weight * v;
            second += weight * v * v;
        }
        out[0] = weights;
        out[1] = first;
        out[2] = second;
    }

    /** Number of elements below {@code bound}. */
    long below(double bound) {
        long from = 0;
        long to = count;
        while (from < to) {
            long middle = (from + to) >>> 1;
            if (value(middle) < bound) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from;
    }

    @Override
    public void close() {
        if (scratch != null) {
            scratch.close();
            scratch = null;
        }
    }
}
