package io.pare.kernel.scalar;

import io.pare.kernel.Adam;
import io.pare.kernel.Bits;
import io.pare.kernel.Kernels;
import io.pare.kernel.Penalty;
import io.pare.kernel.Sgd;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** {@link Kernels} in plain Java. */
public final class ScalarKernels implements Kernels {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public void axpy(float a, MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        for (long i = 0; i < n; i++) {
            put(y, yOff, i, get(y, yOff, i) + a * get(x, xOff, i));
        }
    }

    @Override
    public void scale(float a, MemorySegment x, long xOff, long n) {
        for (long i = 0; i < n; i++) {
            put(x, xOff, i, get(x, xOff, i) * a);
        }
    }

    @Override
    public void add(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n) {
        for (long i = 0; i < n; i++) {
            put(z, zOff, i, get(x, xOff, i) + get(y, yOff, i));
        }
    }

    @Override
    public void subtract(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff,
            long n) {
        for (long i = 0; i < n; i++) {
            put(z, zOff, i, get(x, xOff, i) - get(y, yOff, i));
        }
    }

    @Override
    public void multiply(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff,
            long n) {
        for (long i = 0; i < n; i++) {
            put(z, zOff, i, get(x, xOff, i) * get(y, yOff, i));
        }
    }

    @Override
    public void addScaled(MemorySegment x, long xOff, float a, MemorySegment y, long yOff, MemorySegment z, long zOff,
            long n) {
        for (long i = 0; i < n; i++) {
            put(z, zOff, i, get(x, xOff, i) + a * get(y, yOff, i));
        }
    }

    @Override
    public void fill(float a, MemorySegment x, long xOff, long n) {
        for (long i = 0; i < n; i++) {
            put(x, xOff, i, a);
        }
    }

    @Override
    public double dot(MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        double sum = 0;
        for (long i = 0; i < n; i++) {
            sum += (double) get(x, xOff, i) * get(y, yOff, i);
        }
        return sum;
    }

    @Override
    public double sumOfSquares(MemorySegment x, long xOff, long n) {
        return dot(x, xOff, x, xOff, n);
    }

    @Override
    public void reluForward(MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
        for (long i = 0; i < n; i++) {
            float value = get(x, xOff, i);
            put(y, yOff, i, value > 0 ? value : 0);
        }
    }

    @Override
    public void reluBackward(MemorySegment y, long yOff, MemorySegment dy, long dyOff, MemorySegment dx, long dxOff,
            long n) {
        for (long i = 0; i < n; i++) {
            float gradient = get(dy, dyOff, i);
            put(dx, dxOff, i, get(y, yOff, i) > 0 ? gradient : 0);
        }
    }

    @Override
    public void biasAddRows(MemorySegment bias, long biasOff, MemorySegment x, long xOff, long rows, long columns) {
        for (long r = 0; r < rows; r++) {
            long row = xOff + r * columns * Float.BYTES;
            add(x, row, bias, biasOff, x, row, columns);
        }
    }

    @Override
    public void columnSums(MemorySegment x, long xOff, long rows, long columns, MemorySegment sums, long sumsOff) {
        fill(0, sums, sumsOff, columns);
        for (long r = 0; r < rows; r++) {
            add(sums, sumsOff, x, xOff + r * columns * Float.BYTES, sums, sumsOff, columns);
        }
    }

    @Override
    public void dropout(MemorySegment x, long xOff, MemorySegment y, long yOff, long n, float rate, long seed,
            long counter) {
        int threshold = Dropout.threshold(rate);
        float keep = 1 / (1 - rate);
        int lowKey = Dropout.lowKey(seed);
        for (long i = 0; i < n; i++) {
            int draw = Dropout.draw(counter + i, lowKey, Dropout.highKey(seed, counter + i));
            put(y, yOff, i, draw >= threshold ? get(x, xOff, i) * keep : 0);
        }
    }

    @Override
    public double softmaxCrossEntropy(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff,
            long rows, int classes, float scale, MemorySegment gradient, long gradientOff) {
        double loss = 0;
        for (long r = 0; r < rows; r++) {
            int label = label(labels, labelsOff, r, classes);
            long row = logitsOff + r * classes * Float.BYTES;
            float max = get(logits, row, 0);
            for (int c = 1; c < classes; c++) {
                max = Math.max(max, get(logits, row, c));
            }
            double sum = 0;
            for (int c = 0; c < classes; c++) {
                sum += Math.exp((double) get(logits, row, c) - max);
            }
            loss += Math.log(sum) - ((double) get(logits, row, label) - max);
            if (gradient != null) {
                long out = gradientOff + r * classes * Float.BYTES;
                for (int c = 0; c < classes; c++) {
                    double probability = Math.exp((double) get(logits, row, c) - max) / sum;
                    put(gradient, out, c, (float) (scale * (probability - (c == label ? 1 : 0))));
                }
            }
        }
        return loss;
    }

    @Override
    public long countCorrect(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff, long rows,
            int classes, int top) {
        long correct = 0;
        for (long r = 0; r < rows; r++) {
            long row = logitsOff + r * classes * Float.BYTES;
            int label = label(labels, labelsOff, r, classes);
            float own = get(logits, row, label);
            int before = 0;
            for (int c = 0; c < classes; c++) {
                float other = get(logits, row, c);
                before += other > own || other == own && c < label ? 1 : 0;
            }
            correct += before < top && own == own ? 1 : 0;
        }
        return correct;
    }

    private static int label(MemorySegment labels, long labelsOff, long row, int classes) {
        int label = labels.get(I32, labelsOff + row * Integer.BYTES);
        if (label < 0 || label >= classes) {
            throw new IllegalArgumentException("row " + row + " is labelled " + label + " of " + classes + " classes");
        }
        return label;
    }

    @Override
    public void sgd(Sgd settings, float rate, MemorySegment w, long wOff, MemorySegment g, long gOff,
            MemorySegment velocity, long velocityOff, long n, Penalty penalty, Bits mask) {
        sgdRange(settings, rate, w, wOff, g, gOff, velocity, velocityOff, 0, n, penalty, mask);
    }

    /** As {@link #sgd}, for the elements from {@code from} on: the tail of the vector kernel. */
    public static void sgdRange(Sgd settings, float rate, MemorySegment w, long wOff, MemorySegment g, long gOff,
            MemorySegment velocity, long velocityOff, long from, long n, Penalty penalty, Bits mask) {
        for (long i = from; i < n; i++) {
            if (mask != null && !mask.get(i)) {
                continue;
            }
            float weight = get(w, wOff, i);
            float gradient = penalised(penalty, weight, get(g, gOff, i) + settings.decay() * weight, i);
            if (velocity != null) {
                float v = settings.momentum() * get(velocity, velocityOff, i) + gradient;
                put(velocity, velocityOff, i, v);
                gradient = settings.nesterov() ? gradient + settings.momentum() * v : v;
            }
            put(w, wOff, i, weight - rate * gradient);
        }
    }

    private static float penalised(Penalty penalty, float weight, float gradient, long i) {
        return penalty == null
                ? gradient
                : gradient + penalty.rho() * (weight - get(penalty.z(), penalty.zOffset(), i)
                        + get(penalty.u(), penalty.uOffset(), i));
    }

    @Override
    public void adam(Adam settings, float rate, long step, MemorySegment w, long wOff, MemorySegment g, long gOff,
            MemorySegment m, long mOff, MemorySegment v, long vOff, long n, Penalty penalty, Bits mask) {
        adamRange(settings, rate, step, w, wOff, g, gOff, m, mOff, v, vOff, 0, n, penalty, mask);
    }

    /** {@code 1 / (1 - beta^step)}, which undoes the bias of a moment towards its start at zero. */
    public static float correction(float beta, long step) {
        if (step < 1) {
            throw new IllegalArgumentException("steps count from 1, this is " + step);
        }
        return (float) (1 / (1 - Math.pow(beta, step)));
    }

    /** As {@link #adam}, for the elements from {@code from} on: the tail of the vector kernel. */
    public static void adamRange(Adam settings, float rate, long step, MemorySegment w, long wOff, MemorySegment g,
            long gOff, MemorySegment m, long mOff, MemorySegment v, long vOff, long from, long n, Penalty penalty,
            Bits mask) {
        float fix1 = correction(settings.beta1(), step);
        float fix2 = correction(settings.beta2(), step);
        float shrink = settings.decoupled() ? 1 - rate * settings.decay() : 1;
        float coupled = settings.decoupled() ? 0 : settings.decay();
        for (long i = from; i < n; i++) {
            if (mask != null && !mask.get(i)) {
                continue;
            }
            float weight = get(w, wOff, i);
            float gradient = penalised(penalty, weight, get(g, gOff, i) + coupled * weight, i);
            float m1 = settings.beta1() * get(m, mOff, i) + (1 - settings.beta1()) * gradient;
            float v1 = settings.beta2() * get(v, vOff, i) + (1 - settings.beta2()) * (gradient * gradient);
            put(m, mOff, i, m1);
            put(v, vOff, i, v1);
            float size = (float) Math.sqrt(v1 * fix2) + settings.epsilon();
            put(w, wOff, i, weight * shrink - rate * (m1 * fix1) / size);
        }
    }

    @Override
    public void applyMask(Bits mask, MemorySegment x, long xOff, long n) {
        for (long i = 0; i < n; i++) {
            if (!mask.get(i)) {
                put(x, xOff, i, 0);
            }
        }
    }

    private static float get(MemorySegment segment, long offset, long i) {
        return segment.get(F32, offset + i * Float.BYTES);
    }

    private static void put(MemorySegment segment, long offset, long i, float value) {
        segment.set(F32, offset + i * Float.BYTES, value);
    }
}
