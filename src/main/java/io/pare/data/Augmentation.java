package io.pare.data;

/**
 * How training images are varied. What an image gets follows from the seed, the epoch and its index alone.
 *
 * @param shift random shifts; a shift of 4 is the usual "pad by 4 and crop" of CIFAR
 * @param crop part of the image that is taken
 * @param flip whether every other image, on average, is mirrored left to right
 * @param warp random maps of the plane; where there is one, shifts are part of it
 */
public record Augmentation(Shift shift, Crop crop, boolean flip, Warp warp) {
    /** Images as they are. */
    public static final Augmentation NONE = new Augmentation(Shift.NONE, Crop.CENTER, false);

    /**
     * Warps nothing.
     *
     * @param shift random shifts
     * @param crop part of the image that is taken
     * @param flip whether every other image is mirrored
     */
    public Augmentation(Shift shift, Crop crop, boolean flip) {
        this(shift, crop, flip, Warp.NONE);
    }

    /**
     * Shifts and nothing else.
     *
     * @param shift by how much images are moved
     * @return an augmentation that shifts and does nothing else
     */
    public static Augmentation of(Shift shift) {
        return new Augmentation(shift, Crop.CENTER, false);
    }

    /**
     * {@return the same with other shifts}
     *
     * @param other by how much images are moved
     */
    public Augmentation with(Shift other) {
        return new Augmentation(other, crop, flip, warp);
    }

    /**
     * {@return the same with other warps}
     *
     * @param other random maps of the plane
     */
    public Augmentation with(Warp other) {
        return new Augmentation(shift, crop, flip, other);
    }
}
