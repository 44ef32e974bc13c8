package io.pare.data;

import java.util.Arrays;
import java.util.Objects;

/**
 * Labelled images of one size with 8-bit channels, on the heap: 47 MB for MNIST's 60,000.
 *
 * <p>Selections and splits are views on the same pixels. Immutable and thread-safe.
 */
public final class Dataset {
    /** Keeps the split's random numbers apart from those of the batches. */
    private static final long SPLIT = 0x73706c6974L;

    private final String name;
    private final int channels;
    private final int height;
    private final int width;
    private final int classes;
    private final byte[] pixels;
    private final byte[] labels;
    private final int[] rows;

    /** Training samples and those held back from it. */
    public record Split(Dataset train, Dataset validation) {}

    /**
     * Wraps pixels and labels without copying them.
     *
     * @param pixels CHW bytes of one image after another, 0 to 255
     * @param labels one per image, each below {@code classes}
     */
    public Dataset(String name, int channels, int height, int width, int classes, byte[] pixels, byte[] labels) {
        this(name, channels, height, width, classes, pixels, labels, identity(labels.length));
        int imageBytes = imageBytes();
        if (pixels.length % imageBytes != 0 || pixels.length / imageBytes != labels.length) {
            throw new DataException(name + " has " + pixels.length / imageBytes + " images and " + labels.length
                    + " labels: the numbers must be equal");
        }
        for (int i = 0; i < labels.length; i++) {
            if ((labels[i] & 0xff) >= classes) {
                throw new DataException(name + ": label " + i + " is " + (labels[i] & 0xff) + ", labels go from 0 to "
                        + (classes - 1));
            }
        }
    }

    private Dataset(String name, int channels, int height, int width, int classes, byte[] pixels, byte[] labels,
            int[] rows) {
        this.name = Objects.requireNonNull(name);
        this.channels = channels;
        this.height = height;
        this.width = width;
        this.classes = classes;
        this.pixels = pixels;
        this.labels = labels;
        this.rows = rows;
    }

    public String name() {
        return name;
    }

    /** Number of images. */
    public int size() {
        return rows.length;
    }

    public int channels() {
        return channels;
    }

    /** Rows of pixels. */
    public int height() {
        return height;
    }

    /** Columns of pixels. */
    public int width() {
        return width;
    }

    public int classes() {
        return classes;
    }

    /** Bytes of one image: channels x height x width. */
    public int imageBytes() {
        return channels * height * width;
    }

    /** Class of image {@code index}. */
    public int label(int index) {
        return labels[rows[index]] & 0xff;
    }

    /** Pixel {@code offset} (CHW) of image {@code index}, 0 to 255. */
    public int pixel(int index, int offset) {
        Objects.checkIndex(offset, imageBytes());
        return pixels[rows[index] * imageBytes() + offset] & 0xff;
    }

    /** Where image {@code index} begins in {@link #pixels()}. */
    int pixelsAt(int index) {
        return rows[index] * imageBytes();
    }

    byte[] pixels() {
        return pixels;
    }

    /** A view on the images {@code from} to {@code to} (exclusive). */
    public Dataset range(int from, int to) {
        Objects.checkFromToIndex(from, to, size());
        return view(Arrays.copyOfRange(rows, from, to));
    }

    /** Holds back {@code count} images, chosen by {@code seed}. Both parts keep the order of this set. */
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

    /** Number of images of each class. */
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
                + " classes)";
    }

    private Dataset view(int[] selected) {
        return new Dataset(name, channels, height, width, classes, pixels, labels, selected);
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
