package io.pare.kernel;

import io.pare.kernel.passes.Passes;
import io.pare.mem.OneThread;
import io.pare.mem.Opening;
import io.pare.mem.direct.KeepAlive;
import io.pare.mem.direct.Unconfined;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Cleaner;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The Euclidean projections of ADMM over ranges of floats, exact and deterministic: top-k by magnitude (single,
 * fused with the dual step, grouped, N:M, over several tensors), 1-D k-means, quantisation levels, and top-k and
 * k-means together.
 *
 * <p>A range is (native segment, offset in bytes, number of floats). Counts may pass 2^31. Ranges are checked before
 * anything is done, with the exceptions of {@link Kernels}. During a call their arenas cannot be closed, and segments
 * of confined arenas are lent to the instance's threads. Results are the same to the last bit for every number of
 * threads, provider and vector width.
 *
 * <p>An instance owns scratch memory, which grows to the largest call, and {@code threads - 1} threads. Open it, use it
 * from one thread at a time, close it. A second thread gets {@link IllegalStateException}, also from {@link #close},
 * while the first goes on. Every call after {@link #close} gets it too. An instance that was dropped unclosed is freed
 * when it is collected as garbage, and reported with {@code -Dpare.debug.leaks=true}.
 *
 * <p>Rules. <b>Ties</b>: among equal magnitudes the lowest index survives, so exactly k elements survive, zeros
 * included where k exceeds the non-zeros. <b>NaN</b> is refused with its lowest index ({@link
 * IllegalArgumentException}); in place this happens before anything is written; otherwise the outputs are then
 * undefined. Infinities are the greatest magnitudes, subnormals are ordinary, -0 equals 0 in magnitude and keeps its
 * sign if it survives; elements that do not survive become +0. The clustering calls also refuse infinities. Outputs may
 * be the same range as the input where said, and must not overlap it otherwise.
 *
 * <p>Cost. Top-k reads and writes each element once (8 bytes, 12 with the read before a write); in place and for ties
 * it reads them twice. A sample of O(n^(2/3)) elements brackets the threshold; it affects the time only. A call
 * allocates some hundred bytes on the heap, whatever n.
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
    private final Selector selector;
    private final DenseTopK dense;
    private final BitsTopK bitwise;
    private final AdmmTopK admm;
    private final Clusterer clusterer;
    private final Scale scale;
    private final GroupProjections structured;
    private final Assignment assignment;
    private final JointProjection joint;
    private final Resources resources;
    private final Cleaner.Cleanable release;

    Projections(Passes passes, int threads) {
        Unconfined.requireNativeAccess();
        Workers workers = new Workers(threads);
        Parallel parallel = new Parallel(workers);
        this.selector = new Selector(passes.select(), workers);
        this.dense = new DenseTopK(passes.topK(), selector);
        this.bitwise = new BitsTopK(passes.topK(), selector);
        this.admm = new AdmmTopK(passes.topK(), selector, threads);
        this.clusterer = new Clusterer(passes.codebooks(), workers);
        this.scale = new Scale(workers);
        this.structured = new GroupProjections(passes.groups(), workers, parallel, selector, bitwise);
        this.assignment = new Assignment(passes.codebooks(), workers, parallel, selector, clusterer.codebook);
        this.joint = new JointProjection(parallel, selector, dense, bitwise, clusterer, assignment);
        this.resources = new Resources(workers, selector, clusterer, scale, Opening.here());
        this.release = CLEANER.register(this, resources);
    }

    /** What an instance owns. Released once, on close or as garbage, so it must not refer to the instance. */
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
     * @param threads at least 1: the caller's thread and {@code threads - 1} that the instance starts and owns
     * @return projections that the caller closes
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

    /**
     * Writes to {@code z} the {@code k} greatest magnitudes of {@code x}, 0 elsewhere; {@code z} may be {@code x}.
     *
     * @param x the elements
     * @param xOff where they begin, in bytes
     * @param z receives the projection
     * @param zOff where it begins, in bytes
     * @param n number of elements
     * @param k how many survive, 0 to {@code n}
     */
    public void topK(MemorySegment x, long xOff, MemorySegment z, long zOff, long n, long k) {
        Span span = Span.of(x, xOff, n);
        MemorySegment out = writable(z, zOff, n);
        call(() -> {
            selector.one(span);
            dense.write(k, out, zOff);
        }, x, z);
    }

    /**
     * Where {@link #topK} would cut; {@code k} from 1 to {@code n}. Reads 4 bytes an element, writes nothing.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param k how many survive, 1 to {@code n}
     * @return the magnitude where {@link #topK} would cut, and what lies above and at it
     */
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

    /**
     * Writes a set bit for each survivor of {@link #topK}, in the layout of {@link Bits}; reads the input about once.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param k how many survive, 0 to {@code n}
     * @param bits receives {@link Bits#bytes} bytes
     * @param bitsOff where they begin, in bytes
     */
    public void topKBits(MemorySegment x, long xOff, long n, long k, MemorySegment bits, long bitsOff) {
        Span span = Span.of(x, xOff, n);
        MemorySegment out = writableBytes(bits, bitsOff, Bits.bytes(n));
        call(() -> {
            selector.one(span);
            bitwise.write(k, out, bitsOff);
        }, x, bits);
    }

    /**
     * The Z and U steps of ADMM in one call and about one pass: with {@code v = w + u}, {@code z} becomes the top-k of
     * {@code v} and {@code u} becomes {@code v - z}. The residuals are those of the new and the old {@code z}.
     *
     * <p>It reads w, u and z and writes u and z, 20 bytes an element; where many sums are equal it reads them twice or
     * three times. Should the sampled bracket miss (less than once in a million calls where weights that lie together
     * are independent), the dual residual is an upper bound; all else is exact always.
     *
     * @param w the weights, only read
     * @param wOff where they begin, in bytes
     * @param u the scaled dual, read and written
     * @param uOff where it begins, in bytes
     * @param z the last projection, replaced by the new one
     * @param zOff where it begins, in bytes
     * @param n number of elements
     * @param k how many survive, 0 to {@code n}
     * @return how far weights and projection are apart, and how far the projection moved
     */
    public Residuals topKAdmm(MemorySegment w, long wOff, MemorySegment u, long uOff, MemorySegment z, long zOff,
            long n,
            long k) {
        Span span = new Span(w, wOff, u, uOff, n, 1);
        Unconfined.checkWritable(u);
        MemorySegment out = writable(z, zOff, n);
        return call(() -> {
            selector.one(span);
            admm.step(k, out, zOff);
            return new Residuals(Math.sqrt(admm.primalSum), Math.sqrt(admm.dualSum));
        }, w, u, z);
    }

    /**
     * Divides a budget of {@code k} survivors over several tensors by {@code weight * magnitude}; equal products go to
     * the earlier tensor. Each tensor's own top-k of its share is then the projection onto the common budget.
     *
     * @param tensors in the order that settles ties
     * @param k survivors of all together, 0 to the sum of their counts
     * @return survivors of each, in the order of the tensors
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

    /**
     * Writes one score for each group, rounded to float from sums in double.
     *
     * @param x the matrix, row-major
     * @param xOff where it begins, in bytes
     * @param groups how the matrix is divided
     * @param norm how a group is scored
     * @param scores receives {@link Groups#count} floats
     * @param scoresOff where they begin, in bytes
     */
    public void groupScores(MemorySegment x, long xOff, Groups groups, Norm norm, MemorySegment scores,
            long scoresOff) {
        MemorySegment in = readable(x, xOff, groups.elements());
        MemorySegment out = writable(scores, scoresOff, groups.count());
        call(() -> structured.score(in, xOff, groups, norm, out, scoresOff), x, scores);
    }

    /**
     * Keeps the {@code k} groups of highest score, the lowest number among equals; {@code z} may be {@code x}.
     *
     * @param x the matrix, row-major
     * @param xOff where it begins, in bytes
     * @param z receives the projection
     * @param zOff where it begins, in bytes
     * @param groups how the matrix is divided
     * @param norm how a group is scored
     * @param k how many groups survive, 0 to their number
     */
    public void topGroups(MemorySegment x, long xOff, MemorySegment z, long zOff, Groups groups, Norm norm, long k) {
        MemorySegment in = readable(x, xOff, groups.elements());
        MemorySegment out = writable(z, zOff, groups.elements());
        call(() -> structured.keepGroups(in, xOff, out, zOff, groups, norm, k), x, z);
    }

    /**
     * Keeps the {@code keep} greatest magnitudes of each {@code group} consecutive elements (2:4 sparsity has keep 2,
     * group 4); a shorter group at the end keeps its {@code keep} greatest too. {@code z} may be {@code x}.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param z receives the projection
     * @param zOff where it begins, in bytes
     * @param n number of elements
     * @param keep 0 to {@code group}
     * @param group elements of a group, 1 to 2^18
     */
    public void keepOfGroups(MemorySegment x, long xOff, MemorySegment z, long zOff, long n, int keep, int group) {
        MemorySegment in = readable(x, xOff, n);
        MemorySegment out = writable(z, zOff, n);
        if (group < 1 || group > Passes.CHUNK || keep < 0 || keep > group) {
            throw new IllegalArgumentException("cannot keep " + keep + " of each " + group);
        }
        call(() -> structured.keepOfGroups(in, xOff, out, zOff, n, keep, group), x, z);
    }

    // ---- codebooks ----------------------------------------------------------------------------------------------

    /**
     * Finds the codebook of at most {@code m} codewords of least squared error over the non-zero elements: the global
     * optimum. It takes O(n log n) time for any {@code m}, and 32 bytes for each distinct value. Where very many values
     * lie so evenly that optima abound, it takes O(m n log n) and {@code 8 m + 32} bytes. Project with {@link #assign}.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param importance a weight of the squared error of each element, not negative; {@code null} for equal ones
     * @param importanceOff where they begin, in bytes
     * @param m codewords, 1 to 256
     * @param codebook receives the codewords in ascending order; behind the last in use, copies of the last
     * @param codebookOff where it begins, in bytes
     * @return codewords in use and the least error
     */
    public Clusters kMeansExact(MemorySegment x, long xOff, long n, @Nullable MemorySegment importance,
            long importanceOff, int m, MemorySegment codebook, long codebookOff) {
        MemorySegment words = writableCodebook(m, codebook, codebookOff);
        MemorySegment weights = optional(importance, importanceOff, n);
        MemorySegment in = readable(x, xOff, n);
        return call(() -> {
            Clusters clusters = clusterer.exact(in, xOff, n, weights, importanceOff, m);
            clusterer.codebook.write(clusters.size(), m, words, codebookOff);
            return clusters;
        }, x, importance, codebook);
    }

    /**
     * Lloyd's algorithm from the codewords in {@code codebook}, until none moves or {@code maxRounds} are done. The
     * error never rises.
     *
     * <p>A start that is nearly right costs one pass and a sort of the few elements near the cuts. Any other costs a
     * sort of all (linear time, 8 bytes of scratch an element). A round then costs O(m log n). An empty cluster
     * restarts at the element of greatest error. Codewords that stay empty, for lack of distinct values, are dropped at
     * the end. The midpoint of two codewords belongs to the lower one.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param importance as for {@link #kMeansExact}
     * @param importanceOff where they begin, in bytes
     * @param m codewords, 1 to 256
     * @param codebook {@code m} finite floats to start from; receives the codewords as for {@link #kMeansExact}
     * @param codebookOff where it begins, in bytes
     * @param maxRounds at least 0
     * @return codewords in use, their error, and the rounds that were run
     */
    public Clusters kMeans(MemorySegment x, long xOff, long n, @Nullable MemorySegment importance,
            long importanceOff, int m, MemorySegment codebook, long codebookOff, int maxRounds) {
        MemorySegment words = writableCodebook(m, codebook, codebookOff);
        MemorySegment weights = optional(importance, importanceOff, n);
        MemorySegment in = readable(x, xOff, n);
        if (maxRounds < 0) {
            throw new IllegalArgumentException("Lloyd's algorithm cannot run " + maxRounds + " rounds");
        }
        return call(() -> {
            clusterer.codebook.read(m, words, codebookOff);
            Clusters clusters = clusterer.lloyd(in, xOff, n, weights, importanceOff, m, maxRounds);
            clusterer.codebook.write(clusters.size(), m, words, codebookOff);
            return clusters;
        }, x, importance, codebook);
    }

    /**
     * {@link #kMeans} from a start of its own: from 32 codewords on the optimum over a grid of 4,096 places, which lie as
     * dense as the elements' density to the power 1/3 (Panter and Dite 1951), below as {@link #linearStart}.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param importance as for {@link #kMeansExact}
     * @param importanceOff where they begin, in bytes
     * @param m codewords, 1 to 256
     * @param codebook receives the codewords as for {@link #kMeans}; what it held plays no part
     * @param codebookOff where it begins, in bytes
     * @param maxRounds at least 0
     * @return codewords in use, their error, and the rounds that were run
     */
    public Clusters kMeansCold(MemorySegment x, long xOff, long n, @Nullable MemorySegment importance,
            long importanceOff, int m, MemorySegment codebook, long codebookOff, int maxRounds) {
        MemorySegment words = writableCodebook(m, codebook, codebookOff);
        MemorySegment weights = optional(importance, importanceOff, n);
        MemorySegment in = readable(x, xOff, n);
        if (maxRounds < 0) {
            throw new IllegalArgumentException("Lloyd's algorithm cannot run " + maxRounds + " rounds");
        }
        return call(() -> {
            Clusters clusters = clusterer.cold(in, xOff, n, weights, importanceOff, m, maxRounds);
            clusterer.codebook.write(clusters.size(), m, words, codebookOff);
            return clusters;
        }, x, importance, codebook);
    }

    /**
     * Fills {@code codebook} with a start for {@link #kMeans}: {@code m} values evenly over the non-zero range.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param m codewords, 1 to 256
     * @param codebook receives {@code m} floats, ascending
     * @param codebookOff where it begins, in bytes
     */
    public void linearStart(MemorySegment x, long xOff, long n, int m, MemorySegment codebook, long codebookOff) {
        MemorySegment words = writableCodebook(m, codebook, codebookOff);
        MemorySegment in = readable(x, xOff, n);
        call(() -> {
            clusterer.linearStart(in, xOff, n, m);
            clusterer.codebook.write(m, m, words, codebookOff);
        }, x, codebook);
    }

    /**
     * Replaces each non-zero element by its nearest codeword (the lower one at a midpoint); zeros stay +0. One
     * pass; O(log m) steps an element for up to 16 codewords (8 or 4 where vectors are shorter), O(m) vector steps
     * beyond.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param m codewords, 0 to 256; 0, as a clustering of zeros alone returns, is enough where all elements are zero
     * @param codebook {@code m} ascending floats
     * @param codebookOff where it begins, in bytes
     * @param values receives the codewords; may be {@code x}; {@code null} for none
     * @param valuesOff where they begin, in bytes
     * @param codes receives one unsigned byte for each element, its codeword's number, and 0 for a zero element, which
     *     only {@code values} or {@code x} tell apart from number 0; {@code null} for none
     * @param codesOff where they begin, in bytes
     * @return sum of squared distances
     */
    public double assign(MemorySegment x, long xOff, long n, int m, MemorySegment codebook, long codebookOff,
            @Nullable MemorySegment values, long valuesOff, @Nullable MemorySegment codes, long codesOff) {
        MemorySegment in = readable(x, xOff, n);
        MemorySegment outValues = values == null ? null : writable(values, valuesOff, n);
        MemorySegment outCodes = codes == null ? null : writableBytes(codes, codesOff, n);
        checkCodewords(0, m);
        MemorySegment words = readable(codebook, codebookOff, m);
        return call(
                () -> assignment.assign(in, xOff, n, m, words, codebookOff, outValues, valuesOff, outCodes, codesOff),
                x, codebook, values, codes);
    }

    /**
     * The scale q of least squared error (times importance) over the non-zero elements, among all floats, up to
     * the rounding of the levels. Sorts the elements (linear time), then bounds intervals of q in O(levels log n) each.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param importance a weight of the squared error of each element, not negative; {@code null} for equal ones
     * @param importanceOff where they begin, in bytes
     * @param levels the set of levels
     * @return q; 1 where every element is zero
     */
    public float optimalScale(MemorySegment x, long xOff, long n, @Nullable MemorySegment importance,
            long importanceOff, LevelSet levels) {
        MemorySegment in = readable(x, xOff, n);
        MemorySegment weights = optional(importance, importanceOff, n);
        return call(() -> {
            scale.fill(in, xOff, n, weights, importanceOff);
            return scale.optimal(levels);
        }, x, importance);
    }

    /**
     * {@return the scale that the published code takes, for comparison: the best of 201 within a tenth of max / n}
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param levels an equidistant set
     * @param countZeros the published quirk: pruned weights count as errors of q each, which biases q downwards
     */
    public float scannedScale(MemorySegment x, long xOff, long n, LevelSet levels, boolean countZeros) {
        MemorySegment in = readable(x, xOff, n);
        return call(() -> {
            scale.fill(in, xOff, n, null, 0);
            return scale.scan(levels, countZeros ? n - scale.elements() : 0);
        }, x);
    }

    /** {@return the error over the non-zero elements at the scale that the last of the two calls above found} */
    public double scaleError() {
        return call(scale::error);
    }

    /**
     * Writes the levels for scale {@code q} as an ascending codebook for {@link #assign}; returns their number.
     *
     * @param levels the set of levels
     * @param q the scale, above 0
     * @param codebook receives {@link LevelSet#size} floats, ascending
     * @param codebookOff where it begins, in bytes
     * @return the number of levels
     */
    public static int levels(LevelSet levels, float q, MemorySegment codebook, long codebookOff) {
        Ranges.writableFloats(codebook, codebookOff, levels.size());
        for (int i = 0; i < levels.size(); i++) {
            codebook.set(F32, codebookOff + i * F, levels.level(i, q));
        }
        return levels.size();
    }

    // ---- joint --------------------------------------------------------------------------------------------------

    /**
     * Projects onto "at most {@code k} non-zeros, each one of {@code m} codewords". It starts from the top-k, then
     * moves codewords and support in turn until the error no longer falls.
     *
     * <p>A local optimum, never worse than top-k followed by k-means. Each round costs a few passes and a k-means. An
     * element takes 8 bytes and a bit of scratch.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param k how many may be other than zero, 0 to {@code n}
     * @param m codewords, 1 to 256
     * @param warm whether {@code codebook} holds a start; otherwise it is a linear one over the survivors
     * @param codebook receives the codewords, ascending; read first where {@code warm}
     * @param codebookOff where it begins, in bytes
     * @param maxRounds at least 1
     * @param z receives the projection; not {@code x}
     * @param zOff where it begins, in bytes
     * @param codes receives codeword numbers as {@link #assign} writes them; {@code null} for none
     * @param codesOff where they begin, in bytes
     * @return codewords in use, survivors and error
     */
    public Joint joint(MemorySegment x, long xOff, long n, long k, int m, boolean warm, MemorySegment codebook,
            long codebookOff, int maxRounds, MemorySegment z, long zOff, @Nullable MemorySegment codes,
            long codesOff) {
        return joint(x, xOff, n, null, 0, k, m, warm, codebook, codebookOff, maxRounds, z, zOff, codes, codesOff);
    }

    /**
     * As {@link #joint(MemorySegment, long, long, long, int, boolean, MemorySegment, long, int, MemorySegment, long,
     * MemorySegment, long)}, where the squared error of each element counts by its importance. It starts from the
     * elements that cost most to drop.
     *
     * @param x the elements, only read
     * @param xOff where they begin, in bytes
     * @param n number of elements
     * @param importance a weight of the squared error of each element, not negative; {@code null} for equal ones
     * @param importanceOff where they begin, in bytes
     * @param k how many may be other than zero, 0 to {@code n}
     * @param m codewords, 1 to 256
     * @param warm whether {@code codebook} holds a start; otherwise it is a linear one over the survivors
     * @param codebook receives the codewords, ascending; read first where {@code warm}
     * @param codebookOff where it begins, in bytes
     * @param maxRounds at least 1
     * @param z receives the projection; not {@code x}
     * @param zOff where it begins, in bytes
     * @param codes receives codeword numbers as {@link #assign} writes them; {@code null} for none
     * @param codesOff where they begin, in bytes
     * @return codewords in use, survivors and the weighted error
     */
    public Joint joint(MemorySegment x, long xOff, long n, @Nullable MemorySegment importance, long importanceOff,
            long k, int m, boolean warm, MemorySegment codebook, long codebookOff, int maxRounds, MemorySegment z,
            long zOff, @Nullable MemorySegment codes, long codesOff) {
        MemorySegment best = writableCodebook(m, codebook, codebookOff);
        MemorySegment weights = optional(importance, importanceOff, n);
        MemorySegment in = readable(x, xOff, n);
        MemorySegment out = writable(z, zOff, n);
        MemorySegment outCodes = codes == null ? null : writableBytes(codes, codesOff, n);
        if (maxRounds < 1) {
            throw new IllegalArgumentException("codewords are not found in " + maxRounds + " rounds");
        }
        return call(() -> joint.project(in, xOff, n, weights, importanceOff, k, m, warm, best, codebookOff, maxRounds,
                out, zOff, outCodes, codesOff), x, importance, codebook, z, codes);
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

    private static @Nullable MemorySegment optional(@Nullable MemorySegment importance, long offset, long n) {
        return importance == null ? null : readable(importance, offset, n);
    }

    private static MemorySegment writableCodebook(int m, MemorySegment codebook, long offset) {
        checkCodewords(1, m);
        return writable(codebook, offset, m);
    }

    private static void checkCodewords(int least, int m) {
        if (m < least || m > Codebook.MOST) {
            throw new IllegalArgumentException("a codebook has " + least + " to " + Codebook.MOST
                    + " codewords, asked for " + m);
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
