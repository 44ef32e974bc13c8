package io.pare.kernel;

import static io.pare.mem.direct.Unconfined.MEMORY;

import io.pare.kernel.passes.Passes;
import io.pare.mem.Region;
import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The non-zero elements of a range in ascending order, with their weights, and prefix sums over them.
 *
 * <p>A radix sort, least significant digit first, on keys that order like the floats: three passes, linear time, the
 * same for every input. Each worker moves its own stretch. Stretches take their places in each digit's bin in turn, so
 * the order is that of one worker.
 *
 * <p>Prefix sums are kept for each 64th element and completed by adding up to 63, because a round of Lloyd's algorithm
 * asks for few of them. The sum of a block begins at zero, so it does not depend on the number of workers.
 */
final class Sorted implements AutoCloseable {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int DIGIT = 11;
    private static final int BINS = 1 << DIGIT;
    private static final int PASSES = 3;
    private static final int BLOCK = 64;
    /** Sums of a block: weight, weight * v, weight * v * v. */
    private static final int SUMS = 3;
    /** Elements below which one worker does all. */
    private static final int ALONE = 1 << 15;

    private final Workers workers;
    private final Workers.Task taking = this::take;
    private final Workers.Task counting = this::count;
    private final Workers.Task scattering = this::scatter;
    private final Workers.Task finishing = this::finish;
    /** Workers that take part in a call. */
    private int parts;
    // For each worker: counts of digits, which become places; where its elements begin; one that it refuses, or -1.
    private final long[][] histograms;
    private final long[] starts;
    private final long[] refused;
    private int pass;
    private final Scratch scratch = new Scratch("sorting scratch", this::lay);
    // Addresses, for the loops: see Unconfined.
    private long front;
    private long back;
    private long prefixes;
    private long input;
    private long importances;
    private long inputCount;
    private boolean weighted;
    private boolean magnitudes;
    /** Elements. */
    long count;
    /** Subtracted from every value before summing, so that squares do not cancel. */
    double centre;

    Sorted(Workers workers) {
        this.workers = workers;
        histograms = new long[workers.count()][PASSES << DIGIT];
        starts = new long[workers.count() + 1];
        refused = new long[workers.count()];
    }

    /** Takes and sorts the non-zero elements, by magnitude if asked, else by value. */
    void fill(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff, boolean byMagnitude) {
        weighted = importance != null;
        magnitudes = byMagnitude;
        input = Unconfined.address(x, xOff, n * Float.BYTES);
        importances = weighted ? Unconfined.address(importance, importanceOff, n * Float.BYTES) : 0;
        inputCount = n;
        parts = n < ALONE ? 1 : workers.count();
        scratch.reserve(n * stride());
        run(taking);
        refuse();
        compact();
        for (pass = 0; pass < PASSES; pass++) {
            if (pass > 0 && parts > 1) {
                run(counting);
            }
            if (places()) {
                run(scattering);
                long swap = front;
                front = back;
                back = swap;
            }
        }
        centre = count == 0 ? 0 : restored(count / 2);
        run(finishing);
        for (long at = prefixes + SUMS * 8; at < prefixes + (blocks() + 1) * SUMS * 8; at += 8) {
            MEMORY.set(F64, at, MEMORY.get(F64, at) + MEMORY.get(F64, at - SUMS * 8));
        }
    }

    private void lay(Region region, long bytes) {
        front = region.allocate(bytes).address();
        back = region.allocate(bytes).address();
        prefixes = region.allocate((bytes / 4 / BLOCK + 2) * SUMS * Double.BYTES).address();
    }

    private void run(Workers.Task task) {
        if (parts == 1) {
            task.run(0);
        } else {
            workers.run(task);
        }
    }

    private int stride() {
        return weighted ? 8 : 4;
    }

    private long blocks() {
        return (count + BLOCK - 1) / BLOCK;
    }

    private long first(int worker, long of) {
        return of * worker / parts;
    }

    private void take(int worker) {
        long from = first(worker, inputCount);
        long to = first(worker + 1, inputCount);
        Arrays.fill(histograms[worker], 0);
        refused[worker] = -1;
        long taken = weighted
                ? takePairs(input, importances, from, to, magnitudes, front, histograms[worker])
                : take(input, from, to, magnitudes, front, histograms[worker]);
        if (taken < 0) {
            refused[worker] = ~taken;
        }
        starts[worker + 1] = taken;
    }

    /**
     * Writes keys that order like the non-zero elements, or like their magnitudes, and counts their digits.
     *
     * @return the number written, or -1 minus the index of an element that is not finite
     */
    private static long take(long x, long from, long to, boolean magnitudes, long out, long[] histogram) {
        long at = out + from * 4;
        for (long i = from; i < to; i++) {
            int raw = MEMORY.get(I32, x + i * 4);
            if ((raw & Passes.MAGNITUDE) != 0) {
                if ((raw & Passes.INFINITY) == Passes.INFINITY) {
                    return ~i;
                }
                MEMORY.set(I32, at, digits(raw, magnitudes, histogram));
                at += 4;
            }
        }
        return (at - out) / 4 - from;
    }

    /** As {@link #take}, with the importance, which must be finite too, in the lower half of each pair. */
    private static long takePairs(long x, long importance, long from, long to, boolean magnitudes, long out,
            long[] histogram) {
        long at = out + from * 8;
        for (long i = from; i < to; i++) {
            int raw = MEMORY.get(I32, x + i * 4);
            if ((raw & Passes.MAGNITUDE) != 0) {
                float weight = MEMORY.get(F32, importance + i * 4);
                if ((raw & Passes.INFINITY) == Passes.INFINITY || !usable(weight)) {
                    return ~i;
                }
                MEMORY.set(I64, at, (long) digits(raw, magnitudes, histogram) << 32
                        | Float.floatToRawIntBits(weight) & 0xffff_ffffL);
                at += 8;
            }
        }
        return (at - out) / 8 - from;
    }

    private static boolean usable(float importance) {
        return importance >= 0 && importance < Float.POSITIVE_INFINITY;
    }

    private static int digits(int raw, boolean magnitudes, long[] histogram) {
        // Negative floats order backwards as integers: flip their magnitude bits.
        int key = magnitudes ? (raw & Passes.MAGNITUDE) ^ Integer.MIN_VALUE : raw ^ raw >> 31 & Passes.MAGNITUDE;
        int digits = key ^ Integer.MIN_VALUE;
        histogram[digits & BINS - 1]++;
        histogram[BINS + (digits >>> DIGIT & BINS - 1)]++;
        histogram[2 * BINS + (digits >>> 2 * DIGIT)]++;
        return digits;
    }

    private void refuse() {
        for (int worker = 0; worker < parts; worker++) {
            long i = refused[worker];
            if (i >= 0) {
                float weight = weighted ? MEMORY.get(F32, importances + i * 4) : 1;
                throw new IllegalArgumentException(usable(weight)
                        ? "clustering needs finite numbers, " + MEMORY.get(F32, input + i * 4) + " at index "
                                + i
                        : "importance must be finite and not negative, is " + weight + " at index " + i);
            }
        }
    }

    /** Closes the gaps that zeros left between the workers' elements. */
    private void compact() {
        for (int worker = 0; worker < parts; worker++) {
            long taken = starts[worker + 1];
            long from = first(worker, inputCount);
            if (from > starts[worker]) {
                MemorySegment.copy(MEMORY, front + from * stride(), MEMORY,
                        front + starts[worker] * stride(), taken * stride());
            }
            starts[worker + 1] = starts[worker] + taken;
        }
        count = starts[parts];
    }

    private void count(int worker) {
        int base = pass << DIGIT;
        Arrays.fill(histograms[worker], base, base + BINS, 0);
        // The digits are in the upper half of a pair.
        count(front + stride() - 4, starts[worker], starts[worker + 1], stride(), histograms[worker], base,
                pass * DIGIT);
    }

    private static void count(long from, long first, long end, int stride, long[] histogram, int base, int shift) {
        for (long i = first; i < end; i++) {
            histogram[base + (MEMORY.get(I32, from + i * stride) >>> shift & BINS - 1)]++;
        }
    }

    /** Turns counts into places, worker after worker in each bin; false if all elements are in one bin. */
    private boolean places() {
        int base = pass << DIGIT;
        long at = 0;
        for (int bin = base; bin < base + BINS; bin++) {
            long before = at;
            for (int worker = 0; worker < parts; worker++) {
                long size = histograms[worker][bin];
                histograms[worker][bin] = at;
                at += size;
            }
            if (at - before == count) {
                return false;
            }
        }
        return true;
    }

    private void scatter(int worker) {
        int base = pass << DIGIT;
        int shift = pass * DIGIT;
        if (weighted) {
            scatterPairs(front, back, starts[worker], starts[worker + 1], histograms[worker], base, 32 + shift);
        } else {
            scatter(front, back, starts[worker], starts[worker + 1], histograms[worker], base, shift);
        }
    }

    private static void scatter(long from, long to, long first, long end, long[] places, int base, int shift) {
        for (long i = first; i < end; i++) {
            int digits = MEMORY.get(I32, from + i * 4);
            MEMORY.set(I32, to + places[base + (digits >>> shift & BINS - 1)]++ * 4, digits);
        }
    }

    private static void scatterPairs(long from, long to, long first, long end, long[] places, int base, int shift) {
        for (long i = first; i < end; i++) {
            long pair = MEMORY.get(I64, from + i * 8);
            MEMORY.set(I64, to + places[base + (int) (pair >>> shift & BINS - 1)]++ * 8, pair);
        }
    }

    /** Turns the worker's keys back into floats and sums each of its blocks from zero. */
    private void finish(int worker) {
        long end = first(worker + 1, blocks());
        for (long block = first(worker, blocks()); block < end; block++) {
            double weights = 0;
            double first = 0;
            double second = 0;
            long to = Math.min(count, (block + 1) * BLOCK);
            for (long i = block * BLOCK; i < to; i++) {
                float restored = restored(i);
                MEMORY.set(F32, place(i), restored);
                double v = restored - centre;
                double weight = weight(i);
                weights += weight;
                first += weight * v;
                second += weight * v * v;
            }
            long at = prefixes + (block + 1) * SUMS * 8;
            MEMORY.set(F64, at, weights);
            MEMORY.set(F64, at + 8, first);
            MEMORY.set(F64, at + 16, second);
        }
    }

    /** The float of the key at place i. */
    private float restored(long i) {
        int key = MEMORY.get(I32, place(i)) ^ Integer.MIN_VALUE;
        return Float.intBitsToFloat(magnitudes ? key ^ Integer.MIN_VALUE : key ^ key >> 31 & Passes.MAGNITUDE);
    }

    private long place(long i) {
        return weighted ? front + i * 8 + 4 : front + i * 4;
    }

    float value(long i) {
        return MEMORY.get(F32, place(i));
    }

    float weight(long i) {
        return weighted ? MEMORY.get(F32, front + i * 8) : 1;
    }

    /** Sum of the weights of the elements [from, to). */
    double weight(long from, long to) {
        double sum = weighted ? 0 : to - from;
        for (long i = from; weighted && i < to; i++) {
            sum += weight(i);
        }
        return sum;
    }

    /** Writes the sums of weight, weight * v and weight * v * v over the elements before {@code i}; v is centred. */
    void before(long i, double[] out) {
        long block = i / BLOCK;
        long at = prefixes + block * SUMS * 8;
        double weights = MEMORY.get(F64, at);
        double first = MEMORY.get(F64, at + 8);
        double second = MEMORY.get(F64, at + 16);
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

    /**
     * Writes the sums of weight, weight * v and weight * v * v before each distinct value, and behind the last, which
     * are three doubles each; v is centred. Values of no weight are left out.
     *
     * @param out an address with room for one more than the elements
     * @return address of the last sums
     */
    long sums(long out) {
        MEMORY.set(F64, out, 0);
        MEMORY.set(F64, out + 8, 0);
        MEMORY.set(F64, out + 16, 0);
        return weighted ? sumsOfPairs(front, count, centre, out) : sums(front, count, centre, out);
    }

    private static long sums(long values, long count, double centre, long out) {
        double weight = 0;
        double first = 0;
        double second = 0;
        long at = out;
        for (long i = 0; i < count; i++) {
            float value = MEMORY.get(F32, values + i * 4);
            double v = value - centre;
            weight += 1;
            first += v;
            second += v * v;
            if (i + 1 == count || MEMORY.get(F32, values + i * 4 + 4) != value) {
                at += 24;
                MEMORY.set(F64, at, weight);
                MEMORY.set(F64, at + 8, first);
                MEMORY.set(F64, at + 16, second);
            }
        }
        return at;
    }

    private static long sumsOfPairs(long pairs, long count, double centre, long out) {
        double weight = 0;
        double first = 0;
        double second = 0;
        double counted = 0;
        long at = out;
        for (long i = 0; i < count; i++) {
            float value = MEMORY.get(F32, pairs + i * 8 + 4);
            double v = value - centre;
            double w = MEMORY.get(F32, pairs + i * 8);
            weight += w;
            first += w * v;
            second += w * v * v;
            // Values of weight 0 cost nothing, so they could otherwise fill clusters of their own.
            boolean last = i + 1 == count || MEMORY.get(F32, pairs + i * 8 + 12) != value;
            if (last && weight > counted) {
                counted = weight;
                at += 24;
                MEMORY.set(F64, at, weight);
                MEMORY.set(F64, at + 8, first);
                MEMORY.set(F64, at + 16, second);
            }
        }
        return at;
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
        scratch.close();
    }
}
