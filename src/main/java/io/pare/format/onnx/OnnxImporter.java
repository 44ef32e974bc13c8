package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.onnx.OnnxGraph.Input;
import io.pare.format.onnx.OnnxGraph.Node;
import io.pare.format.pare.PareFile;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Models;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Op;
import io.pare.net.Op.Add;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.Concat;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.Dropout;
import io.pare.net.Op.Flatten;
import io.pare.net.Op.GlobalAvgPool;
import io.pare.net.Op.Linear;
import io.pare.net.Op.MaxPool;
import io.pare.net.Op.Relu;
import io.pare.net.Op.ResponseNorm;
import io.pare.net.Op.Sigmoid;
import io.pare.net.Op.Subsample;
import io.pare.net.Shape;
import io.pare.net.Window;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Turns ONNX operators into the nodes of a network. */
final class OnnxImporter {
    private static final List<String> OF_VALUES = List.of("Conv", "Gemm", "MatMul", "Add", "Sum", "Concat", "MaxPool",
            "AveragePool", "GlobalAveragePool", "BatchNormalization", "LRN", "Relu", "Sigmoid", "Flatten", "Reshape",
            "Slice",
            "Pad", "Dropout", "Identity", "Cast");

    private final OnnxGraph graph;
    private final OnnxConstants constants;
    /** Operators that read a value which depends on the input, by the value's name; twice if they read it twice. */
    private final Map<String, List<Node>> readers = new HashMap<>();
    private final Map<String, Integer> counters = new HashMap<>();
    private final Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
    /** Where the values lie that depend on the input, by name. */
    private final Map<String, Value> values = new HashMap<>();
    private NetBuilder net;
    /** Shape of the value that the operator at hand takes. */
    private Shape shape;
    /** Whether it is a vector, [batch, features], rather than an image. */
    private boolean flat;
    /** Samples that the file computes at once, less than 1 if any number. */
    private long batch;

    OnnxImporter(OnnxGraph graph) {
        this.graph = graph;
        this.constants = new OnnxConstants(graph);
    }

    /**
     * A computed value.
     *
     * @param place of the node that gives it
     * @param flat whether it is a vector in the file, [batch, features]
     */
    private record Value(int place, boolean flat) {}

    /** The network, under the names of a known one if it has the same layers. */
    CompressedWeights run(InputScale scale) {
        if (graph.outputs().size() != 1) {
            throw new FormatException("the graph has the outputs " + graph.outputs() + ", one is needed");
        }
        String output = graph.outputs().iterator().next();
        List<Node> needed = needed(output);
        checkOperators(needed);
        String input = input(needed, output);
        Shape first = shape;
        if (scale != null && !scale.fits(first)) {
            throw new FormatException("the scale of inputs is for " + scale.mean().size() + " channels, the input is "
                    + first);
        }
        for (Node node : needed) {
            if (node.inputs().stream().allMatch(name -> name.isEmpty() || constants.isConstant(name))) {
                constants.add(node);
            } else {
                node.inputs().stream().filter(name -> !name.isEmpty() && !constants.isConstant(name))
                        .forEach(name -> readers.computeIfAbsent(name, _ -> new ArrayList<>()).add(node));
            }
        }
        net = new NetBuilder(graph.name(), first);
        values.put(input, new Value(net.at(), flat));
        for (Node node : needed) {
            if (!constants.isConstant(node.output()) && !values.containsKey(node.output())) {
                add(node);
            }
        }
        if (!values.containsKey(output)) {
            throw new FormatException("the output '" + output + "' does not depend on the input '" + input + "'");
        }
        return known(new CompressedWeights(net.from(values.get(output).place()).build(), tensors,
                scale == null ? InputScale.usual(first) : scale));
    }

    /** An operator on the way back from the output, and its inputs that were not looked at yet. */
    private record Open(Node node, Iterator<String> inputs) {
        Open(Node node) {
            this(node, node.inputs().iterator());
        }
    }

    /** The operators on which the output depends, each behind those whose results it takes; a file may mix them. */
    private List<Node> needed(String output) {
        Map<String, Node> producers = new HashMap<>();
        for (Node node : graph.nodes()) {
            for (String made : node.outputs()) {
                if (!made.isEmpty() && (isGiven(made) || producers.put(made, node) != null)) {
                    throw node.refuse("computes '" + made + "', which there is already");
                }
            }
        }
        Set<Node> ordered = new LinkedHashSet<>();
        Set<Node> begun = new HashSet<>();
        Deque<Open> path = new ArrayDeque<>();
        if (producers.containsKey(output)) {
            path.push(new Open(producers.get(output)));
        } else if (!isGiven(output)) {
            throw new FormatException("nothing computes the output '" + output + "'");
        }
        while (!path.isEmpty()) {
            Node node = path.peek().node;
            begun.add(node);
            if (!path.peek().inputs.hasNext()) {
                ordered.add(node);
                path.pop();
                continue;
            }
            String input = path.peek().inputs.next();
            Node producer = producers.get(input);
            if (producer == null && !input.isEmpty() && !isGiven(input)) {
                throw node.refuse("reads '" + input + "', which nothing computes");
            }
            if (producer != null && !ordered.contains(producer)) {
                if (begun.contains(producer)) {
                    throw node.refuse("reads '" + input + "', which depends on what it computes itself");
                }
                path.push(new Open(producer));
            }
        }
        return List.copyOf(ordered);
    }

    /** Whether a value is there before any operator runs. */
    private boolean isGiven(String value) {
        return graph.inputs().containsKey(value) || graph.holds(value);
    }

    /** Names every kind of operator that Pare lacks at once, each with the first place where it stands. */
    private static void checkOperators(List<Node> nodes) {
        Map<String, Node> lacking = new LinkedHashMap<>();
        for (Node node : nodes) {
            if (!OF_VALUES.contains(node.operator()) && !OnnxConstants.OPERATORS.contains(node.operator())) {
                lacking.putIfAbsent(node.operator(), node);
            }
        }
        if (!lacking.isEmpty()) {
            Set<String> supported = new TreeSet<>(OF_VALUES);
            supported.addAll(OnnxConstants.OPERATORS);
            throw new FormatException(lacking.values().stream().map(Node::toString).collect(Collectors.joining(", "))
                    + (lacking.size() == 1 ? " is" : " are") + " not supported; Pare reads networks of "
                    + String.join(", ", supported));
        }
    }

    /** Reads the shape of the one value that is given to the network. */
    private String input(List<Node> nodes, String output) {
        Set<String> read = new HashSet<>();
        for (Node node : nodes) {
            read.addAll(node.inputs());
        }
        for (Node node : nodes) {
            node.outputs().stream().skip(1).filter(value -> value.equals(output) || read.contains(value)).findFirst()
                    .ifPresent(value -> {
                        throw node.refuse("has a second output '" + value + "' that is used; Pare has only the first");
                    });
        }
        Map<String, Input> free = new LinkedHashMap<>(graph.inputs());
        free.keySet().removeIf(name -> graph.holds(name) || !read.contains(name));
        if (free.size() != 1) {
            throw new FormatException("the output depends on the inputs " + free.keySet() + ", one is needed");
        }
        String name = free.keySet().iterator().next();
        Input input = free.get(name);
        Type type = Type.of(input.type());
        if (input.type() != 0 && (type == null || !type.isFloating())) {
            throw new FormatException("input '" + name + "' has elements of ONNX's type "
                    + (type == null ? input.type() : type) + ", floating-point numbers are needed");
        }
        long[] sizes = input.shape();
        if (sizes.length != 2 && sizes.length != 4
                || Arrays.stream(sizes).skip(1).anyMatch(size -> size < 1 || size > 1 << 16)) {
            throw new FormatException("input '" + name + "' has the shape " + Arrays.toString(sizes)
                    + "; [batch, channels, height, width] or [batch, features] with fixed sizes is needed");
        }
        flat = sizes.length == 2;
        shape = flat
                ? Shape.of((int) sizes[1], 1, 1)
                : Shape.of((int) sizes[1], (int) sizes[2], (int) sizes[3]);
        batch = sizes[0];
        checkSize("input '" + name + "'");
        return name;
    }

    private void checkSize(String what) {
        long features = (long) shape.channels() * shape.height() * shape.width();
        if (features > PareFile.MAX_FEATURES) {
            throw new FormatException(what + " gives " + shape + " values for a sample, at most "
                    + PareFile.MAX_FEATURES + " are read");
        }
    }

    // Nodes.

    /** Adds the node of an operator, and of the one behind it if both are one. */
    private void add(Node node) {
        if (isJoin(node)) {
            join(node);
            return;
        }
        if (node.operator().equals("Concat")) {
            concat(node);
            return;
        }
        String at = computed(node);
        Value value = values.get(at);
        shape = net.shape(value.place());
        flat = value.flat();
        List<Node> next = readers.getOrDefault(node.output(), List.of());
        Node follower = next.size() == 1 && belongs(node, next.getFirst()) ? next.getFirst() : null;
        net.from(value.place());
        add(node, at, follower);
        Value result = new Value(net.at(), flat);
        values.put(node.output(), result);
        if (follower != null) {
            values.put(follower.output(), result);
        }
    }

    /** The computed value that an operator takes: its first input, or the other summand of a constant. */
    private String computed(Node node) {
        return node.inputs().stream().filter(name -> !name.isEmpty() && !constants.isConstant(name)).findFirst()
                .orElseThrow();
    }

    /** Whether an operator makes one node with the one behind it. */
    private boolean belongs(Node node, Node follower) {
        return switch (node.operator()) {
            case "Conv", "Gemm", "MatMul" -> isSum(follower) && !isJoin(follower);
            case "Slice" -> follower.operator().equals("Pad");
            default -> false;
        };
    }

    /** A sum of two computed values. Pare writes the branch that does something first, so that it is the body. */
    private void join(Node node) {
        Value left = values.get(node.input(0));
        Value right = values.get(node.input(1));
        node.any("broadcast", "consumed_inputs");
        if (left.flat() != right.flat()) {
            throw node.refuse("adds an image and a vector");
        }
        boolean swapped = left.place() < right.place() && net.reads(right.place(), left.place());
        append(node, name("block"), new Add(),
                swapped ? List.of(right.place(), left.place()) : List.of(left.place(), right.place()));
        values.put(node.output(), new Value(net.at(), left.flat()));
    }

    private static boolean isAddition(Node node) {
        return node.operator().equals("Add") || node.operator().equals("Sum");
    }

    private static boolean isSum(Node node) {
        return isAddition(node) && node.inputs().size() == 2;
    }

    private boolean isJoin(Node node) {
        return isSum(node) && node.inputs().stream().noneMatch(constants::isConstant);
    }

    /** The units of several computed values, one after another. */
    private void concat(Node node) {
        List<Value> inputs = new ArrayList<>();
        for (int i = 0; i < node.inputs().size(); i++) {
            Value input = values.get(node.input(i));
            if (input == null) {
                throw node.refuse("joins the constant '" + node.input(i) + "' with computed values");
            }
            inputs.add(input);
        }
        boolean vectors = inputs.getFirst().flat();
        if (inputs.stream().anyMatch(input -> input.flat() != vectors)) {
            throw node.refuse("joins images and vectors");
        }
        long axis = node.integer("axis", 1);
        if (axis != 1 && axis != (vectors ? -1 : -3)) {
            throw node.refuse("has " + node.told("axis") + "; Pare joins channels, or features, axis 1");
        }
        append(node, name("concat"), new Concat(inputs.size()), inputs.stream().map(Value::place).toList());
        values.put(node.output(), new Value(net.at(), vectors));
    }

    // Operators.

    private void add(Node node, String at, Node follower) {
        if (!isAddition(node) && !at.equals(node.input(0))) {
            throw node.refuse("takes the computed value '" + at + "' where Pare needs a constant");
        }
        Named made = switch (node.operator()) {
            case "Conv" -> convolution(node, follower);
            case "Gemm" -> gemm(node, follower);
            case "MatMul" -> {
                OnnxConstant weight = matrix(node);
                yield linear(node, weight, 1, 1, new float[node.small("outputs", weight.shape()[1])], follower);
            }
            case "MaxPool", "AveragePool" -> pool(node);
            case "GlobalAveragePool" -> {
                image(node);
                yield named("pool", new GlobalAvgPool());
            }
            case "BatchNormalization" -> normalization(node);
            case "LRN" -> {
                image(node);
                if (!node.has("size")) {
                    throw node.refuse("has no size");
                }
                yield named("norm", new ResponseNorm(node.small("size", node.integer("size", 0)),
                        node.decimal("alpha", 1e-4f), node.decimal("beta", 0.75f), node.decimal("bias", 1f)));
            }
            case "Relu" -> {
                node.any("consumed_inputs");
                yield named("relu", new Relu());
            }
            case "Sigmoid" -> {
                node.any("consumed_inputs");
                yield named("sigmoid", new Sigmoid());
            }
            case "Flatten" -> {
                long axis = node.integer("axis", 1);
                if (axis != 1 && axis != (flat ? -1 : -3)) {
                    throw node.refuse("has " + node.told("axis") + "; Pare flattens each sample, axis 1");
                }
                flat = true;
                yield named("flatten", new Flatten());
            }
            case "Reshape" -> flattening(node);
            case "Slice", "Pad" -> subsample(node, follower);
            case "Dropout" -> dropout(node);
            case "Identity" -> null;
            case "Cast" -> {
                // Pare computes with floats; the types between differ in precision alone.
                node.any("saturate", "round_mode");
                if (!OnnxConstants.castType(node).isFloating()) {
                    throw node.refuse("turns computed values into " + OnnxConstants.castType(node)
                            + ", which Pare does not support");
                }
                yield null;
            }
            case "Add", "Sum" -> throw node.refuse(isSum(node)
                    ? "adds a constant, which Pare reads only right behind Conv, Gemm or MatMul"
                    : "adds " + node.inputs().size() + " values, Pare adds two");
            default -> throw node.refuse("takes the computed value '" + at + "', Pare supports it for constants only");
        };
        node.checkAllRead();
        if (made != null) {
            if (follower != null) {
                follower.checkAllRead();
            }
            append(node, made.name(), made.op(), List.of(net.at()));
        }
    }

    /** An operator of Pare's and the name of its node. */
    private record Named(String name, Op op) {}

    private Named named(String prefix, Op op) {
        return new Named(name(prefix), op);
    }

    private void append(Node node, String name, Op op, List<Integer> inputs) {
        node.checkAllRead();
        net.add(name, op, inputs);
        shape = net.shape();
        checkSize(node.toString());
    }

    private void image(Node node) {
        if (flat) {
            throw node.refuse("takes images and is given vectors");
        }
    }

    private String name(String prefix) {
        int number = counters.merge(prefix, 1, Integer::sum);
        return prefix.equals("flatten") && number == 1 ? prefix : prefix + number;
    }

    private void put(Node node, Named made, float[]... values) {
        var parameters = made.op().parameters(made.name());
        for (int i = 0; i < values.length; i++) {
            if (values[i].length != parameters.get(i).count()) {
                throw node.refuse("has " + values[i].length + " values for " + parameters.get(i).name() + ", "
                        + parameters.get(i).count() + " are needed");
            }
            constants.memory().take((long) values[i].length * Float.BYTES);
            tensors.put(parameters.get(i).name(), CompressedTensor.of(values[i], parameters.get(i).shape()));
        }
    }

    private Named pool(Node node) {
        if (!node.has("kernel_shape")) {
            throw node.refuse("has no kernel_shape");
        }
        int[] kernel = pair(node, "kernel_shape", 1);
        boolean ceiling = node.integer("ceil_mode", 0) != 0;
        Window declared = window(node, kernel[0], kernel[1]);
        Ceiling whole = ceiling ? Ceiling.of(declared, shape) : new Ceiling(declared, 0, 0);
        if (node.operator().equals("MaxPool")) {
            // It orders the second output only.
            node.any("storage_order");
            return named("pool", new MaxPool(alike(whole.window())));
        }
        boolean counts = node.integer("count_include_pad", 0) != 0;
        return named("pool", counts && (whole.bottom() > 0 || whole.right() > 0)
                ? new AvgPool(whole.window(), true, whole.bottom(), whole.right())
                : new AvgPool(alike(whole.window()), counts));
    }

    /** An attribute of two positive numbers, down and right. */
    private static int[] pair(Node node, String attribute, int otherwise) {
        long[] values = node.integers(attribute, otherwise, otherwise);
        if (values.length != 2 || values[0] < 1 || values[1] < 1) {
            throw node.refuse("has " + node.told(attribute) + "; two positive numbers are needed");
        }
        return new int[]{node.small(attribute, values[0]), node.small(attribute, values[1])};
    }

    /** A window of that size with the strides, dilations and padding of an operator. */
    private Window window(Node node, int kernelHeight, int kernelWidth) {
        image(node);
        int[] strides = pair(node, "strides", 1);
        int[] dilations = pair(node, "dilations", 1);
        Window window = Window.of(kernelHeight, kernelWidth).by(strides[0], strides[1]).dilated(dilations[0],
                dilations[1]);
        int[] pads = padding(node, window);
        window = window.padded(pads[0], pads[1], pads[2], pads[3]);
        if (window.paddedValues(shape) > PareFile.MAX_FEATURES) {
            throw node.refuse("has pads " + Arrays.toString(pads) + " on an image of " + shape + ", at most "
                    + PareFile.MAX_FEATURES + " values are read");
        }
        if (!window.fits(shape)) {
            throw node.refuse("has windows of " + window.spanHeight() + "x" + window.spanWidth() + " on an image of "
                    + shape);
        }
        return window;
    }

    /** Rows above, columns before, rows below and columns behind the image, in ONNX's order. */
    private int[] padding(Node node, Window window) {
        String auto = node.text("auto_pad", "NOTSET");
        long[] pads = node.integers("pads", 0, 0, 0, 0);
        if (pads.length != 4) {
            throw node.refuse("has " + node.told("pads") + "; four numbers are needed");
        }
        boolean automatic = !auto.isEmpty() && !auto.equals("NOTSET");
        if (automatic && Arrays.stream(pads).anyMatch(pad -> pad != 0)) {
            throw node.refuse("has both " + node.told("auto_pad") + " and " + node.told("pads")
                    + ", which contradict each other");
        }
        int rows = missing(shape.height(), window.spanHeight(), window.strideHeight());
        int columns = missing(shape.width(), window.spanWidth(), window.strideWidth());
        return switch (auto) {
            case "NOTSET", "" -> Arrays.stream(pads).mapToInt(pad -> node.small("pads", pad)).toArray();
            case "VALID" -> new int[4];
            case "SAME_UPPER" -> new int[]{rows / 2, columns / 2, rows - rows / 2, columns - columns / 2};
            case "SAME_LOWER" -> new int[]{rows - rows / 2, columns - columns / 2, rows / 2, columns / 2};
            default -> throw node.refuse("has " + node.told("auto_pad") + ", which ONNX does not know");
        };
    }

    /** Padding with which there is a window for each stride of the image. */
    private static int missing(int size, long span, int stride) {
        return Math.toIntExact(Math.max(0, (Math.ceilDiv(size, stride) - 1L) * stride + span - size));
    }

    /**
     * The same window with the same padding on opposite sides, if it then has as many places: they begin at the same
     * pixels, and where all padding is alike it does not matter how much of it lies behind the last.
     */
    private Window alike(Window window) {
        Window alike = window.padded(window.top(), window.left(), window.top(), window.left());
        return alike.fits(shape) && alike.output(1, shape).equals(window.output(1, shape)) ? alike : window;
    }

    private Named convolution(Node node, Node sum) {
        OnnxConstant weight = constants.required(node, 1);
        long[] sizes = weight.shape();
        if (sizes.length != 4) {
            throw node.refuse("has weights of shape " + Arrays.toString(sizes) + "; Pare has 2-D convolutions");
        }
        long[] kernel = node.integers("kernel_shape", sizes[2], sizes[3]);
        if (!Arrays.equals(kernel, new long[]{sizes[2], sizes[3]})) {
            throw node.refuse("has " + node.told("kernel_shape") + " and weights of shape " + Arrays.toString(sizes));
        }
        int height = node.small("height", sizes[2]);
        int width = node.small("width", sizes[3]);
        int groups = node.small("group", node.integer("group", 1));
        int out = node.small("outputs", sizes[0]);
        Window window = alike(window(node, height, width));
        OnnxConstant bias = constants.optional(node, 2);
        boolean biased = bias != null || sum != null || !isNormalized(node);
        Named conv = named("conv",
                new Conv2d(node.small("inputs", sizes[1] * groups), out, window, groups, biased));
        if (biased) {
            put(node, conv, weight.decimals(), biases(bias == null ? new float[out] : bias.decimals(), sum));
        } else {
            put(node, conv, weight.decimals());
        }
        return conv;
    }

    private boolean isNormalized(Node node) {
        List<Node> next = readers.getOrDefault(node.output(), List.of());
        return next.size() == 1 && next.getFirst().operator().equals("BatchNormalization");
    }

    /** The constant by which an operator multiplies vectors. */
    private OnnxConstant matrix(Node node) {
        OnnxConstant weight = constants.required(node, 1);
        if (!flat || weight.shape().length != 2) {
            throw node.refuse("multiplies " + (flat ? "vectors" : "images of " + shape) + " by a constant of shape "
                    + Arrays.toString(weight.shape()) + "; Pare multiplies vectors by matrices");
        }
        return weight;
    }

    private Named gemm(Node node, Node sum) {
        node.only("transA", 0);
        node.any("broadcast");
        OnnxConstant weight = matrix(node);
        int outputs = node.integer("transB", 0) != 0 ? 0 : 1;
        int out = node.small("outputs", weight.shape()[outputs]);
        OnnxConstant bias = constants.optional(node, 2);
        float beta = node.decimal("beta", 1);
        float[] biases = bias == null || beta == 0 ? new float[out] : perOutput(node, bias, out);
        for (int i = 0; i < out; i++) {
            biases[i] *= beta;
        }
        return linear(node, weight, outputs, node.decimal("alpha", 1), biases, sum);
    }

    /**
     * A product with a matrix of constants.
     *
     * @param outputs the dimension of the matrix that counts outputs, 0 or 1
     */
    private Named linear(Node node, OnnxConstant weight, int outputs, float alpha, float[] biases, Node sum) {
        float[] values = (outputs == 0 ? weight : weight.transposed()).decimals();
        for (int i = 0; i < values.length; i++) {
            values[i] *= alpha;
        }
        Named linear = named("fc", new Linear(node.small("inputs", weight.shape()[1 - outputs]), biases.length));
        put(node, linear, values, biases(biases, sum));
        return linear;
    }

    /** Biases, and what an addition behind adds to them. */
    private float[] biases(float[] own, Node sum) {
        if (sum == null) {
            return own;
        }
        int index = constantInput(sum);
        sum.input(index ^ 1);
        sum.any("broadcast", "consumed_inputs");
        float[] added = perOutput(sum, constants.required(sum, index), own.length);
        for (int i = 0; i < own.length; i++) {
            added[i] += own[i];
        }
        return added;
    }

    private int constantInput(Node sum) {
        return constants.isConstant(sum.inputs().getFirst()) ? 0 : 1;
    }

    /** A constant that is added to every sample, as one value for each feature or channel. */
    private float[] perOutput(Node node, OnnxConstant added, int outputs) {
        long[] sizes = added.shape();
        int behind = flat ? 1 : 3;
        float[] values = added.decimals();
        boolean fits = sizes.length <= behind + 1 && (values.length == 1
                || values.length == outputs && sizes.length >= behind && sizes[sizes.length - behind] == outputs);
        if (!fits) {
            throw node.refuse("adds a constant of shape " + Arrays.toString(sizes)
                    + ", which is no bias of one value for each of " + outputs + " outputs");
        }
        if (values.length == outputs) {
            return values;
        }
        float[] all = new float[outputs];
        Arrays.fill(all, values[0]);
        return all;
    }

    private Named normalization(Node node) {
        node.only("training_mode", 0);
        node.only("spatial", 1);
        node.only("is_test", 1);
        node.any("momentum", "consumed_inputs");
        Named norm = named("bn", new BatchNorm(shape.channels(), node.decimal("epsilon", 1e-5f)));
        put(node, norm, constants.required(node, 1).decimals(), constants.required(node, 2).decimals(),
                constants.required(node, 3).decimals(),
                constants.required(node, 4).decimals());
        return norm;
    }

    private Named dropout(Node node) {
        node.only("is_test", 1);
        node.any("seed", "consumed_inputs");
        OnnxConstant ratio = constants.optional(node, 1);
        OnnxConstant training = constants.optional(node, 2);
        if (training != null && (training.count() != 1 || training.decimal(0) != 0)) {
            throw node.refuse("has training_mode true, Pare reads networks that are trained");
        }
        float rate = ratio != null && ratio.count() == 1 ? ratio.decimal(0) : node.decimal("ratio", 0.5f);
        return named("drop", new Dropout(rate >= 0 && rate < 1 ? rate : 0.5f));
    }

    private Named flattening(Node node) {
        long[] sizes = constants.integers(node, 1, "shape");
        node.only("allowzero", 0);
        boolean whole = sizes != null && sizes.length == 2
                && (sizes[1] == shape.features() || sizes[1] == 0 && shape.features() == shape.channels()
                        || sizes[1] == -1 && sizes[0] != -1);
        boolean each = whole && (sizes[0] == 0 || sizes[0] == -1 || sizes[0] == (batch > 0 ? batch : 1));
        if (!each) {
            throw node.refuse("gives values of [" + (batch > 0 ? batch : "batch") + ", " + shape + "] the shape "
                    + Arrays.toString(sizes) + "; Pare flattens each sample");
        }
        flat = true;
        return named("flatten", new Flatten());
    }

    /** What {@link OnnxFile} makes of a subsampling: every n-th pixel, then channels of zeros on both sides. */
    private Named subsample(Node node, Node follower) {
        image(node);
        boolean sliced = node.operator().equals("Slice");
        Node pad = sliced ? follower : node;
        int stride = sliced ? stride(node) : 1;
        int added = 0;
        if (pad != null) {
            pad.input(0);
            long[] pads = constants.integers(pad, 1, "pads");
            OnnxConstant value = constants.optional(pad, 2);
            float filler = value != null && value.count() == 1 ? value.decimal(0) : pad.decimal("value", 0);
            if (!pad.text("mode", "constant").equals("constant") || filler != 0) {
                throw pad.refuse("has mode '" + pad.text("mode", "constant") + "' and value " + filler
                        + "; Pare pads with zeros");
            }
            boolean fits = pads != null && pads.length == 8;
            for (int i = 0; fits && i < pads.length; i++) {
                fits = i % 4 == 1 ? pads[i] >= 0 && pads[i] < 1 << 20 : pads[i] == 0;
            }
            added = fits ? (int) (pads[1] + pads[5]) : 0;
            if (!fits || pads[1] != added / 2) {
                throw pad.refuse("has pads " + Arrays.toString(pads)
                        + "; Pare pads channels, half of them before and half behind");
            }
        }
        return named("subsample", new Subsample(shape.channels() + added, stride));
    }

    /** The step of a slice that takes every n-th pixel in both directions and leaves nothing else out. */
    private int stride(Node slice) {
        long[] starts = constants.integers(slice, 1, "starts");
        long[] ends = constants.integers(slice, 2, "ends");
        long[] axes = constants.integers(slice, 3, "axes");
        long[] steps = constants.integers(slice, 4, "steps");
        int[] sizes = {1, shape.channels(), shape.height(), shape.width()};
        long[] stride = {1, 1, 1, 1};
        boolean fits = starts != null && ends != null && starts.length == ends.length
                && (axes == null ? starts.length <= sizes.length : axes.length == starts.length)
                && (steps == null || steps.length == starts.length);
        for (int i = 0; fits && i < starts.length; i++) {
            long axis = axes == null ? i : axes[i] < 0 ? axes[i] + sizes.length : axes[i];
            long step = steps == null ? 1 : steps[i];
            fits = starts[i] == 0 && step >= 1 && step <= 1 << 16 && axis >= 0 && axis < sizes.length;
            if (fits) {
                int size = sizes[(int) axis];
                // The batch may be of any size.
                long end = axis == 0 ? ends[i] == Long.MAX_VALUE || ends[i] == Integer.MAX_VALUE ? 1 : 0
                        : ends[i] < 0 ? ends[i] + size : Math.min(ends[i], size);
                fits = Math.ceilDiv(end, step) == Math.ceilDiv(size, step);
                stride[(int) axis] = step;
            }
        }
        if (!fits || stride[0] != 1 || stride[1] != 1 || stride[2] != stride[3]) {
            throw slice.refuse("has starts " + Arrays.toString(starts) + ", ends " + Arrays.toString(ends) + ", axes "
                    + Arrays.toString(axes) + " and steps " + Arrays.toString(steps) + " on images of " + shape
                    + "; Pare takes every n-th pixel of whole images");
        }
        return (int) stride[2];
    }

    // Names.

    /** Gives the layers the names of a known network if they are the same. */
    private static CompressedWeights known(CompressedWeights weights) {
        for (String name : Models.names()) {
            Net candidate = Models.byName(name);
            if (candidate.computesLike(weights.model())) {
                Map<String, CompressedTensor> renamed = new LinkedHashMap<>();
                var values = weights.tensors().values().iterator();
                candidate.parameters().forEach(parameter -> renamed.put(parameter.name(), values.next()));
                return new CompressedWeights(candidate, renamed, weights.scale());
            }
        }
        return weights;
    }
}
