package io.pare.format.onnx;

import static io.pare.format.onnx.OnnxNodes.decimal;
import static io.pare.format.onnx.OnnxNodes.integer;
import static io.pare.format.onnx.OnnxNodes.integers;
import static io.pare.format.onnx.OnnxNodes.sizes;
import static io.pare.format.onnx.OnnxNodes.text;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.protobuf.Protobuf.Writer;
import io.pare.net.Node;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Writes one node of {@link TensorOp} as nodes of ONNX.
 *
 * <p>In ONNX the batch is the first dimension, which is free: axes count one more, shapes leave it as it is, and inputs of
 * lower rank get dimensions of size 1 behind it. What follows from constants alone has a batch of one, which is repeated
 * as any dimension of that size is.
 */
final class OnnxTensorNodes {
    /** The first opset in which axes of all reductions are inputs rather than attributes. */
    private static final int AXES_AS_INPUTS = 18;

    private final OnnxNodes nodes;
    private final Node node;
    private final String name;
    private final List<Shape> shapes;
    private final List<String> inputs;
    private final List<Boolean> batched;
    private final Function<Node, List<String>> tensors;
    private final Predicate<Node> turned;
    private final String output;

    /**
     * @param shapes of the node's inputs
     * @param inputs their names
     * @param batched for each whether it has one sample for each of the batch; otherwise it has one for all
     * @param tensors adds the tensors of a node and gives their names
     * @param turned whether the matrix of a projection is added with rows as columns
     * @param output name of what the node gives
     */
    OnnxTensorNodes(OnnxNodes nodes, Node node, List<Shape> shapes, List<String> inputs, List<Boolean> batched,
            Function<Node, List<String>> tensors, Predicate<Node> turned, String output) {
        this.nodes = nodes;
        this.node = node;
        this.name = node.name();
        this.shapes = shapes;
        this.inputs = inputs;
        this.batched = batched;
        this.tensors = tensors;
        this.turned = turned;
        this.output = output;
    }

    void add(TensorOp operator) {
        switch (operator) {
            case TensorOp.Constant _ -> last("Unsqueeze", List.of(tensors.apply(node).getFirst(), longs("batch", 0)));
            case TensorOp.Map op -> map(op);
            case TensorOp.Zip(Pairwise function) -> zip(function, aligned(0), aligned(1));
            case TensorOp.Choose _ -> last("Where", List.of(truth(aligned(0), "condition"), aligned(1), aligned(2)));
            case TensorOp.Reduce op -> reduce(op);
            case TensorOp.Softmax op -> last(op.logarithm() ? "LogSoftmax" : "Softmax", inputs,
                    integer("axis", op.axis() + 1));
            case TensorOp.Reshape(Shape to) -> last("Reshape", List.of(inputs.getFirst(), behindBatch("to", 0, to)));
            // ONNX Runtime 1.23 turns the matrix of one that turns nothing where a Gemm follows.
            case TensorOp.Transpose(List<Integer> order) when order.stream().sorted().toList().equals(order) ->
                    last("Identity", inputs);
            case TensorOp.Transpose(List<Integer> order) -> last("Transpose", inputs,
                    integers("perm", LongStream.concat(LongStream.of(0),
                            order.stream().mapToLong(axis -> axis + 1)).toArray()));
            case TensorOp.Slice op -> slice(op);
            case TensorOp.Expand(Shape to) -> last("Expand", List.of(aligned(0), behindBatch("to", 1, to)));
            case TensorOp.Pad op -> pad(op);
            case TensorOp.Take(int axis, List<Integer> indices) -> last("Gather", List.of(inputs.getFirst(),
                    longs("indices", indices.stream().mapToLong(Integer::longValue).toArray())),
                    integer("axis", axis + 1));
            case TensorOp.Join(_, int axis) -> last("Concat", inputs, integer("axis", axis + 1));
            case TensorOp.MatMul _ -> last("MatMul", List.of(aligned(0), aligned(1)));
            case TensorOp.Attention op -> attend(op);
            case TensorOp.Projection op -> project(op);
            case TensorOp.Embedding _ -> last("Gather",
                    List.of(tensors.apply(node).getFirst(), whole(inputs.getFirst())));
            case TensorOp.Gather(int axis) -> gather(axis);
            case TensorOp.LayerNorm op -> normalizeLayer(op);
            case TensorOp.GroupNorm op -> normalizeGroups(op);
            case TensorOp.ConvTranspose op -> transposedConvolution(op);
            case TensorOp.Resize op -> resize(op);
            case TensorOp.Recurrent op -> recur(op);
            case TensorOp.PRelu _ -> last("PRelu", List.of(inputs.getFirst(), tensors.apply(node).getFirst()));
        }
    }

    private void last(String operator, List<String> of, Writer... attributes) {
        nodes.add(operator, name, of, output, attributes);
    }

    /** Adds a node on the way to the last one; returns the name of its value. */
    private String inner(String operator, String suffix, List<String> of, Writer... attributes) {
        return nodes.add(operator, name + "." + suffix, of, name + "." + suffix + ".out", attributes);
    }

    private String inner(String operator, String suffix, String... of) {
        return inner(operator, suffix, List.of(of));
    }

    private String longs(String suffix, long... values) {
        return nodes.longs(name + "." + suffix, values);
    }

    private String number(String suffix, double value) {
        return nodes.number(name + "." + suffix, (float) value);
    }

    private String behindBatch(String suffix, long batch, Shape shape) {
        return longs(suffix, LongStream.concat(LongStream.of(batch), LongStream.of(sizes(shape))).toArray());
    }

    private static Writer to(Type type) {
        return integer("to", type.code());
    }

    private String whole(String value) {
        return inner("Cast", "whole", List.of(value), to(Type.INT64));
    }

    private String truth(String value, String suffix) {
        return inner("Cast", suffix, List.of(value), to(Type.BOOL));
    }

    /** An input with as many dimensions as the largest one, or the output, has. */
    private String aligned(int input) {
        int rank = Math.max(node.output().rank(), shapes.stream().mapToInt(Shape::rank).max().orElse(0));
        int missing = rank - shapes.get(input).rank();
        return missing == 0 ? inputs.get(input)
                : inner("Unsqueeze", "aligned" + input, inputs.get(input),
                        longs("axes" + input, LongStream.rangeClosed(1, missing).toArray()));
    }

    private void map(TensorOp.Map op) {
        String x = inputs.getFirst();
        float a = op.a();
        float b = op.b();
        switch (op.function()) {
            case LEAKY_RELU -> last("LeakyRelu", inputs, decimal("alpha", a));
            case ELU -> last("Elu", inputs, decimal("alpha", a));
            case SELU -> last("Selu", inputs, decimal("alpha", a), decimal("gamma", b));
            case CELU -> last("Celu", inputs, decimal("alpha", a));
            case CLIP -> last("Clip", List.of(x, number("least", a), number("most", b)));
            case HARD_SIGMOID -> last("HardSigmoid", inputs, decimal("alpha", a), decimal("beta", b));
            case HARD_SWISH -> last("Mul", List.of(x,
                    inner("HardSigmoid", "gate", inputs, decimal("alpha", a), decimal("beta", b))));
            case SWISH -> last("Mul", List.of(x, inner("Sigmoid", "gate", x)));
            case MISH -> last("Mul", List.of(x, inner("Tanh", "gate", inner("Softplus", "softplus", x))));
            case GELU -> gelu(inner("Erf", "erf", inner("Mul", "scaled", x, number("scale", Math.sqrt(0.5)))));
            case GELU_TANH -> {
                String cube = inner("Mul", "cube", inner("Mul", "square", x, x), x);
                String sum = inner("Add", "sum", x, inner("Mul", "part", cube, number("cubic", 0.044715)));
                gelu(inner("Tanh", "tanh", inner("Mul", "scaled", sum, number("scale", Math.sqrt(2 / Math.PI)))));
            }
            case LINEAR -> last("Add", List.of(inner("Mul", "product", x, number("factor", a)), number("shift", b)));
            case POWER -> last("Pow", List.of(x, number("exponent", a)));
            case TRUNCATE -> truncate(x);
            case NOT -> last("Cast", List.of(inner("Equal", "zero", x, number("none", 0))), to(Type.FLOAT));
            case TANH, SOFTPLUS, SOFTSIGN, ERF, EXP, LOG, SQRT, RECIPROCAL, ABS, SIN, COS, FLOOR, CEIL, ROUND, SIGN ->
                    last(named(op.function()), inputs);
        }
    }

    /** Functions that are called as those of ONNX are. */
    private static String named(Pointwise function) {
        String word = function.name();
        return word.charAt(0) + word.substring(1).toLowerCase(Locale.ROOT);
    }

    /** Half of x times 1 and a function of it. */
    private void gelu(String function) {
        String gate = inner("Mul", "gate", inner("Add", "above", function, number("one", 1)), number("half", 0.5));
        last("Mul", List.of(inputs.getFirst(), gate));
    }

    private void truncate(String value) {
        String size = inner("Floor", "floor", inner("Abs", "size", value));
        last("Mul", List.of(inner("Sign", "sign", value), size));
    }

    private void zip(Pairwise function, String left, String right) {
        List<String> both = List.of(left, right);
        switch (function) {
            case ADD -> last("Add", both);
            case SUBTRACT -> last("Sub", both);
            case MULTIPLY -> last("Mul", both);
            case DIVIDE -> last("Div", both);
            case DIVIDE_INTEGERS -> truncate(inner("Div", "quotient", both));
            case MINIMUM -> last("Min", both);
            case MAXIMUM -> last("Max", both);
            case POWER -> last("Pow", both);
            case REMAINDER -> last("Mod", both, integer("fmod", 1));
            case MODULO -> {
                String rest = inner("Mod", "rest", both, integer("fmod", 1));
                String signs = inner("Mul", "signs", inner("Sign", "sign", rest), inner("Sign", "wanted", right));
                String other = inner("Less", "other", signs, number("none", 0));
                last("Where", List.of(other, inner("Add", "turned", rest, right), rest));
            }
            case EQUAL -> yesOrNo("Equal", both);
            case LESS -> yesOrNo("Less", both);
            case LESS_OR_EQUAL -> yesOrNo("LessOrEqual", both);
            case GREATER -> yesOrNo("Greater", both);
            case GREATER_OR_EQUAL -> yesOrNo("GreaterOrEqual", both);
            case AND -> yesOrNo("And", truths(both));
            case OR -> yesOrNo("Or", truths(both));
            case XOR -> yesOrNo("Xor", truths(both));
        }
    }

    private List<String> truths(List<String> both) {
        return List.of(truth(both.getFirst(), "left"), truth(both.getLast(), "right"));
    }

    private void yesOrNo(String operator, List<String> of) {
        last("Cast", List.of(inner(operator, "yes", of)), to(Type.FLOAT));
    }

    private void reduce(TensorOp.Reduce op) {
        String operator = switch (op.function()) {
            case SUM -> "ReduceSum";
            case MEAN -> "ReduceMean";
            case MAX -> "ReduceMax";
            case MIN -> "ReduceMin";
            case PRODUCT -> "ReduceProd";
        };
        reduce(operator, name, inputs.getFirst(), op.axes().stream().mapToLong(axis -> axis + 1).toArray(), op.keeps(),
                output);
    }

    /** The axes are an input of ReduceSum, and from opset 18 on of all. */
    private String reduce(String operator, String of, String value, long[] axes, boolean keeps, String result) {
        Writer kept = integer("keepdims", keeps ? 1 : 0);
        return nodes.opset() >= AXES_AS_INPUTS || operator.equals("ReduceSum")
                ? nodes.add(operator, of, List.of(value, nodes.longs(of + ".axes", axes)), result, kept)
                : nodes.add(operator, of, List.of(value), result, integers("axes", axes), kept);
    }

    private String mean(String suffix, String value, long[] axes) {
        String of = name + "." + suffix;
        return reduce("ReduceMean", of, value, axes, true, of + ".out");
    }

    private void transposedConvolution(TensorOp.ConvTranspose op) {
        List<String> all = new ArrayList<>(inputs);
        all.addAll(tensors.apply(node));
        last("ConvTranspose", all, OnnxNodes.kernel(op.window()), OnnxNodes.strides(op.window()),
                OnnxNodes.pads(op.window()), OnnxNodes.dilations(op.window()),
                integers("output_padding", op.extraHeight(), op.extraWidth()), integer("group", op.groups()));
    }

    /** By its factors if its sizes follow from them, or by its sizes if its factors follow from those. */
    private void resize(TensorOp.Resize op) {
        Shape shape = shapes.getFirst();
        float[] scales = new float[shape.rank() + 1];
        scales[0] = 1;
        boolean bySizes = true;
        boolean byScales = true;
        for (int axis = 0; axis < shape.rank(); axis++) {
            int size = shape.sizes().get(axis);
            int to = op.to().sizes().get(axis);
            // One value is repeated, whatever the factor.
            scales[axis + 1] = size == 1 ? to : op.scales().get(axis);
            byScales &= (int) (scales[axis + 1] * size) == to;
            bySizes &= scales[axis + 1] == (float) to / size;
        }
        List<String> all = new ArrayList<>(List.of(inputs.getFirst(), ""));
        if (byScales) {
            all.add(nodes.floats(name + ".scales", new long[]{scales.length}, scales));
        } else if (bySizes) {
            String batch = inner("Slice", "batch", inner("Shape", "sizes", inputs.getFirst()), longs("start", 0),
                    longs("end", 1));
            all.add("");
            all.add(inner("Concat", "to", List.of(batch, longs("rest", sizes(op.to()))), integer("axis", 0)));
        } else {
            throw new IllegalArgumentException("layer " + name + " resizes " + shape + " to " + op.to() + " by "
                    + op.scales() + ", which ONNX cannot say");
        }
        List<Writer> attributes = new ArrayList<>(List.of(text("mode", lower(op.interpolation())),
                text("coordinate_transformation_mode", lower(op.coordinates())),
                text("nearest_mode", lower(op.nearest())), decimal("cubic_coeff_a", op.cubic()),
                integer("exclude_outside", op.excludesOutside() ? 1 : 0)));
        if (op.antialias()) {
            attributes.add(integer("antialias", 1));
        }
        last("Resize", all, attributes.toArray(Writer[]::new));
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** ONNX counts steps before samples, and has the cell state as an output of its own. */
    private void recur(TensorOp.Recurrent op) {
        List<String> own = tensors.apply(node);
        int directions = op.direction().count();
        int rows = op.cell().gates() * op.hidden();
        String steps = inner("Transpose", "steps", inputs, integers("perm", 1, 0, 2));
        String bias = longs("biases", directions, rows);
        List<String> all = new ArrayList<>(List.of(steps,
                inner("Reshape", "weights", own.get(0), longs("in", directions, rows, op.in())),
                inner("Reshape", "recurrences", own.get(1), longs("own", directions, rows, op.hidden())),
                inner("Concat", "bias", List.of(inner("Reshape", "ofinput", own.get(2), bias),
                        inner("Reshape", "ofstate", own.get(3), bias)), integer("axis", 1))));
        for (String state : own.subList(4, own.size())) {
            if (all.size() == 4) {
                // The lengths of sequences: all are whole.
                all.add("");
            }
            all.add(state(state, inputs.getFirst(), op, "first" + all.size()));
        }
        List<Writer> attributes = new ArrayList<>(List.of(integer("hidden_size", op.hidden()),
                text("direction", switch (op.direction()) {
                    case FORWARD -> "forward";
                    case REVERSE -> "reverse";
                    case BOTH -> "bidirectional";
                })));
        switch (op.cell()) {
            case LSTM -> {
                nodes.add("LSTM", name + ".layer", all, List.of(name + ".y", "", name + ".c"),
                        attributes.toArray(Writer[]::new));
                String states = inner("Transpose", "states", List.of(name + ".y"), integers("perm", 2, 1, 0, 3));
                String cells = inner("Unsqueeze", "cells",
                        inner("Transpose", "turned", List.of(name + ".c"), integers("perm", 1, 0, 2)),
                        longs("row", 2));
                last("Concat", List.of(states, cells), integer("axis", 2));
            }
            case GRU, GRU_RESET_AFTER -> {
                attributes.add(
                        integer("linear_before_reset", op.cell() == TensorOp.Cell.GRU_RESET_AFTER ? 1 : 0));
                nodes.add("GRU", name + ".layer", all, List.of(name + ".y"), attributes.toArray(Writer[]::new));
                last("Transpose", List.of(name + ".y"), integers("perm", 2, 1, 0, 3));
            }
        }
    }

    /** A first state, for each sample. */
    private String state(String tensor, String like, TensorOp.Recurrent op, String suffix) {
        String batch = inner("Slice", suffix + "batch", inner("Shape", suffix + "sizes", like),
                longs(suffix + "start", 0), longs(suffix + "end", 1));
        String sizes = inner("Concat", suffix + "to",
                List.of(longs(suffix + "ways", op.direction().count()), batch, longs(suffix + "hidden", op.hidden())),
                integer("axis", 0));
        return inner("Expand", suffix, inner("Unsqueeze", suffix + "one", tensor, longs(suffix + "axis", 1)), sizes);
    }

    private void slice(TensorOp.Slice op) {
        int rank = op.to().rank();
        long[] ends = new long[rank];
        for (int axis = 0; axis < rank; axis++) {
            int step = op.steps().get(axis);
            long end = op.starts().get(axis) + (long) step * op.to().sizes().get(axis);
            // Below 0 an end would count from the last value.
            ends[axis] = end < 0 ? Integer.MIN_VALUE : end;
        }
        last("Slice", List.of(inputs.getFirst(),
                longs("starts", op.starts().stream().mapToLong(Integer::longValue).toArray()), longs("ends", ends),
                longs("axes", LongStream.rangeClosed(1, rank).toArray()),
                longs("steps", op.steps().stream().mapToLong(Integer::longValue).toArray())));
    }

    private void pad(TensorOp.Pad op) {
        long[] pads = LongStream.concat(
                LongStream.concat(LongStream.of(0), op.before().stream().mapToLong(Integer::longValue)),
                LongStream.concat(LongStream.of(0), op.after().stream().mapToLong(Integer::longValue))).toArray();
        String mode = switch (op.border()) {
            case CONSTANT -> "constant";
            case REFLECT -> "reflect";
            case EDGE -> "edge";
        };
        last("Pad", List.of(inputs.getFirst(), longs("pads", pads), number("filler", op.value())),
                text("mode", mode));
    }

    /** As the operators that it stands for, which runtimes run or recognise. */
    private void attend(TensorOp.Attention op) {
        int rank = node.output().rank();
        long[] turned = LongStream.rangeClosed(0, rank).toArray();
        if (op.rowsFirst()) {
            turned[rank - 2] = rank - 1;
            turned[rank - 1] = rank - 2;
        }
        long[] exchanged = turned.clone();
        exchanged[rank - 1] = turned[rank];
        exchanged[rank] = turned[rank - 1];
        String keys = inner("Transpose", "keys", List.of(aligned(1)), integers("perm", exchanged));
        String scores = inner("MatMul", "products", headsFirst(op, aligned(0), "queries", turned), keys);
        scores = op.scale() == 1 ? scores : inner("Mul", "scores", scores, number("scale", op.scale()));
        scores = op.masked() ? inner("Add", "masked", scores, aligned(3)) : scores;
        String shares = inner("Softmax", "shares", List.of(scores), integer("axis", -1));
        List<String> factors = List.of(shares, headsFirst(op, aligned(2), "values", turned));
        if (op.rowsFirst()) {
            last("Transpose", List.of(inner("MatMul", "mixed", factors)), integers("perm", turned));
        } else {
            last("MatMul", factors);
        }
    }

    private String headsFirst(TensorOp.Attention op, String value, String suffix, long... order) {
        return op.rowsFirst() ? inner("Transpose", suffix, List.of(value), integers("perm", order)) : value;
    }

    private void project(TensorOp.Projection op) {
        List<String> own = tensors.apply(node);
        if (shapes.getFirst().rank() == 1) {
            List<String> all = new ArrayList<>(inputs);
            all.addAll(own);
            last("Gemm", all, integer("transB", 1));
            return;
        }
        String weight = turned.test(node)
                ? own.getFirst()
                : inner("Transpose", "turned", List.of(own.getFirst()), integers("perm", 1, 0));
        List<String> factors = List.of(inputs.getFirst(), weight);
        if (op.bias()) {
            last("Add", List.of(inner("MatMul", "product", factors), own.getLast()));
        } else {
            last("MatMul", factors);
        }
    }

    /** By one list of indices for all samples, or by GatherND with a list for each, along the first axis. */
    private void gather(int axis) {
        Shape of = shapes.getFirst();
        Shape indices = shapes.getLast();
        String whole = whole(inputs.getLast());
        if (!batched.getLast()) {
            last("Gather", List.of(inputs.getFirst(), inner("Squeeze", "indices", whole, longs("one", 0))),
                    integer("axis", axis + 1));
            return;
        }
        String values = inputs.getFirst();
        if (!batched.getFirst()) {
            // The samples' own indices give as many samples.
            String batch = inner("Slice", "batch", inner("Shape", "sizes", whole), longs("start", 0), longs("end", 1));
            long[] ones = new long[of.rank()];
            Arrays.fill(ones, 1);
            values = inner("Expand", "repeated", values,
                    inner("Concat", "to", List.of(batch, longs("ones", ones)), integer("axis", 0)));
        }
        List<Long> perm = new ArrayList<>(LongStream.rangeClosed(0, of.rank()).boxed().toList());
        perm.add(1, perm.remove(axis + 1));
        String first = inner("Transpose", "first", List.of(values), integers("perm", longs(perm)));
        String each = inner("Unsqueeze", "each", whole, longs("last", indices.rank() + 1));
        String found = inner("GatherND", "found", List.of(first, each), integer("batch_dims", 1));
        List<Long> back = new ArrayList<>(List.of(0L));
        IntStream.range(0, axis).forEach(i -> back.add(1L + indices.rank() + i));
        IntStream.range(0, indices.rank()).forEach(i -> back.add(1L + i));
        IntStream.range(axis, of.rank() - 1).forEach(i -> back.add(1L + indices.rank() + i));
        last("Transpose", List.of(found), integers("perm", longs(back)));
    }

    private static long[] longs(List<Long> values) {
        return values.stream().mapToLong(Long::longValue).toArray();
    }

    private void normalizeLayer(TensorOp.LayerNorm op) {
        List<String> own = tensors.apply(node);
        int rank = shapes.getFirst().rank();
        long[] axes = LongStream.rangeClosed(rank - op.sizes().size() + 1, rank).toArray();
        String x = inputs.getFirst();
        String off = inner("Sub", "off", x, mean("mean", x, axes));
        String variance = mean("variance", inner("Mul", "square", off, off), axes);
        String deviation =
                inner("Sqrt", "deviation", inner("Add", "above", variance, number("epsilon", op.epsilon())));
        String normal = inner("Div", "normal", off, deviation);
        last("Add", List.of(inner("Mul", "scaled", normal, own.getFirst()), own.getLast()));
    }

    /** Groups are normalised as channels; with one channel in each, those are the groups. */
    private void normalizeGroups(TensorOp.GroupNorm op) {
        List<String> own = tensors.apply(node);
        Shape shape = shapes.getFirst();
        Writer epsilon = decimal("epsilon", op.epsilon());
        if (op.groups() == op.channels() && shape.rank() > 1) {
            last("InstanceNormalization", List.of(inputs.getFirst(), own.getFirst(), own.getLast()), epsilon);
            return;
        }
        float[] ones = new float[op.groups()];
        Arrays.fill(ones, 1);
        long[] size = {op.groups()};
        String grouped = inner("Reshape", "grouped", inputs.getFirst(), longs("groups", 0, op.groups(), -1));
        String normal = inner("InstanceNormalization", "normal",
                List.of(grouped, nodes.floats(name + ".ones", size, ones),
                        nodes.floats(name + ".zeros", size, new float[op.groups()])),
                epsilon);
        String whole = inner("Reshape", "normalised", normal, behindBatch("whole", 0, shape));
        String scaled = inner("Mul", "scaled", whole, perChannel(own.getFirst(), "scale"));
        last("Add", List.of(scaled, perChannel(own.getLast(), "shift")));
    }

    private String perChannel(String tensor, String suffix) {
        int behind = shapes.getFirst().rank() - 1;
        return behind == 0 ? tensor
                : inner("Unsqueeze", suffix, tensor,
                        longs(suffix + ".axes", LongStream.rangeClosed(1, behind).toArray()));
    }
}
