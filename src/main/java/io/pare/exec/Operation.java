package io.pare.exec;

import io.pare.net.Op;

/**
 * What computes a {@link Value}: an operator of a network, or an operation of training only. The steps of the backends know
 * how, forward and backward.
 *
 * <p>Images are NCHW, filters OIHW, matrices {@code [rows, columns]}.
 */
public sealed interface Operation {
    /**
     * Values that the caller writes before each pass: {@code [n, ...]}. No gradient.
     *
     * @param name that {@link Tape#input} takes
     */
    record Input(String name) implements Operation {}

    /**
     * A trainable tensor, bound by name when a tape is compiled.
     *
     * @param name that a {@link Binding} knows
     */
    record Parameter(String name) implements Operation {}

    /**
     * A tensor that the operation itself reads, and some change in training, bound by name likewise. No gradient.
     *
     * @param name that a {@link Binding} knows
     */
    record State(String name) implements Operation {}

    /**
     * An operator of a network; inputs are those of its node, then its tensors.
     *
     * @param op the operator
     */
    record Apply(Op op) implements Operation {}

    /** The same values, each sample's in another shape: an image as a vector, a vector as an image of one pixel. */
    record Reshape() implements Operation {}

    /**
     * Mean over the batch of the cross-entropy between softmax(logits) and labels; input logits {@code [n, classes]}.
     */
    record SoftmaxCrossEntropy() implements Operation {}

    /**
     * {@link SoftmaxCrossEntropy} mixed with knowledge distillation (Hinton, Vinyals, Dean 2015, equation 1 and
     * section 2): {@code (1 - share) CE(labels) + share T^2 CE(softmax(teacher / T), softmax(student / T))}. Inputs
     * the student's and the teacher's logits; the teacher gets no gradient.
     *
     * @param temperature T, above 0
     * @param share of distillation in the loss, in [0, 1]
     */
    record Distillation(float temperature, float share) implements Operation {}

    /**
     * Mean over batch and labels of the cross-entropy between sigmoid(logits) and targets in [0, 1]; inputs both
     * {@code [n, labels]}. The targets get no gradient.
     */
    record BinaryCrossEntropy() implements Operation {
        /**
         * {@return what one label adds: {@code max(z, 0) - z t + log(1 + exp(-|z|))}, which overflows for no logit}
         *
         * @param logit z
         * @param target t, in [0, 1]
         */
        public static double of(double logit, double target) {
            return Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit)));
        }
    }

    /** Mean over batch and outputs of the squared difference of outputs and targets, both {@code [n, outputs]}; as before. */
    record SquaredError() implements Operation {}
}
