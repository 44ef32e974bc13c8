package io.pare.kernel;

import io.pare.kernel.scalar.ScalarSparseKernels;

/**
 * The inner loops of inference from compressed weights.
 *
 * <p>Activations are arrays on the heap that belong to one session. Loops may read and write up to {@link #SLACK}
 * floats behind the range that they are asked for: what they write there is garbage, and arrays must be that much
 * longer. Instances are stateless: any number of threads may use one. Nothing allocates.
 */
public interface SparseKernels {
    /** Floats behind a range that a loop may touch. */
    int SLACK = 16;

    /** The kernels of the provider that {@link KernelProvider} chose. */
    static SparseKernels active() {
        return Chosen.KERNELS;
    }

    /** Initialised on first use, so that scalar code never loads the incubator module. */
    final class Chosen {
        static final SparseKernels KERNELS = choose();

        private Chosen() {}

        private static SparseKernels choose() {
            if (!Kernels.active().name().startsWith("simd")) {
                return new ScalarSparseKernels();
            }
            try {
                return (SparseKernels) Class.forName("io.pare.kernel.simd.SimdSparseKernels").getConstructor()
                        .newInstance();
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("io.pare.kernel.simd.SimdSparseKernels cannot be made", e);
            }
        }
    }

    /** Name for logs, such as {@code simd(512)} or {@code scalar}. */
    String name();

    /**
     * A sum of shifted, scaled ranges: {@code out[outAt + p] = max(floor, bias + sum of weights[k] * in[inAt +
     * offsets[k] + p])} for {@code k} from {@code from} to {@code to} (exclusive) and {@code p} below {@code count}.
     *
     * <p>One output row or plane of a sparse convolution, or one output of a sparse linear layer over a batch whose
     * samples lie side by side. {@code out} must not be {@code in}.
     */
    void accumulate(float[] in, int inAt, int[] offsets, float[] weights, int from, int to, float bias, float floor,
            float[] out, int outAt, int count);

    /** Sum of {@code weights[k] * in[inAt + offsets[k]]} for {@code k} from {@code from} to {@code to} (exclusive). */
    float gather(float[] in, int inAt, int[] offsets, float[] weights, int from, int to);

    /** Sum of {@code weights[weightsAt + i] * in[inAt + i]} for {@code i} below {@code count}. */
    float dot(float[] weights, int weightsAt, float[] in, int inAt, int count);

    /**
     * Maximum over windows of {@code kernel} x {@code kernel} at distance {@code stride}, for one channel of {@code n}
     * samples that lie side by side; pixels of an input row are {@code n} apart, rows {@code rowStride}. Rows of the
     * output follow each other without gap. NaN wins.
     */
    void maxPool(float[] in, int inAt, int rowStride, int kernel, int stride, int n, float[] out, int outAt,
            int outHeight, int outWidth);
}
