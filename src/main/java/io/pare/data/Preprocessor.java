package io.pare.data;

import io.pare.net.InputScale;

/** Brings the pixels of a picture to the size and scale of an input, for one thread. */
final class Preprocessor {
    private final int height;
    private final int width;
    private final InputScale scale;
    private final float[][] values;
    private final Resampler resampler;
    private final boolean bordered;

    /**
     * @param border size to which a picture is brought before the input is cut out, as a multiple of the input's
     */
    Preprocessor(int channels, int height, int width, double border, InputScale scale) {
        this.height = height;
        this.width = width;
        this.scale = scale;
        this.values = scale.tables(channels);
        this.resampler = new Resampler(height, width, border);
        this.bordered = border != 1;
    }

    /** Writes the input that {@code crop} cuts out of a picture, CHW; one of the input's size is taken as it is. */
    void run(PixelView view, Crop crop, SplitMix64 random, float[] out) {
        if (view.width == width && view.height == height && !bordered && crop != Crop.RESIZED) {
            copy(view, out);
        } else {
            resampler.frame(view.width, view.height, crop, random);
            resample(view, out);
        }
    }

    /** Writes the whole picture, whatever its ratio of sides. */
    void squeeze(PixelView view, float[] out) {
        if (view.width == width && view.height == height) {
            copy(view, out);
        } else {
            resampler.frameAll(view.width, view.height);
            resample(view, out);
        }
    }

    /** What a black pixel becomes in {@code channel}. */
    float black(int channel) {
        return values[channel][0];
    }

    private void copy(PixelView view, float[] out) {
        byte[] pixels = view.bytes;
        int p = 0;
        for (int c = 0; c < values.length; c++) {
            float[] table = values[c];
            for (int y = 0; y < view.height; y++) {
                int from = view.first[c] + y * view.rowStride;
                for (int x = 0; x < view.width; x++) {
                    out[p++] = table[pixels[from + x * view.pixelStride] & 0xff];
                }
            }
        }
    }

    private void resample(PixelView view, float[] out) {
        int plane = height * width;
        for (int c = 0; c < values.length; c++) {
            resampler.run(view, c, out, c * plane);
            float mean = scale.mean().get(scale.mean().size() == 1 ? 0 : c);
            float deviation = scale.deviation().get(scale.mean().size() == 1 ? 0 : c);
            for (int p = c * plane; p < (c + 1) * plane; p++) {
                out[p] = (out[p] / 255f - mean) / deviation;
            }
        }
    }
}
