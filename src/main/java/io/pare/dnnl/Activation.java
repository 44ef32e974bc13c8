package io.pare.dnnl;

import io.pare.ffm.dnnl.dnnl_h;

/**
 * A function of each value by itself: a primitive of its own, or the end of another one.
 *
 * @param alpha first number of the function, where it has any
 * @param beta second number of the function
 */
public record Activation(Kind kind, float alpha, float beta) {
    /** max(0, x). */
    public static final Activation RELU = of(Kind.RELU);

    /** Functions. */
    public enum Kind {
        /** max(0, x), whose gradient needs its value only. */
        RELU(dnnl_h.dnnl_eltwise_relu(), dnnl_h.dnnl_eltwise_relu_use_dst_for_bwd()),
        /** x above zero, alpha x below. */
        LEAKY_RELU(dnnl_h.dnnl_eltwise_relu()),
        /** x, at least alpha, at most beta. */
        CLIP(dnnl_h.dnnl_eltwise_clip_v2()),
        /** alpha x + beta, from 0 to 1. */
        HARD_SIGMOID(dnnl_h.dnnl_eltwise_hardsigmoid()),
        /** x times {@link #HARD_SIGMOID}. */
        HARD_SWISH(dnnl_h.dnnl_eltwise_hardswish()),
        /** x above zero, alpha (e^x - 1) below. */
        ELU(dnnl_h.dnnl_eltwise_elu()),
        /** x / (1 + e^(-alpha x)). */
        SWISH(dnnl_h.dnnl_eltwise_swish()), MISH(dnnl_h.dnnl_eltwise_mish()), TANH(dnnl_h.dnnl_eltwise_tanh()),
        /** 1 / (1 + e^-x). */
        LOGISTIC(dnnl_h.dnnl_eltwise_logistic()), GELU(dnnl_h.dnnl_eltwise_gelu_erf()),
        GELU_TANH(dnnl_h.dnnl_eltwise_gelu_tanh());

        private final int fused;
        private final int alone;

        Kind(int algorithm) {
            this(algorithm, algorithm);
        }

        Kind(int fused, int alone) {
            this.fused = fused;
            this.alone = alone;
        }

        /** The algorithm behind another operation. */
        int fused() {
            return fused;
        }

        /** The algorithm of a primitive of its own. */
        int alone() {
            return alone;
        }
    }

    /** A function without numbers. */
    public static Activation of(Kind kind) {
        return new Activation(kind, 0, 0);
    }
}
