package io.pare.data;

/**
 * Turns an 8-bit pixel into a float: {@code (pixel / 255 - mean) / deviation}.
 *
 * @param mean of the pixels in [0, 1]
 * @param deviation their standard deviation, positive
 */
public record PixelScale(float mean, float deviation) {
    /** To [0, 1]. */
    public static final PixelScale UNIT = new PixelScale(0, 1);
    /** To mean 0 and deviation 1 over MNIST's training images. */
    public static final PixelScale MNIST = new PixelScale(0.1307f, 0.3081f);

    public PixelScale {
        if (!(deviation > 0) || !Float.isFinite(mean) || !Float.isFinite(deviation)) {
            throw new IllegalArgumentException("cannot scale pixels by mean " + mean + " and deviation " + deviation);
        }
    }

    /** The value of a pixel from 0 to 255. */
    public float apply(int pixel) {
        return (pixel / 255f - mean) / deviation;
    }

    float[] table() {
        float[] table = new float[256];
        for (int i = 0; i < table.length; i++) {
            table[i] = apply(i);
        }
        return table;
    }
}
