package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.mem.Heap;
import io.pare.model.Model;
import java.util.Objects;

/**
 * The scratch memory of one running prediction. Makes no garbage. Not thread-safe: one per thread; any number may share
 * one {@link CompressedModel}, whose closing they outlive without harm.
 */
public final class Session {
    private final SparseKernels kernels;
    private final Model model;
    private final Plan single;
    private final Plan block;
    private final int features;
    /** Whether there is memory for a block. */
    private final boolean blocks;
    private float[][] buffers = {};

    Session(SparseKernels kernels, Model model, Plan single, Plan block) {
        this.kernels = kernels;
        this.model = model;
        this.single = single;
        this.block = block;
        this.features = model.input().features();
        this.blocks = Heap.holds(block.bufferBytes());
    }

    /** The logits of one image: {@code features} inputs in CHW order, {@code classes} outputs. */
    public void logits(float[] image, float[] logits) {
        logits(image, 1, logits);
    }

    /**
     * The logits of {@code count} images.
     *
     * @param images one after another, each in CHW order
     * @param logits one row of {@code classes} values for each image
     */
    public void logits(float[] images, int count, float[] logits) {
        checkRange("images", images, count, features);
        checkRange("logits", logits, count, model.classes());
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

    private void checkRange(String what, float[] array, int count, int each) {
        if (count < 0 || array.length < (long) count * each) {
            throw new IllegalArgumentException(what + " for " + count + " samples of " + model.name() + " take "
                    + (long) count * each + " floats (" + each + " each), the array has " + array.length);
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
        float[] result = single.run(kernels, buffers);
        for (int c = 0; c < model.classes(); c++) {
            logits[index * model.classes() + c] = result[single.outputAt(c)];
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
        float[] result = block.run(kernels, buffers);
        for (int s = 0; s < samples; s++) {
            for (int c = 0; c < model.classes(); c++) {
                logits[(from + s) * model.classes() + c] = result[block.outputAt(c) * n + s];
            }
        }
    }

    /** The class probabilities of one image, into an array of {@code classes} values. */
    public void predict(float[] image, float[] probabilities) {
        predict(image, 1, probabilities);
    }

    /** The class probabilities of {@code count} images, one row of {@code classes} values for each. */
    public void predict(float[] images, int count, float[] probabilities) {
        logits(images, count, probabilities);
        for (int i = 0; i < count; i++) {
            softmax(probabilities, i * model.classes(), model.classes());
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
