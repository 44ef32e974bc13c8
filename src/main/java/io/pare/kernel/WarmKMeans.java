package io.pare.kernel;

import io.pare.kernel.passes.CodebookPasses;
import io.pare.kernel.passes.Passes;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Lloyd's algorithm without sorting, from a start that is nearly right.
 *
 * <p>A zone is laid around each cut between two codewords. One pass sums and counts the elements beyond each cut and
 * collects the few that lie in a zone. Further rounds touch only those, as long as every cut stays in its zone. Sums
 * are of fixed-point numbers that resolve 2^-34 of the greatest magnitude.
 */
final class WarmKMeans implements AutoCloseable {
    private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** From this many elements on, one pass costs less than sorting. */
    private static final int LARGE = 16_384;
    /** Up to this many codewords, the pass costs less than sorting. */
    private static final int FEW = 32;

    private final CodebookPasses passes;
    private final Workers workers;
    private final Workers.Task surveying = this::survey;
    private final Sorted sorted;
    private final Codebook codebook;
    /** The codewords that a call began with. */
    private final float[] start = new float[FEW];

    // Cuts and zones.
    /** Minus infinity, then the cuts: codeword j and those above serve what reaches {@code cuts[j]}. */
    private final float[] cuts = new float[FEW];
    /** Zone j, around cut j + 1, is [zoneFrom[j], zoneTo[j]); behind the last zone no value is in any. */
    private final float[] zoneFrom = new float[FEW];
    private final float[] zoneTo = new float[FEW];
    /** Turns elements into fixed-point numbers. */
    private float scale;

    // The input of the current call.
    private MemorySegment input;
    private long inputOff;
    private long inputCount;
    private int codewords;

    // What each worker found.
    private final long[][] reached;
    private final double[][] squares;
    private final int[][] surveys;
    private final long[] zonedBy;
    private final int[] greatestBy;
    private double[] chunkSquares = new double[1];

    // What the pass found in all.
    private double totalSum;
    private long totalCount;
    /** Sum and number of the elements from each zone's upper bound on. */
    private final double[] sumAbove = new double[FEW];
    private final long[] countAbove = new long[FEW];
    /** Where each zone ends among the sorted elements of all zones. */
    private final int[] zoneEnds = new int[FEW];

    private final Scratch scratch = new Scratch("clustering scratch", this::lay);
    private MemorySegment zoned;
    private MemorySegment zonePrefix;

    WarmKMeans(CodebookPasses passes, Workers workers, Sorted sorted, Codebook codebook) {
        this.passes = passes;
        this.workers = workers;
        this.sorted = sorted;
        this.codebook = codebook;
        reached = new long[workers.count()][3 * FEW];
        squares = new double[workers.count()][Passes.STRIDE];
        surveys = new int[workers.count()][Passes.SURVEY];
        zonedBy = new long[workers.count()];
        greatestBy = new int[workers.count()];
    }

    /** Whether trying a warm start is worth its pass. */
    static boolean suits(long n, int m) {
        return n >= LARGE && m > 1 && m <= FEW;
    }

    /**
     * Runs at most {@code most} rounds from the first {@code m} codewords, which ascend.
     *
     * @return the rounds run, or -1 where the start is too far off; the codebook is then as it was
     */
    int run(MemorySegment x, long xOff, long n, int m, int most) {
        System.arraycopy(codebook.words, 0, start, 0, m);
        int rounds = 0;
        boolean moved = true;
        // Narrow zones first, because their elements are sorted.
        for (double share = 1.0 / 256; share < 1; share *= 4) {
            if (!zones(m, share)) {
                break;
            }
            double square = gatherZones(x, xOff, n, m);
            if (!(square < Double.POSITIVE_INFINITY)) {
                break;
            }
            while (divideByZones(m)) {
                if (!moved || rounds >= most) {
                    double error = square;
                    for (int j = 0; j < m; j++) {
                        double c = codebook.words[j];
                        error += c * c * codebook.weights[j] - 2 * c * codebook.firsts[j];
                    }
                    codebook.error = Math.max(0, error);
                    return rounds;
                }
                moved = false;
                for (int j = 0; j < m; j++) {
                    float mean = (float) (codebook.firsts[j] / codebook.weights[j]);
                    moved |= mean != codebook.words[j];
                    codebook.words[j] = mean;
                }
                rounds++;
            }
            if (strayed(m, share)) {
                break;
            }
        }
        System.arraycopy(start, 0, codebook.words, 0, m);
        return -1;
    }

    /** Lays a zone around each cut, {@code share} of the gap to either side; false if codewords are too close. */
    private boolean zones(int m, double share) {
        cuts[0] = Float.NEGATIVE_INFINITY;
        Arrays.fill(cuts, m, FEW, Float.POSITIVE_INFINITY);
        Arrays.fill(zoneFrom, m - 1, FEW, Float.POSITIVE_INFINITY);
        Arrays.fill(zoneTo, m - 1, FEW, Float.NEGATIVE_INFINITY);
        for (int j = 0; j + 1 < m; j++) {
            float cut = Codebook.cut(codebook.words[j], codebook.words[j + 1]);
            cuts[j + 1] = cut;
            double reach = share * ((double) codebook.words[j + 1] - codebook.words[j]);
            zoneFrom[j] = (float) (cut - reach);
            zoneTo[j] = (float) (cut + reach);
            if (!(zoneFrom[j] > codebook.words[j] && zoneTo[j] > zoneFrom[j] && cut >= zoneFrom[j] && cut <= zoneTo[j]
                    && codebook.words[j + 1] > zoneTo[j])) {
                return false;
            }
        }
        return true;
    }

    /** Whether a cut has moved so far that sorting costs less than another pass. */
    private boolean strayed(int m, double share) {
        for (int j = 0; j + 1 < m; j++) {
            double gap = ((double) zoneTo[j] - zoneFrom[j]) / (2 * share);
            if (!(Math.abs((double) Codebook.cut(codebook.words[j], codebook.words[j + 1]) - cuts[j + 1]) < gap / 16)) {
                return true;
            }
        }
        return false;
    }

    private void lay(Region region, long room) {
        zoned = region.allocate(room * 4);
        zonePrefix = region.allocate((room + 1) * 8);
        chunkSquares = new double[chunks()];
    }

    /** Runs the pass; returns the sum of squares of all elements, or infinity where one is not finite. */
    private double gatherZones(MemorySegment x, long xOff, long n, int m) {
        input = x;
        inputOff = xOff;
        inputCount = n;
        int chunks = chunks();
        // Passes write beyond the elements that they collect.
        scratch.reserve((long) chunks * Passes.CHUNK + (long) workers.count() * Passes.SLACK);
        codewords = m;
        // Room for the tails of a Gaussian beyond its outer codewords. Greater values need a second pass.
        float greatest = 4 * Math.max(Math.abs(codebook.words[0]), Math.abs(codebook.words[m - 1]));
        float seen;
        do {
            scale = fixedPoint(greatest);
            if (scale == 0) {
                return Double.POSITIVE_INFINITY;
            }
            workers.run(surveying, chunks);
            seen = greatestSeen();
            greatest = Math.max(greatest, seen);
        } while (fixedPoint(greatest) < scale && seen < Float.POSITIVE_INFINITY);
        if (!(seen < Float.POSITIVE_INFINITY)) {
            return Double.POSITIVE_INFINITY;
        }
        double square = 0;
        for (int chunk = 0; chunk < chunks; chunk++) {
            square += chunkSquares[chunk];
        }
        long found = 0;
        for (int worker = 0; worker < workers.count(); worker++) {
            MemorySegment.copy(zoned, stretch(worker) * 4, zoned, found * 4, zonedBy[worker] * 4);
            found += zonedBy[worker];
        }
        sorted.fill(zoned, 0, found, null, 0, false);
        double sum = 0;
        long i = 0;
        for (int j = 0; j + 1 < m; j++) {
            sumAbove[j] = sumReached(j + 1);
            countAbove[j] = countReached(j + 1);
            while (i < sorted.count && sorted.value(i) < zoneTo[j]) {
                zonePrefix.set(F64, i * 8, sum);
                float v = sorted.value(i);
                sum += v;
                if (v >= cuts[j + 1]) {
                    sumAbove[j] -= v;
                    countAbove[j]--;
                }
                i++;
            }
            zoneEnds[j] = (int) i;
        }
        zonePrefix.set(F64, i * 8, sum);
        totalSum = sumReached(0);
        totalCount = countReached(0);
        return square;
    }

    /** The power of two that scales {@code greatest} to half the range of coarse parts; 0 where there is none. */
    private static float fixedPoint(float greatest) {
        int exponent = Math.getExponent(Passes.COARSE / 2) - Math.getExponent(greatest);
        return greatest < Float.POSITIVE_INFINITY && exponent < Float.MAX_EXPONENT ? Math.scalb(1f, exponent) : 0;
    }

    private void survey(int worker) {
        int end = firstChunk(worker + 1);
        long at = stretch(worker);
        Arrays.fill(reached[worker], 0);
        greatestBy[worker] = 0;
        for (int chunk = firstChunk(worker); chunk < end; chunk++) {
            long first = (long) chunk * Passes.CHUNK;
            Arrays.fill(squares[worker], 0);
            at += passes.zones(input, inputOff + first * 4, (int) Math.min(inputCount - first, Passes.CHUNK), cuts,
                    zoneFrom, zoneTo, codewords, scale, reached[worker], squares[worker], surveys[worker], zoned, at);
            chunkSquares[chunk] = Passes.sum(squares[worker]);
            greatestBy[worker] = Math.max(greatestBy[worker], surveys[worker][0]);
        }
        zonedBy[worker] = at - stretch(worker);
    }

    private int firstChunk(int worker) {
        return (int) workers.first(worker, chunks());
    }

    private int chunks() {
        return Passes.chunks(inputCount);
    }

    private long stretch(int worker) {
        return (long) firstChunk(worker) * Passes.CHUNK + (long) worker * Passes.SLACK;
    }

    private float greatestSeen() {
        int greatest = 0;
        for (int key : greatestBy) {
            greatest = Math.max(greatest, key);
        }
        return Float.intBitsToFloat(greatest);
    }

    private double sumReached(int cut) {
        long coarse = 0;
        long fine = 0;
        for (long[] sums : reached) {
            coarse += sums[3 * cut];
            fine += sums[3 * cut + 1];
        }
        return (coarse + (double) fine / Passes.FINE) / scale;
    }

    private long countReached(int cut) {
        long count = 0;
        for (long[] sums : reached) {
            count += sums[3 * cut + 2];
        }
        return count;
    }

    /** Sums and counts the clusters by the current cuts; false if a cut left its zone or a cluster is empty. */
    private boolean divideByZones(int m) {
        double beyond = totalSum;
        long beyondCount = totalCount;
        for (int j = 0; j < m; j++) {
            double above = 0;
            long count = 0;
            if (j + 1 < m) {
                float cut = Codebook.cut(codebook.words[j], codebook.words[j + 1]);
                if (!(cut >= zoneFrom[j] && cut <= zoneTo[j])) {
                    return false;
                }
                long first = Math.max(j == 0 ? 0 : zoneEnds[j - 1], sorted.below(cut));
                int end = zoneEnds[j];
                above = sumAbove[j] + zonePrefix.get(F64, end * 8L) - zonePrefix.get(F64, first * 8);
                count = countAbove[j] + end - first;
            }
            codebook.firsts[j] = beyond - above;
            codebook.weights[j] = beyondCount - count;
            if (codebook.weights[j] <= 0) {
                return false;
            }
            beyond = above;
            beyondCount = count;
        }
        return true;
    }

    @Override
    public void close() {
        scratch.close();
    }
}
