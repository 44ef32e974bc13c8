package io.pare.data;

import io.pare.mem.FloatTensor;
import io.pare.net.InputScale;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Serves a data set batch by batch, epoch by epoch.
 *
 * <p>The order of an epoch depends on seed and epoch number alone, and an augmented image on these and its index; so the
 * position {@code (epoch, batch)} is the whole state, and a resumed run that seeks it gets the same bits as one that was
 * never stopped. If the set asks for {@linkplain Dataset#loaders() loading threads}, these fill a ring of three batches
 * in advance, to the same bits; {@link #close} ends them and frees the ring. They may be an executor's. {@link #next}
 * allocates nothing on the heap where images are in memory, and where they are decoded no more than the decoder does.
 *
 * <p>Images that turn out to be unreadable and may be skipped are left out {@linkplain #inOrder in order}; in random
 * order the image that follows in the set stands in. Not thread-safe.
 */
public final class Batches implements AutoCloseable {
    /** Batches that loading threads keep in memory, each of them whole. */
    public static final int AHEAD = Prefetch.DEPTH;

    private static final long SHUFFLE = 0x73687566L;
    private static final long AUGMENT = 0x61756767L;

    private final Dataset data;
    private final int batchSize;
    private final boolean shuffled;
    private final long seed;
    /** Number of ways in which an image is varied, epoch by epoch in turn; 0 for a new one in each epoch. */
    private final int copies;
    private final Turn turn;
    private final int[] order;
    private final int[] indices;
    private final Loader loader;
    private final Prefetch prefetch;
    private boolean filling;
    private long augmentation;
    private int epoch;
    private int batch;
    private int given;

    /**
     * Which batches of an epoch are served, where several processes share it.
     *
     * @param first number of the first one, from 0
     * @param run how many follow each other
     * @param every batches after which it is this one's turn again
     */
    public record Turn(int first, int run, int every) {
        /** All of them. */
        public static final Turn ALL = new Turn(0, 1, 1);

        /**
         * Refuses turns that overlap.
         *
         * @throws IllegalArgumentException if a turn does not lie inside its round
         */
        public Turn {
            if (first < 0 || run < 1 || first + run > every) {
                throw new IllegalArgumentException("batches " + first + " to " + (first + run) + " of each " + every);
            }
        }

        private int inEpoch(int own) {
            return own / run * every + first + own % run;
        }

        private int of(int all) {
            return all / every * run + Math.clamp(all % every - first, 0, run);
        }
    }

    private Batches(Dataset data, int batchSize, InputScale scale, Augmentation augmentation, boolean shuffled,
            long seed, int copies, Turn turn) {
        if (batchSize < 1) {
            throw new IllegalArgumentException("batch size must be at least 1, is " + batchSize);
        }
        if (shuffled && batchSize > data.size()) {
            throw new IllegalArgumentException("batch size " + batchSize + " is more than the " + data.size()
                    + " images of " + data.name() + ": use a smaller one");
        }
        this.data = data;
        this.batchSize = batchSize;
        this.shuffled = shuffled;
        this.seed = seed;
        this.copies = copies;
        this.turn = turn;
        this.order = new int[data.size()];
        this.indices = new int[batchSize];
        boolean ahead = data.loaders() > 0;
        this.loader = ahead ? null : new Loader(data, scale, augmentation);
        this.prefetch = ahead
                ? new Prefetch(data.executor(), data.loaders(), batchSize, (long) data.imageBytes() * Float.BYTES,
                        () -> new Loader(data, scale, augmentation))
                : null;
        go(0, 0);
    }

    /**
     * Full batches only, in a new random order each epoch: up to {@code batchSize - 1} images sit out an epoch.
     *
     * @param data the images
     * @param batchSize rows of a batch, at least 1
     * @param scale how pixels become inputs
     * @param augmentation what is done to each image
     * @param seed of order and augmentation
     * @return the batches, which the caller closes
     */
    public static Batches shuffled(Dataset data, int batchSize, InputScale scale, Augmentation augmentation,
            long seed) {
        return shuffled(data, batchSize, scale, augmentation, seed, 0);
    }

    /**
     * As {@link #shuffled(Dataset, int, InputScale, Augmentation, long)}, of images that are varied in so many ways only.
     *
     * @param data the images
     * @param batchSize rows of a batch, at least 1
     * @param scale how pixels become inputs
     * @param augmentation what is done to each image
     * @param seed of order and augmentation
     * @param copies of an image: in an epoch it is varied as in the one so many epochs before; 0 for a new way in each
     * @return the batches, which the caller closes
     */
    public static Batches shuffled(Dataset data, int batchSize, InputScale scale, Augmentation augmentation,
            long seed, int copies) {
        return shuffled(data, batchSize, scale, augmentation, seed, copies, Turn.ALL);
    }

    /**
     * As {@link #shuffled(Dataset, int, InputScale, Augmentation, long, int)}, only some of the batches.
     *
     * @param data the images
     * @param batchSize rows of a batch, at least 1
     * @param scale how pixels become inputs
     * @param augmentation what is done to each image
     * @param seed of order and augmentation
     * @param copies of an image, as there
     * @param turn which batches; they are numbered from 0 as if there were no others
     * @return the batches, which the caller closes
     */
    public static Batches shuffled(Dataset data, int batchSize, InputScale scale, Augmentation augmentation,
            long seed, int copies, Turn turn) {
        return new Batches(data, batchSize, scale, augmentation, true, seed, copies, turn);
    }

    /**
     * Every image once in the order of the set, as it is; the last batch may be short.
     *
     * @param data the images
     * @param batchSize rows of a batch, at least 1
     * @param scale how pixels become inputs
     * @return the batches, which the caller closes
     */
    public static Batches inOrder(Dataset data, int batchSize, InputScale scale) {
        return inOrder(data, batchSize, scale, Augmentation.NONE, 0);
    }

    /**
     * Every image once in the order of the set, varied as in {@link #shuffled} batches of that seed and epoch; the last
     * batch may be short.
     *
     * @param data the images
     * @param batchSize rows of a batch, at least 1
     * @param scale how pixels become inputs
     * @param augmentation what is done to each image
     * @param seed of the augmentation
     * @return the batches, which the caller closes
     */
    public static Batches inOrder(Dataset data, int batchSize, InputScale scale, Augmentation augmentation,
            long seed) {
        return new Batches(data, batchSize, scale, augmentation, false, seed, 0, Turn.ALL);
    }

    /**
     * As {@link #inOrder(Dataset, int, InputScale)}, only some of the batches.
     *
     * @param data the images
     * @param batchSize rows of a batch, at least 1
     * @param scale how pixels become inputs
     * @param turn which batches; they are numbered from 0 as if there were no others
     * @return the batches, which the caller closes
     */
    public static Batches inOrder(Dataset data, int batchSize, InputScale scale, Turn turn) {
        return new Batches(data, batchSize, scale, Augmentation.NONE, false, 0, 0, turn);
    }

    /** {@return the number of batches in an epoch; shuffled ones are whole, and equally many in each turn} */
    public int perEpoch() {
        return shuffled
                ? turn.of(data.size() / batchSize / turn.every() * turn.every())
                : turn.of(Math.ceilDiv(data.size(), batchSize));
    }

    /** {@return the rows of a batch} */
    public int batchSize() {
        return batchSize;
    }

    /** {@return the data set} */
    public Dataset data() {
        return data;
    }

    /** {@return the current epoch, from 0} */
    public int epoch() {
        return epoch;
    }

    /** {@return the index in the epoch of the batch that {@link #next} will give} */
    public int batch() {
        return batch;
    }

    /**
     * {@return the index in the data set of row {@code row} of the batch that {@link #next} gave last}
     *
     * @param row from 0 to the number of images that were written
     */
    public int index(int row) {
        return indices[row];
    }

    /**
     * Goes to batch {@code newBatch} of epoch {@code newEpoch}, both from 0; loading threads begin there at once.
     *
     * @param newEpoch from 0
     * @param newBatch from 0
     */
    public void seek(int newEpoch, int newBatch) {
        if (newEpoch < 0 || newBatch < 0 || newBatch > perEpoch()) {
            throw new IllegalArgumentException(
                    "no batch " + newBatch + " in epoch " + newEpoch + " of " + perEpoch() + " batches");
        }
        if (prefetch != null) {
            prefetch.stop();
        }
        go(newEpoch, newBatch);
        if (prefetch != null) {
            fillAhead();
        }
    }

    private void go(int newEpoch, int newBatch) {
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        if (shuffled) {
            SplitMix64.of(seed, SHUFFLE, newEpoch).shuffle(order);
        }
        augmentation = SplitMix64.of(seed, AUGMENT, copies == 0 ? newEpoch : newEpoch % copies).nextLong();
        epoch = newEpoch;
        batch = newBatch;
    }

    private void fillAhead() {
        filling = true;
        int all = perEpoch();
        prefetch.start(batch, all, all == 0 ? 0 : (all - 1) * batchSize + rows(all - 1), this::fill);
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
        MemorySegment target = images.segment();
        if (images.count() != (long) batchSize * data.imageBytes()
                || labels.byteSize() < (long) batchSize * Integer.BYTES) {
            throw new IllegalArgumentException(
                    "batches of " + batchSize + " x " + data.imageBytes() + " do not fit into " + images
                            + " and " + labels.byteSize() + " bytes of labels");
        }
        int count = 0;
        while (count == 0 && batch < perEpoch()) {
            int rows = rows(batch);
            count = prefetch == null ? read(rows, target) : take(rows, target);
            batch++;
        }
        given = count;
        if (count == 0) {
            return 0;
        }
        for (int i = 0; i < count; i++) {
            labels.setAtIndex(ValueLayout.JAVA_INT, i, data.label(indices[i]));
        }
        if (count < batchSize) {
            target.asSlice(count * bytes()).fill((byte) 0);
            for (int i = count; i < batchSize; i++) {
                labels.setAtIndex(ValueLayout.JAVA_INT, i, 0);
            }
        }
        return count;
    }

    /**
     * Writes what a network is to give for each sample of the batch that {@link #next} gave last.
     *
     * @param targets {@code [batchSize, outputs]}; rows that a short last batch leaves over are filled with zeros
     */
    public void targets(FloatTensor targets) {
        int outputs = data.classes();
        for (int row = 0; row < batchSize; row++) {
            for (int i = 0; i < outputs; i++) {
                targets.set((long) row * outputs + i, row < given ? data.target(indices[row], i) : 0f);
            }
        }
    }

    private int rows(int ownBatch) {
        return Math.min(batchSize, order.length - turn.inEpoch(ownBatch) * batchSize);
    }

    private long bytes() {
        return (long) data.imageBytes() * Float.BYTES;
    }

    /** Reads a batch here and now. */
    private int read(int rows, MemorySegment target) {
        int count = 0;
        for (int i = 0; i < rows; i++) {
            int index = fill(loader, batch * batchSize + i, target, count * bytes());
            if (index >= 0) {
                indices[count++] = index;
            }
        }
        return count;
    }

    /** Takes a batch that the loading threads have read. */
    private int take(int rows, MemorySegment target) {
        if (!filling) {
            fillAhead();
        }
        Prefetch.Slot slot = prefetch.take();
        int count = 0;
        int from = 0;
        while (from < rows) {
            int to = from;
            while (to < rows && slot.indices[to] >= 0) {
                indices[count + to - from] = slot.indices[to];
                to++;
            }
            MemorySegment.copy(slot.images, from * bytes(), target, count * bytes(), (to - from) * bytes());
            count += to - from;
            from = to + 1;
        }
        prefetch.release();
        return count;
    }

    /** The image at {@code position} of the epoch's order; in random order, if it cannot be read, one that can. */
    private int fill(Loader own, int position, MemorySegment target, long offset) {
        int index = order[turn.inEpoch(position / batchSize) * batchSize + position % batchSize];
        for (int tried = 0; tried < (shuffled ? order.length : 1); tried++) {
            if (own.load(index, augmentation, target, offset)) {
                return index;
            }
            index = (index + 1) % order.length;
        }
        if (shuffled) {
            throw new DataException(data.name() + " has no image that can be read");
        }
        return -1;
    }

    /** Ends the loading threads, if there are any. */
    @Override
    public void close() {
        if (prefetch == null) {
            loader.close();
        } else {
            prefetch.close();
        }
    }
}
