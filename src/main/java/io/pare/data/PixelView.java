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

    /** Turns and mirrors what is seen as an {@linkplain Exif orientation} asks for; moves no pixel. */
    void turn(int orientation) {
        boolean mirrored = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        boolean upended = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        int start = (mirrored ? (width - 1) * pixelStride : 0) + (upended ? (height - 1) * rowStride : 0);
        for (int c = 0; c < first.length; c++) {
            first[c] += start;
        }
        int across = mirrored ? -pixelStride : pixelStride;
        int down = upended ? -rowStride : rowStride;
        boolean turned = orientation > Exif.LAST_UNTURNED;
        pixelStride = turned ? down : across;
        rowStride = turned ? across : down;
        int stored = width;
        width = turned ? height : width;
        height = turned ? stored : height;
    }
}
