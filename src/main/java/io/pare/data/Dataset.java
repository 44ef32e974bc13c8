package io.pare.data;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.InputScale;
import io.pare.net.Shape;
import io.pare.net.Task;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Labelled images that become inputs of one shape: in memory (47 MB for MNIST's 60,000), made up, or decoded from files
 * whenever they are asked for.
 *
 * <p>Selections and splits are views on the same images. Immutable and thread-safe.
 */
public final class Dataset {
    /** Keeps the split's random numbers apart from those of the batches. */
    private static final long SPLIT = 0x73706c6974L;

    private final String name;
    private final int channels;
    private final int height;
    private final int width;
    private final int classes;
    private final Images images;
    private final int[] labels;
    /** What networks are to give; {@code null} for the classes that labels name. */
    private final Targets targets;
    private final int[] rows;
    private final int loaders;
    /** Runs what reads ahead; {@code null} for threads of its own. */
    private final Executor executor;

    /**
     * Training samples and those held back from it.
     *
     * @param train what to train on
     * @param validation what was held back
     */
    public record Split(Dataset train, Dataset validation) {}

    /**
     * Wraps pixels without copying them.
     *
     * @param name for reports
     * @param channels of an image
     * @param height rows of pixels
     * @param width columns of pixels
     * @param classes number of classes, above every label
     * @param pixels CHW bytes of one image after another, 0 to 255
     * @param labels one per image, 0 to 255, each below {@code classes}
     */
    public Dataset(String name, int channels, int height, int width, int classes, byte[] pixels, byte[] labels) {
        this(name, channels, height, width, classes, stored(name, channels, height, width, pixels, labels.length),
                unsigned(labels));
    }

    /**
     * Wraps inputs that no scale changes, CHW floats of one sample after another, with the class of each.
     *
     * @param name for reports
     * @param shape of one sample, of at most three dimensions
     * @param inputs not copied; nobody may change them any more
     * @param classes number of classes, above every label
     * @param labels one for each sample, from 0 and below {@code classes}
     * @return the data, in memory
     */
    public static Dataset ofFloats(String name, Shape shape, float[] inputs, int classes, int[] labels) {
        return new Dataset(name, shape.channels(), shape.height(), shape.width(), classes, floats(shape, inputs),
                labels);
    }

    /**
     * Wraps inputs that no scale changes, CHW floats of one sample after another, with targets for each.
     *
     * @param name for reports
     * @param shape of one sample, of at most three dimensions
     * @param inputs not copied; nobody may change them any more
     * @param targets rows for the samples, in their order
     * @return the data, in memory
     */
    public static Dataset ofFloats(String name, Shape shape, float[] inputs, Targets targets) {
        return new Dataset(name, shape.channels(), shape.height(), shape.width(), floats(shape, inputs), targets);
    }

    private static Images floats(Shape shape, float[] inputs) {
        return new FloatImages(inputs, shape.channels(), shape.height(), shape.width());
    }

    /** All of {@code images}, as inputs of that shape, with what a network is to give for each. */
    Dataset(String name, int channels, int height, int width, Images images, Targets targets) {
        this(name, channels, height, width, targets.width(), images, new int[targets.samples()], targets,
                identity(targets.samples()), 0, null);
    }

    /** All of {@code images}, as inputs of that shape. */
    Dataset(String name, int channels, int height, int width, int classes, Images images, int[] labels) {
        this(name, channels, height, width, classes, images, labels, null, identity(labels.length), 0, null);
        for (int i = 0; i < labels.length; i++) {
            if (labels[i] < 0 || labels[i] >= classes) {
                throw new DataException(
                        name + ": label " + i + " is " + labels[i] + ", labels go from 0 to " + (classes - 1)
                                + ": it is damaged or another data set");
            }
        }
    }

    private Dataset(String name, int channels, int height, int width, int classes, Images images, int[] labels,
            Targets targets, int[] rows, int loaders, Executor executor) {
        this.name = Objects.requireNonNull(name);
        this.channels = channels;
        this.height = height;
        this.width = width;
        this.classes = classes;
        this.images = images;
        this.labels = labels;
        this.targets = targets;
        this.rows = rows;
        this.loaders = loaders;
        this.executor = executor;
    }

    private static Images stored(String name, int channels, int height, int width, byte[] pixels, int labels) {
        StoredImages images = new StoredImages(pixels, channels, height, width);
        if (pixels.length % images.imageBytes() != 0 || images.count() != labels) {
            throw new DataException(name + " has " + images.count() + " images and " + labels
                    + " labels: the numbers must be equal; the two files are of different sets or one is damaged");
        }
        return images;
    }

    private static int[] unsigned(byte[] labels) {
        int[] values = new int[labels.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = labels[i] & 0xff;
        }
        return values;
    }

    /**
     * {@return the images of uniform noise with labels that go round, for runs whose speed counts and not their result}
     *
     * @param name says that the data is synthetic
     * @param count number of images
     * @param channels of an image
     * @param height rows of pixels
     * @param width columns of pixels
     * @param classes number of classes, above every label
     * @param seed of the noise
     */
    public static Dataset synthetic(String name, int count, int channels, int height, int width, int classes,
            long seed) {
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
            labels[i] = i % classes;
        }
        return new Dataset(name, channels, height, width, classes,
                new SyntheticImages(count, channels, height, width, seed), labels);
    }

    /** {@return the name that reports have} */
    public String name() {
        return name;
    }

    /** {@return the number of images} */
    public int size() {
        return rows.length;
    }

    /** {@return the channels of an image, 1 for grey and 3 for red, green and blue} */
    public int channels() {
        return channels;
    }

    /** {@return the rows of pixels} */
    public int height() {
        return height;
    }

    /** {@return the columns of pixels} */
    public int width() {
        return width;
    }

    /** {@return the number of classes; of tasks without, values that a network is to give for a sample} */
    public int classes() {
        return classes;
    }

    /** {@return the values of one image: channels x height x width} */
    public int imageBytes() {
        return channels * height * width;
    }

    /** {@return the share of images of the most frequent class: the accuracy of naming this class always} */
    public double largestShare() {
        int[] counts = new int[classes];
        for (int row : rows) {
            counts[labels[row]]++;
        }
        return Arrays.stream(counts).max().orElse(0) / (double) size();
    }

    /** {@return what networks are to say of a sample} */
    public Task task() {
        return targets == null ? Task.CLASSIFY : targets.task();
    }

    /**
     * {@return what a network is to give in place {@code output} for sample {@code index}, where that is no class}
     *
     * @param index number of the sample, from 0
     * @param output number of the output, from 0
     */
    public float target(int index, int output) {
        return targets.values()[rows[index] * targets.width() + Objects.checkIndex(output, targets.width())];
    }

    /**
     * {@return the class of image {@code index}; 0 where there are none}
     *
     * @param index number of the sample, from 0
     */
    public int label(int index) {
        return labels[rows[index]];
    }

    /**
     * {@return the pixel {@code offset} (CHW) of image {@code index} as evaluation sees it, 0 to 255} For a look at
     * few: each call reads a whole image where images are not in memory.
     *
     * @param index number of the sample, from 0
     * @param offset from 0 to {@link #imageBytes} - 1
     */
    public int pixel(int index, int offset) {
        Objects.checkIndex(offset, imageBytes());
        if (images instanceof StoredImages stored) {
            return stored.pixels()[rows[index] * imageBytes() + offset] & 0xff;
        }
        return image(index)[offset] & 0xff;
    }

    /**
     * {@return all pixels (CHW) of image {@code index} as evaluation sees it, rounded to bytes}
     *
     * @param index number of the sample, from 0
     */
    public byte[] image(int index) {
        byte[] pixels = new byte[imageBytes()];
        try (Region region = Region.confined("image");
                Loader loader = new Loader(this, InputScale.UNIT, Augmentation.NONE)) {
            FloatTensor values = region.tensor(imageBytes());
            if (loader.load(index, 0, values.segment(), 0)) {
                for (int i = 0; i < pixels.length; i++) {
                    pixels[i] = (byte) Math.round(values.get(i) * 255);
                }
            }
        }
        return pixels;
    }

    Images images() {
        return images;
    }

    /** Where image {@code index} stands in {@link #images()}. */
    int row(int index) {
        return rows[index];
    }

    /** {@return whether inputs are made of pixels by a scale; otherwise they are floats that are taken as they are} */
    public boolean pixels() {
        return !(images instanceof FloatImages);
    }

    /** {@return how many bytes of memory that the images take where they are not read from files} */
    public long memory() {
        return slow() ? 0 : (long) size() * imageBytes() * (pixels() ? 1 : Float.BYTES);
    }

    /** {@return whether images can be shifted, cut and mirrored: pixels, and more than one} */
    public boolean varies() {
        return pixels() && height * width > 1;
    }

    /** Whether inputs of both have one shape and come the same way. */
    boolean sameKind(Dataset other) {
        return channels == other.channels && height == other.height && width == other.width
                && pixels() == other.pixels();
    }

    /** {@return threads that read images ahead of whoever takes batches; 0 if that one reads them himself} */
    public int loaders() {
        return loaders;
    }

    /** {@return what runs the tasks that read images ahead; {@code null} for threads that {@link Batches} starts} */
    public @Nullable Executor executor() {
        return executor;
    }

    /**
     * The same images, read ahead by {@code threads} threads; what they become does not depend on it.
     *
     * @param threads 0 or more
     * @return the same images
     */
    public Dataset loaders(int threads) {
        return loaders(threads, null);
    }

    /**
     * The same images, read ahead by so many tasks of an executor at most; what they become does not depend on it. The
     * tasks are short, and whoever takes batches reads what no task has begun: a busy executor costs time and no more.
     *
     * @param threads 0 or more
     * @param chosen {@code null} for threads that {@link Batches} starts and ends
     * @return the same images
     */
    public Dataset loaders(int threads, @Nullable Executor chosen) {
        if (threads < 0) {
            throw new IllegalArgumentException("number of loading threads is " + threads + ", must be 0 or more");
        }
        return new Dataset(name, channels, height, width, classes, images, labels, targets, rows, threads, chosen);
    }

    /** {@return whether reading ahead pays: images are decoded whenever they are asked for} */
    public boolean slow() {
        return images.slow();
    }

    /**
     * {@return what tells data apart: the number of images, and a digest of shape, labels and content in their order}
     * Of files that are decoded, names and lengths stand for the content.
     */
    public String fingerprint() {
        MessageDigest digest = Checksum.digest();
        ByteBuffer header = ByteBuffer.allocate(5 * Integer.BYTES + Double.BYTES);
        digest.update(header.putInt(size()).putInt(channels).putInt(height).putInt(width).putInt(classes)
                .putDouble(images.border()).flip());
        ByteBuffer label = ByteBuffer.allocate(Integer.BYTES);
        for (int row : rows) {
            digest.update(label.clear().putInt(labels[row]).flip());
            for (int i = 0; targets != null && i < classes; i++) {
                digest.update(label.clear().putFloat(targets.values()[row * classes + i]).flip());
            }
            images.digest(row, digest);
        }
        return size() + " images " + Checksum.brief(digest);
    }

    /**
     * {@return a view on the images {@code from} to {@code to} (exclusive)}
     *
     * @param from first image
     * @param to behind the last image
     */
    public Dataset range(int from, int to) {
        Objects.checkFromToIndex(from, to, size());
        return view(Arrays.copyOfRange(rows, from, to));
    }

    /**
     * Holds back {@code count} images, chosen by {@code seed}. Both parts keep the order of this set.
     *
     * @param count from 0 to all but one
     * @param seed chooses them; the same seed, the same choice
     * @return both parts, as views
     */
    public Split split(int count, long seed) {
        if (count < 0 || count >= size()) {
            throw new IllegalArgumentException(
                    "cannot hold back " + count + " of " + size() + " images; at least one must be left to train on");
        }
        int[] order = identity(size());
        SplitMix64.of(seed, SPLIT).shuffle(order);
        int[] held = Arrays.copyOf(order, count);
        int[] kept = Arrays.copyOfRange(order, count, order.length);
        Arrays.sort(held);
        Arrays.sort(kept);
        return new Split(view(pick(kept)), view(pick(held)));
    }

    /** {@return the number of images of each class} */
    public int[] classCounts() {
        int[] counts = new int[classes];
        for (int i = 0; i < size(); i++) {
            counts[label(i)]++;
        }
        return counts;
    }

    @Override
    public String toString() {
        return name + " (" + size() + " images of " + channels + "x" + height + "x" + width + ", " + classes
                + (task() == Task.CLASSIFY ? " classes)" : " targets)");
    }

    private Dataset view(int[] selected) {
        return new Dataset(name, channels, height, width, classes, images, labels, targets, selected, loaders,
                executor);
    }

    private int[] pick(int[] indices) {
        int[] picked = new int[indices.length];
        for (int i = 0; i < picked.length; i++) {
            picked[i] = rows[indices[i]];
        }
        return picked;
    }

    private static int[] identity(int size) {
        int[] rows = new int[size];
        for (int i = 0; i < size; i++) {
            rows[i] = i;
        }
        return rows;
    }
}
