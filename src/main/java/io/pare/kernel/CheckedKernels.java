package io.pare.kernel;

import io.pare.mem.direct.KeepAlive;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** {@link Kernels} as users call them: checks ranges first, and keeps memory allocated until the call ends. */
final class CheckedKernels implements Kernels {
    private final Kernels kernels;

    CheckedKernels(Kernels kernels) {
        this.kernels = kernels;
    }

    @Override
    public String name() {
        return kernels.name();
    }

    @Override
    public void axpy(float a, MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        Ranges.floats(x, xOff, n);
        Ranges.writableFloats(y, yOff, n);
        KeepAlive.during(() -> kernels.axpy(a, x, xOff, y, yOff, n), x, y);
    }

    @Override
    public void scale(float a, MemorySegment x, long xOff, long n) {
        Ranges.writableFloats(x, xOff, n);
        KeepAlive.during(() -> kernels.scale(a, x, xOff, n), x);
    }

    @Override
    public void add(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n) {
        three(x, xOff, y, yOff, z, zOff, n);
        KeepAlive.during(() -> kernels.add(x, xOff, y, yOff, z, zOff, n), x, y, z);
    }

    @Override
    public void subtract(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n) {
        three(x, xOff, y, yOff, z, zOff, n);
        KeepAlive.during(() -> kernels.subtract(x, xOff, y, yOff, z, zOff, n), x, y, z);
    }

    @Override
    public void multiply(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n) {
        three(x, xOff, y, yOff, z, zOff, n);
        KeepAlive.during(() -> kernels.multiply(x, xOff, y, yOff, z, zOff, n), x, y, z);
    }

    @Override
    public void addScaled(MemorySegment x, long xOff, float a, MemorySegment y, long yOff, MemorySegment z, long zOff,
            long n) {
        three(x, xOff, y, yOff, z, zOff, n);
        KeepAlive.during(() -> kernels.addScaled(x, xOff, a, y, yOff, z, zOff, n), x, y, z);
    }

    private static void three(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff,
            long n) {
        Ranges.floats(x, xOff, n);
        Ranges.floats(y, yOff, n);
        Ranges.writableFloats(z, zOff, n);
    }

    @Override
    public void fill(float a, MemorySegment x, long xOff, long n) {
        Ranges.writableFloats(x, xOff, n);
        KeepAlive.during(() -> kernels.fill(a, x, xOff, n), x);
    }

    @Override
    public double dot(MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        Ranges.floats(x, xOff, n);
        Ranges.floats(y, yOff, n);
        return KeepAlive.during(() -> kernels.dot(x, xOff, y, yOff, n), x, y);
    }

    @Override
    public double sumOfSquares(MemorySegment x, long xOff, long n) {
        Ranges.floats(x, xOff, n);
        return KeepAlive.during(() -> kernels.sumOfSquares(x, xOff, n), x);
    }

    @Override
    public void reluForward(MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        Ranges.floats(x, xOff, n);
        Ranges.writableFloats(y, yOff, n);
        KeepAlive.during(() -> kernels.reluForward(x, xOff, y, yOff, n), x, y);
    }

    @Override
    public void reluBackward(MemorySegment y, long yOff, MemorySegment dy, long dyOff, MemorySegment dx, long dxOff,
            long n) {
        three(y, yOff, dy, dyOff, dx, dxOff, n);
        KeepAlive.during(() -> kernels.reluBackward(y, yOff, dy, dyOff, dx, dxOff, n), y, dy, dx);
    }

    @Override
    public void biasAddRows(MemorySegment bias, long biasOff, MemorySegment x, long xOff, long rows, long columns) {
        Ranges.writableFloats(x, xOff, Ranges.product(rows, columns));
        Ranges.floats(bias, biasOff, columns);
        KeepAlive.during(() -> kernels.biasAddRows(bias, biasOff, x, xOff, rows, columns), bias, x);
    }

    @Override
    public void columnSums(MemorySegment x, long xOff, long rows, long columns, MemorySegment sums, long sumsOff) {
        Ranges.floats(x, xOff, Ranges.product(rows, columns));
        Ranges.writableFloats(sums, sumsOff, columns);
        KeepAlive.during(() -> kernels.columnSums(x, xOff, rows, columns, sums, sumsOff), x, sums);
    }

    @Override
    public void dropout(MemorySegment x, long xOff, MemorySegment y, long yOff, long n, float rate, long seed,
            long counter) {
        Ranges.floats(x, xOff, n);
        Ranges.writableFloats(y, yOff, n);
        KeepAlive.during(() -> kernels.dropout(x, xOff, y, yOff, n, rate, seed, counter), x, y);
    }

    @Override
    public double softmaxCrossEntropy(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff,
            long rows, int classes, float scale, @Nullable MemorySegment gradient, long gradientOff) {
        labelled(logits, logitsOff, labels, labelsOff, rows, classes);
        if (gradient != null) {
            Ranges.writableFloats(gradient, gradientOff, rows * classes);
        }
        return KeepAlive.during(() -> kernels.softmaxCrossEntropy(logits, logitsOff, labels, labelsOff, rows, classes,
                scale, gradient, gradientOff), logits, labels, gradient);
    }

    @Override
    public long countCorrect(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff, long rows,
            int classes, int top) {
        labelled(logits, logitsOff, labels, labelsOff, rows, classes);
        if (top < 1) {
            throw new IllegalArgumentException("a label cannot be among the first " + top);
        }
        return KeepAlive.during(
                () -> kernels.countCorrect(logits, logitsOff, labels, labelsOff, rows, classes, top), logits, labels);
    }

    private static void labelled(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff, long rows,
            int classes) {
        Ranges.floats(logits, logitsOff, Ranges.product(rows, classes));
        Ranges.ints(labels, labelsOff, rows);
    }

    @Override
    public void sgd(Sgd settings, float rate, MemorySegment w, long wOff, MemorySegment g, long gOff,
            @Nullable MemorySegment velocity, long velocityOff, long n, @Nullable Penalty penalty,
            @Nullable Bits mask) {
        Ranges.writableFloats(w, wOff, n);
        Ranges.floats(g, gOff, n);
        if (velocity != null) {
            Ranges.writableFloats(velocity, velocityOff, n);
        }
        optional(penalty, mask, n);
        KeepAlive.during(() -> kernels.sgd(settings, rate, w, wOff, g, gOff, velocity, velocityOff, n, penalty, mask),
                w, g, velocity, z(penalty), u(penalty), bits(mask));
    }

    @Override
    public void adam(Adam settings, float rate, long step, MemorySegment w, long wOff, MemorySegment g, long gOff,
            MemorySegment m, long mOff, MemorySegment v, long vOff, long n, @Nullable Penalty penalty,
            @Nullable Bits mask) {
        Ranges.writableFloats(w, wOff, n);
        Ranges.floats(g, gOff, n);
        Ranges.writableFloats(m, mOff, n);
        Ranges.writableFloats(v, vOff, n);
        optional(penalty, mask, n);
        KeepAlive.during(
                () -> kernels.adam(settings, rate, step, w, wOff, g, gOff, m, mOff, v, vOff, n, penalty, mask), w, g, m,
                v, z(penalty), u(penalty), bits(mask));
    }

    private static void optional(Penalty penalty, Bits mask, long n) {
        if (penalty != null) {
            Ranges.floats(penalty.z(), penalty.zOffset(), n);
            Ranges.floats(penalty.u(), penalty.uOffset(), n);
        }
        if (mask != null) {
            Ranges.bytes(mask.segment(), mask.offset(), Bits.bytes(n));
        }
    }

    private static MemorySegment z(Penalty penalty) {
        return penalty == null ? null : penalty.z();
    }

    private static MemorySegment u(Penalty penalty) {
        return penalty == null ? null : penalty.u();
    }

    private static MemorySegment bits(Bits mask) {
        return mask == null ? null : mask.segment();
    }

    @Override
    public void applyMask(Bits mask, MemorySegment x, long xOff, long n) {
        Ranges.writableFloats(x, xOff, n);
        Ranges.bytes(mask.segment(), mask.offset(), Bits.bytes(n));
        KeepAlive.during(() -> kernels.applyMask(mask, x, xOff, n), x, mask.segment());
    }
}
