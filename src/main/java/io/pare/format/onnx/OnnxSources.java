package io.pare.format.onnx;

import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/** Operators that give constants: of attributes, of shapes, of ranges. */
final class OnnxSources {
    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        Map<String, OnnxOperator.Single> table = new HashMap<>();
        table.put("Constant", OnnxSources::constant);
        table.put("ConstantOfShape", OnnxSources::constantOfShape);
        table.put("Range", OnnxSources::range);
        table.put("NonZero", OnnxSources::nonZero);
        return OnnxOperator.all(table);
    }

    private OnnxSources() {}

    private static OnnxValue constant(OnnxCall in) {
        return OnnxValue.of(given(in));
    }

    private static OnnxConstant given(OnnxCall in) {
        OnnxNode node = in.node();
        if (node.has("value")) {
            return in.tensors().read(node.tensor("value"));
        }
        if (node.has("sparse_value")) {
            return in.tensors().readSparse(node.tensor("sparse_value"), in.memory());
        }
        if (node.has("value_float")) {
            return OnnxConstant.of(new float[]{node.decimal("value_float", 0)});
        }
        if (node.has("value_floats")) {
            float[] values = node.decimals("value_floats");
            return OnnxConstant.of(values, values.length);
        }
        if (node.has("value_int")) {
            return OnnxConstant.of(node.integer("value_int", 0)).reshaped();
        }
        if (node.has("value_ints")) {
            return OnnxConstant.of(node.integers("value_ints"));
        }
        throw node.refuse("holds no numbers");
    }

    private static OnnxValue constantOfShape(OnnxCall in) {
        long[] sizes = in.integers(0, "shape");
        OnnxConstant value = in.node().has("value") ? in.tensors().read(in.node().tensor("value"))
                : OnnxConstant.of(new float[1], 1);
        if (sizes == null || value.count() != 1) {
            throw in.refuse("does not say one value and a shape");
        }
        int count = OnnxConstant.count(in.node().toString(), sizes);
        in.memory().make((long) count * value.type().width());
        return OnnxValue.of(value.repeated(count, sizes));
    }

    private static OnnxValue range(OnnxCall in) {
        OnnxConstant start = in.constant(0);
        OnnxConstant limit = in.constant(1);
        OnnxConstant delta = in.constant(2);
        if (start.count() != 1 || limit.count() != 1 || delta.count() != 1 || delta.wide(0) == 0) {
            throw in.refuse("does not say a start, a limit and a step");
        }
        double steps = Math.ceil((limit.wide(0) - start.wide(0)) / delta.wide(0));
        if (!(steps <= Integer.MAX_VALUE / Long.BYTES)) {
            throw in.refuse("gives " + steps + " numbers");
        }
        int count = (int) Math.max(0, steps);
        in.memory().make((long) count * start.type().width());
        return OnnxValue.of(start.type().isFloating()
                ? OnnxConstant.decimals(start.type(), i -> start.wide(0) + i * delta.wide(0), count)
                : OnnxConstant.integers(start.type(), i -> start.integer(0) + i * delta.integer(0), count));
    }

    private static OnnxValue nonZero(OnnxCall in) {
        OnnxConstant x = in.constant(0);
        int[] places = IntStream.range(0, x.count()).filter(i -> x.wide(i) != 0).toArray();
        long[] shape = x.shape();
        in.memory().take((long) places.length * shape.length * Long.BYTES);
        return OnnxValue.of(OnnxConstant.integers(OnnxConstant.Type.INT64, i -> {
            long rest = places[i % places.length];
            int axis = i / places.length;
            for (int behind = shape.length - 1; behind > axis; behind--) {
                rest /= shape[behind];
            }
            return rest % shape[axis];
        }, shape.length, places.length));
    }
}
