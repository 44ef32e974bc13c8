package io.pare.kernel;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Projects onto "at most k non-zeros, each one of m codewords", by alternating between support and codewords.
 *
 * <p>It starts from the top-k. Each round moves the codewords to the means of their members, then the support to the k
 * elements whose squared error falls most by being kept. It stops where the error no longer falls: a local optimum.
 */
final class JointProjection {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long F = Float.BYTES;
    /** Rounds of k-means from a start of its own, and from the codewords of the round before. */
    private static final int FIRST_ROUNDS = 1000;
    private static final int LATER_ROUNDS = 50;

    private final Parallel parallel;
    private final Selector selector;
    private final DenseTopK dense;
    private final BitsTopK bits;
    private final Clusterer clusterer;
    private final Assignment assignment;

    JointProjection(Parallel parallel, Selector selector, DenseTopK dense, BitsTopK bits, Clusterer clusterer,
            Assignment assignment) {
        this.parallel = parallel;
        this.selector = selector;
        this.dense = dense;
        this.bits = bits;
        this.clusterer = clusterer;
        this.assignment = assignment;
    }

    /** Elements, and a weight of the squared error of each; {@code null} for equal ones. */
    private record Elements(MemorySegment x, long offset, @Nullable MemorySegment importance, long importanceOffset) {
        float value(long i) {
            return x.get(F32, offset + i * F);
        }

        double weight(long i) {
            return importance == null ? 1 : importance.get(F32, importanceOffset + i * F);
        }
    }

    /** As {@link Projections#joint}, whose ranges were checked; {@code best} is its codebook. */
    Joint project(MemorySegment in, long xOff, long n, @Nullable MemorySegment importance, long importanceOff, long k,
            int m, boolean warm, MemorySegment best, long codebookOff, int maxRounds, MemorySegment out, long zOff,
            MemorySegment outCodes, long codesOff) {
        Elements elements = new Elements(in, xOff, importance, importanceOff);
        try (Region scratch = Region.shared("joint projection")) {
            MemorySegment support = scratch.allocate(n * F);
            MemorySegment gains = scratch.allocate(n * F);
            MemorySegment words = scratch.allocate(m * F);
            Bits kept = new Bits(scratch.allocate(Bits.bytes(n)), 0);
            if (importance == null) {
                selector.one(Span.of(in, xOff, n));
                dense.write(k, out, zOff);
            } else {
                // Without codewords yet, an element gains by being kept what it costs to drop it.
                gains(elements, n, null, gains);
                select(elements, n, k, gains, kept, out, zOff);
            }
            if (warm) {
                MemorySegment.copy(best, codebookOff, words, 0, m * F);
            }
            MemorySegment.copy(out, zOff, support, 0, n * F);
            double least = Double.POSITIVE_INFINITY;
            int rounds = 0;
            int size = 0;
            while (rounds < maxRounds) {
                Clusters clusters = cluster(support, n, elements, m, words, warm || rounds > 0,
                        rounds == 0 ? FIRST_ROUNDS : LATER_ROUNDS);
                double error = distance(elements, support, n, words, clusters.size(), gains);
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
                assignment.assign(in, xOff, n, size, words, 0, gains, 0, null, 0);
                gains(elements, n, gains, gains);
                select(elements, n, k, gains, kept, support, 0);
            }
            assignment.assign(out, zOff, n, size, best, codebookOff, out, zOff, outCodes, codesOff);
            double error = parallel.sum(n, (worker, from, to) -> {
                double part = 0;
                for (long i = from; i < to; i++) {
                    double d = (double) elements.value(i) - out.get(F32, zOff + i * F);
                    part += elements.weight(i) * d * d;
                }
                return part;
            });
            double survivors = parallel.sum(n, (worker, from, to) -> {
                long part = 0;
                for (long i = from; i < to; i++) {
                    part += out.get(F32, zOff + i * F) != 0 ? 1 : 0;
                }
                return part;
            });
            return new Joint(size, (long) survivors, error, rounds);
        }
    }

    private Clusters cluster(MemorySegment support, long n, Elements elements, int m, MemorySegment words,
            boolean started, int most) {
        Clusters clusters;
        if (started) {
            clusterer.codebook.read(m, words, 0);
            clusters = clusterer.lloyd(support, 0, n, elements.importance(), elements.importanceOffset(), m, most);
        } else {
            clusters = clusterer.cold(support, 0, n, elements.importance(), elements.importanceOffset(), m, most);
        }
        clusterer.codebook.write(clusters.size(), m, words, 0);
        return clusters;
    }

    /** Squared error of the support by its nearest codewords and of all other elements by zero. */
    private double distance(Elements elements, MemorySegment support, long n, MemorySegment words, int size,
            MemorySegment nearest) {
        boolean weighted = elements.importance() != null;
        double kept = assignment.assign(support, 0, n, size, words, 0, weighted ? nearest : null, 0, null, 0);
        if (weighted) {
            return parallel.sum(n, (worker, from, to) -> {
                double part = 0;
                for (long i = from; i < to; i++) {
                    double d = (double) elements.value(i) - nearest.get(F32, i * F);
                    part += elements.weight(i) * d * d;
                }
                return part;
            });
        }
        return kept + parallel.sum(n, (worker, from, to) -> {
            double dropped = 0;
            for (long i = from; i < to; i++) {
                double v = support.get(F32, i * F) == 0 ? elements.value(i) : 0;
                dropped += v * v;
            }
            return dropped;
        });
    }

    /**
     * By how much the squared error of each element falls if the value at {@code instead} replaces 0, or the element itself
     * where that is {@code null}; never below 0. {@code gains} may be {@code instead}.
     */
    private void gains(Elements elements, long n, @Nullable MemorySegment instead, MemorySegment gains) {
        parallel.chunks(n, (worker, from, to) -> {
            for (long i = from; i < to; i++) {
                double v = elements.value(i);
                double d = instead == null ? 0 : v - instead.get(F32, i * F);
                gains.set(F32, i * F, (float) Math.max(0, elements.weight(i) * (v * v - d * d)));
            }
        });
    }

    /** Keeps the {@code k} elements that gain most by it, and zeroes the rest and what gains nothing. */
    private void select(Elements elements, long n, long k, MemorySegment gains, Bits kept, MemorySegment out,
            long outOff) {
        selector.one(Span.of(gains, 0, n));
        bits.write(k, kept.segment(), 0);
        parallel.chunks(n, (worker, from, to) -> {
            for (long i = from; i < to; i++) {
                boolean keep = kept.get(i) && gains.get(F32, i * F) > 0;
                out.set(F32, outOff + i * F, keep ? elements.value(i) : 0);
            }
        });
    }
}
