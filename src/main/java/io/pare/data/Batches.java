package io.pare.data;

import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Serves a data set batch by batch, epoch by epoch.
 *
 * <p>The order of an epoch depends on seed and epoch number alone, and an augmented image on these and its index; so the
 * position {@code (epoch, batch)} is the whole state, and a resumed run that seeks it gets the same bits as one that was
 * never stopped. {@link #next} allocates nothing. Not thread-safe.
 */
public final class Batches {
    private static final long SHUFFLE = 0x73687566L;
    private static final long AUGMENT = 0x61756767L;

    private final Dataset data;
    private final int batchSize;
    private final float[] values;
    private final Shift shift;
    private final boolean shuffled;
    private final long seed;
    private final int[] order;
    private final float[] image;
    private final float[] source;
    private final SplitMix64 random = new SplitMix64(0);
    private long augmentation;
    private int epoch;
    private int batch;

    private Batches(Dataset data, int batchSize, PixelScale scale, Shift shift, boolean shuffled, long seed) {
        if (batchSize < 1) {
            throw new IllegalArgumentException("batch size must be at least 1, is " + batchSize);
        }
        if (shuffled && batchSize > data.size()) {
            throw new IllegalArgumentException("batch size " + batchSize + " is more than the " + data.size()
                    + " images of " + data.name() + ": use a smaller one");
        }
        this.data = data;
        this.batchSize = batchSize;
        this.values = scale.table();
        this.shift = shift;
        this.shuffled = shuffled;
        this.seed = seed;
        this.order = new int[data.size()];
        this.image = new float[data.imageBytes()];
        this.source = shift.none() ? image : new float[data.imageBytes()];
        seek(0, 0);
    }

    /** Full batches only, in a new random order each epoch: up to {@code batchSize - 1} images sit out an epoch. */
    public static Batches shuffled(Dataset data, int batchSize, PixelScale scale, Shift shift, long seed) {
        return new Batches(data, batchSize, scale, shift, true, seed);
    }

    /** Every image once in the order of the set; the last batch may be short. */
    public static Batches inOrder(Dataset data, int batchSize, PixelScale scale) {
        return new Batches(data, batchSize, scale, Shift.NONE, false, 0);
    }

    /** Number of batches in an epoch. */
    public int perEpoch() {
        return shuffled ? data.size() / batchSize : Math.ceilDiv(data.size(), batchSize);
    }

    public int batchSize() {
        return batchSize;
    }

    public Dataset data() {
        return data;
    }

    /** The current epoch, from 0. */
    public int epoch() {
        return epoch;
    }

    /** Index in the epoch of the batch that {@link #next} will give. */
    public int batch() {
        return batch;
    }

    /** Index in the data set of row {@code row} of the batch that {@link #next} gave last. */
    public int index(int row) {
        return order[(batch - 1) * batchSize + row];
    }

    /** Goes to batch {@code newBatch} of epoch {@code newEpoch}, both from 0. */
    public void seek(int newEpoch, int newBatch) {
        if (newEpoch < 0 || newBatch < 0 || newBatch > perEpoch()) {
            throw new IllegalArgumentException(
                    "no batch " + newBatch + " in epoch " + newEpoch + " of " + perEpoch() + " batches");
        }
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        if (shuffled) {
            SplitMix64.of(seed, SHUFFLE, newEpoch).shuffle(order);
        }
        augmentation = SplitMix64.of(seed, AUGMENT, newEpoch).nextLong();
        epoch = newEpoch;
        batch = newBatch;
    }

    /**
     * Writes the next batch of the epoch.
     *
     * @param images {@code [batchSize, channels, height, width]}, or another shape of that count; rows that a short last
     *         batch leaves over are filled with zeros
     * @param labels at least {@code batchSize} 32-bit integers; left over ones are set to 0
     * @return number of images written; 0 when the epoch is over, then {@link #seek} the next
     */
    public int next(FloatTensor images, MemorySegment labels) {
        int imageBytes = data.imageBytes();
        MemorySegment target = images.segment();
        if (images.count() != (long) batchSize * imageBytes || labels.byteSize() < (long) batchSize * Integer.BYTES) {
            throw new IllegalArgumentException(
                    "batches of " + batchSize + " x " + imageBytes + " do not fit into " + images
                            + " and " + labels.byteSize() + " bytes of labels");
        }
        if (batch == perEpoch()) {
            return 0;
        }
        int first = batch * batchSize;
        int count = Math.min(batchSize, order.length - first);
        for (int i = 0; i < count; i++) {
            int index = order[first + i];
            load(index);
            if (!shift.none()) {
                shiftInto(index);
            }
            MemorySegment.copy(image, 0, target, ValueLayout.JAVA_FLOAT, (long) i * imageBytes * Float.BYTES,
                    imageBytes);
            labels.setAtIndex(ValueLayout.JAVA_INT, i, data.label(index));
        }
        if (count < batchSize) {
            target.asSlice((long) count * imageBytes * Float.BYTES).fill((byte) 0);
            for (int i = count; i < batchSize; i++) {
                labels.setAtIndex(ValueLayout.JAVA_INT, i, 0);
            }
        }
        batch++;
        return count;
    }

    private void load(int index) {
        byte[] pixels = data.pixels();
        int from = data.pixelsAt(index);
        for (int p = 0; p < source.length; p++) {
            source[p] = values[pixels[from + p] & 0xff];
        }
    }

    /** Writes the loaded image, moved by a shift of its own. */
    private void shiftInto(int index) {
        random.restart(augmentation, index);
        float down = shift.draw(random);
        float right = shift.draw(random);
        int rows = (int) Math.floor(down);
        int columns = (int) Math.floor(right);
        float below = down - rows;
        float beside = right - columns;
        if (below == 0 && beside == 0) {
            move(rows, columns);
        } else {
            interpolate(rows, columns, below, beside);
        }
    }

    /** Moves the loaded image by whole pixels. */
    private void move(int down, int right) {
        int height = data.height();
        int width = data.width();
        int kept = width - Math.abs(right);
        Arrays.fill(image, values[0]);
        if (kept <= 0) {
            return;
        }
        for (int channel = 0; channel < data.channels(); channel++) {
            int plane = channel * height * width;
            for (int y = Math.max(0, down); y < Math.min(height, height + down); y++) {
                System.arraycopy(source, plane + (y - down) * width + Math.max(0, -right), image,
                        plane + y * width + Math.max(0, right), kept);
            }
        }
    }

    /** Moves it by whole pixels and the fractions {@code below} and {@code beside}, by bilinear interpolation. */
    private void interpolate(int rows, int columns, float below, float beside) {
        int height = data.height();
        int width = data.width();
        int p = 0;
        for (int channel = 0; channel < data.channels(); channel++) {
            int plane = channel * height * width;
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    float near = (1 - beside) * at(plane, y - rows, x - columns)
                            + beside * at(plane, y - rows, x - columns - 1);
                    float far = (1 - beside) * at(plane, y - rows - 1, x - columns)
                            + beside * at(plane, y - rows - 1, x - columns - 1);
                    image[p++] = (1 - below) * near + below * far;
                }
            }
        }
    }

    private float at(int plane, int y, int x) {
        boolean outside = y < 0 || x < 0 || y >= data.height() || x >= data.width();
        return outside ? values[0] : source[plane + y * data.width() + x];
    }
}
