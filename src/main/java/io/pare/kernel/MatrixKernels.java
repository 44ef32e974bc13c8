package io.pare.kernel;

/**
 * Products of matrices on the heap whose right factor is packed: dense layers of inference, and attention.
 *
 * <p>Rows are computed {@value #ROWS} at a time, so arrays have room for a multiple of them: a loop may read and write the
 * rows that are missing to it, and leaves garbage there. Instances are stateless and safe for any number of threads.
 * Nothing is allocated. All providers give the same bits, if the processor has fused multiply-adds.
 */
public interface MatrixKernels {
    /** Rows that are computed together. */
    int ROWS = 4;

    /** {@return the kernels of the provider that this JVM uses, chosen once: see {@link KernelProvider}} */
    static MatrixKernels active() {
        return KernelProvider.matrices();
    }

    /** {@return the name for logs, such as {@code simd(512)} or {@code scalar}} */
    String name();

    /** {@return the columns that lie side by side in a packed matrix, a multiple of {@link #lanes}} */
    int panel();

    /** {@return of how many columns a last, narrower panel has a multiple} */
    int lanes();

    /**
     * Columns of a product: those of one panel.
     *
     * <p>Each value is the bias of its column, to which products of the row's and the column's values are added in their
     * order.
     *
     * @param a left factor, row-major
     * @param aAt its first value
     * @param aStride values from one row to the next
     * @param rows number of rows
     * @param b right factor, packed for these kernels
     * @param panel of the right factor, from 0
     * @param out receives the columns at the places they have in the product; another array than {@code a}
     * @param outAt first value of the product
     * @param outStride values from one of its rows to the next
     */
    void multiply(float[] a, int aAt, int aStride, int rows, PackedMatrix b, int panel, float[] out, int outAt,
            int outStride);

    /**
     * A product: all panels of the right factor.
     *
     * @param a left factor, row-major
     * @param aAt its first value
     * @param aStride values from one row to the next
     * @param rows number of rows
     * @param b right factor, packed for these kernels
     * @param out receives the product; another array than {@code a}
     * @param outAt its first value
     * @param outStride values from one of its rows to the next
     */
    default void multiply(float[] a, int aAt, int aStride, int rows, PackedMatrix b, float[] out, int outAt,
            int outStride) {
        for (int panel = 0; panel < b.panels(); panel++) {
            multiply(a, aAt, aStride, rows, b, panel, out, outAt, outStride);
        }
    }
}
