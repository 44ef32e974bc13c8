package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import java.util.Map;
import java.util.stream.IntStream;

/** Integers of few bits that stand for floats, and back: computed as ONNX says, in floats. */
final class OnnxQuantization {
    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        return OnnxOperator.all(Map.of("QuantizeLinear", OnnxQuantization::quantize, "DequantizeLinear",
                OnnxQuantization::dequantize));
    }

    private OnnxQuantization() {}

    private static OnnxValue quantize(OnnxCall in) {
        in.node().any("saturate");
        OnnxValue x = in.value(0);
        OnnxValue zero = in.optional(2);
        Type type = zero != null ? zero.type()
                : in.node().has("output_dtype") ? type(in, in.node().integer("output_dtype", 0)) : Type.UINT8;
        in.node().any("output_dtype");
        OnnxValue steps = OnnxFunctions.map(in, OnnxFunctions.zip(in, Pairwise.DIVIDE, x, spread(in, in.value(1), x)),
                Pointwise.ROUND, 0, 0);
        OnnxValue moved = zero == null ? steps
                : OnnxFunctions.zip(in, Pairwise.ADD, steps, spread(in, OnnxFunctions.cast(in, zero, Type.FLOAT), x));
        float least = isSigned(in, type) ? -Math.scalb(1f, 8 * type.width() - 1) : 0;
        float most = least + Math.scalb(1f, 8 * type.width()) - 1;
        if (!x.isConstant()) {
            in.note("values are rounded where the file quantises them: training has no gradient through that");
        }
        OnnxValue clipped = OnnxFunctions.map(in, moved, Pointwise.CLIP, least, most);
        return clipped.isConstant() ? OnnxFunctions.cast(in, clipped, type) : clipped.as(type);
    }

    private static Type type(OnnxCall in, long code) {
        Type type = Type.of(code);
        if (type == null) {
            throw in.refuse("makes elements of ONNX's type " + code + ", which Pare does not read");
        }
        return type;
    }

    private static boolean isSigned(OnnxCall in, Type type) {
        return switch (type) {
            case INT8, INT16 -> true;
            case UINT8, UINT16 -> false;
            case FLOAT, FLOAT16, DOUBLE, BFLOAT16, INT32, INT64, UINT32, UINT64, BOOL ->
                    throw in.refuse("makes elements of type " + type + ", which ONNX does not know here");
        };
    }

    private static OnnxValue dequantize(OnnxCall in) {
        OnnxValue x = in.value(0);
        OnnxValue scale = in.value(1);
        OnnxValue zero = in.optional(2);
        if (x.isConstant()) {
            in.note("weights that the file keeps as integers are read as the floats for which they stand");
        }
        OnnxValue floats = OnnxFunctions.cast(in, x, Type.FLOAT);
        OnnxValue moved = zero == null ? floats : OnnxFunctions.zip(in, Pairwise.SUBTRACT, floats,
                spread(in, OnnxFunctions.cast(in, zero, Type.FLOAT), x));
        return OnnxFunctions.zip(in, Pairwise.MULTIPLY, moved, spread(in, scale, x));
    }

    /** One number, or one for each index of an axis, so that it meets a value. */
    private static OnnxValue spread(OnnxCall in, OnnxValue numbers, OnnxValue x) {
        in.node().only("block_size", 0);
        long given = in.node().integer("axis", 1);
        if (numbers.rank() == 0 || numbers.isNumber()) {
            return OnnxShapes.without(in, numbers, IntStream.range(0, numbers.rank()).toArray());
        }
        int axis = in.axis(x, given);
        if (numbers.rank() != 1 || numbers.size(0) != x.size(axis)) {
            throw in.refuse("has scales of shape " + numbers.sizes() + " for values of shape " + x.sizes());
        }
        return OnnxShapes.with(in, numbers, IntStream.range(1, x.rank() - axis).toArray());
    }
}
