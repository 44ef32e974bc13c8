package io.pare.net;

/**
 * A window that moves over images: where a convolution or a pool reads. Sizes are in pixels.
 *
 * <p>It has {@code kernelHeight * kernelWidth} taps, which lie a dilation apart. Its first place is {@code top} rows above
 * and {@code left} columns before the image; from place to place it moves by a stride. There are as many places as fit
 * into the image and its padding.
 *
 * @param kernelHeight rows of taps
 * @param kernelWidth columns of taps
 * @param strideHeight rows from one place to the next
 * @param strideWidth columns from one place to the next
 * @param top rows of padding above the image
 * @param left columns of padding before the image
 * @param bottom rows of padding below the image
 * @param right columns of padding behind the image
 * @param dilationHeight rows from tap to tap; 1 where taps touch
 * @param dilationWidth columns from tap to tap; 1 where taps touch
 */
public record Window(int kernelHeight, int kernelWidth, int strideHeight, int strideWidth, int top, int left,
        int bottom,
        int right, int dilationHeight, int dilationWidth) {
    /** What cannot be throws {@link IllegalArgumentException}. */
    public Window {
        if (kernelHeight < 1 || kernelWidth < 1 || (long) kernelHeight * kernelWidth > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a window of " + kernelHeight + "x" + kernelWidth);
        }
        if (strideHeight < 1 || strideWidth < 1 || dilationHeight < 1 || dilationWidth < 1) {
            throw new IllegalArgumentException("strides " + strideHeight + " and " + strideWidth + ", dilations "
                    + dilationHeight + " and " + dilationWidth + ": they must be at least 1");
        }
        if (top < 0 || left < 0 || bottom < 0 || right < 0) {
            throw new IllegalArgumentException("padding of " + top + " rows above, " + bottom + " below, " + left
                    + " columns before and " + right + " behind: it must not be negative");
        }
    }

    /**
     * {@return the with stride 1, without padding and dilation}
     *
     * @param kernelHeight rows of taps
     * @param kernelWidth columns of taps
     */
    public static Window of(int kernelHeight, int kernelWidth) {
        return new Window(kernelHeight, kernelWidth, 1, 1, 0, 0, 0, 0, 1, 1);
    }

    /**
     * {@return a square one that moves and is padded alike both ways}
     *
     * @param kernel rows and columns of taps
     * @param stride pixels from one place to the next, both ways
     * @param padding pixels around the image
     */
    public static Window square(int kernel, int stride, int padding) {
        return uniform(kernel, kernel, stride, padding, 1);
    }

    /**
     * {@return one stride and one dilation both ways, and the same padding on all sides}
     *
     * @param kernelHeight rows of taps
     * @param kernelWidth columns of taps
     * @param stride pixels from one place to the next, both ways
     * @param padding pixels around the image
     * @param dilation pixels from one tap to the next, both ways
     */
    public static Window uniform(int kernelHeight, int kernelWidth, int stride, int padding, int dilation) {
        return of(kernelHeight, kernelWidth).by(stride, stride).padded(padding, padding, padding, padding)
                .dilated(dilation, dilation);
    }

    /**
     * {@return the same with other strides}
     *
     * @param height rows from one place to the next
     * @param width columns from one place to the next
     */
    public Window by(int height, int width) {
        return new Window(kernelHeight, kernelWidth, height, width, top, left, bottom, right, dilationHeight,
                dilationWidth);
    }

    /**
     * {@return the same with other padding}
     *
     * @param above rows of padding
     * @param before columns of padding
     * @param below rows of padding
     * @param behind columns of padding
     */
    public Window padded(int above, int before, int below, int behind) {
        return new Window(kernelHeight, kernelWidth, strideHeight, strideWidth, above, before, below, behind,
                dilationHeight, dilationWidth);
    }

    /**
     * {@return the same with other dilations}
     *
     * @param height rows from one tap to the next
     * @param width columns from one tap to the next
     */
    public Window dilated(int height, int width) {
        return new Window(kernelHeight, kernelWidth, strideHeight, strideWidth, top, left, bottom, right, height,
                width);
    }

    /** {@return the number of taps} */
    public int taps() {
        return kernelHeight * kernelWidth;
    }

    /** {@return the rows from the first tap to the last, both included} */
    public long spanHeight() {
        return span(kernelHeight, dilationHeight);
    }

    /** {@return the columns from the first tap to the last, both included} */
    public long spanWidth() {
        return span(kernelWidth, dilationWidth);
    }

    private static long span(int kernel, int dilation) {
        return (kernel - 1L) * dilation + 1;
    }

    /** {@return whether there is padding on some side} */
    public boolean pads() {
        return top > 0 || left > 0 || bottom > 0 || right > 0;
    }

    /** {@return whether taps lie apart} */
    public boolean isDilated() {
        return dilationHeight > 1 || dilationWidth > 1;
    }

    /** {@return whether it has as many rows as columns} */
    public boolean isSquare() {
        return kernelHeight == kernelWidth;
    }

    /** {@return whether stride, padding and dilation are the same in both directions and on all sides} */
    public boolean isUniform() {
        return strideHeight == strideWidth && top == left && top == bottom && top == right
                && dilationHeight == dilationWidth;
    }

    /** {@return whether it moves by single pixels, without padding and dilation} */
    public boolean isPlain() {
        return strideHeight == 1 && strideWidth == 1 && !pads() && !isDilated();
    }

    /**
     * {@return whether there is a place for it over such images}
     *
     * @param image shape of the image, {@code [channels, height, width]}
     */
    public boolean fits(Shape image) {
        return spanHeight() <= (long) image.height() + top + bottom
                && spanWidth() <= (long) image.width() + left + right;
    }

    /**
     * {@return the images of so many channels with a pixel for each place; {@link IllegalArgumentException} if it does
     * not fit}
     *
     * @param channels channels of the output
     * @param image shape of the image, {@code [channels, height, width]}
     */
    public Shape output(int channels, Shape image) {
        return Shape.of(channels, places(image.height(), spanHeight(), strideHeight, top, bottom),
                places(image.width(), spanWidth(), strideWidth, left, right));
    }

    private static int places(int size, long span, int stride, int before, int after) {
        long room = (long) size + before + after - span;
        if (room < 0 || room / stride >= Integer.MAX_VALUE) {
            throw new IllegalArgumentException("has a window of " + span + ", which does not fit into " + size
                    + " with padding " + (before == after ? String.valueOf(before) : before + " and " + after));
        }
        return (int) (room / stride) + 1;
    }

    /**
     * {@return the values of an image with its padding; 0 where there is none} {@link ArithmeticException} beyond a
     * long.
     *
     * @param image shape of the image, {@code [channels, height, width]}
     */
    public long paddedValues(Shape image) {
        return !pads() ? 0
                : Math.multiplyExact(image.channels(), Math.multiplyExact((long) image.height() + top + bottom,
                        (long) image.width() + left + right));
    }

    /** Checks that in each place some tap is on a pixel, for a window with less padding than its span on each side. */
    void checkReads(Shape image) {
        Shape output = output(1, image);
        checkReads(image.height(), kernelHeight, strideHeight, top, dilationHeight, output.height());
        checkReads(image.width(), kernelWidth, strideWidth, left, dilationWidth, output.width());
    }

    private static void checkReads(int size, int kernel, int stride, int before, int dilation, int places) {
        // With less padding than its span, a window that begins in the image is on it; another one misses it only by a
        // step from tap to tap over it.
        for (int place = 0; dilation > size && place < places && (long) place * stride < before; place++) {
            if (taps(place, kernel, stride, before, dilation, 0, size) == 0) {
                throw new IllegalArgumentException(
                        "has a window whose taps, " + dilation + " apart, all lie around an image of " + size);
            }
        }
    }

    /** For each place from the top, how many rows of taps lie in rows {@code from} to {@code to}, exclusive. */
    int[] rowsWithin(int places, int from, int to) {
        int[] rows = new int[places];
        for (int place = 0; place < places; place++) {
            rows[place] = taps(place, kernelHeight, strideHeight, top, dilationHeight, from, to);
        }
        return rows;
    }

    /** For each place from the left, how many columns of taps lie in columns {@code from} to {@code to}, exclusive. */
    int[] columnsWithin(int places, int from, int to) {
        int[] columns = new int[places];
        for (int place = 0; place < places; place++) {
            columns[place] = taps(place, kernelWidth, strideWidth, left, dilationWidth, from, to);
        }
        return columns;
    }

    private static int taps(int place, int kernel, int stride, int before, int dilation, long from, long to) {
        long start = (long) place * stride - before;
        long first = start >= from ? 0 : Math.ceilDiv(from - start, dilation);
        long end = Math.min(kernel, Math.floorDiv(to - 1 - start, dilation) + 1);
        return (int) Math.max(0, end - first);
    }
}
