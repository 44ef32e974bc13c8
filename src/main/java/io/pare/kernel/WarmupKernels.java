package io.pare.kernel;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * {@link Kernels} by vectors as soon as those are compiled: see {@link Warmup}.
 *
 * <p>Without it, the dropout and the optimiser of LeNet-5's first step took 0.6 s of a run's 3.3. What is left to the
 * vectors alone is rare or short in training, or, as sums over all elements, not the same bits in the twin.
 */
final class WarmupKernels implements Kernels {
    /** Elements of the longest chunk, which are counted in ints; a multiple of those of a mask's byte and of a vector. */
    private static final long CHUNK = 1 << 30;

    private final Kernels vectors;
    private final Kernels plain;
    private final Warmup scale = new Warmup();
    private final Warmup add = new Warmup();
    private final Warmup subtract = new Warmup();
    private final Warmup multiply = new Warmup();
    private final Warmup addScaled = new Warmup();
    private final Warmup reluForward = new Warmup();
    private final Warmup reluBackward = new Warmup();
    private final Warmup dropout = new Warmup();
    private final Warmup sgd = new Warmup();
    /** With a penalty or a mask, which is a loop of its own. */
    private final Warmup sgdOfAdmm = new Warmup();
    private final Warmup adam = new Warmup();
    private final Warmup applyMask = new Warmup();

    WarmupKernels(Kernels vectors, Kernels plain) {
        this.vectors = vectors;
        this.plain = plain;
    }

    /** The step on some elements, from number {@code from} on, which begin {@code o} bytes into each range. */
    private interface Part {
        void run(Kernels kernels, long from, long o, long count);
    }

    private void share(Warmup warmup, long n, Part part) {
        if (warmup.done()) {
            part.run(vectors, 0, 0, n);
            return;
        }
        for (long at = 0; at < n; at += CHUNK) {
            for (Warmup.Slices slice = warmup.slices((int) Math.min(CHUNK, n - at)); slice.next();) {
                long from = at + slice.from;
                part.run(slice.vectors ? vectors : plain, from, from * Float.BYTES, slice.count);
            }
        }
    }

    @Override
    public String name() {
        return vectors.name();
    }

    @Override
    public void axpy(float a, MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        share(addScaled, n, (kernels, _, o, count) -> kernels.axpy(a, x, xOff + o, y, yOff + o, count));
    }

    @Override
    public void scale(float a, MemorySegment x, long xOff, long n) {
        share(scale, n, (kernels, _, o, count) -> kernels.scale(a, x, xOff + o, count));
    }

    @Override
    public void add(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n) {
        share(add, n, (kernels, _, o, count) -> kernels.add(x, xOff + o, y, yOff + o, z, zOff + o, count));
    }

    @Override
    public void subtract(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n) {
        share(subtract, n, (kernels, _, o, count) -> kernels.subtract(x, xOff + o, y, yOff + o, z, zOff + o, count));
    }

    @Override
    public void multiply(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n) {
        share(multiply, n, (kernels, _, o, count) -> kernels.multiply(x, xOff + o, y, yOff + o, z, zOff + o, count));
    }

    @Override
    public void addScaled(MemorySegment x, long xOff, float a, MemorySegment y, long yOff, MemorySegment z, long zOff,
            long n) {
        share(addScaled, n,
                (kernels, _, o, count) -> kernels.addScaled(x, xOff + o, a, y, yOff + o, z, zOff + o, count));
    }

    @Override
    public void fill(float a, MemorySegment x, long xOff, long n) {
        vectors.fill(a, x, xOff, n);
    }

    @Override
    public double dot(MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        return vectors.dot(x, xOff, y, yOff, n);
    }

    @Override
    public double sumOfSquares(MemorySegment x, long xOff, long n) {
        return vectors.sumOfSquares(x, xOff, n);
    }

    @Override
    public void reluForward(MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        share(reluForward, n, (kernels, _, o, count) -> kernels.reluForward(x, xOff + o, y, yOff + o, count));
    }

    @Override
    public void reluBackward(MemorySegment y, long yOff, MemorySegment dy, long dyOff, MemorySegment dx, long dxOff,
            long n) {
        share(reluBackward, n,
                (kernels, _, o, count) -> kernels.reluBackward(y, yOff + o, dy, dyOff + o, dx, dxOff + o, count));
    }

    @Override
    public void biasAddRows(MemorySegment bias, long biasOff, MemorySegment x, long xOff, long rows, long columns) {
        vectors.biasAddRows(bias, biasOff, x, xOff, rows, columns);
    }

    @Override
    public void columnSums(MemorySegment x, long xOff, long rows, long columns, MemorySegment sums, long sumsOff) {
        vectors.columnSums(x, xOff, rows, columns, sums, sumsOff);
    }

    @Override
    public void dropout(MemorySegment x, long xOff, MemorySegment y, long yOff, long n, float rate, long seed,
            long counter) {
        share(dropout, n, (kernels, from, o, count) -> kernels.dropout(x, xOff + o, y, yOff + o, count, rate, seed,
                counter + from));
    }

    @Override
    public double softmaxCrossEntropy(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff,
            long rows, int classes, float scale, @Nullable MemorySegment gradient, long gradientOff) {
        return vectors.softmaxCrossEntropy(logits, logitsOff, labels, labelsOff, rows, classes, scale, gradient,
                gradientOff);
    }

    @Override
    public long countCorrect(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff, long rows,
            int classes, int top) {
        return vectors.countCorrect(logits, logitsOff, labels, labelsOff, rows, classes, top);
    }

    @Override
    public void sgd(Sgd settings, float rate, MemorySegment w, long wOff, MemorySegment g, long gOff,
            @Nullable MemorySegment velocity, long velocityOff, long n, @Nullable Penalty penalty,
            @Nullable Bits mask) {
        share(penalty == null && mask == null ? sgd : sgdOfAdmm, n,
                (kernels, from, o, count) -> kernels.sgd(settings, rate, w, wOff + o, g, gOff + o, velocity,
                        velocityOff + o, count, from(penalty, from), from(mask, from)));
    }

    @Override
    public void adam(Adam settings, float rate, long step, MemorySegment w, long wOff, MemorySegment g, long gOff,
            MemorySegment m, long mOff, MemorySegment v, long vOff, long n, @Nullable Penalty penalty,
            @Nullable Bits mask) {
        share(adam, n, (kernels, from, o, count) -> kernels.adam(settings, rate, step, w, wOff + o, g, gOff + o, m,
                mOff + o, v, vOff + o, count, from(penalty, from), from(mask, from)));
    }

    private static @Nullable Penalty from(@Nullable Penalty penalty, long first) {
        return penalty == null ? null : penalty.from(first);
    }

    private static @Nullable Bits from(@Nullable Bits mask, long first) {
        return mask == null ? null : mask.from(first);
    }

    @Override
    public void applyMask(Bits mask, MemorySegment x, long xOff, long n) {
        share(applyMask, n, (kernels, from, o, count) -> kernels.applyMask(mask.from(from), x, xOff + o, count));
    }
}
