package io.pare.exec;

/**
 * What a {@link Node} computes from its inputs. The rules, forward and gradient, are in {@link Rules}, not here.
 *
 * <p>Images are NCHW, filters OIHW, matrices {@code [rows, columns]}.
 */
public sealed interface Op {
    /** Values that the caller writes before each pass: {@code [n, ...]}. No gradient. */
    record Input(String name) implements Op {}

    /** A trainable tensor, bound by name when a tape is compiled. */
    record Parameter(String name) implements Op {}

    /** A tensor that the operation itself reads and in training changes, bound by name likewise. No gradient. */
    record State(String name) implements Op {}

    /**
     * Cross-correlation; inputs x {@code [n, ic, h, w]}, weight {@code [oc, ic / groups, kh, kw]} and, if it has one,
     * bias {@code [oc]}.
     */
    record Conv2d(int stride, int padding, int dilation, int groups) implements Op {}

    /** x W^T + b; inputs x {@code [n, in]}, weight {@code [out, in]}, bias {@code [out]}. */
    record Linear() implements Op {}

    /** Maximum over windows; of equal values the first in row-major order gets the gradient. Padding never wins. */
    record MaxPool(int kernel, int stride, int padding) implements Op {}

    /** Mean over windows, padding counted as zeros. */
    record AvgPool(int kernel, int stride, int padding) implements Op {}

    /** Mean over each channel's plane: {@code [n, c, 1, 1]}. */
    record GlobalAvgPool() implements Op {}

    /**
     * {@code scale (x - mean) / sqrt(variance + epsilon) + shift} for each channel; inputs x {@code [n, c, h, w]}, scale
     * and shift {@code [c]}, and as states the running mean and variance {@code [c]}.
     *
     * <p>Training takes mean and variance of the batch, and moves the states towards them by {@value #MOMENTUM}, as
     * PyTorch does, the variance with Bessel's correction; inference takes the states.
     */
    record BatchNorm(float epsilon) implements Op {
        /** Share of a batch's statistics in the running ones. */
        public static final float MOMENTUM = 0.1f;
    }

    /** {@code x / (k + alpha / size * sum of squares of size neighbouring channels) ^ beta}. */
    record ResponseNorm(int size, float alpha, float beta, float k) implements Op {}

    /** Every {@code stride}-th pixel both ways; new channels, half before and half behind, are zero. */
    record Subsample(int stride) implements Op {}

    /** max(x, 0). */
    record Relu() implements Op {}

    /** In training zeroes each value with probability {@code rate} and scales the rest by 1 / (1 - rate). */
    record Dropout(float rate) implements Op {}

    /** The same values, each sample's in another shape: an image as a vector, a vector as an image of one pixel. */
    record Reshape() implements Op {}

    /** Sum of two tensors of the same shape. */
    record Add() implements Op {}

    /**
     * Mean over the batch of the cross-entropy between softmax(logits) and labels; input logits {@code [n, classes]}.
     */
    record SoftmaxCrossEntropy() implements Op {}

    /**
     * {@link SoftmaxCrossEntropy} mixed with knowledge distillation (Hinton, Vinyals, Dean 2015, equation 1 and
     * section 2): {@code (1 - share) CE(labels) + share T^2 CE(softmax(teacher / T), softmax(student / T))}. Inputs
     * the student's and the teacher's logits; the teacher gets no gradient.
     */
    record Distillation(float temperature, float share) implements Op {}
}
