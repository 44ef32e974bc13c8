package io.pare.kernel;

import io.pare.mem.KeepAlive;
import io.pare.mem.OneThread;
import io.pare.mem.Opening;
import io.pare.mem.Region;
import io.pare.mem.Unconfined;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Cleaner;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The Euclidean projections of ADMM over ranges of floats, exact and deterministic: top-k by magnitude (single,
 * fused with the dual step, grouped, N:M, over several tensors), 1-D k-means, quantisation levels, and top-k and
 * k-means together.
 *
 * <p>A range is (native segment, offset in bytes, number of floats); counts may pass 2^31; segments of confined arenas
 * are lent to the instance's threads for the time of a call. Ranges are checked before anything is done, with the
 * exceptions of {@link Kernels}, and their arenas cannot be closed during a call. The number of threads, the provider and
 * the vector width never change a result, to the last bit.
 *
 * <p>An instance owns scratch memory, which grows to the largest call, and {@code threads - 1} threads: open one, use it
 * from one thread at a time, close it. A second thread gets {@link IllegalStateException}, one that would close it too,
 * and the first goes on; so does every call after {@link #close}. What is dropped without having been closed is freed
 * when it is collected as garbage, and reported where {@code -Dpare.debug.leaks=true} is given.
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
 * A call allocates some hundred bytes on the heap, whatever n.
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
    private static final Cleaner CLEANER = Cleaner.create();

    private final OneThread oneThread = new OneThread("a Projections instance");
    private final Passes passes;
    private final Workers workers;
    private final Selector selector;
    private final Clusterer clusterer;
    private final Scale scale;
    private final Resources resources;
    private final Cleaner.Cleanable release;
    private final float[] cuts = new float[Clusterer.MOST];
    private final double[][] lanes;
    private double[] chunkSums = new double[1];

    Projections(Passes passes, int threads) {
        Unconfined.requireNativeAccess();
        this.passes = passes;
        this.workers = new Workers(threads);
        this.selector = new Selector(passes, workers);
        this.clusterer = new Clusterer(passes, workers);
        this.scale = new Scale(workers);
        this.lanes = new double[threads][Passes.STRIDE];
        this.resources = new Resources(workers, selector, clusterer, scale, Opening.here());
        this.release = CLEANER.register(this, resources);
    }

    /** What an instance owns, which goes once: when the instance is closed, or is garbage. It does not refer to it. */
    private static final class Resources implements Runnable {
        private static final System.Logger LOG = System.getLogger("io.pare.kernel");

        private final Workers workers;
        private final Selector selector;
        private final Clusterer clusterer;
        private final Scale scale;
        private final Opening opening;
        private boolean closed;

        Resources(Workers workers, Selector selector, Clusterer clusterer, Scale scale, Opening opening) {
            this.workers = workers;
            this.selector = selector;
            this.clusterer = clusterer;
            this.scale = scale;
            this.opening = opening;
        }

        @Override
        public void run() {
            if (!closed && opening != null) {
                LOG.log(System.Logger.Level.WARNING,
                        "a Projections instance was never closed; its threads and memory are freed now", opening);
            }
            workers.close();
            selector.close();
            clusterer.close();
            scale.close();
        }
    }

    /**
     * Opens projections that use the calling thread and {@code threads - 1} more.
     *
     * @throws IllegalStateException if the JVM denies native access; the message says what to do
     */
    public static Projections open(int threads) {
        return new Projections(KernelProvider.passes(), threads);
    }

    /** For tests. */
    Selector selector() {
        return selector;
    }

    /** Runs a call, alone in this instance, while the segments that it is given stay allocated. */
    private <T> T call(Supplier<T> body, MemorySegment... memory) {
        oneThread.enter();
        try {
            if (resources.closed) {
                throw new IllegalStateException("this Projections instance is closed");
            }
            return KeepAlive.during(body, memory);
        } finally {
            oneThread.exit();
        }
    }

    private void call(Runnable body, MemorySegment... memory) {
        call(() -> {
            body.run();
            return null;
        }, memory);
    }

    // ---- top-k --------------------------------------------------------------------------------------------------

    /** Writes to {@code z} the {@code k} greatest magnitudes of {@code x}, 0 elsewhere; {@code z} may be {@code x}. */
    public void topK(MemorySegment x, long xOff, MemorySegment z, long zOff, long n, long k) {
        Span span = Span.of(x, xOff, n);
        MemorySegment out = writable(z, zOff, n);
        call(() -> {
            selector.one(span);
            selector.topK(k, out, zOff);
        }, x, z);
    }

    /** Where {@link #topK} would cut; {@code k} from 1 to {@code n}. Reads 4 bytes an element, writes nothing. */
    public Threshold threshold(MemorySegment x, long xOff, long n, long k) {
        Span span = Span.of(x, xOff, n);
        if (k < 1 || k > n) {
            throw new IllegalArgumentException("no threshold keeps " + k + " of " + n + " elements");
        }
        return call(() -> {
            selector.one(span);
            selector.select(k);
            return new Threshold(Float.intBitsToFloat(selector.key), selector.above, selector.ties);
        }, x);
    }

    /** Writes a set bit for each survivor of {@link #topK}, in the layout of {@link Bits}; reads the input about once. */
    public void topKBits(MemorySegment x, long xOff, long n, long k, MemorySegment bits, long bitsOff) {
        Span span = Span.of(x, xOff, n);
        MemorySegment out = writableBytes(bits, bitsOff, Bits.bytes(n));
        call(() -> {
            selector.one(span);
            selector.topKBits(k, out, bitsOff);
        }, x, bits);
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
        Span span = new Span(w, wOff, u, uOff, n, 1);
        Unconfined.checkWritable(u);
        MemorySegment out = writable(z, zOff, n);
        return call(() -> {
            selector.one(span);
            selector.topKAdmm(k, out, zOff);
            return new Residuals(Math.sqrt(selector.primalSum), Math.sqrt(selector.dualSum));
        }, w, u, z);
    }

    /**
     * Divides a budget of {@code k} survivors over several tensors by {@code weight * magnitude}; equal products go to
     * the earlier tensor. Each tensor's own top-k of its share is then the projection onto the common budget.
     */
    public long[] globalBudget(List<Span> tensors, long k) {
        List<Span> spans = List.copyOf(tensors);
        long[] budget = new long[spans.size()];
        if (spans.isEmpty() && k != 0) {
            throw new IllegalArgumentException("cannot keep " + k + " of no elements");
        }
        MemorySegment[] memory =
                spans.stream().flatMap(span -> Stream.of(span.x(), span.u())).toArray(MemorySegment[]::new);
        call(() -> {
            if (!spans.isEmpty()) {
                selector.many(spans);
                selector.budget(k, budget);
            }
        }, memory);
        return budget;
    }

    // ---- structured ---------------------------------------------------------------------------------------------

    /** Writes one score for each group, rounded to float from sums in double. */
    public void groupScores(MemorySegment x, long xOff, Groups groups, Norm norm, MemorySegment scores,
            long scoresOff) {
        MemorySegment in = readable(x, xOff, groups.elements());
        MemorySegment out = writable(scores, scoresOff, groups.count());
        call(() -> score(in, xOff, groups, norm == Norm.L1 ? 1 : 2, out, scoresOff), x, scores);
    }

    private void score(MemorySegment x, long xOff, Groups groups, int power, MemorySegment scores, long scoresOff) {
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
                    passes.norm(power, x, xOff + (start + done) * F, (int) Math.min(width - done, Passes.CHUNK), sums);
                }
            }
            double sum = Selector.sum(sums);
            scores.set(F32, scoresOff + group * F, (float) (power == 1 ? sum : Math.sqrt(sum)));
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
        MemorySegment in = readable(x, xOff, groups.elements());
        MemorySegment out = writable(z, zOff, groups.elements());
        call(() -> keepGroups(in, xOff, out, zOff, groups, norm, k), x, z);
    }

    private void keepGroups(MemorySegment in, long xOff, MemorySegment out, long zOff, Groups groups, Norm norm,
            long k) {
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
        MemorySegment in = readable(x, xOff, n);
        MemorySegment out = writable(z, zOff, n);
        if (group < 1 || group > Passes.CHUNK || keep < 0 || keep > group) {
            throw new IllegalArgumentException("cannot keep " + keep + " of each " + group);
        }
        call(() -> keepOfAll(in, xOff, out, zOff, n, keep, group), x, z);
    }

    private void keepOfAll(MemorySegment in, long xOff, MemorySegment out, long zOff, long n, int keep, int group) {
        // Before anything is written.
        refuseNaN(in, xOff, n);
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
        MemorySegment words = writableCodebook(m, codebook, codebookOff);
        MemorySegment weights = optional(importance, importanceOff, n);
        MemorySegment in = readable(x, xOff, n);
        return call(() -> {
            int size = clusterer.exact(in, xOff, n, weights, importanceOff, m);
            write(size, m, words, codebookOff);
            return new Clusters(size, clusterer.error(), 0);
        }, x, importance, codebook);
    }

    /**
     * Lloyd's algorithm from the codewords in {@code codebook}, until none moves or {@code maxRounds} are done; the
     * error never rises. A start that is nearly right costs one pass and a sort of the few elements near the cuts, any
     * other a sort of all (linear time, 8 bytes of scratch an element); then a round costs O(m log n). An empty cluster restarts at the value that is served worst; codewords that stay empty (there
     * are fewer distinct values) are dropped at the end. A value in the middle of two codewords takes the lower one.
     */
    public Clusters kMeans(MemorySegment x, long xOff, long n, MemorySegment importance, long importanceOff, int m,
            MemorySegment codebook, long codebookOff, int maxRounds) {
        MemorySegment words = writableCodebook(m, codebook, codebookOff);
        MemorySegment weights = optional(importance, importanceOff, n);
        MemorySegment in = readable(x, xOff, n);
        if (maxRounds < 0) {
            throw new IllegalArgumentException("Lloyd's algorithm cannot run " + maxRounds + " rounds");
        }
        return call(() -> {
            read(m, words, codebookOff);
            int rounds = clusterer.lloyd(in, xOff, n, weights, importanceOff, m, maxRounds);
            int size = clusterer.compact(m);
            write(size, m, words, codebookOff);
            return new Clusters(size, clusterer.error(), rounds);
        }, x, importance, codebook);
    }

    /** Fills {@code codebook} with a start for {@link #kMeans}: {@code m} values evenly over the non-zero range. */
    public void linearStart(MemorySegment x, long xOff, long n, int m, MemorySegment codebook, long codebookOff) {
        MemorySegment words = writableCodebook(m, codebook, codebookOff);
        MemorySegment in = readable(x, xOff, n);
        call(() -> {
            clusterer.linearStart(in, xOff, n, m);
            write(m, m, words, codebookOff);
        }, x, codebook);
    }

    /**
     * Replaces each non-zero element by its nearest codeword (the lower one in the middle of two); zeros stay +0. One
     * pass; O(log m) steps an element for up to 16 codewords (8 or 4 where vectors are shorter), O(m) vector steps beyond.
     *
     * @param m codewords, 0 to 256; none, which is what a clustering finds where all is zero, serve zeros alone
     * @param codebook {@code m} ascending floats
     * @param values receives the codewords; may be {@code x}; {@code null} for none
     * @param codes receives one unsigned byte for each element, its codeword's number, 0 for a zero element: which
     *     elements are zero is told by {@code values} or by {@code x}; {@code null} for none
     * @return sum of squared distances
     */
    public double assign(MemorySegment x, long xOff, long n, int m, MemorySegment codebook, long codebookOff,
            MemorySegment values, long valuesOff, MemorySegment codes, long codesOff) {
        MemorySegment in = readable(x, xOff, n);
        MemorySegment outValues = values == null ? null : writable(values, valuesOff, n);
        MemorySegment outCodes = codes == null ? null : writableBytes(codes, codesOff, n);
        checkCodewords(0, m);
        MemorySegment words = readable(codebook, codebookOff, m);
        return call(() -> {
            if (m == 0) {
                refuseNonZeros(in, xOff, n);
            } else {
                take(m, words, codebookOff);
            }
            return assign(in, xOff, n, m, outValues, valuesOff, outCodes, codesOff);
        }, x, codebook, values, codes);
    }

    /** Takes over the codebook and sets its cuts. */
    private void take(int m, MemorySegment codebook, long codebookOff) {
        read(m, codebook, codebookOff);
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
    }

    private double assign(MemorySegment x, long xOff, long n, int m, MemorySegment values, long valuesOff,
            MemorySegment codes, long codesOff) {
        float[] words = clusterer.codebook();
        boolean inPlace = values != null && values.address() + valuesOff == x.address() + xOff;
        if (inPlace) {
            refuseNaN(x, xOff, n);
        }
        double error = sum(n, (worker, from, to) -> {
            Arrays.fill(lanes[worker], 0);
            passes.assign(x, xOff + from * F, (int) (to - from), words, cuts, m, values, valuesOff + from * F, codes,
                    codesOff + from, lanes[worker]);
            return Selector.sum(lanes[worker]);
        });
        if (Double.isNaN(error) && !inPlace) {
            refuseNaN(x, xOff, n);
        }
        return error;
    }

    /** With no codeword there is nothing that a number could become. */
    private void refuseNonZeros(MemorySegment x, long xOff, long n) {
        refuseNaN(x, xOff, n);
        double found = sum(n, (worker, from, to) -> {
            long[] counts = new long[4];
            passes.count(x, xOff + from * F, null, 0, (int) (to - from), 1, 1, 1, 1, counts, 0);
            return counts[0];
        });
        if (found > 0) {
            throw new IllegalArgumentException("no codeword was given for " + (long) found + " non-zero elements");
        }
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
        MemorySegment in = readable(x, xOff, n);
        MemorySegment weights = optional(importance, importanceOff, n);
        return call(() -> {
            scale.fill(in, xOff, n, weights, importanceOff);
            return scale.optimal(levels);
        }, x, importance);
    }

    /**
     * The scale that the published code takes, for comparison: the best of 201 within a tenth of max / n.
     *
     * @param countZeros the published quirk: pruned weights count as errors of q each, which biases q downwards
     */
    public float scannedScale(MemorySegment x, long xOff, long n, LevelSet levels, boolean countZeros) {
        MemorySegment in = readable(x, xOff, n);
        return call(() -> {
            scale.fill(in, xOff, n, null, 0);
            return scale.scan(levels, countZeros ? n - scale.elements() : 0);
        }, x);
    }

    /** The error over the non-zero elements at the scale that the last of the two calls above found. */
    public double scaleError() {
        return call(scale::error);
    }

    /** Writes the levels for scale {@code q} as an ascending codebook for {@link #assign}; returns their number. */
    public static int levels(LevelSet levels, float q, MemorySegment codebook, long codebookOff) {
        Ranges.writableFloats(codebook, codebookOff, levels.size());
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
     * @param maxRounds at least 1
     * @param z receives the projection; not {@code x}
     * @param codes receives codeword numbers as {@link #assign} writes them; {@code null} for none
     */
    public Joint joint(MemorySegment x, long xOff, long n, long k, int m, boolean warm, MemorySegment codebook,
            long codebookOff, int maxRounds, MemorySegment z, long zOff, MemorySegment codes, long codesOff) {
        MemorySegment best = writableCodebook(m, codebook, codebookOff);
        MemorySegment in = readable(x, xOff, n);
        MemorySegment out = writable(z, zOff, n);
        MemorySegment outCodes = codes == null ? null : writableBytes(codes, codesOff, n);
        if (maxRounds < 1) {
            throw new IllegalArgumentException("codewords are not found in " + maxRounds + " rounds");
        }
        return call(() -> join(in, xOff, n, k, m, warm, best, codebookOff, maxRounds, out, zOff, outCodes, codesOff), x,
                codebook, z, codes);
    }

    private Joint join(MemorySegment in, long xOff, long n, long k, int m, boolean warm, MemorySegment best,
            long codebookOff, int maxRounds, MemorySegment out, long zOff, MemorySegment outCodes, long codesOff) {
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
            assign(out, zOff, n, size, best, codebookOff, out, zOff, outCodes, codesOff);
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
        return assign(support, 0, n, size, words, 0, null, 0, null, 0) + sum(n, (worker, from, to) -> {
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

    private static MemorySegment readable(MemorySegment segment, long offset, long n) {
        Ranges.floats(segment, offset, n);
        return Unconfined.of(segment);
    }

    private static MemorySegment writable(MemorySegment segment, long offset, long n) {
        Ranges.writableFloats(segment, offset, n);
        return Unconfined.of(segment);
    }

    private static MemorySegment writableBytes(MemorySegment segment, long offset, long n) {
        Ranges.writableBytes(segment, offset, n);
        return Unconfined.of(segment);
    }

    private static MemorySegment optional(MemorySegment importance, long offset, long n) {
        return importance == null ? null : readable(importance, offset, n);
    }

    private static MemorySegment writableCodebook(int m, MemorySegment codebook, long offset) {
        checkCodewords(1, m);
        return writable(codebook, offset, m);
    }

    private static void checkCodewords(int least, int m) {
        if (m < least || m > Clusterer.MOST) {
            throw new IllegalArgumentException("a codebook has " + least + " to " + Clusterer.MOST
                    + " codewords, asked for " + m);
        }
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

    /**
     * Ends the threads and frees the scratch memory; once more does nothing.
     *
     * @throws IllegalStateException if another thread is in a call: that goes on, and this stays open
     */
    @Override
    public void close() {
        oneThread.enter();
        try {
            resources.closed = true;
            release.clean();
        } finally {
            oneThread.exit();
        }
    }
}
