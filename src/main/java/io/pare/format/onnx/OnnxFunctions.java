package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.Op;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Functions of single values and of values at the same place. */
final class OnnxFunctions {
    private static final float SELU_ALPHA = 1.67326319217681884765625f;
    private static final float SELU_GAMMA = 1.05070102214813232421875f;

    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        Map<String, OnnxOperator.Single> table = new HashMap<>();
        table.put("Relu", in -> activation(in, "relu", new Op.Relu()));
        table.put("Sigmoid", in -> activation(in, "sigmoid", new Op.Sigmoid()));
        table.put("LeakyRelu", in -> map(in, Pointwise.LEAKY_RELU, in.node().decimal("alpha", 0.01f), 0));
        table.put("Elu", in -> map(in, Pointwise.ELU, in.node().decimal("alpha", 1), 0));
        table.put("Celu", in -> map(in, Pointwise.CELU, in.node().decimal("alpha", 1), 0));
        table.put("Selu", in -> map(in, Pointwise.SELU, in.node().decimal("alpha", SELU_ALPHA),
                in.node().decimal("gamma", SELU_GAMMA)));
        table.put("HardSigmoid", in -> map(in, Pointwise.HARD_SIGMOID, in.node().decimal("alpha", 0.2f),
                in.node().decimal("beta", 0.5f)));
        table.put("HardSwish", in -> map(in, Pointwise.HARD_SWISH, 1f / 6, 0.5f));
        table.put("Gelu", OnnxFunctions::gelu);
        table.put("Clip", OnnxFunctions::clip);
        table.put("Neg", in -> map(in, Pointwise.LINEAR, -1, 0));
        table.put("Cast", OnnxFunctions::cast);
        table.put("CastLike", in -> cast(in, in.value(0), in.value(1).type()));
        Map.ofEntries(Map.entry("Mish", Pointwise.MISH), Map.entry("Tanh", Pointwise.TANH),
                Map.entry("Softplus", Pointwise.SOFTPLUS), Map.entry("Softsign", Pointwise.SOFTSIGN),
                Map.entry("Erf", Pointwise.ERF), Map.entry("Exp", Pointwise.EXP), Map.entry("Log", Pointwise.LOG),
                Map.entry("Sqrt", Pointwise.SQRT), Map.entry("Reciprocal", Pointwise.RECIPROCAL),
                Map.entry("Abs", Pointwise.ABS), Map.entry("Sin", Pointwise.SIN), Map.entry("Cos", Pointwise.COS),
                Map.entry("Floor", Pointwise.FLOOR), Map.entry("Ceil", Pointwise.CEIL),
                Map.entry("Round", Pointwise.ROUND), Map.entry("Sign", Pointwise.SIGN),
                Map.entry("Not", Pointwise.NOT))
                .forEach((name, function) -> table.put(name, in -> map(in, function, 0, 0)));
        table.put("Add", in -> several(in, Pairwise.ADD));
        table.put("Sum", in -> several(in, Pairwise.ADD));
        table.put("Sub", in -> several(in, Pairwise.SUBTRACT));
        table.put("Mul", in -> several(in, Pairwise.MULTIPLY));
        table.put("Div", in -> several(in, Pairwise.DIVIDE));
        table.put("Min", in -> several(in, Pairwise.MINIMUM));
        table.put("Max", in -> several(in, Pairwise.MAXIMUM));
        table.put("Mean", OnnxFunctions::mean);
        table.put("Pow", in -> several(in, Pairwise.POWER));
        table.put("Mod", in -> several(in,
                in.node().integer("fmod", 0) != 0 ? Pairwise.REMAINDER : Pairwise.MODULO));
        Map.of("Equal", Pairwise.EQUAL, "Less", Pairwise.LESS, "LessOrEqual", Pairwise.LESS_OR_EQUAL, "Greater",
                Pairwise.GREATER, "GreaterOrEqual", Pairwise.GREATER_OR_EQUAL, "And", Pairwise.AND, "Or", Pairwise.OR,
                "Xor", Pairwise.XOR).forEach((name, function) -> table.put(name, in -> several(in, function)));
        table.put("IsNaN", in -> map(in, zip(in, Pairwise.EQUAL, in.value(0), in.value(0)), Pointwise.NOT, 0, 0));
        table.put("Where", OnnxFunctions::where);
        return OnnxOperator.all(table);
    }

    private OnnxFunctions() {}

    // Of single values.

    private static OnnxValue activation(OnnxCall in, String kind, Op.Activation op) {
        in.node().any("consumed_inputs");
        OnnxValue x = in.value(0);
        if (!x.isConstant()) {
            return in.apply(kind, op, x);
        }
        return switch (op) {
            case Op.Relu _ -> map(in, x, Pointwise.CLIP, 0, Float.MAX_VALUE);
            case Op.Sigmoid _ -> map(in, map(in, map(in, map(in, x, Pointwise.LINEAR, -1, 0), Pointwise.EXP, 0, 0),
                    Pointwise.LINEAR, 1, 1), Pointwise.RECIPROCAL, 0, 0);
        };
    }

    private static OnnxValue map(OnnxCall in, Pointwise function, float a, float b) {
        in.node().any("consumed_inputs");
        return map(in, in.value(0), function, a, b);
    }

    /** A function of each value. */
    static OnnxValue map(OnnxCall in, OnnxValue x, Pointwise function, float a, float b) {
        return in.apply(kind(function.name()), new TensorOp.Map(function, a, b), x);
    }

    /** What the names of nodes with a function begin with. */
    static String kind(String name) {
        return name.toLowerCase(Locale.ROOT).replace("_", "");
    }

    private static OnnxValue gelu(OnnxCall in) {
        String approximation = in.node().text("approximate", "none");
        return switch (approximation) {
            case "none" -> map(in, Pointwise.GELU, 0, 0);
            case "tanh" -> map(in, Pointwise.GELU_TANH, 0, 0);
            default -> throw in.refuse("has approximate '" + approximation + "', which ONNX does not know");
        };
    }

    private static OnnxValue clip(OnnxCall in) {
        OnnxValue x = in.value(0);
        in.node().any("consumed_inputs");
        OnnxValue low = in.optional(1);
        OnnxValue high = in.optional(2);
        boolean numbers = (low == null || low.isNumber()) && (high == null || high.isNumber());
        if (!x.isConstant() && numbers) {
            float least = in.decimal(1, "min", -Float.MAX_VALUE);
            float most = in.decimal(2, "max", Float.MAX_VALUE);
            boolean relu = least == 0 && most >= Float.MAX_VALUE;
            return relu ? in.apply("relu", new Op.Relu(), x)
                    : map(in, x, Pointwise.CLIP, Math.max(least, -Float.MAX_VALUE), Math.min(most, Float.MAX_VALUE));
        }
        OnnxValue raised = low == null ? x : zip(in, Pairwise.MAXIMUM, x, low);
        return high == null ? raised : zip(in, Pairwise.MINIMUM, raised, high);
    }

    private static OnnxValue cast(OnnxCall in) {
        in.node().any("saturate", "round_mode");
        return cast(in, in.value(0), OnnxShapes.castType(in.node()));
    }

    /** Floats stand for numbers of all types: only what changes the numbers is computed. */
    static OnnxValue cast(OnnxCall in, OnnxValue x, Type to) {
        if (x.isConstant()) {
            in.memory().take((long) x.constant().count() * to.width());
            OnnxConstant made = x.constant().cast(to);
            return new OnnxValue(made, made, -1, to, x.sizes(), x.batch());
        }
        if (to == Type.BOOL && x.type() != Type.BOOL) {
            return map(in, map(in, x, Pointwise.NOT, 0, 0), Pointwise.NOT, 0, 0).as(to);
        }
        return !to.isFloating() && x.type().isFloating() ? map(in, x, Pointwise.TRUNCATE, 0, 0).as(to) : x.as(to);
    }

    // Of values at the same place.

    private static OnnxValue several(OnnxCall in, Pairwise function) {
        in.node().any("consumed_inputs", "fmod");
        List<OnnxValue> values = in.values();
        if (values.size() == 2 && in.node().integer("broadcast", 0) != 0) {
            OnnxValue placed = placed(in, values.getLast(), values.getFirst().rank());
            values = List.of(values.getFirst(), placed);
        }
        in.node().any("broadcast", "axis");
        OnnxValue merged = function == Pairwise.ADD && values.size() == 2 ? OnnxProducts.biased(in, values) : null;
        if (merged != null) {
            return merged;
        }
        OnnxValue result = values.getFirst();
        for (OnnxValue next : values.subList(1, values.size())) {
            result = zip(in, function, result, next);
        }
        return result;
    }

    /** Before opset 7 the axes of the second value began at a given one of the first. */
    private static OnnxValue placed(OnnxCall in, OnnxValue y, int rank) {
        long axis = in.node().integer("axis", rank - (long) y.rank());
        int behind = (int) (rank - (axis < 0 ? axis + rank : axis) - y.rank());
        if (behind < 0) {
            throw in.refuse("has " + in.node().told("axis") + " for a second value of shape " + y.sizes());
        }
        int[] axes = new int[behind];
        for (int i = 0; i < behind; i++) {
            axes[i] = y.rank() + i;
        }
        return OnnxShapes.with(in, y, axes);
    }

    private static OnnxValue mean(OnnxCall in) {
        return map(in, several(in, Pairwise.ADD), Pointwise.LINEAR, 1f / in.count(), 0);
    }

    /** A function of two values, which are repeated to meet. */
    static OnnxValue zip(OnnxCall in, Pairwise function, OnnxValue left, OnnxValue right) {
        Type type = switch (function) {
            case ADD, SUBTRACT, MULTIPLY, DIVIDE, DIVIDE_INTEGERS, MINIMUM, MAXIMUM, POWER, MODULO, REMAINDER ->
                    left.type();
            case EQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL, AND, OR, XOR -> Type.BOOL;
        };
        Pairwise kept = function == Pairwise.DIVIDE && !left.type().isFloating() ? Pairwise.DIVIDE_INTEGERS : function;
        if (!left.isConstant() && right.isNumber() && right.rank() <= left.rank()) {
            TensorOp.Map map = withNumber(kept, right.constant().decimal(0));
            if (map != null) {
                return map(in, left, map.function(), map.a(), map.b());
            }
        }
        if (!right.isConstant() && left.isNumber() && left.rank() <= right.rank()) {
            float number = left.constant().decimal(0);
            switch (kept) {
                case ADD, MULTIPLY, MINIMUM, MAXIMUM -> {
                    return zip(in, kept, right, left);
                }
                case SUBTRACT -> {
                    return map(in, right, Pointwise.LINEAR, -1, number);
                }
                case DIVIDE -> {
                    OnnxValue inverse = map(in, right, Pointwise.RECIPROCAL, 0, 0);
                    return number == 1 ? inverse : map(in, inverse, Pointwise.LINEAR, number, 0);
                }
                case DIVIDE_INTEGERS, POWER, MODULO, REMAINDER, EQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL,
                        AND, OR, XOR -> {
                    // As two values.
                }
            }
        }
        OnnxCall.Meeting meeting = in.meet(List.of(left, right));
        List<OnnxValue> values = meeting.values();
        OnnxValue first = values.getFirst();
        OnnxValue second = values.getLast();
        boolean images = first.sample().equals(second.sample()) && !first.isConstant() && !second.isConstant()
                && (first.sample().size() == 1 || first.sample().size() == 3);
        if (function == Pairwise.ADD && images) {
            // Pare writes the branch that does something first, so that it is the body.
            boolean swapped = first.place() < second.place() && in.draft().reads(second.place(), first.place());
            return in.apply("block", new Op.Add(), type, meeting.batch(),
                    swapped ? List.of(second, first) : List.of(first, second));
        }
        return in.apply(kind(kept.name()), new TensorOp.Zip(kept), type, meeting.batch(), values);
    }

    /** The function of x that a function of x and a number is; null if it is none of Pare's. */
    private static TensorOp.Map withNumber(Pairwise function, float y) {
        if (!Float.isFinite(y)) {
            return null;
        }
        return switch (function) {
            case ADD -> new TensorOp.Map(Pointwise.LINEAR, 1, y);
            case SUBTRACT -> new TensorOp.Map(Pointwise.LINEAR, 1, -y);
            case MULTIPLY -> new TensorOp.Map(Pointwise.LINEAR, y, 0);
            case DIVIDE -> Float.isFinite(1 / y) ? new TensorOp.Map(Pointwise.LINEAR, 1 / y, 0) : null;
            case MINIMUM -> new TensorOp.Map(Pointwise.CLIP, -Float.MAX_VALUE, y);
            case MAXIMUM -> new TensorOp.Map(Pointwise.CLIP, y, Float.MAX_VALUE);
            case POWER -> y == 0.5f ? TensorOp.Map.of(Pointwise.SQRT) : new TensorOp.Map(Pointwise.POWER, y, 0);
            case DIVIDE_INTEGERS, MODULO, REMAINDER, EQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL, AND, OR,
                    XOR -> null;
        };
    }

    private static OnnxValue where(OnnxCall in) {
        OnnxCall.Meeting meeting = in.meet(new ArrayList<>(in.values()));
        return in.apply("where", new TensorOp.Choose(), in.value(1).type(), meeting.batch(), meeting.values());
    }
}
