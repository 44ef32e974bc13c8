package io.pare.data;

/**
 * Brings a part of an image to the size of the input by antialiased bilinear filtering, for one thread.
 *
 * <p>The filter is a triangle of one output pixel to either side, or of one source pixel where the image grows: rows
 * first, then columns, in floats. A resize with a crop after it is done in one go: only what the crop keeps is computed.
 */
final class Resampler {
    private static final int TRIES = 10;
    private static final double LEAST_AREA = 0.08;
    private static final double LOG_RATIO = StrictMath.log(4.0 / 3);

    private final int height;
    private final int width;
    private final double border;
    private final Taps across;
    private final Taps down;
    private float[] narrowed = new float[0];

    /** The source pixels that each output pixel along one axis is made of, and their weights. */
    private static final class Taps {
        final int[] from;
        final int[] count;
        int most;
        float[] weights = new float[0];

        Taps(int size) {
            from = new int[size];
            count = new int[size];
        }

        /**
         * @param start of the first output pixel, in source pixels
         * @param step source pixels for each output pixel
         * @param least first source pixel that may be used
         * @param end source pixel after the last
         */
        void fill(double start, double step, int least, int end) {
            double support = Math.max(1, step);
            most = (int) Math.ceil(2 * support) + 1;
            if (weights.length < most * from.length) {
                weights = new float[most * from.length];
            }
            for (int i = 0; i < from.length; i++) {
                double center = start + (i + 0.5) * step;
                int first = Math.max(least, Math.min(end - 1, (int) Math.floor(center - support + 0.5)));
                int last = Math.min(end, Math.max(first + 1, (int) Math.floor(center + support + 0.5)));
                last = Math.min(last, first + most);
                double sum = 0;
                for (int k = first; k < last; k++) {
                    sum += weight(k, center, support);
                }
                from[i] = first;
                count[i] = last - first;
                for (int k = first; k < last; k++) {
                    weights[i * most + k - first] = sum > 0 ? (float) (weight(k, center, support) / sum) : 1;
                }
            }
        }

        private static double weight(int k, double center, double support) {
            return Math.max(0, 1 - Math.abs(k + 0.5 - center) / support);
        }
    }

    /**
     * @param border size to which an image is brought before the crop, as a multiple of the crop's
     */
    Resampler(int height, int width, double border) {
        this.height = height;
        this.width = width;
        this.border = border;
        this.across = new Taps(width);
        this.down = new Taps(height);
    }

    /** Chooses the part of images of that size that {@link #run} takes next. */
    void frame(int sourceWidth, int sourceHeight, Crop crop, SplitMix64 random) {
        if (crop == Crop.RESIZED) {
            resized(sourceWidth, sourceHeight, random);
            return;
        }
        // The size after the resize: the shorter side, as seen by the input, becomes the border's.
        double scale = Math.max(border * height / sourceHeight, border * width / sourceWidth);
        int tall = Math.max(height, (int) Math.round(sourceHeight * scale));
        int wide = Math.max(width, (int) Math.round(sourceWidth * scale));
        int top = (tall - height) / 2;
        int left = (wide - width) / 2;
        if (crop == Crop.RANDOM) {
            top = random.nextInt(tall - height + 1);
            left = random.nextInt(wide - width + 1);
        }
        double rows = (double) sourceHeight / tall;
        double columns = (double) sourceWidth / wide;
        down.fill(top * rows, rows, 0, sourceHeight);
        across.fill(left * columns, columns, 0, sourceWidth);
    }

    /** Chooses all of an image of that size, whatever its ratio of sides. */
    void frameAll(int sourceWidth, int sourceHeight) {
        down.fill(0, (double) sourceHeight / height, 0, sourceHeight);
        across.fill(0, (double) sourceWidth / width, 0, sourceWidth);
    }

    private void resized(int sourceWidth, int sourceHeight, SplitMix64 random) {
        int wide = 0;
        int tall = 0;
        for (int i = 0; i < TRIES && wide == 0; i++) {
            double area = (LEAST_AREA + (1 - LEAST_AREA) * random.nextDouble()) * sourceWidth * sourceHeight;
            double ratio = StrictMath.exp((2 * random.nextDouble() - 1) * LOG_RATIO) * width / height;
            int w = (int) Math.round(Math.sqrt(area * ratio));
            int h = (int) Math.round(Math.sqrt(area / ratio));
            if (w >= 1 && h >= 1 && w <= sourceWidth && h <= sourceHeight) {
                wide = w;
                tall = h;
            }
        }
        if (wide == 0) {
            // No part of the right ratio fits: the largest of the input's own ratio does.
            double scale = Math.min((double) sourceWidth / width, (double) sourceHeight / height);
            wide = Math.max(1, (int) (width * scale));
            tall = Math.max(1, (int) (height * scale));
        }
        int top = random.nextInt(sourceHeight - tall + 1);
        int left = random.nextInt(sourceWidth - wide + 1);
        down.fill(top, (double) tall / height, top, top + tall);
        across.fill(left, (double) wide / width, left, left + wide);
    }

    /** Computes one channel, in the units of the pixels, as {@code height x width} floats from {@code at} on. */
    void run(PixelView view, int channel, float[] out, int at) {
        int first = down.from[0];
        int end = down.from[height - 1] + down.count[height - 1];
        if (narrowed.length < (end - first) * width) {
            narrowed = new float[(end - first) * width];
        }
        for (int y = first; y < end; y++) {
            narrow(view, view.first[channel] + y * view.rowStride, (y - first) * width);
        }
        for (int i = 0; i < height; i++) {
            int target = at + i * width;
            int source = (down.from[i] - first) * width;
            float weight = down.weights[i * down.most];
            for (int x = 0; x < width; x++) {
                out[target + x] = weight * narrowed[source + x];
            }
            for (int k = 1; k < down.count[i]; k++) {
                weight = down.weights[i * down.most + k];
                source += width;
                for (int x = 0; x < width; x++) {
                    out[target + x] += weight * narrowed[source + x];
                }
            }
        }
    }

    private void narrow(PixelView view, int row, int to) {
        byte[] bytes = view.bytes;
        int stride = view.pixelStride;
        float[] weights = across.weights;
        for (int x = 0; x < width; x++) {
            int pixel = row + across.from[x] * stride;
            int w = x * across.most;
            float sum = 0;
            for (int k = 0; k < across.count[x]; k++) {
                sum += weights[w + k] * (bytes[pixel + k * stride] & 0xff);
            }
            narrowed[to + x] = sum;
        }
    }
}
