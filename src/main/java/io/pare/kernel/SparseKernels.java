package io.pare.kernel;

/**
 * The inner loops of sparse layers, for inference from compressed weights and for training under a mask.
 *
 * <p>Activations are heap arrays that belong to one session or tape. A loop may read and write up to {@link #SLACK}
 * floats behind its range. It leaves garbage there, so arrays must be that much longer. Instances are stateless and
 * safe for any number of threads. Nothing is allocated.
 */
public interface SparseKernels {
    /** Floats behind its range that a loop may touch. */
    int SLACK = 16;

    /** {@return the kernels of the provider that this JVM uses, chosen once: see {@link KernelProvider}} */
    static SparseKernels active() {
        return KernelProvider.sparse();
    }

    /** {@return the name for logs, such as {@code simd(512)} or {@code scalar}} */
    String name();

    /**
     * A sum of shifted, scaled ranges: {@code out[outAt + p] = max(floor, bias + sum of weights[k] * in[inAt +
     * offsets[k] + p])} for {@code k} from {@code from} to {@code to} (exclusive) and {@code p} below {@code count}.
     *
     * <p>One output row or plane of a sparse convolution, or one output of a sparse linear layer over a batch whose
     * samples lie side by side. {@code out} must not be {@code in}.
     *
     * @param in activations, only read
     * @param inAt number of the float where the range begins
     * @param offsets for each weight, how far from {@code inAt} its inputs begin
     * @param weights one for each offset
     * @param from first weight
     * @param to behind the last weight
     * @param bias added to each sum
     * @param floor least value of an output: 0 is a ReLU, minus infinity no limit
     * @param out receives the sums
     * @param outAt number of the float where the output begins
     * @param count floats of a range
     */
    void accumulate(float[] in, int inAt, int[] offsets, float[] weights, int from, int to, float bias, float floor,
            float[] out, int outAt, int count);

    /**
     * {@return the sum of {@code weights[k] * in[inAt + offsets[k]]} for {@code k} from {@code from} to {@code to}
     * (exclusive)}
     *
     * @param in activations, only read
     * @param inAt number of the float where the range begins
     * @param offsets for each weight, how far from {@code inAt} its inputs begin
     * @param weights one for each offset
     * @param from first weight
     * @param to behind the last weight
     */
    float gather(float[] in, int inAt, int[] offsets, float[] weights, int from, int to);

    /**
     * {@return the sum of {@code weights[weightsAt + i] * in[inAt + i]} for {@code i} below {@code count}}
     *
     * @param weights dense weights
     * @param weightsAt number of the first
     * @param in activations, only read
     * @param inAt number of the float where the range begins
     * @param count floats of a range
     */
    float dot(float[] weights, int weightsAt, float[] in, int inAt, int count);

    /**
     * {@return the sum of {@code count} values}
     *
     * @param in activations, only read
     * @param inAt number of the float where the range begins
     * @param count floats of a range
     */
    float sum(float[] in, int inAt, int count);

    /**
     * The transpose of {@link #accumulate} by its weights, over the rows of a plane: adds {@code sum of gradient[gradientAt + r *
     * count + p] * in[inAt + r * rowStride + offsets[k] + p]}, over {@code r} below {@code rows} and {@code p} below {@code
     * count}, to the sum of the {@link #SLACK} floats from {@code sums[k * SLACK]} on, for {@code k} from {@code from} to {@code
     * to} (exclusive). Nothing behind a range is touched.
     *
     * @param in activations, only read
     * @param inAt number of the float where the first row's range begins
     * @param rowStride floats from a row of {@code in} to the next
     * @param offsets as for {@link #accumulate}
     * @param sums added to, {@value #SLACK} parts of a sum for each weight
     * @param from first weight
     * @param to behind the last weight
     * @param gradient of the output, whose rows follow each other without gap
     * @param gradientAt number of the float where it begins
     * @param rows of the plane
     * @param count floats of a row
     */
    void accumulateWeights(float[] in, int inAt, int rowStride, int[] offsets, float[] sums, int from, int to,
            float[] gradient, int gradientAt, int rows, int count);

    /**
     * The transpose of {@link #accumulate} by its input: adds {@code weights[k] * gradient[gradientAt + p]} to
     * {@code out[outAt + offsets[k] + p]}, for {@code k} from {@code from} to {@code to} (exclusive) and {@code p}
     * below {@code count}. Nothing behind a range is touched.
     *
     * @param gradient of the output
     * @param gradientAt number of the float where it begins
     * @param offsets as for {@link #accumulate}
     * @param weights one for each offset
     * @param from first weight
     * @param to behind the last weight
     * @param out added to
     * @param outAt number of the float where the output begins
     * @param count floats of a range
     */
    void scatter(float[] gradient, int gradientAt, int[] offsets, float[] weights, int from, int to, float[] out,
            int outAt, int count);

    /**
     * As {@link #maxPool} with windows of 2 x 2 that touch, and says which of its four values each maximum is: the first in
     * row-major order, from 0; {@link #NOWHERE} where the maximum is not above {@code floor}.
     *
     * @param in activations, only read
     * @param inAt number of the float where the range begins
     * @param rowStride floats from a row to the next
     * @param n samples side by side
     * @param floor least value of {@code in}, below which nothing has a gradient; minus infinity for no limit
     * @param out receives the maxima
     * @param places receives their places, whole numbers; it lies like {@code out}
     * @param outAt number of the float where the output begins
     * @param outHeight rows of the output
     * @param outWidth pixels of a row of the output
     */
    void maxPoolPlaces(float[] in, int inAt, int rowStride, int n, float floor, float[] out, float[] places, int outAt,
            int outHeight, int outWidth);

    /** Place of a maximum that gets no gradient. */
    float NOWHERE = -1;

    /**
     * Gradient of {@link #maxPoolPlaces}: what {@code places} names gets the maximum's gradient, the others get 0.
     *
     * @param dOut gradient of the output
     * @param places lie like {@code dOut}
     * @param outAt number of the float where both begin
     * @param outHeight rows of the output
     * @param outWidth pixels of a row of the output
     * @param n samples side by side
     * @param dIn receives the gradient of the input
     * @param inAt number of the float where it begins
     * @param rowStride floats from a row of it to the next
     */
    void spread(float[] dOut, float[] places, int outAt, int outHeight, int outWidth, int n, float[] dIn, int inAt,
            int rowStride);

    /**
     * Gradient of a ReLU: {@code dIn[inAt + p]} is {@code dOut[at + p]} where {@code out[at + p]} is above zero, otherwise 0.
     *
     * @param out what the ReLU wrote
     * @param dOut gradient of it
     * @param at number of the float where both begin
     * @param dIn receives the gradient of the input
     * @param inAt number of the float where it begins
     * @param count floats of a range
     */
    void reluBackward(float[] out, float[] dOut, int at, float[] dIn, int inAt, int count);

    /**
     * Gradient of {@link #maxPool} with windows that touch but do not overlap ({@code stride == kernel}): the first
     * value in row-major order that equals its window's maximum gets the maximum's gradient, the others get 0.
     *
     * @param in what the forward pass read; {@code dIn} lies like it, both from {@code inAt}
     * @param dIn receives the gradient of the input
     * @param inAt number of the float where the range begins
     * @param rowStride floats from a row to the next
     * @param kernel height and width of a window
     * @param n samples side by side
     * @param out what it wrote; {@code dOut} lies like it, both from {@code outAt}
     * @param dOut gradient of the output
     * @param outAt number of the float where the output begins
     * @param outHeight rows of the output
     * @param outWidth pixels of a row of the output
     */
    void maxPoolBackward(float[] in, float[] dIn, int inAt, int rowStride, int kernel, int n, float[] out, float[] dOut,
            int outAt, int outHeight, int outWidth);

    /**
     * Maximum over windows of {@code kernel} x {@code kernel} at distance {@code stride}, for one channel of {@code n}
     * samples that lie side by side; pixels of an input row are {@code n} apart, rows {@code rowStride}. Rows of the
     * output follow each other without gap. NaN wins; of zeros of different sign, either may be the maximum.
     *
     * @param in activations, only read
     * @param inAt number of the float where the range begins
     * @param rowStride floats from a row to the next
     * @param kernel height and width of a window
     * @param stride pixels from a window to the next
     * @param n samples side by side
     * @param out receives the maxima
     * @param outAt number of the float where the output begins
     * @param outHeight rows of the output
     * @param outWidth pixels of a row of the output
     */
    void maxPool(float[] in, int inAt, int rowStride, int kernel, int stride, int n, float[] out, int outAt,
            int outHeight, int outWidth);
}
