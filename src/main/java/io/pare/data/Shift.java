package io.pare.data;

/**
 * Augmentation of training images by random shifts; what comes in from outside is pixel value 0. By whole pixels it is
 * the same as padding with so many black pixels and cropping at random.
 *
 * @param pixels the largest shift in each direction, in pixels; 0 switches augmentation off
 * @param subPixel whether shifts are any real number (bilinear interpolation), or whole pixels only
 */
public record Shift(float pixels, boolean subPixel) {
    /** No augmentation. */
    public static final Shift NONE = new Shift(0, false);

    /** Checks the distance. */
    public Shift {
        if (!(pixels >= 0) || !Float.isFinite(pixels)) {
            throw new IllegalArgumentException("shift must be 0 pixels or more, is " + pixels);
        }
    }

    boolean none() {
        return pixels == 0;
    }

    /** One shift, in pixels, along one axis. */
    float draw(SplitMix64 random) {
        if (subPixel) {
            return (2 * random.nextFloat() - 1) * pixels;
        }
        int most = (int) pixels;
        return random.nextInt(2 * most + 1) - most;
    }
}
