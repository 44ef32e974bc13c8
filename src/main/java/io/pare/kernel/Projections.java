package io.pare.kernel;

import io.pare.mem.Region;
import io.pare.mem.Unconfined;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The Euclidean projections of ADMM over ranges of floats, exact and deterministic: top-k by magnitude (single,
 * fused with the dual step, grouped, N:M, over several tensors), 1-D k-means, quantisation levels, and top-k and
 * k-means together.
 *
 * <p>A range is (native segment, offset in bytes, number of floats); counts may pass 2^31; segments of confined arenas
 * are lent to the instance's threads for the time of a call. An instance owns scratch
 * memory, which grows to the largest call, and {@code threads - 1} threads: open one, use it from one thread at a time,
 * close it. The number of threads, the provider and the vector width never change a result, to the last bit.
 *
 * <p>Rules. <b>Ties</b>: among equal magnitudes the lowest index survives, so exactly k elements survive, zeros
 * included where k exceeds the non-zeros. <b>NaN</b> is refused with its lowest index ({@link
 * IllegalArgumentException}); in place this happens before anything is written, otherwise the outputs then hold nothing
 * of use. Infinities are the greatest magnitudes, subnormals are ordinary, -0 equals 0 in magnitude and keeps its sign
 * if it survives; what does not survive becomes +0. The clustering calls also refuse infinities. Outputs may be the
 * same range as the input where said, and must not overlap it otherwise.
 *
 * <p>Cost. Top-k moves each element once in, once out (8 bytes, 12 with the read before a write); in place and for
 * ties it is read twice. A sample of O(n^(2/3)) elements brackets the threshold; it only ever changes the time.
 * Nothing is allocated on the heap but the result, and small views of confined segments.
 *
 * {@snippet :
 * try (Projections projections = Projections.open(1)) {
 *     // Keep the 4,000 greatest of 400,000 weights.
 *     projections.topK(w, 0, z, 0, 400_000, 4_000);
 *     // One ADMM step: Z = top-k of W + U, U = U + W - Z.
 *     Residuals left = projections.topKAdmm(w, 0, u, 0, z, 0, 400_000, 4_000);
 * }
 * }
 */
public final class Projections implements AutoCloseable {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long F = Float.BYTES;

    private final Passes passes;
    private final Workers workers;
    private final Selector selector;
    private final Clusterer clusterer;
    private final Scale scale;
    private final float[] cuts = new float[Clusterer.MOST];
    private final double[][] lanes;
    private double[] chunkSums = new double[1];

    Projections(Passes passes, int threads) {
        this.passes = passes;
        this.workers = new Workers(threads);
        this.selector = new Selector(passes, workers);
        this.clusterer = new Clusterer(passes, workers);
        this.scale = new Scale(workers);
        this.lanes = new double[threads][Passes.STRIDE];
    }

    /** Opens projections that use the calling thread and {@code threads - 1} more. */
    public static Projections open(int threads) {
        return new Projections(KernelProvider.passes(), threads);
    }

    /** For tests. */
    Selector selector() {
        return selector;
    }

    // ---- top-k --------------------------------------------------------------------------------------------------

    /** Writes to {@code z} the {@code k} greatest magnitudes of {@code x}, 0 elsewhere; {@code z} may be {@code x}. */
    public void topK(MemorySegment x, long xOff, MemorySegment z, long zOff, long n, long k) {
        selector.one(Span.of(x, xOff, n));
        selector.topK(k, checked(z, zOff, n), zOff);
    }

    /** Where {@link #topK} would cut; {@code k} from 1 to {@code n}. Reads 4 bytes an element, writes nothing. */
    public Threshold threshold(MemorySegment x, long xOff, long n, long k) {
        if (k < 1 || k > n) {
            throw new IllegalArgumentException("no threshold keeps " + k + " of " + n + " elements");
        }
        selector.one(Span.of(x, xOff, n));
        selector.select(k);
        return new Threshold(Float.intBitsToFloat(selector.key), selector.above, selector.ties);
    }

    /** Writes a set bit for each survivor of {@link #topK}, in the layout of {@link Bits}; reads the input about once. */
    public void topKBits(MemorySegment x, long xOff, long n, long k, MemorySegment bits, long bitsOff) {
        selector.one(Span.of(x, xOff, n));
        selector.topKBits(k, checkedBytes(bits, bitsOff, Bits.bytes(n)), bitsOff);
    }

    /**
     * The Z and U steps of ADMM in one call and about one pass: with {@code v = w + u}, {@code z} becomes the top-k of
     * {@code v} and {@code u} becomes {@code v - z}. The residuals are those of the new and the old {@code z}.
     *
     * <p>It reads w, u and z and writes u and z, 20 bytes an element; where many sums are equal it reads them twice or
     * three times. Should the sampled bracket miss (less than once in a million calls where weights that lie together
     * are independent), the dual residual is an upper bound; all else is exact always.
     */
    public Residuals topKAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff,
            long n,
            long k) {
        selector.one(new Span(w, wOff, u, uOff, n, 1));
        selector.topKAdmm(k, checked(z, zOff, n), zOff);
        return new Residuals(Math.sqrt(selector.primalSum), Math.sqrt(selector.dualSum));
    }

    /**
     * Divides a budget of {@code k} survivors over several tensors by {@code weight * magnitude}; equal products go to
     * the earlier tensor. Each tensor's own top-k of its share is then the projection onto the common budget.
     */
    public long[] globalBudget(List<Span> tensors, long k) {
        long[] budget = new long[tensors.size()];
        if (tensors.isEmpty()) {
            if (k != 0) {
                throw new IllegalArgumentException("cannot keep " + k + " of no elements");
            }
            return budget;
        }
        selector.many(tensors);
        selector.budget(k, budget);
        return budget;
    }

    // ---- structured ---------------------------------------------------------------------------------------------

    /** Writes one score for each group, rounded to float from sums in double. */
    public void groupScores(MemorySegment x, long xOff, Groups groups, Norm norm, MemorySegment scores,
            long scoresOff) {
        MemorySegment in = checked(x, xOff, groups.elements());
        MemorySegment out = checked(scores, scoresOff, groups.count());
        int power = norm == Norm.L1 ? 1 : 2;
        split(groups.count(), groups.elements(), (worker, group) -> {
            double[] sums = lanes[worker];
            long firstRow = group / groups.across() * groups.blockRows();
            long lastRow = Math.min(groups.rows(), firstRow + groups.blockRows());
            long firstColumn = group % groups.across() * groups.blockColumns();
            long width = Math.min(groups.columns() - firstColumn, groups.blockColumns());
            Arrays.fill(sums, 0);
            for (long row = firstRow; row < lastRow; row++) {
                long start = row * groups.columns() + firstColumn;
                for (long done = 0; done < width; done += Passes.CHUNK) {
                    passes.norm(power, in, xOff + (start + done) * F, (int) Math.min(width - done, Passes.CHUNK), sums);
                }
            }
            double sum = Selector.sum(sums);
            out.set(F32, scoresOff + group * F, (float) (power == 1 ? sum : Math.sqrt(sum)));
        });
    }

    /** A part of a call, for one of the workers. */
    @FunctionalInterface
    private interface Part {
        void run(int worker, long part);
    }

    /** Runs all parts, by all workers where there are enough elements to be worth waking them. */
    private void split(long parts, long elements, Part part) {
        if (workers.count() == 1 || elements < 2L * Passes.CHUNK) {
            for (long i = 0; i < parts; i++) {
                part.run(0, i);
            }
            return;
        }
        workers.run(worker -> {
            long end = workers.first(worker + 1, parts);
            for (long i = workers.first(worker, parts); i < end; i++) {
                part.run(worker, i);
            }
        });
    }

    /** What a call does to the elements [from, to), at most a chunk. */
    @FunctionalInterface
    private interface Range {
        void run(int worker, long from, long to);
    }

    /** Does it to all chunks, as {@link #split} does. */
    private void each(long n, Range range) {
        split(Passes.chunks(n), n, (worker, chunk) -> {
            long from = chunk * Passes.CHUNK;
            range.run(worker, from, Math.min(n, from + Passes.CHUNK));
        });
    }

    /** A sum over the elements [from, to), at most a chunk. */
    @FunctionalInterface
    private interface Summand {
        double of(int worker, long from, long to);
    }

    /** Takes it of all chunks, as {@link #each} does, and adds up in the order of the chunks. */
    private double sum(long n, Summand summand) {
        int chunks = Passes.chunks(n);
        if (chunkSums.length < chunks) {
            chunkSums = new double[chunks];
        }
        each(n, (worker, from, to) -> chunkSums[(int) (from / Passes.CHUNK)] = summand.of(worker, from, to));
        double sum = 0;
        for (int chunk = 0; chunk < chunks; chunk++) {
            sum += chunkSums[chunk];
        }
        return sum;
    }

    /** Keeps the {@code k} groups of highest score, the lowest number among equals; {@code z} may be {@code x}. */
    public void topGroups(MemorySegment x, long xOff, MemorySegment z, long zOff, Groups groups, Norm norm, long k) {
        MemorySegment in = checked(x, xOff, groups.elements());
        MemorySegment out = checked(z, zOff, groups.elements());
        try (Region scratch = Region.shared("group scores")) {
            MemorySegment scores = scratch.allocate(groups.count() * F);
            groupScores(in, xOff, groups, norm, scores, 0);
            Bits kept = new Bits(scratch.allocate(Bits.bytes(groups.count())), 0);
            topKBits(scores, 0, groups.count(), k, kept.segment(), 0);
            split(groups.rows(), groups.elements(), (worker, row) -> {
                for (long block = 0; block < groups.across(); block++) {
                    long first = (row * groups.columns() + block * groups.blockColumns()) * F;
                    long bytes = Math.min(groups.columns() - block * groups.blockColumns(), groups.blockColumns()) * F;
                    if (kept.get(row / groups.blockRows() * groups.across() + block)) {
                        MemorySegment.copy(in, xOff + first, out, zOff + first, bytes);
                    } else {
                        out.asSlice(zOff + first, bytes).fill((byte) 0);
                    }
                }
            });
        }
    }

    /**
     * Keeps the {@code keep} greatest magnitudes of each {@code group} consecutive elements (2:4 sparsity has keep 2,
     * group 4); a shorter group at the end keeps its {@code keep} greatest too. {@code z} may be {@code x}.
     */
    public void keepOfGroups(MemorySegment x, long xOff, MemorySegment z, long zOff, long n, int keep, int group) {
        MemorySegment in = checked(x, xOff, n);
        MemorySegment out = checked(z, zOff, n);
        if (group < 1 || group > Passes.CHUNK || keep < 0 || keep > group) {
            throw new IllegalArgumentException("cannot keep " + keep + " of each " + group);
        }
        // Before anything is written.
        refuseNaN(x, xOff, n);
        int step = Passes.CHUNK / group * group;
        split((n + step - 1) / step, n, (worker, part) -> {
            long at = part * step;
            int size = (int) Math.min(step, n - at);
            int whole = size / group * group;
            passes.keepOfGroup(in, xOff + at * F, out, zOff + at * F, whole, keep, group);
            int rest = size - whole;
            if (rest > 0) {
                long o = (at + whole) * F;
                passes.keepOfGroup(in, xOff + o, out, zOff + o, rest, Math.min(keep, rest), rest);
            }
        });
    }

    // ---- codebooks ----------------------------------------------------------------------------------------------

    /**
     * Finds the codebook of at most {@code m} codewords of least squared error over the non-zero elements: the global
     * optimum, in O(m n log n) time and {@code 4 m + 40} bytes for each distinct value. Project with {@link #assign}.
     *
     * @param importance a weight of the squared error of each element, not negative; {@code null} for equal ones
     * @param m codewords, 1 to 256
     * @param codebook receives the codewords in ascending order; behind the last in use, copies of the last
     */
    public Clusters kMeansExact(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff, int m,
            MemorySegment codebook, long codebookOff) {
        codebook = checkedCodebook(m, codebook, codebookOff);
        importance = checkedImportance(importance, importanceOff, n);
        x = checked(x, xOff, n);
        int size = clusterer.exact(x, xOff, n, importance, importanceOff, m);
        write(size, m, codebook, codebookOff);
        return new Clusters(size, clusterer.error(), 0);
    }

    /**
     * Lloyd's algorithm from the codewords in {@code codebook}, until none moves or {@code maxRounds} are done; the
     * error never rises. A start that is nearly right costs one pass and a sort of the few elements near the cuts, any
     * other a sort of all (linear time, 8 bytes of scratch an element); then a round costs O(m log n). An empty cluster restarts at the value that is served worst; codewords that stay empty (there
     * are fewer distinct values) are dropped at the end. A value in the middle of two codewords takes the lower one.
     */
    public Clusters kMeans(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff, int m,
            MemorySegment codebook, long codebookOff, int maxRounds) {
        codebook = checkedCodebook(m, codebook, codebookOff);
        importance = checkedImportance(importance, importanceOff, n);
        x = checked(x, xOff, n);
        read(m, codebook, codebookOff);
        int rounds = clusterer.lloyd(x, xOff, n, importance, importanceOff, m, maxRounds);
        int size = clusterer.compact(m);
        write(size, m, codebook, codebookOff);
        return new Clusters(size, clusterer.error(), rounds);
    }

    /** Fills {@code codebook} with a start for {@link #kMeans}: {@code m} values evenly over the non-zero range. */
    public void linearStart(MemorySegment x, long xOff, long n, int m, MemorySegment codebook, long codebookOff) {
        codebook = checkedCodebook(m, codebook, codebookOff);
        x = checked(x, xOff, n);
        clusterer.linearStart(x, xOff, n, m);
        write(m, m, codebook, codebookOff);
    }

    /**
     * Replaces each non-zero element by its nearest codeword (the lower one in the middle of two); zeros stay +0. One
     * pass; O(log m) steps an element for up to 16 codewords (8 or 4 where vectors are shorter), O(m) vector steps beyond.
     *
     * @param codebook {@code m} ascending floats
     * @param values receives the codewords; may be {@code x}; {@code null} for none
     * @param codes receives one unsigned byte for each element, its codeword's number, 0 for a zero element: which
     *     elements are zero is told by {@code values} or by {@code x}; {@code null} for none
     * @return sum of squared distances
     */
    public double assign(MemorySegment x, long xOff, long n, int m, MemorySegment codebook, long codebookOff,
            MemorySegment values, long valuesOff, MemorySegment codes, long codesOff) {
        MemorySegment in = checked(x, xOff, n);
        MemorySegment outValues = values == null ? null : checked(values, valuesOff, n);
        MemorySegment outCodes = codes == null ? null : checkedBytes(codes, codesOff, n);
        read(m, checkedCodebook(m, codebook, codebookOff), codebookOff);
        float[] words = clusterer.codebook();
        for (int j = 0; j < m; j++) {
            if (!(Math.abs(words[j]) < Float.POSITIVE_INFINITY) || j > 0 && words[j] < words[j - 1]) {
                throw new IllegalArgumentException("codewords must be finite and ascending, number " + j + " is "
                        + words[j]);
            }
        }
        for (int j = 0; j + 1 < m; j++) {
            cuts[j] = Clusterer.cut(words[j], words[j + 1]);
        }
        Arrays.fill(cuts, m - 1, Math.max(m, Passes.STRIDE), Float.POSITIVE_INFINITY);
        boolean inPlace = values != null && values.address() + valuesOff == x.address() + xOff;
        if (inPlace) {
            refuseNaN(x, xOff, n);
        }
        double error = sum(n, (worker, from, to) -> {
            Arrays.fill(lanes[worker], 0);
            passes.assign(in, xOff + from * F, (int) (to - from), words, cuts, m, outValues, valuesOff + from * F,
                    outCodes, codesOff + from, lanes[worker]);
            return Selector.sum(lanes[worker]);
        });
        if (Double.isNaN(error) && !inPlace) {
            refuseNaN(x, xOff, n);
        }
        return error;
    }

    private void refuseNaN(MemorySegment x, long xOff, long n) {
        selector.one(Span.of(x, xOff, n));
        selector.threshold(0);
    }

    /**
     * The scale q of least squared error (times importance) over the non-zero elements, among all floats, up to
     * the rounding of the levels. Sorts the elements (linear time), then bounds intervals of q in O(levels log n) each.
     *
     * @return q; 1 where every element is zero
     */
    public float optimalScale(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff,
            LevelSet levels) {
        x = checked(x, xOff, n);
        importance = checkedImportance(importance, importanceOff, n);
        scale.fill(x, xOff, n, importance, importanceOff);
        return scale.optimal(levels);
    }

    /**
     * The scale that the published code takes, for comparison: the best of 201 within a tenth of max / n.
     *
     * @param countZeros the published quirk: pruned weights count as errors of q each, which biases q downwards
     */
    public float scannedScale(MemorySegment x, long xOff, long n, LevelSet levels, boolean countZeros) {
        x = checked(x, xOff, n);
        scale.fill(x, xOff, n, null, 0);
        return scale.scan(levels, countZeros ? n - scale.elements() : 0);
    }

    /** The error over the non-zero elements at the scale that the last of the two calls above found. */
    public double scaleError() {
        return scale.error();
    }

    /** Writes the levels for scale {@code q} as an ascending codebook for {@link #assign}; returns their number. */
    public static int levels(LevelSet levels, float q, MemorySegment codebook, long codebookOff) {
        for (int i = 0; i < levels.size(); i++) {
            codebook.set(F32, codebookOff + i * F, levels.level(i, q));
        }
        return levels.size();
    }

    // ---- joint --------------------------------------------------------------------------------------------------

    /**
     * Projects onto "at most {@code k} non-zeros, each one of {@code m} codewords": starts from the top-k, then in turn
     * moves the codewords to the means of their members and the support to the {@code k} elements whose squared error
     * falls most by being kept, until the error no longer falls.
     *
     * <p>A local optimum, never worse than top-k followed by k-means. Each round costs a few passes and a k-means; 8 bytes
     * and a bit of scratch for each element.
     *
     * @param warm whether {@code codebook} holds a start; otherwise it is a linear one over the survivors
     * @param z receives the projection; not {@code x}
     * @param codes receives codeword numbers as {@link #assign} writes them; {@code null} for none
     */
    public Joint joint(MemorySegment x, long xOff, long n, long k, int m, boolean warm, MemorySegment codebook,
            long codebookOff, int maxRounds, MemorySegment z, long zOff, MemorySegment codes, long codesOff) {
        MemorySegment best = checkedCodebook(m, codebook, codebookOff);
        MemorySegment in = checked(x, xOff, n);
        MemorySegment out = checked(z, zOff, n);
        MemorySegment outCodes = codes == null ? null : checkedBytes(codes, codesOff, n);
        topK(in, xOff, out, zOff, n, k);
        try (Region scratch = Region.shared("joint projection")) {
            MemorySegment support = scratch.allocate(n * F);
            MemorySegment gains = scratch.allocate(n * F);
            MemorySegment words = scratch.allocate(m * F);
            Bits kept = new Bits(scratch.allocate(Bits.bytes(n)), 0);
            if (warm) {
                MemorySegment.copy(best, codebookOff, words, 0, m * F);
            } else {
                linearStart(out, zOff, n, m, words, 0);
            }
            MemorySegment.copy(out, zOff, support, 0, n * F);
            double least = Double.POSITIVE_INFINITY;
            int rounds = 0;
            int size = 0;
            while (rounds < maxRounds) {
                Clusters clusters = kMeans(support, 0, n, null, 0, m, words, 0, rounds == 0 ? 1000 : 50);
                double error = distance(in, xOff, support, n, words, clusters.size());
                if (!(error < least)) {
                    break;
                }
                least = error;
                size = clusters.size();
                MemorySegment.copy(words, 0, best, codebookOff, m * F);
                MemorySegment.copy(support, 0, out, zOff, n * F);
                rounds++;
                if (size == 0) {
                    break;
                }
                gains(in, xOff, n, words, size, gains);
                topKBits(gains, 0, n, k, kept.segment(), 0);
                each(n, (worker, from, to) -> {
                    for (long i = from; i < to; i++) {
                        // An element that loses by being kept, or gains nothing, is better off as a zero.
                        boolean keep = kept.get(i) && gains.get(F32, i * F) > 0;
                        support.set(F32, i * F, keep ? in.get(F32, xOff + i * F) : 0);
                    }
                });
            }
            if (size > 0) {
                assign(out, zOff, n, size, best, codebookOff, out, zOff, outCodes, codesOff);
            } else if (outCodes != null) {
                outCodes.asSlice(codesOff, n).fill((byte) 0);
            }
            double error = sum(n, (worker, from, to) -> {
                double part = 0;
                for (long i = from; i < to; i++) {
                    double d = (double) in.get(F32, xOff + i * F) - out.get(F32, zOff + i * F);
                    part += d * d;
                }
                return part;
            });
            double survivors = sum(n, (worker, from, to) -> {
                long part = 0;
                for (long i = from; i < to; i++) {
                    part += out.get(F32, zOff + i * F) != 0 ? 1 : 0;
                }
                return part;
            });
            return new Joint(size, (long) survivors, error, rounds);
        }
    }

    private double distance(MemorySegment x, long xOff, MemorySegment support, long n, MemorySegment words, int size) {
        double kept = size == 0 ? 0 : assign(support, 0, n, size, words, 0, null, 0, null, 0);
        return kept + sum(n, (worker, from, to) -> {
            double dropped = 0;
            for (long i = from; i < to; i++) {
                double v = support.get(F32, i * F) == 0 ? x.get(F32, xOff + i * F) : 0;
                dropped += v * v;
            }
            return dropped;
        });
    }

    /** By how much each element's squared error falls if it is its nearest codeword instead of 0; never below 0. */
    private void gains(MemorySegment x, long xOff, long n, MemorySegment words, int size, MemorySegment gains) {
        assign(x, xOff, n, size, words, 0, gains, 0, null, 0);
        each(n, (worker, from, to) -> {
            for (long i = from; i < to; i++) {
                double v = x.get(F32, xOff + i * F);
                double d = v - gains.get(F32, i * F);
                gains.set(F32, i * F, (float) Math.max(0, v * v - d * d));
            }
        });
    }

    // ---- shared -------------------------------------------------------------------------------------------------

    private static MemorySegment checked(MemorySegment segment, long offset, long n) {
        return checkedBytes(segment, offset, Math.multiplyExact(n, F));
    }

    private static MemorySegment checkedBytes(MemorySegment segment, long offset, long bytes) {
        Objects.checkFromIndexSize(offset, bytes, segment.byteSize());
        return Unconfined.of(segment);
    }

    private static MemorySegment checkedImportance(MemorySegment importance, long offset, long n) {
        return importance == null ? null : checked(importance, offset, n);
    }

    private static MemorySegment checkedCodebook(int m, MemorySegment codebook, long offset) {
        if (m < 1 || m > Clusterer.MOST) {
            throw new IllegalArgumentException("a codebook has 1 to " + Clusterer.MOST + " codewords, asked for " + m);
        }
        return checked(codebook, offset, m);
    }

    private void read(int m, MemorySegment codebook, long offset) {
        for (int j = 0; j < m; j++) {
            clusterer.codebook()[j] = codebook.get(F32, offset + j * F);
        }
    }

    private void write(int size, int m, MemorySegment codebook, long offset) {
        for (int j = 0; j < m; j++) {
            codebook.set(F32, offset + j * F, size == 0 ? 0 : clusterer.codebook()[Math.min(j, size - 1)]);
        }
    }

    /** Ends the threads and frees the scratch memory. */
    @Override
    public void close() {
        workers.close();
        selector.close();
        clusterer.close();
        scale.close();
    }
}
