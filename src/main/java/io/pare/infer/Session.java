package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.mem.Heap;
import io.pare.mem.OneThread;
import io.pare.mem.Region;
import io.pare.net.Ending;
import io.pare.net.Net;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.function.Supplier;

/**
 * The scratch memory of one running prediction. Makes no garbage, but for some views of it where a network has operators on
 * tensors of any rank.
 *
 * <p>Images and outputs lie in arrays, buffers or segments of the caller's, read-only ones too for images. They are read and
 * written where they are. An image goes from there straight into the memory of its first layer, in a block by way of one row.
 *
 * <p>Not thread-safe: one per thread, and a second one gets {@link IllegalStateException}; any number may share one
 * {@link CompressedModel}, whose closing they outlive without harm.
 *
 * <p>Inputs must be finite numbers: NaN and infinities are refused with {@link IllegalArgumentException}, which names the
 * first, for what came of them would be no prediction.
 */
public final class Session {
    private final SparseKernels kernels;
    private final Net model;
    private final Plan single;
    private final Plan block;
    private final int features;
    private final int classes;
    private final Ending ending;
    /** Whether there is memory for a block. */
    private final boolean blocks;
    private final OneThread oneThread;
    private final Supplier<PredictionListener> listening;
    /** What one image comes to. */
    private final float[] answer;
    private float[][] buffers = {};
    /** A piece of an image on its way into a block. */
    private float[] row = {};

    /** @param listening gives whoever is told of predictions; {@code null} for nobody */
    Session(SparseKernels kernels, Net model, Plan single, Plan block, Supplier<PredictionListener> listening) {
        this.listening = listening;
        this.kernels = kernels;
        this.model = model;
        this.single = single;
        this.block = block;
        this.features = model.input().features();
        this.classes = model.classes();
        this.answer = new float[classes];
        this.ending = Ending.of(model);
        this.blocks = Heap.holds(block.bufferBytes());
        this.oneThread = new OneThread("a session of " + model.name());
    }

    /**
     * The logits of one image.
     *
     * @param image {@code features} inputs in CHW order, no more
     * @param logits {@code classes} outputs, or more places
     * @throws IllegalArgumentException if the array has another size, or an input is no finite number
     */
    public void logits(float[] image, float[] logits) {
        checkOne(image);
        logits(image, 1, logits);
    }

    /**
     * The logits of {@code count} images. What lies in the arrays beyond them is left alone.
     *
     * @param images one after another, each in CHW order
     * @param count number of images
     * @param logits one row of {@code classes} values for each image
     * @throws IllegalArgumentException if an array is too short, or an input is no finite number
     */
    public void logits(float[] images, int count, float[] logits) {
        run(Floats.ARRAY, images, count, logits, false);
    }

    /**
     * As {@link #logits(float[], int, float[])}, from and to buffers: from their positions on, which stay.
     *
     * @param images CHW floats of one image after another, scaled as {@link CompressedModel#scale} says
     * @param count number of images
     * @param logits receives a row for each image
     */
    public void logits(FloatBuffer images, int count, FloatBuffer logits) {
        run(Floats.BUFFER, images, count, logits, false);
    }

    /**
     * As {@link #logits(FloatBuffer, int, FloatBuffer)}, of floats in the byte order that each buffer has.
     *
     * @param images CHW floats of one image after another, scaled as {@link CompressedModel#scale} says
     * @param count number of images
     * @param logits receives a row for each image
     */
    public void logits(ByteBuffer images, int count, ByteBuffer logits) {
        run(Floats.BYTES, images, count, logits, false);
    }

    /**
     * As {@link #logits(float[], int, float[])}, from and to segments on the heap or off it, at any address, of floats in
     * the machine's byte order. Confined ones must be of this thread.
     *
     * @param images CHW floats of one image after another, scaled as {@link CompressedModel#scale} says
     * @param count number of images
     * @param logits receives a row for each image
     */
    public void logits(MemorySegment images, int count, MemorySegment logits) {
        run(Floats.SEGMENT, images, count, logits, false);
    }

    /**
     * As {@link #logits(float[], float[])}, the class probabilities; a network that ends in them is taken at its word.
     *
     * @param image CHW floats, scaled as {@link CompressedModel#scale} says
     * @param probabilities receives a row for each image
     */
    public void predict(float[] image, float[] probabilities) {
        checkOne(image);
        predict(image, 1, probabilities);
    }

    /**
     * As {@link #logits(float[], int, float[])}, the class probabilities.
     *
     * @param images CHW floats of one image after another, scaled as {@link CompressedModel#scale} says
     * @param count number of images
     * @param probabilities receives a row for each image
     */
    public void predict(float[] images, int count, float[] probabilities) {
        run(Floats.ARRAY, images, count, probabilities, true);
    }

    /**
     * As {@link #logits(FloatBuffer, int, FloatBuffer)}, the class probabilities.
     *
     * @param images CHW floats of one image after another, scaled as {@link CompressedModel#scale} says
     * @param count number of images
     * @param probabilities receives a row for each image
     */
    public void predict(FloatBuffer images, int count, FloatBuffer probabilities) {
        run(Floats.BUFFER, images, count, probabilities, true);
    }

    /**
     * As {@link #logits(ByteBuffer, int, ByteBuffer)}, the class probabilities.
     *
     * @param images CHW floats of one image after another, scaled as {@link CompressedModel#scale} says
     * @param count number of images
     * @param probabilities receives a row for each image
     */
    public void predict(ByteBuffer images, int count, ByteBuffer probabilities) {
        run(Floats.BYTES, images, count, probabilities, true);
    }

    /**
     * As {@link #logits(MemorySegment, int, MemorySegment)}, the class probabilities.
     *
     * @param images CHW floats of one image after another, scaled as {@link CompressedModel#scale} says
     * @param count number of images
     * @param probabilities receives a row for each image
     */
    public void predict(MemorySegment images, int count, MemorySegment probabilities) {
        run(Floats.SEGMENT, images, count, probabilities, true);
    }

    /** Checks, predicts and tells the listener. */
    <T> void run(Floats<T> floats, T images, int count, T outputs, boolean probabilities) {
        check(floats, images, count, outputs, probabilities);
        long begin = System.nanoTime();
        part(floats, images, 0, count, outputs, probabilities);
        tell(count, begin);
    }

    <T> void check(Floats<T> floats, T images, int count, T outputs, boolean probabilities) {
        checkImages(floats, images, count);
        String what = probabilities ? "probabilities" : "logits";
        checkRange(what, floats, outputs, count, classes);
        if (floats.isReadOnly(outputs)) {
            throw new IllegalArgumentException("the " + floats.name() + " for " + what + " of " + model.name()
                    + " is read-only");
        }
    }

    void tell(int count, long begin) {
        PredictionListener listener = listening.get();
        if (listener != null) {
            listener.predicted(count, System.nanoTime() - begin, Region.liveBytes());
        }
    }

    /** Predicts images {@code from} to {@code to - 1} of what has been checked. */
    <T> void part(Floats<T> floats, T images, int from, int to, T outputs, boolean probabilities) {
        oneThread.enter();
        try {
            compute(floats, images, from, to, outputs, probabilities);
        } finally {
            oneThread.exit();
        }
    }

    /** Images {@code from} to {@code to - 1}, in blocks as far as that is quicker. */
    private <T> void compute(Floats<T> floats, T images, int from, int to, T outputs, boolean probabilities) {
        int done = from;
        // A block costs as much as some single samples, even if it is not full.
        while (blocks && to - done >= block.samples() / 2) {
            int samples = Math.min(block.samples(), to - done);
            block(floats, images, done, samples, outputs, probabilities);
            done += samples;
        }
        for (; done < to; done++) {
            single(floats, images, done, outputs, probabilities);
        }
    }

    private void checkOne(float[] image) {
        if (image.length > features) {
            throw new IllegalArgumentException("one image of " + model.name() + " takes " + features
                    + " floats, the array has " + image.length + ": say how many images it holds");
        }
    }

    <T> void checkImages(Floats<T> floats, T images, int count) {
        checkRange("images", floats, images, count, features);
    }

    private <T> void checkRange(String what, Floats<T> floats, T holder, int count, int each) {
        if (count < 0 || floats.count(holder) < (long) count * each) {
            throw new IllegalArgumentException(what + " for " + count + " samples of " + model.name() + " take "
                    + (long) count * each + " floats (" + each + " each), the " + floats.name() + " has "
                    + floats.count(holder));
        }
    }

    /**
     * Looks for one that is not finite only where the sum of the inputs in the first buffer is not: that is cheap.
     *
     * @param from number of the first image, for the message
     * @param n images that lie side by side
     */
    private void checkFinite(int from, int samples, int n) {
        float[] inputs = buffers[0];
        if (Float.isFinite(kernels.sum(inputs, 0, n * features))) {
            return;
        }
        for (int s = 0; s < samples; s++) {
            for (int j = 0; j < features; j++) {
                float input = inputs[j * n + s];
                if (!Float.isFinite(input)) {
                    throw new IllegalArgumentException("input " + j + " of image " + (from + s) + " for "
                            + model.name() + ", both counted from 0, is " + input + ": inputs must be finite numbers");
                }
            }
        }
    }

    private void grow(Plan plan) {
        if (buffers.length < plan.buffers() || buffers[0].length < plan.bufferFloats()) {
            buffers = new float[plan.buffers()][plan.bufferFloats()];
        }
    }

    private <T> void single(Floats<T> floats, T images, int index, T outputs, boolean probabilities) {
        grow(single);
        floats.read(images, (long) index * features, buffers[0], features);
        checkFinite(index, 1, 1);
        float[] result = single.run(kernels, buffers);
        for (int c = 0; c < classes; c++) {
            answer[c] = result[single.outputAt(c)];
        }
        give(floats, outputs, index, probabilities);
    }

    /**
     * Predicts one image, and tells how long each step of {@link CompressedModel#steps} took. Reading the clock is in it, some
     * 25 ns a step.
     *
     * @param image CHW floats, scaled as {@link CompressedModel#scale} says
     * @param nanoseconds receives a number for each step
     * @throws IllegalArgumentException if an array has another size, or an input is no finite number
     */
    public void time(float[] image, long[] nanoseconds) {
        checkOne(image);
        checkImages(Floats.ARRAY, image, 1);
        if (nanoseconds.length != single.owners().size()) {
            throw new IllegalArgumentException(model.name() + " has " + single.owners().size() + " steps, the array "
                    + nanoseconds.length);
        }
        oneThread.enter();
        try {
            grow(single);
            System.arraycopy(image, 0, buffers[0], 0, features);
            checkFinite(0, 1, 1);
            single.run(kernels, buffers, nanoseconds);
        } finally {
            oneThread.exit();
        }
    }

    private <T> void block(Floats<T> floats, T images, int from, int samples, T outputs, boolean probabilities) {
        grow(block);
        int n = block.samples();
        if (row.length == 0) {
            row = new float[SampleOrder.TILE];
        }
        float[] first = buffers[0];
        for (int begin = 0; begin < features; begin += SampleOrder.TILE) {
            int count = Math.min(features - begin, SampleOrder.TILE);
            for (int s = 0; s < n; s++) {
                // The places of a block that is not full repeat its last sample.
                long at = (long) (from + Math.min(s, samples - 1)) * features;
                floats.read(images, at + begin, row, count);
                for (int j = 0; j < count; j++) {
                    first[(begin + j) * n + s] = row[j];
                }
            }
        }
        checkFinite(from, samples, n);
        float[] result = block.run(kernels, buffers);
        for (int s = 0; s < samples; s++) {
            for (int c = 0; c < classes; c++) {
                answer[c] = result[block.outputAt(c) * n + s];
            }
            give(floats, outputs, from + s, probabilities);
        }
    }

    private <T> void give(Floats<T> floats, T outputs, int index, boolean probabilities) {
        if (probabilities) {
            makeProbabilities();
        }
        floats.write(outputs, (long) index * classes, answer, classes);
    }

    private void makeProbabilities() {
        switch (ending) {
            case NONE -> softmax(answer);
            case LOG_SOFTMAX -> {
                for (int i = 0; i < classes; i++) {
                    answer[i] = (float) Math.exp(answer[i]);
                }
            }
            case SOFTMAX, SIGMOID -> {
                // The network has done so itself.
            }
        }
    }

    private static void softmax(float[] values) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < values.length; i++) {
            max = Math.max(max, values[i]);
        }
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.exp(values[i] - max);
            sum += values[i];
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (values[i] / sum);
        }
    }
}
