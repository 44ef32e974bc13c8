package io.pare.data;

/**
 * How training images are varied. What an image gets follows from the seed, the epoch and its index alone.
 *
 * @param shift random shifts; a shift of 4 is the usual "pad by 4 and crop" of CIFAR
 * @param crop part of the image that is taken
 * @param flip whether every other image, on average, is mirrored left to right
 */
public record Augmentation(Shift shift, Crop crop, boolean flip) {
    /** Images as they are. */
    public static final Augmentation NONE = new Augmentation(Shift.NONE, Crop.CENTER, false);

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
        return new Augmentation(other, crop, flip);
    }
}
