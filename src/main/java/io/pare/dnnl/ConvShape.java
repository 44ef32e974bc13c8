package io.pare.dnnl;

/**
 * The shape of a two-dimensional convolution (cross-correlation, as in every deep-learning library).
 *
 * @param n images
 * @param ic input channels, divisible by {@code groups}
 * @param ih input height in pixels
 * @param iw input width in pixels
 * @param oc output channels, divisible by {@code groups}
 * @param kh filter height
 * @param kw filter width
 * @param strideH step down, at least 1
 * @param strideW step right, at least 1
 * @param top zero rows added above
 * @param left zero columns added left
 * @param bottom zero rows added below
 * @param right zero columns added right
 * @param dilationH distance of filter rows, 1 for an ordinary filter
 * @param dilationW distance of filter columns, 1 for an ordinary filter
 * @param groups number of independent groups of channels
 */
public record ConvShape(int n, int ic, int ih, int iw, int oc, int kh, int kw, int strideH, int strideW, int top,
        int left, int bottom, int right, int dilationH, int dilationW, int groups) {

    public ConvShape {
        if (n < 1 || ic < 1 || ih < 1 || iw < 1 || oc < 1 || kh < 1 || kw < 1 || strideH < 1 || strideW < 1 || top < 0
                || left < 0 || bottom < 0 || right < 0 || dilationH < 1 || dilationW < 1 || groups < 1) {
            throw new IllegalArgumentException("sizes, strides, dilations and groups must be positive and padding not"
                    + " negative: n=" + n + " ic=" + ic + " ih=" + ih + " iw=" + iw + " oc=" + oc + " kh=" + kh + " kw="
                    + kw + " stride=" + strideH + "x" + strideW + " pad=" + top + "," + left + "," + bottom + ","
                    + right
                    + " dilation="
                    + dilationH + "x" + dilationW + " groups=" + groups);
        }
        if (ic % groups != 0 || oc % groups != 0) {
            throw new IllegalArgumentException(groups + " groups divide neither or not both of " + ic + " input and "
                    + oc + " output channels");
        }
        if (size(ih, kh, strideH, top + bottom, dilationH) < 1 || size(iw, kw, strideW, left + right, dilationW) < 1) {
            throw new IllegalArgumentException("a filter of " + kh + "x" + kw + " with dilation " + dilationH + "x"
                    + dilationW + " does not fit in " + ih + "x" + iw + " with padding " + top + "," + left + ","
                    + bottom + ","
                    + right);
        }
    }

    /** A square filter with the same stride and padding both ways, no dilation, one group. */
    public static ConvShape square(int n, int ic, int size, int oc, int kernel, int stride, int padding) {
        return new ConvShape(n, ic, size, size, oc, kernel, kernel, stride, stride, padding, padding, padding, padding,
                1, 1,
                1);
    }

    private static int size(int in, int kernel, int stride, int pads, int dilation) {
        int room = in + pads - ((kernel - 1) * dilation + 1);
        return room < 0 ? 0 : room / stride + 1;
    }

    /** Output height. */
    public int oh() {
        return size(ih, kh, strideH, top + bottom, dilationH);
    }

    /** Output width. */
    public int ow() {
        return size(iw, kw, strideW, left + right, dilationW);
    }

    /** n, ic, ih, iw. */
    public long[] srcDims() {
        return new long[]{n, ic, ih, iw};
    }

    /** n, oc, oh, ow. */
    public long[] dstDims() {
        return new long[]{n, oc, oh(), ow()};
    }

    /**
     * oc, ic, kh, kw; with groups g, oc/g, ic/g, kh, kw, which row-major is the same memory as oc, ic/g, kh, kw.
     */
    public long[] weightDims() {
        return groups == 1
                ? new long[]{oc, ic, kh, kw}
                : new long[]{groups, oc / groups, ic / groups, kh, kw};
    }

    /** Multiply-adds of one pass (forward, or either backward), times two. */
    public double flops() {
        return 2.0 * n * oc * oh() * ow() * (ic / groups) * kh * kw;
    }
}
