package io.pare.run;

import io.pare.data.Background;
import io.pare.data.OddImages;
import io.pare.net.Task;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Which data set a run takes, and what its images become.
 *
 * @param source kind of data; {@code null} to look at the folder, or to take the model's usual data
 * @param folder where it lies; {@code null} for the usual place
 * @param images training images of synthetic data
 * @param resize shorter side of pictures before inputs are cut out; 0 for the usual
 * @param scale of pixels, as {@link Scales#parse} reads it; {@code null} for the data set's own
 * @param damaged what becomes of pictures that cannot be read: skip or refuse
 * @param nonRgb what becomes of pictures of other colours
 * @param background what transparent pictures are laid upon, as {@link Background#parse} reads it; {@code null} to drop
 *            their transparency
 * @param task what networks are to say of samples; {@code null} for what the labels say
 */
public record DataSettings(@Nullable Source source, @Nullable String folder, int images, int resize,
        @Nullable String scale,
        OddImages.Rule damaged, OddImages.Rule nonRgb, @Nullable String background, @Nullable Task task) {
    /** Training images of synthetic data, unless somebody says otherwise. */
    public static final int SYNTHETIC_IMAGES = 1024;
    /** The model's usual data in its usual place. */
    public static final DataSettings USUAL = new DataSettings(null, null, SYNTHETIC_IMAGES, 0, null,
            OddImages.Rule.REFUSE, OddImages.Rule.CONVERT, null, null);

    /**
     * {@return data of that kind in its usual place}
     *
     * @param source kind of data
     */
    public static DataSettings of(Source source) {
        return new DataSettings(source, null, SYNTHETIC_IMAGES, 0, null, OddImages.Rule.REFUSE, OddImages.Rule.CONVERT,
                null, null);
    }

    /**
     * {@return what lies in a folder, whatever it is}
     *
     * @param folder of files of one data set
     */
    public static DataSettings in(Path folder) {
        return new DataSettings(null, folder.toAbsolutePath().normalize().toString(), SYNTHETIC_IMAGES, 0, null,
                OddImages.Rule.REFUSE, OddImages.Rule.CONVERT, null, null);
    }

    /**
     * {@return noise, for runs whose result does not count}
     *
     * @param images of the training set
     */
    public static DataSettings synthetic(int images) {
        return new DataSettings(Source.SYNTHETIC, null, images, 0, null, OddImages.Rule.REFUSE, OddImages.Rule.CONVERT,
                null, null);
    }

    /** The same with the kind of data and the task that were found. */
    DataSettings found(Source kind, Task what) {
        return new DataSettings(kind, folder, images, resize, scale, damaged, nonRgb, background, what);
    }

    /**
     * {@return the same with another scale of pixels}
     *
     * @param other as {@link Scales#parse} reads it
     */
    public DataSettings scaled(String other) {
        return new DataSettings(source, folder, images, resize, other, damaged, nonRgb, background, task);
    }

    /**
     * {@return the same in another folder}
     *
     * @param other folder
     */
    public DataSettings at(String other) {
        return new DataSettings(source, other, images, resize, scale, damaged, nonRgb, background, task);
    }

    /**
     * {@return the rules for pictures, with a fresh count}
     *
     * @param notes takes a line for each picture that is skipped
     */
    public OddImages odd(Consumer<String> notes) {
        return new OddImages(damaged, nonRgb, background == null ? null : Background.parse(background), notes);
    }

    /** Kind of data. */
    public enum Source {
        /** The MNIST inside the runnable jar, or four IDX files. */
        MNIST,
        /** Fashion-MNIST as four IDX files. */
        FASHION,
        /** CIFAR-10 as binary files or pictures. */
        CIFAR10,
        /** CIFAR-100 as binary files or pictures. */
        CIFAR100,
        /** CIFAR-100 with its 20 coarse labels. */
        CIFAR100_COARSE,
        /** One of EMNIST's sets as four IDX files. */
        EMNIST,
        /** Pictures below {@code train} and {@code test}, in a folder for each class. */
        FOLDER,
        /** Arrays of NumPy. */
        ARRAYS,
        /** Noise. */
        SYNTHETIC;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
