package io.pare.dnnl;

/**
 * The shape of a two-dimensional pooling; windows that would reach over the padded edge are left out (floor).
 *
 * @param n images
 * @param c channels
 * @param ih input height in pixels
 * @param iw input width in pixels
 * @param kh window height
 * @param kw window width
 * @param strideH step down, at least 1
 * @param strideW step right, at least 1
 * @param top rows added above, less than {@code kh}
 * @param left columns added left, less than {@code kw}
 * @param bottom rows added below, less than {@code kh}
 * @param right columns added right, less than {@code kw}
 */
public record PoolShape(int n, int c, int ih, int iw, int kh, int kw, int strideH, int strideW, int top, int left,
        int bottom, int right) {

    public PoolShape {
        if (n < 1 || c < 1 || ih < 1 || iw < 1 || kh < 1 || kw < 1 || strideH < 1 || strideW < 1 || top < 0 || left < 0
                || bottom < 0 || right < 0 || Math.max(top, bottom) >= kh || Math.max(left, right) >= kw) {
            throw new IllegalArgumentException("sizes and strides must be positive and padding less than the window:"
                    + " n=" + n + " c=" + c + " ih=" + ih + " iw=" + iw + " window=" + kh + "x" + kw + " stride="
                    + strideH + "x" + strideW + " pad=" + top + "," + left + "," + bottom + "," + right);
        }
        if (ih + top + bottom < kh || iw + left + right < kw) {
            throw new IllegalArgumentException("a window of " + kh + "x" + kw + " does not fit in " + ih + "x" + iw
                    + " with padding " + top + "," + left + "," + bottom + "," + right);
        }
    }

    /** A square window with the same stride both ways. */
    public static PoolShape square(int n, int c, int size, int kernel, int stride, int padding) {
        return new PoolShape(n, c, size, size, kernel, kernel, stride, stride, padding, padding, padding,
                padding);
    }

    /** Output height. */
    public int oh() {
        return (ih + top + bottom - kh) / strideH + 1;
    }

    /** Output width. */
    public int ow() {
        return (iw + left + right - kw) / strideW + 1;
    }

    /** n, c, ih, iw. */
    public long[] srcDims() {
        return new long[]{n, c, ih, iw};
    }

    /** n, c, oh, ow. */
    public long[] dstDims() {
        return new long[]{n, c, oh(), ow()};
    }
}
