package io.pare.kernel;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Elementwise, reduction and optimiser steps over ranges of floats.
 *
 * <p>A range is (native segment, offset in bytes, number of floats); counts may pass 2^31. Ranges that are written may
 * be the same as ranges that are read, but must not overlap them in part. Elementwise steps round each operation by
 * itself (no fused multiply-add), so all providers give the same bits. Only {@link #dot} and {@link #sumOfSquares}
 * depend on the provider, by less than {@code n} ulp of a double. A call allocates some hundred bytes on the heap,
 * whatever n. Instances are stateless and safe for any number of threads.
 *
 * <p>NaN propagates unless said otherwise. Ranges are checked before anything is done:
 *
 * <ul>
 * <li>{@link IndexOutOfBoundsException} if the segment does not hold the range, or its size overflows;
 * <li>{@link IllegalArgumentException} if it does not begin at a multiple of four bytes, or is not native memory;
 * <li>{@link UnsupportedOperationException} if it is to be written and is read-only;
 * <li>{@link IllegalStateException} if its arena is closed.
 * </ul>
 *
 * <p>An arena cannot be closed during a call that uses it: its {@code close} throws {@link IllegalStateException}.
 */
public interface Kernels {
    /** {@return the kernels of the provider that this JVM uses, chosen once: see {@link KernelProvider}} */
    static Kernels active() {
        return KernelProvider.active();
    }

    /** {@return the name for logs, such as {@code simd(512)} or {@code scalar}} */
    String name();

    /**
     * {@code y += a * x}.
     *
     * @param a the factor
     * @param x what is scaled and added
     * @param xOff where it begins, in bytes
     * @param y read and written
     * @param yOff where it begins, in bytes
     * @param n number of floats of each range
     */
    void axpy(float a, MemorySegment x, long xOff, MemorySegment y, long yOff, long n);

    /**
     * {@code x *= a}.
     *
     * @param a the factor
     * @param x read and written
     * @param xOff where it begins, in bytes
     * @param n number of floats of each range
     */
    void scale(float a, MemorySegment x, long xOff, long n);

    /**
     * {@code z = x + y}.
     *
     * @param x the first input
     * @param xOff where it begins, in bytes
     * @param y the second input
     * @param yOff where it begins, in bytes
     * @param z the output; may be either input's own range
     * @param zOff where it begins, in bytes
     * @param n number of floats of each range
     */
    void add(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n);

    /**
     * {@code z = x - y}.
     *
     * @param x the first input
     * @param xOff where it begins, in bytes
     * @param y the second input
     * @param yOff where it begins, in bytes
     * @param z the output; may be either input's own range
     * @param zOff where it begins, in bytes
     * @param n number of floats of each range
     */
    void subtract(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n);

    /**
     * {@code z = x * y}, element by element.
     *
     * @param x the first input
     * @param xOff where it begins, in bytes
     * @param y the second input
     * @param yOff where it begins, in bytes
     * @param z the output; may be either input's own range
     * @param zOff where it begins, in bytes
     * @param n number of floats of each range
     */
    void multiply(MemorySegment x, long xOff, MemorySegment y, long yOff, MemorySegment z, long zOff, long n);

    /**
     * {@code z = x + a * y}.
     *
     * @param x the first input
     * @param xOff where it begins, in bytes
     * @param a the factor
     * @param y the second input
     * @param yOff where it begins, in bytes
     * @param z the output; may be either input's own range
     * @param zOff where it begins, in bytes
     * @param n number of floats of each range
     */
    void addScaled(MemorySegment x, long xOff, float a, MemorySegment y, long yOff, MemorySegment z, long zOff,
            long n);

    /**
     * {@code x = a}.
     *
     * @param a the value
     * @param x written
     * @param xOff where it begins, in bytes
     * @param n number of floats of each range
     */
    void fill(float a, MemorySegment x, long xOff, long n);

    /**
     * {@return the sum of {@code x * y} in double precision}
     *
     * @param x the first input
     * @param xOff where it begins, in bytes
     * @param y the second input
     * @param yOff where it begins, in bytes
     * @param n number of floats of each range
     */
    double dot(MemorySegment x, long xOff, MemorySegment y, long yOff, long n);

    /**
     * {@return the sum of {@code x * x} in double precision}
     *
     * @param x the first input
     * @param xOff where it begins, in bytes
     * @param n number of floats of each range
     */
    double sumOfSquares(MemorySegment x, long xOff, long n);

    /**
     * {@code y = x > 0 ? x : 0}. NaN gives 0, unlike a maximum: the mask of {@link #reluBackward} then agrees.
     *
     * @param x the first input
     * @param xOff where it begins, in bytes
     * @param y the output; may be {@code x}
     * @param yOff where it begins, in bytes
     * @param n number of floats of each range
     */
    void reluForward(MemorySegment x, long xOff, MemorySegment y, long yOff, long n);

    /**
     * {@code dx = y > 0 ? dy : 0}, where {@code y} is the forward output or the forward input.
     *
     * @param y the forward output or input
     * @param yOff where it begins, in bytes
     * @param dy gradient of the output
     * @param dyOff where it begins, in bytes
     * @param dx receives the gradient of the input; may be {@code dy}
     * @param dxOff where it begins, in bytes
     * @param n number of floats of each range
     */
    void reluBackward(MemorySegment y, long yOff, MemorySegment dy, long dyOff, MemorySegment dx, long dxOff, long n);

    /**
     * {@code x[r][c] += bias[c]} over a row-major matrix.
     *
     * @param bias {@code columns} floats
     * @param biasOff where they begin, in bytes
     * @param x {@code rows * columns} floats, read and written
     * @param xOff where it begins, in bytes
     * @param rows number of rows
     * @param columns floats of a row
     */
    void biasAddRows(MemorySegment bias, long biasOff, MemorySegment x, long xOff, long rows, long columns);

    /**
     * {@code sums[c] = sum over r of x[r][c]}, added in the order of the rows; the gradient of a bias.
     *
     * @param x {@code rows * columns} floats
     * @param xOff where it begins, in bytes
     * @param rows number of rows
     * @param columns floats of a row
     * @param sums receives {@code columns} floats
     * @param sumsOff where they begin, in bytes
     */
    void columnSums(MemorySegment x, long xOff, long rows, long columns, MemorySegment sums, long sumsOff);

    /**
     * {@code y[i] = kept(i) ? x[i] / (1 - rate) : 0}, where {@code kept} depends on {@code seed} and
     * {@code counter + i} alone. The same call on the gradient is therefore the backward step, and no mask is stored.
     * Neither vector width nor the number of threads changes the result.
     *
     * @param x the input, or the gradient of the output
     * @param xOff where it begins, in bytes
     * @param y the output, or the gradient of the input; may be {@code x}
     * @param yOff where it begins, in bytes
     * @param n number of floats of each range
     * @param rate probability of dropping, in [0, 1)
     * @param seed of the random bits; one for each layer and run
     * @param counter number of the range's first element; advance it by {@code n} from one step to the next
     */
    void dropout(MemorySegment x, long xOff, MemorySegment y, long yOff, long n, float rate, long seed, long counter);

    /**
     * Softmax and cross-entropy of {@code rows} rows of logits against integer labels, with the gradient, in one pass.
     *
     * <p>{@code gradient[r][c] = scale * (softmax(logits[r])[c] - (c == labels[r] ? 1 : 0))}; give {@code 1 / rows} as
     * scale for a mean loss.
     *
     * @param logits {@code rows * classes} floats, row by row
     * @param logitsOff where they begin, in bytes
     * @param labels {@code rows} ints in [0, classes)
     * @param labelsOff where they begin, in bytes
     * @param rows number of samples
     * @param classes floats of a row
     * @param scale factor of the gradient
     * @param gradient may be the logits' own memory; {@code null} to compute the loss only
     * @param gradientOff where it begins, in bytes
     * @return sum (not mean) of the rows' losses, in nats
     * @throws IllegalArgumentException if a label is out of range, naming its row
     */
    double softmaxCrossEntropy(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff, long rows,
            int classes, float scale, @Nullable MemorySegment gradient, long gradientOff);

    /**
     * {@return the number of rows whose labelled class is among the {@code top} largest values; among equals the lowest
     * index comes first, and a label whose value is NaN is never among them}
     *
     * @param logits {@code rows * classes} floats, row by row
     * @param logitsOff where they begin, in bytes
     * @param labels {@code rows} ints in [0, classes)
     * @param labelsOff where they begin, in bytes
     * @param rows number of samples
     * @param classes floats of a row
     * @param top 1 for the usual accuracy
     */
    long countCorrect(MemorySegment logits, long logitsOff, MemorySegment labels, long labelsOff, long rows,
            int classes, int top);

    /**
     * One step of {@link Sgd} on {@code n} weights.
     *
     * @param settings momentum, decay and kind of step
     * @param rate learning rate
     * @param w the weights, read and written
     * @param wOff where they begin, in bytes
     * @param g the gradient, of the weights' shape, only read
     * @param gOff where it begins, in bytes
     * @param velocity float memory of the weights' shape, zero before the first step; {@code null} without momentum
     * @param velocityOff where it begins, in bytes
     * @param n number of weights
     * @param penalty ADMM's term, added to the gradient; {@code null} for none
     * @param mask weights whose bit is 0 are left as they are, and so is their velocity; {@code null} for none
     */
    void sgd(Sgd settings, float rate, MemorySegment w, long wOff, MemorySegment g, long gOff,
            @Nullable MemorySegment velocity, long velocityOff, long n, @Nullable Penalty penalty, @Nullable Bits mask);

    /**
     * One step of {@link Adam} or AdamW on {@code n} weights.
     *
     * @param settings betas, epsilon and decay
     * @param rate learning rate
     * @param step number of this step, from 1
     * @param w the weights, read and written
     * @param wOff where they begin, in bytes
     * @param g the gradient, of the weights' shape, only read
     * @param gOff where it begins, in bytes
     * @param m first moment, of the weights' shape, zero before the first step
     * @param mOff where it begins, in bytes
     * @param v second moment, likewise
     * @param vOff where it begins, in bytes
     * @param n number of weights
     * @param penalty as for {@link #sgd}
     * @param mask as for {@link #sgd}; both moments of a masked weight are left as they are
     */
    void adam(Adam settings, float rate, long step, MemorySegment w, long wOff, MemorySegment g, long gOff,
            MemorySegment m, long mOff, MemorySegment v, long vOff, long n, @Nullable Penalty penalty,
            @Nullable Bits mask);

    /**
     * {@code x = bit ? x : 0} for each element.
     *
     * @param mask a bit for each element, the first for the first
     * @param x read and written
     * @param xOff where it begins, in bytes
     * @param n number of floats of each range
     */
    void applyMask(Bits mask, MemorySegment x, long xOff, long n);
}
