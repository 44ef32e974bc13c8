package io.pare.exec.onednn;

import io.pare.dnnl.Activation;
import io.pare.dnnl.Activation.Kind;
import io.pare.exec.Operation;
import io.pare.exec.Value;
import io.pare.net.Op;
import io.pare.net.Pointwise;
import io.pare.net.TensorOp;

/** Which operations oneDNN computes value by value. */
final class Activations {
    private Activations() {}

    /** The function of a node; {@code null} if it is none. */
    static Activation of(Value node) {
        return switch (node.op()) {
            case Operation.Apply(Op.Relu _) -> Activation.RELU;
            case Operation.Apply(Op.Sigmoid _) -> Activation.of(Kind.LOGISTIC);
            case Operation.Apply(TensorOp.Map(Pointwise function, float a, float b)) -> of(function, a, b);
            // Everything else is more than a function of each value.
            default -> null;
        };
    }

    private static Activation of(Pointwise function, float a, float b) {
        return switch (function) {
            case LEAKY_RELU -> new Activation(Kind.LEAKY_RELU, a, 0);
            case CLIP -> new Activation(Kind.CLIP, a, b);
            case HARD_SIGMOID -> new Activation(Kind.HARD_SIGMOID, a, b);
            case HARD_SWISH -> new Activation(Kind.HARD_SWISH, a, b);
            case ELU -> new Activation(Kind.ELU, a, 0);
            case SWISH -> new Activation(Kind.SWISH, 1, 0);
            case MISH -> Activation.of(Kind.MISH);
            case TANH -> Activation.of(Kind.TANH);
            case GELU -> Activation.of(Kind.GELU);
            case GELU_TANH -> Activation.of(Kind.GELU_TANH);
            case SELU, CELU, SOFTPLUS, SOFTSIGN, ERF, EXP, LOG, SQRT, RECIPROCAL, ABS, LINEAR, POWER, SIN, COS, FLOOR,
                    CEIL, ROUND,
                    TRUNCATE, SIGN, NOT -> null;
        };
    }
}
