package io.pare.data;

import io.pare.net.InputScale;
import io.pare.net.Task;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A data set with its published division into training and test part, and how it is usually trained on.
 *
 * @param name for reports; says so if the data is synthetic
 * @param train training part, from which validation images are held back
 * @param validation a part published for validation, or {@code null}
 * @param test looked at once, when everything is chosen
 * @param scale of pixels
 * @param augmentation of training images
 * @param classNames in the order of labels
 */
public record Corpus(String name, Dataset train, @Nullable Dataset validation, Dataset test, InputScale scale,
        Augmentation augmentation, List<String> classNames) {
    private static final int HELD_BACK_SHARE = 12;

    /** Copies the names. */
    public Corpus {
        classNames = List.copyOf(classNames);
    }

    /**
     * {@return the same, with images read ahead by so many threads}
     *
     * @param threads 0 or more
     */
    public Corpus loaders(int threads) {
        return loaders(threads, null);
    }

    /**
     * {@return the same, with images read ahead by tasks of an executor, see {@link Dataset#loaders(int, Executor)}}
     *
     * @param threads 0 or more
     * @param executor runs the tasks that read ahead
     */
    public Corpus loaders(int threads, @Nullable Executor executor) {
        return new Corpus(name, train.loaders(threads, executor),
                validation == null ? null : validation.loaders(threads, executor), test.loaders(threads, executor),
                scale,
                augmentation, classNames);
    }

    /**
     * {@return the same with another scale}
     *
     * @param other how pixels become inputs
     */
    public Corpus with(InputScale other) {
        return new Corpus(name, train, validation, test, other, augmentation, classNames);
    }

    /** {@return what networks are to say of samples} */
    public Task task() {
        return train.task();
    }

    /** {@return whether the images are made up, so that accuracies mean nothing} */
    public boolean synthetic() {
        return train.images() instanceof SyntheticImages;
    }

    /** {@return the number of training images that are held back unless somebody says otherwise: a twelfth} */
    public int usuallyHeld() {
        return Math.max(1, train.size() / HELD_BACK_SHARE);
    }

    /**
     * {@return what to train on and what to choose by}
     *
     * @param held number of training images to hold back; 0 for the part published for validation, or a twelfth
     * @param seed chooses them
     */
    public Dataset.Split split(int held, long seed) {
        if (held == 0 && validation != null) {
            return new Dataset.Split(train, validation);
        }
        return train.split(held == 0 ? usuallyHeld() : held, seed);
    }

    /**
     * {@return noise of any shape, for runs whose speed counts and not their result}
     *
     * @param channels of an image
     * @param height rows of pixels
     * @param width columns of pixels
     * @param classes number of classes
     * @param trainImages how many to train on
     * @param testImages how many to test with
     * @param seed of the noise
     */
    public static Corpus synthetic(int channels, int height, int width, int classes, int trainImages, int testImages,
            long seed) {
        String name = "synthetic noise, not real data";
        return new Corpus(name,
                Dataset.synthetic(name + " (train)", trainImages, channels, height, width, classes, seed), null,
                Dataset.synthetic(name + " (test)", testImages, channels, height, width, classes, ~seed),
                new InputScale(0.5f, 0.2887f), Augmentation.NONE, List.of());
    }
}
