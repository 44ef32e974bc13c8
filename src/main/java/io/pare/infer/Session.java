package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.mem.Heap;
import io.pare.mem.OneThread;
import io.pare.net.Ending;
import io.pare.net.Net;
import java.util.Objects;

/**
 * The scratch memory of one running prediction. Makes no garbage, but for some views of it where a network has operators on
 * tensors of any rank.
 *
 * <p>Not thread-safe: one per thread, and a second one gets {@link IllegalStateException}; any number may share one {@link CompressedModel}, whose closing they outlive without harm.
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
    private float[][] buffers = {};

    Session(SparseKernels kernels, Net model, Plan single, Plan block) {
        this.kernels = kernels;
        this.model = model;
        this.single = single;
        this.block = block;
        this.features = model.input().features();
        this.classes = model.classes();
        this.ending = Ending.of(model);
        this.blocks = Heap.holds(block.bufferBytes());
        this.oneThread = new OneThread("a session of " + model.name());
    }

    /**
     * The logits of one image.
     *
     * @param image {@code features} inputs in CHW order, no more
     * @param logits {@code classes} outputs, or more places
     */
    public void logits(float[] image, float[] logits) {
        if (image.length > features) {
            throw new IllegalArgumentException("one image of " + model.name() + " takes " + features
                    + " floats, the array has " + image.length + ": say how many images it holds");
        }
        logits(image, 1, logits);
    }

    /**
     * The logits of {@code count} images. What lies in the arrays beyond them is left alone.
     *
     * @param images one after another, each in CHW order
     * @param logits one row of {@code classes} values for each image
     */
    public void logits(float[] images, int count, float[] logits) {
        checkImages(images, count);
        checkRange("logits", logits, count, classes);
        oneThread.enter();
        try {
            run(images, count, logits);
        } finally {
            oneThread.exit();
        }
    }

    private void run(float[] images, int count, float[] logits) {
        int done = 0;
        // A block costs as much as some single samples, even if it is not full.
        while (blocks && count - done >= block.samples() / 2) {
            int samples = Math.min(block.samples(), count - done);
            block(images, done, samples, logits);
            done += samples;
        }
        for (; done < count; done++) {
            single(images, done, logits);
        }
    }

    void checkImages(float[] images, int count) {
        checkRange("images", images, count, features);
    }

    private void checkRange(String what, float[] array, int count, int each) {
        if (count < 0 || array.length < (long) count * each) {
            throw new IllegalArgumentException(what + " for " + count + " samples of " + model.name() + " take "
                    + (long) count * each + " floats (" + each + " each), the array has " + array.length);
        }
    }

    /** Looks for one that is not finite only where the sum of the inputs, taken from the buffer, is not: that is cheap. */
    private void checkFinite(float[] images, int from, int samples, int copied) {
        if (Float.isFinite(kernels.sum(buffers[0], 0, copied * features))) {
            return;
        }
        for (int i = from * features; i < (from + samples) * features; i++) {
            if (!Float.isFinite(images[i])) {
                throw new IllegalArgumentException("input " + i % features + " of image " + i / features + " for "
                        + model.name() + ", both counted from 0, is " + images[i] + ": inputs must be finite numbers");
            }
        }
    }

    private void grow(Plan plan) {
        if (buffers.length < plan.buffers() || buffers[0].length < plan.bufferFloats()) {
            buffers = new float[plan.buffers()][plan.bufferFloats()];
        }
    }

    private void single(float[] images, int index, float[] logits) {
        grow(single);
        System.arraycopy(images, index * features, buffers[0], 0, features);
        checkFinite(images, index, 1, 1);
        float[] result = single.run(kernels, buffers);
        for (int c = 0; c < classes; c++) {
            logits[index * classes + c] = result[single.outputAt(c)];
        }
    }

    private void block(float[] images, int from, int samples, float[] logits) {
        grow(block);
        int n = block.samples();
        float[] first = buffers[0];
        for (int s = 0; s < n; s++) {
            // The places of a block that is not full repeat its last sample.
            int at = (from + Math.min(s, samples - 1)) * features;
            for (int j = 0; j < features; j++) {
                first[j * n + s] = images[at + j];
            }
        }
        checkFinite(images, from, samples, n);
        float[] result = block.run(kernels, buffers);
        for (int s = 0; s < samples; s++) {
            for (int c = 0; c < classes; c++) {
                logits[(from + s) * classes + c] = result[block.outputAt(c) * n + s];
            }
        }
    }

    /** As {@link #logits(float[], float[])}, the class probabilities; a network that ends in them is taken at its word. */
    public void predict(float[] image, float[] probabilities) {
        logits(image, probabilities);
        makeProbabilities(probabilities, 1);
    }

    /** As {@link #logits(float[], int, float[])}, the class probabilities. */
    public void predict(float[] images, int count, float[] probabilities) {
        logits(images, count, probabilities);
        makeProbabilities(probabilities, count);
    }

    private void makeProbabilities(float[] outputs, int count) {
        switch (ending) {
            case NONE -> {
                for (int i = 0; i < count; i++) {
                    softmax(outputs, i * classes, classes);
                }
            }
            case LOG_SOFTMAX -> {
                for (int i = 0; i < count * classes; i++) {
                    outputs[i] = (float) Math.exp(outputs[i]);
                }
            }
            case SOFTMAX, SIGMOID -> {
                // The network has done so itself.
            }
        }
    }

    private static void softmax(float[] values, int at, int count) {
        Objects.checkFromIndexSize(at, count, values.length);
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            max = Math.max(max, values[at + i]);
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            values[at + i] = (float) Math.exp(values[at + i] - max);
            sum += values[at + i];
        }
        for (int i = 0; i < count; i++) {
            values[at + i] = (float) (values[at + i] / sum);
        }
    }
}
