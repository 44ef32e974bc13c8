package io.pare.format.onnx;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

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

    /** A table of operators of one value, by their names. */
    static Map<String, OnnxOperator> all(Map<String, Single> operators) {
        Map<String, OnnxOperator> table = new HashMap<>();
        operators.forEach((name, operator) -> table.put(name, in -> List.of(operator.of(in))));
        return table;
    }
}
