package io.pare.data;

/**
 * Augmentation of training images by random maps of the plane, about the middle of the image; what comes in from outside is
 * pixel value 0. Each number is drawn evenly up to its bound in both directions.
 *
 * @param rotate largest angle of a rotation, in degrees
 * @param zoom largest share by which an image grows or shrinks, below 1
 * @param shear largest tangent of the angle by which upright lines lean
 * @param elastic root mean square of the way by which a smooth random field moves pixels, in pixels and in each
 *            direction; after Simard, Steinkraus and Platt (ICDAR 2003), whose best values for MNIST come to 1.4
 */
public record Warp(float rotate, float zoom, float shear, float elastic) {
    /** No warp. */
    public static final Warp NONE = new Warp(0, 0, 0, 0);

    /**
     * Checks the bounds.
     *
     * @throws IllegalArgumentException if one is out of its range; the message names it
     */
    public Warp {
        check(rotate >= 0 && rotate <= 180, "rotate", rotate, "degrees from 0 to 180");
        check(zoom >= 0 && zoom < 1, "zoom", zoom, "a share from 0 to below 1");
        check(shear >= 0 && shear <= 10, "shear", shear, "a tangent from 0 to 10");
        check(elastic >= 0 && elastic <= 1000, "elastic", elastic, "pixels from 0 to 1000");
    }

    private static void check(boolean fits, String name, float value, String range) {
        if (!fits) {
            throw new IllegalArgumentException(name + " cannot be " + value + ": it is " + range);
        }
    }

    boolean none() {
        return equals(NONE);
    }
}
