package io.pare.data;

import java.util.Locale;

/** Which part of a training image becomes the network's input; evaluation always takes the middle. */
public enum Crop {
    /** The middle of the image, after its resize. */
    CENTER,
    /** Any place of the image, after its resize. */
    RANDOM,
    /**
     * A part of 8 to 100 % of the image's area and of a ratio of sides from 3:4 to 4:3, brought to the input's size
     * (Szegedy et al., "Going deeper with convolutions", 1409.4842, section 6).
     */
    RESIZED;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
