package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.onnx.OnnxGraph.Node;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of a file that depend on its tensors alone: weights, and what reshapes, casts and transposes make of them.
 */
final class OnnxConstants {
    /** Operators that constants may pass through before they are weights. */
    static final List<String> OPERATORS =
            List.of("Constant", "ConstantOfShape", "Cast", "Gather", "Identity", "Reshape",
                    "Transpose");

    private final OnnxGraph graph;
    private final Memory memory = new Memory();
    private final Map<String, OnnxConstant> constants = new HashMap<>();

    OnnxConstants(OnnxGraph graph) {
        this.graph = graph;
    }

    /** What a file may ask for beside its own bytes, so that a small one cannot exhaust the memory. */
    private static final class Memory implements OnnxGraph.Budget {
        private long left = Math.min(Runtime.getRuntime().maxMemory() / 2, Integer.MAX_VALUE);

        @Override
        public void take(long bytes) {
            left -= bytes;
            if (left < 0) {
                throw new FormatException("the network needs more memory than there is: the file is damaged, or Java"
                        + " needs more (-Xmx)");
            }
        }
    }

    /** What is still there of the memory that a file may ask for. */
    OnnxGraph.Budget memory() {
        return memory;
    }

    /** Computes an operator all of whose inputs are constants. */
    void add(Node node) {
        constants.put(node.output(), fold(node));
    }

    boolean isConstant(String name) {
        return constants.containsKey(name) || graph.holds(name);
    }

    /** The constant that an operator takes, or null if that input is not given. */
    OnnxConstant optional(Node node, int index) {
        String name = node.input(index);
        if (name == null) {
            return null;
        }
        if (!isConstant(name)) {
            throw node.refuse("takes the computed value '" + name + "' as input " + index
                    + ", where Pare needs a constant");
        }
        return constants.computeIfAbsent(name, _ -> graph.tensor(name, memory));
    }

    OnnxConstant required(Node node, int index) {
        OnnxConstant constant = optional(node, index);
        if (constant == null) {
            throw node.refuse("has no input " + index);
        }
        return constant;
    }

    /** Integers that newer versions of an operator take as an input and older ones as an attribute; null if not given. */
    long[] integers(Node node, int index, String attribute) {
        OnnxConstant constant = optional(node, index);
        if (constant == null) {
            return node.has(attribute) ? node.integers(attribute) : null;
        }
        long[] values = constant.integers();
        if (values == null) {
            throw node.refuse("has " + attribute + " of type " + constant.type() + ", integers are needed");
        }
        return values;
    }

    /** Computes an operator that depends on tensors of the file alone. */
    private OnnxConstant fold(Node node) {
        OnnxConstant result;
        try {
            result = switch (node.operator()) {
                case "Constant" -> given(node);
                case "ConstantOfShape" -> {
                    long[] sizes = integers(node, 0, "shape");
                    OnnxConstant value = node.has("value")
                            ? OnnxGraph.readTensor(node.tensor("value"))
                            : OnnxConstant.of(new float[1], 1);
                    if (sizes == null || value.count() != 1) {
                        throw node.refuse("does not say one value and a shape");
                    }
                    int count = OnnxConstant.count(node.toString(), sizes);
                    memory.take((long) count * value.type().width());
                    yield value.repeated(count, sizes);
                }
                case "Identity" -> required(node, 0);
                case "Cast" -> {
                    node.any("saturate", "round_mode");
                    OnnxConstant from = required(node, 0);
                    Type to = castType(node);
                    memory.take((long) from.count() * to.width());
                    yield from.cast(to);
                }
                case "Gather" -> {
                    OnnxConstant table = required(node, 0);
                    OnnxConstant indices = required(node, 1);
                    if (table.shape().length != 1 || indices.type().isFloating()) {
                        throw node.refuse("looks up " + indices.type() + " in a tensor of shape "
                                + Arrays.toString(table.shape()) + "; integers and a vector are needed");
                    }
                    if (node.integer("axis", 0) != -1) {
                        node.only("axis", 0);
                    }
                    memory.take((long) indices.count() * table.type().width());
                    yield table.gather(indices);
                }
                case "Reshape" -> reshaped(node, required(node, 0));
                case "Transpose" -> {
                    OnnxConstant from = required(node, 0);
                    if (from.shape().length != 2 || !Arrays.equals(node.integers("perm", 1, 0), new long[]{1, 0})) {
                        throw node.refuse("reorders the dimensions of a constant of shape "
                                + Arrays.toString(from.shape()) + "; Pare transposes matrices");
                    }
                    memory.take(from.data().remaining());
                    yield from.transposed();
                }
                default -> throw node.refuse("computes from constants; Pare does so only by "
                        + String.join(", ", OPERATORS));
            };
        } catch (IllegalArgumentException e) {
            throw node.refuse(e.getMessage());
        }
        node.checkAllRead();
        return result;
    }

    private OnnxConstant given(Node node) {
        if (node.has("value")) {
            return OnnxGraph.readTensor(node.tensor("value"));
        }
        if (node.has("sparse_value")) {
            return OnnxGraph.readSparse(node.tensor("sparse_value"), memory);
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

    static Type castType(Node node) {
        Type type = Type.of(node.integer("to", 0));
        if (type == null) {
            throw node.refuse("makes elements of ONNX's type " + node.integer("to", 0) + ", which Pare does not read");
        }
        return type;
    }

    private OnnxConstant reshaped(Node node, OnnxConstant from) {
        long[] sizes = integers(node, 1, "shape");
        node.only("allowzero", 0);
        if (sizes == null) {
            throw node.refuse("has no shape");
        }
        sizes = sizes.clone();
        int open = -1;
        for (int i = 0; i < sizes.length; i++) {
            if (sizes[i] == 0 && i < from.shape().length) {
                sizes[i] = from.shape()[i];
            } else if (sizes[i] == -1 && open < 0) {
                open = i;
                sizes[i] = 1;
            }
        }
        int rest = OnnxConstant.count(node.toString(), sizes);
        if (open >= 0 && rest > 0) {
            sizes[open] = from.count() / rest;
        }
        if (OnnxConstant.count(node.toString(), sizes) != from.count()) {
            throw node.refuse("gives " + from.count() + " elements the shape " + Arrays.toString(sizes));
        }
        return from.reshaped(sizes);
    }
}
