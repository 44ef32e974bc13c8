package io.pare.data;

/**
 * Where the bytes of one image lie: planar or interleaved, in an array that the view does not own.
 *
 * <p>One object per thread, pointed at one image after another.
 */
final class PixelView {
    byte[] bytes;
    int width;
    int height;
    int rowStride;
    int pixelStride;
    /** Index of the first pixel of each channel. */
    final int[] first;

    PixelView(int channels) {
        this.first = new int[channels];
    }

    /** Channels one after another, from {@code from}. */
    void planar(byte[] array, int from, int newHeight, int newWidth) {
        bytes = array;
        height = newHeight;
        width = newWidth;
        rowStride = newWidth;
        pixelStride = 1;
        for (int c = 0; c < first.length; c++) {
            first[c] = from + c * newHeight * newWidth;
        }
    }
}
