package io.pare.format.onnx;

import java.util.List;

/** What an operator of ONNX is in a network, or of constants. */
@FunctionalInterface
interface OnnxOperator {
    /** The values that it gives, in ONNX's order; those at the end may be left out. */
    List<OnnxValue> of(OnnxCall in);

    /** One with a single value. */
    @FunctionalInterface
    interface Single {
        OnnxValue of(OnnxCall in);
    }

    /** As an operator of one value. */
    static OnnxOperator single(Single operator) {
        return in -> List.of(operator.of(in));
    }
}
