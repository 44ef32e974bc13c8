package io.pare.cli;

import io.pare.data.Background;
import io.pare.data.OddImages;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Which data set a run takes, and what its images become.
 *
 * @param source kind of data; {@code null} to look at the folder, or to take the model's usual data
 * @param folder where it lies; {@code null} for the usual place
 * @param images training images of synthetic data
 * @param resize shorter side of pictures before inputs are cut out; 0 for the usual
 * @param scale of pixels, by name or in numbers; {@code null} for the data set's own
 * @param damaged what becomes of pictures that cannot be read
 * @param nonRgb what becomes of pictures of other colours
 * @param background what transparent pictures are laid upon; {@code null} to drop their transparency
 */
record DataSettings(Source source, String folder, int images, int resize, String scale, OddImages.Rule damaged,
        OddImages.Rule nonRgb, String background) {
    /** The rules for pictures, with a fresh count. */
    OddImages odd(Consumer<String> notes) {
        return new OddImages(damaged, nonRgb, background == null ? null : Background.parse(background), notes);
    }

    /** Kind of data. */
    enum Source {
        MNIST, FASHION, CIFAR10, CIFAR100, FOLDER, SYNTHETIC;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
