package io.pare.format;

import io.pare.file.AtomicFile;
import io.pare.format.Protobuf.Numbers;
import io.pare.format.Protobuf.Reader;
import io.pare.format.Protobuf.Writer;
import io.pare.mem.FloatTensor;
import io.pare.model.ImageShape;
import io.pare.model.Layer;
import io.pare.model.Layer.AvgPool;
import io.pare.model.Layer.BatchNorm;
import io.pare.model.Layer.Conv2d;
import io.pare.model.Layer.Dropout;
import io.pare.model.Layer.Flatten;
import io.pare.model.Layer.GlobalAvgPool;
import io.pare.model.Layer.Linear;
import io.pare.model.Layer.MaxPool;
import io.pare.model.Layer.Relu;
import io.pare.model.Layer.Residual;
import io.pare.model.Layer.ResponseNorm;
import io.pare.model.Layer.Subsample;
import io.pare.model.Model;
import io.pare.model.Models;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Writes networks as ONNX (github.com/onnx/onnx, IR version {@value #IR_VERSION}, opset {@value #OPSET}) and reads
 * those that are chains of layers and of residual blocks, in which two chains are added.
 *
 * <p>Weights are written dense, or as a codebook and one byte for each weight, which a Gather puts together when the
 * network runs. The same weights give the same bytes.
 */
public final class OnnxFile {
    /** Version of the ONNX representation that is written. */
    public static final int IR_VERSION = 7;
    /** Version of the operator set that is written. */
    public static final int OPSET = 13;
    /** Name of the input, shape [batch, channels, height, width]. */
    public static final String INPUT = "image";
    /** Name of the output, shape [batch, classes]: logits. */
    public static final String OUTPUT = "logits";

    private static final int FLOAT = 1;
    private static final int UINT8 = 2;
    private static final int INT32 = 6;
    private static final int INT64 = 7;
    private static final int FLOAT16 = 10;
    private static final int DOUBLE = 11;
    private static final int BFLOAT16 = 16;
    private static final String MEAN = "pare.mean";
    private static final String DEVIATION = "pare.deviation";

    private OnnxFile() {}

    /** Writes the whole file or nothing; {@code codebooks} asks for codes and codebooks where a tensor has them. */
    public static void write(Path path, CompressedWeights weights, boolean codebooks) {
        AtomicFile.write(path, encode(weights, codebooks));
    }

    /** The bytes of a file. */
    public static byte[] encode(CompressedWeights weights, boolean codebooks) {
        return new Exporter(weights, codebooks).run();
    }

    /** Turns layers into nodes. */
    private static final class Exporter {
        private final CompressedWeights weights;
        private final boolean codebooks;
        private final Writer graph = new Writer();
        private final List<Writer> initializers = new ArrayList<>();
        private boolean flat;

        Exporter(CompressedWeights weights, boolean codebooks) {
            this.weights = weights;
            this.codebooks = codebooks;
        }

        byte[] run() {
            Model model = weights.model();
            chain(model.layers(), INPUT, OUTPUT);
            if (!flat) {
                throw new IllegalArgumentException("model " + model.name() + " does not end in a vector of logits");
            }
            graph.text(2, model.name());
            initializers.forEach(tensor -> graph.message(5, tensor));
            graph.message(11, value(INPUT, model.input().channels(), model.input().height(), model.input().width()));
            graph.message(12, value(OUTPUT, model.classes()));
            return new Writer().number(1, IR_VERSION).text(2, "Pare").message(7, graph)
                    .message(8, new Writer().text(1, "").number(2, OPSET))
                    .message(14, property(MEAN, weights.scale().means()))
                    .message(14, property(DEVIATION, weights.scale().deviations())).toByteArray();
        }

        /**
         * Adds layers that run one after another.
         *
         * @param to name of the last one's output, or null for one of its own
         * @return name of the last one's output
         */
        private String chain(List<Layer> all, String at, String to) {
            List<Layer> layers = new ArrayList<>(all);
            layers.removeIf(Dropout.class::isInstance);
            for (int i = 0; i < layers.size(); i++) {
                Layer layer = layers.get(i);
                String name = layer.name();
                if (layer instanceof Linear && !flat) {
                    graph.message(1, node("Flatten", name + ".flatten", List.of(at), name + ".in")
                            .message(5, integer("axis", 1)));
                    at = name + ".in";
                }
                boolean image = !(layer instanceof Linear || layer instanceof Relu || layer instanceof Flatten);
                if (flat && image) {
                    throw new IllegalArgumentException("layer " + name + " of " + weights.model().name()
                            + " takes images behind a vector, which is not written to ONNX");
                }
                flat |= layer instanceof Flatten || layer instanceof Linear;
                String output = i == layers.size() - 1 && to != null ? to : name + ".out";
                switch (layer) {
                    case Residual residual -> {
                        String body = chain(residual.body(), at, null);
                        String shortcut = chain(residual.shortcut(), at, null);
                        graph.message(1, node("Add", name, List.of(body, shortcut), output));
                    }
                    case Subsample subsample -> {
                        int stride = subsample.stride();
                        String pixels = name + ".pixels";
                        graph.message(1, node("Slice", name + ".slice", List.of(at, longs(name + ".starts", 0, 0),
                                longs(name + ".ends", Integer.MAX_VALUE, Integer.MAX_VALUE),
                                longs(name + ".axes", 2, 3), longs(name + ".steps", stride, stride)), pixels));
                        int added = subsample.out() - channels(subsample);
                        graph.message(1, node("Pad", name, List.of(pixels, longs(name + ".pads", 0, added / 2, 0, 0, 0,
                                added - added / 2, 0, 0)), output));
                    }
                    default -> {
                        List<String> inputs = new ArrayList<>(List.of(at));
                        for (var parameter : layer.parameters()) {
                            inputs.add(parameter(graph, initializers, parameter.name(),
                                    weights.tensor(parameter.name()), codebooks && parameter.weight()));
                        }
                        graph.message(1, node(layer, inputs, output));
                    }
                }
                at = output;
            }
            return at;
        }

        private int channels(Subsample subsample) {
            return weights.model().steps().stream().filter(step -> step.layer() == subsample).findFirst()
                    .orElseThrow().input().channels();
        }

        /** Adds a tensor of integers; returns its name. */
        private String longs(String name, long... values) {
            ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asLongBuffer().put(values);
            initializers.add(tensor(name, INT64, new long[]{values.length}, bytes.array()));
            return name;
        }
    }

    private static Writer property(String key, String value) {
        return new Writer().text(1, key).text(2, value);
    }

    private static Writer node(String operator, String name, List<String> inputs, String output) {
        Writer node = new Writer();
        inputs.forEach(input -> node.text(1, input));
        return node.text(2, output).text(3, name).text(4, operator);
    }

    private static Writer node(Layer layer, List<String> inputs, String output) {
        return switch (layer) {
            case Conv2d c -> node("Conv", c.name(), inputs, output)
                    .message(5, integers("kernel_shape", c.kernelHeight(), c.kernelWidth()))
                    .message(5, integers("strides", c.stride(), c.stride()))
                    .message(5, integers("pads", c.padding(), c.padding(), c.padding(), c.padding()))
                    .message(5, integers("dilations", c.dilation(), c.dilation()))
                    .message(5, integer("group", c.groups()));
            case Linear l -> node("Gemm", l.name(), inputs, output).message(5, integer("transB", 1));
            case MaxPool p -> pool("MaxPool", p.name(), p.kernel(), p.stride(), p.padding(), inputs, output);
            case AvgPool p -> pool("AveragePool", p.name(), p.kernel(), p.stride(), p.padding(), inputs, output)
                    .message(5, integer("count_include_pad", 1));
            case Relu r -> node("Relu", r.name(), inputs, output);
            case Flatten f -> node("Flatten", f.name(), inputs, output).message(5, integer("axis", 1));
            case GlobalAvgPool p -> node("GlobalAveragePool", p.name(), inputs, output);
            case BatchNorm b -> node("BatchNormalization", b.name(), inputs, output)
                    .message(5, decimal("epsilon", b.epsilon()));
            case ResponseNorm r -> node("LRN", r.name(), inputs, output).message(5, integer("size", r.size()))
                    .message(5, decimal("alpha", r.alpha())).message(5, decimal("beta", r.beta()))
                    .message(5, decimal("bias", r.k()));
            case Dropout d -> throw new IllegalStateException(d.name() + " is left out");
            case Subsample _,Residual _ -> throw new IllegalStateException(layer.name() + " is more than one operator");
        };
    }

    private static Writer pool(String operator, String name, int kernel, int stride, int padding, List<String> inputs,
            String output) {
        return node(operator, name, inputs, output).message(5, integers("kernel_shape", kernel, kernel))
                .message(5, integers("strides", stride, stride))
                .message(5, integers("pads", padding, padding, padding, padding));
    }

    private static Writer integer(String name, long value) {
        return new Writer().text(1, name).number(3, value).number(20, 2);
    }

    private static Writer decimal(String name, float value) {
        return new Writer().text(1, name).decimal(2, value).number(20, 1);
    }

    private static Writer integers(String name, long... values) {
        Writer attribute = new Writer().text(1, name);
        for (long value : values) {
            attribute.number(8, value);
        }
        return attribute.number(20, 7);
    }

    /** A value of floats; the first dimension, of the batch, is free. */
    private static Writer value(String name, long... sizes) {
        Writer shape = new Writer().message(1, new Writer().text(2, "batch"));
        for (long size : sizes) {
            shape.message(1, new Writer().number(1, size));
        }
        return new Writer().text(1, name).message(2,
                new Writer().message(1, new Writer().number(1, FLOAT).message(2, shape)));
    }

    /** Adds a tensor, and nodes that unpack it if it is to be coded. Returns the name of the unpacked tensor. */
    private static String parameter(Writer graph, List<Writer> initializers, String name, CompressedTensor tensor,
            boolean coded) {
        if (!coded || !tensor.isCoded() || tensor.codebook().length >= CompressedTensor.MAX_CODEBOOK) {
            initializers.add(tensor(name, FLOAT, tensor.shape(), floats(tensor.toArray())));
            return name;
        }
        float[] codebook = tensor.codebook();
        float[] withZero = new float[codebook.length + 1];
        System.arraycopy(codebook, 0, withZero, 1, codebook.length);
        byte[] codes = new byte[tensor.count()];
        for (int i = 0; i < tensor.nonzeros(); i++) {
            codes[tensor.position(i)] = (byte) (tensor.code(i) + 1);
        }
        initializers.add(tensor(name + ".codebook", FLOAT, new long[]{withZero.length}, floats(withZero)));
        initializers.add(tensor(name + ".codes", UINT8, tensor.shape(), codes));
        // Gather takes no bytes as indices.
        graph.message(1, node("Cast", name + ".cast", List.of(name + ".codes"), name + ".indices").message(5,
                integer("to", INT32)));
        graph.message(1, node("Gather", name + ".gather", List.of(name + ".codebook", name + ".indices"), name));
        return name;
    }

    private static byte[] floats(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    private static Writer tensor(String name, int type, long[] shape, byte[] raw) {
        Writer tensor = new Writer();
        for (long size : shape) {
            tensor.number(1, size);
        }
        return tensor.number(2, type).text(8, name).bytes(9, raw);
    }

    // Reading.

    private record Tensor(long[] shape, float[] values) {}

    private record Node(String operator, String name, List<String> inputs, String output, Map<String, long[]> integers,
            Map<String, Float> decimals, Tensor value) {
        long integer(String attribute, long otherwise) {
            long[] values = integers.get(attribute);
            return values == null || values.length == 0 ? otherwise : values[0];
        }

        FormatException refuse(String why) {
            return new FormatException("operator " + operator + (name.isEmpty() ? "" : " '" + name + "'") + " " + why);
        }

        /** The one value of an attribute that must be the same in all directions. */
        int same(String attribute, int otherwise) {
            long[] values = integers.get(attribute);
            if (values == null || values.length == 0) {
                return otherwise;
            }
            if (Arrays.stream(values).distinct().count() > 1) {
                throw refuse("has " + attribute + " " + Arrays.toString(values) + "; all must be equal");
            }
            return small(attribute, values[0]);
        }

        int small(String attribute, long value) {
            if (value < 0 || value > 1 << 20) {
                throw refuse("has " + attribute + " " + value);
            }
            return (int) value;
        }
    }

    private static final class Graph {
        private final List<Node> nodes = new ArrayList<>();
        private final Map<String, Tensor> tensors = new HashMap<>();
        private final Map<String, long[]> inputs = new LinkedHashMap<>();
        private final List<String> outputs = new ArrayList<>();
        private final Map<String, String> properties = new HashMap<>();
        private String name = "onnx";
    }

    /** What a file's bytes hold: layers, under the names of a known network if it has the same layers. */
    public static CompressedWeights decode(byte[] file) {
        Graph graph = new Graph();
        Reader model = new Reader(file);
        boolean seen = false;
        while (model.next()) {
            if (model.field() == 7) {
                seen = true;
                readGraph(model.message(), graph);
            } else if (model.field() == 14) {
                Reader property = model.message();
                String key = "";
                String value = "";
                while (property.next()) {
                    key = property.field() == 1 ? property.text() : key;
                    value = property.field() == 2 ? property.text() : value;
                }
                graph.properties.put(key, value);
            }
        }
        if (!seen) {
            throw new FormatException("no ONNX file: it holds no graph");
        }
        try {
            return new Importer(graph).run();
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new FormatException("the layers do not fit together: " + e.getMessage(), e);
        }
    }

    private static void readGraph(Reader in, Graph graph) {
        while (in.next()) {
            switch (in.field()) {
                case 1 -> graph.nodes.add(readNode(in.message()));
                case 2 -> graph.name = in.text();
                case 5 -> readTensor(in.message(), graph.tensors);
                case 11 -> readInput(in.message(), graph.inputs);
                case 12 -> graph.outputs.add(readName(in.message()));
                default -> {
                    // Documentation, value types between nodes.
                }
            }
        }
    }

    private static String readName(Reader in) {
        String name = "";
        while (in.next()) {
            name = in.field() == 1 ? in.text() : name;
        }
        return name;
    }

    private static Node readNode(Reader in) {
        List<String> inputs = new ArrayList<>();
        String output = null;
        String name = "";
        String operator = "";
        Map<String, long[]> integers = new HashMap<>();
        Map<String, Float> decimals = new HashMap<>();
        Map<String, Tensor> values = new HashMap<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> inputs.add(in.text());
                case 2 -> output = output == null ? in.text() : output;
                case 3 -> name = in.text();
                case 4 -> operator = in.text();
                case 5 -> readAttribute(in.message(), integers, decimals, values);
                default -> {
                    // Documentation.
                }
            }
        }
        return new Node(operator, name, inputs, output == null ? "" : output, integers, decimals,
                values.values().stream().findFirst().orElse(null));
    }

    private static void readAttribute(Reader in, Map<String, long[]> integers, Map<String, Float> decimals,
            Map<String, Tensor> values) {
        String name = "";
        Numbers numbers = new Numbers();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> name = in.text();
                case 2 -> decimals.put(name, in.decimal());
                case 3, 8 -> in.numbers(numbers);
                case 4 -> numbers.add(switch (in.text()) {
                    case "NOTSET" -> 0;
                    case "VALID" -> 1;
                    default -> 2;
                });
                case 5 -> readTensor(in.message(), values);
                default -> {
                    // Type and documentation.
                }
            }
        }
        integers.put(name, numbers.toArray());
    }

    private static void readInput(Reader in, Map<String, long[]> inputs) {
        String name = "";
        Numbers shape = new Numbers();
        while (in.next()) {
            if (in.field() == 1) {
                name = in.text();
            } else if (in.field() == 2) {
                Reader type = in.message();
                while (type.next()) {
                    if (type.field() == 1) {
                        readShape(type.message(), shape);
                    }
                }
            }
        }
        inputs.put(name, shape.toArray());
    }

    private static void readShape(Reader tensorType, Numbers shape) {
        while (tensorType.next()) {
            if (tensorType.field() == 2) {
                Reader sizes = tensorType.message();
                while (sizes.next()) {
                    long size = -1;
                    Reader dimension = sizes.message();
                    while (dimension.next()) {
                        size = dimension.field() == 1 ? dimension.number() : size;
                    }
                    shape.add(size);
                }
            }
        }
    }

    private static void readTensor(Reader in, Map<String, Tensor> tensors) {
        Numbers sizes = new Numbers();
        Numbers integers = new Numbers();
        ByteBuffer raw = null;
        int type = 0;
        String name = "";
        while (in.next()) {
            switch (in.field()) {
                case 1 -> in.numbers(sizes);
                case 2 -> type = (int) in.number();
                case 4, 9, 10 -> raw = in.buffer();
                case 5, 7 -> in.numbers(integers);
                case 8 -> name = in.text();
                case 13, 14 -> throw new FormatException("tensor '" + name
                        + "' lies in another file (external data): save the ONNX file with its weights inside");
                default -> {
                    // Documentation, strings.
                }
            }
        }
        long[] shape = sizes.toArray();
        long count;
        try {
            count = FloatTensor.count(shape);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new FormatException("tensor '" + name + "' has the shape " + Arrays.toString(shape), e);
        }
        int width = switch (type) {
            case FLOAT, INT32 -> 4;
            case UINT8 -> 1;
            case INT64, DOUBLE -> 8;
            case FLOAT16, BFLOAT16 -> 2;
            default -> throw new FormatException(
                    "tensor '" + name + "' has the element type " + type + " of ONNX, which Pare does not read");
        };
        long given = raw == null ? integers.size() : raw.remaining() / width;
        if (given != count || raw != null && raw.remaining() % width != 0) {
            throw new FormatException("tensor '" + name + "' of shape " + Arrays.toString(shape) + " needs " + count
                    + " values, " + given + " are there: the file is damaged");
        }
        float[] values = new float[(int) count];
        for (int i = 0; i < values.length; i++) {
            if (raw == null) {
                values[i] = type == FLOAT16 ? Float.float16ToFloat((short) integers.get(i)) : integers.get(i);
            } else {
                values[i] = switch (type) {
                    case FLOAT -> raw.getFloat(i * 4);
                    case INT32 -> raw.getInt(i * 4);
                    case UINT8 -> raw.get(i) & 0xff;
                    case INT64 -> raw.getLong(i * 8);
                    case DOUBLE -> (float) raw.getDouble(i * 8);
                    case FLOAT16 -> Float.float16ToFloat(raw.getShort(i * 2));
                    default -> Float.intBitsToFloat(raw.getShort(i * 2) << 16);
                };
            }
        }
        tensors.put(name, new Tensor(shape, values));
    }

    /** Turns chains of nodes into layers. */
    private static final class Importer {
        private final Graph graph;
        private final Map<String, Integer> counters = new HashMap<>();
        private final Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        /** Nodes that read a value which depends on the input, by the value's name; twice if they read it twice. */
        private final Map<String, List<Node>> readers = new HashMap<>();
        private List<Layer> layers = new ArrayList<>();
        private ImageShape shape;
        private int done;

        Importer(Graph graph) {
            this.graph = graph;
        }

        CompressedWeights run() {
            String input = input();
            ImageShape first = shape;
            int computing = 0;
            for (Node node : graph.nodes) {
                if (!constant(node)) {
                    computing++;
                    node.inputs.stream().filter(name -> !graph.tensors.containsKey(name))
                            .forEach(name -> readers.computeIfAbsent(name, unused -> new ArrayList<>()).add(node));
                }
            }
            String last = chain(input, null);
            if (!graph.outputs.contains(last)) {
                throw new FormatException("the graph's output " + graph.outputs + " is not that of its last operator");
            }
            if (done != computing) {
                throw new FormatException(
                        (computing - done) + " of " + computing + " operators do not lie between input"
                                + " and output");
            }
            InputScale scale = scale();
            Model model = new Model(graph.name, first, shape.features(), layers);
            return known(new CompressedWeights(model, tensors, scale));
        }

        /**
         * Follows operators from the value {@code at}, to before the addition {@code end} or to the last one; returns the
         * name of the last value.
         */
        private String chain(String at, Node end) {
            while (true) {
                List<Node> next = readers.getOrDefault(at, List.of());
                if (next.isEmpty() || next.size() == 1 && next.getFirst() == end) {
                    return at;
                }
                Node node = next.getFirst();
                if (next.size() == 2) {
                    at = block(at, next);
                } else if (next.size() > 2) {
                    throw node.refuse("is one of " + next.size() + " that read '" + at
                            + "': only chains and blocks of two branches can be read");
                } else if (node.operator.equals("Slice")) {
                    Node pad = onlyReader(node);
                    layers.add(subsample(node, pad));
                    shape = layers.getLast().output(shape);
                    at = pad.output;
                    done += 2;
                } else {
                    Node sum = readers.getOrDefault(node.output, List.of()).size() == 1 ? onlyReader(node) : null;
                    boolean taken = sum != null && node.operator.equals("MatMul") && sum.operator.equals("Add")
                            && !isJoin(sum);
                    add(node, taken ? sum : null);
                    at = taken ? sum.output : node.output;
                    done += taken ? 2 : 1;
                }
            }
        }

        /** A value that two operators read: their branches meet in an addition. */
        private String block(String at, List<Node> branches) {
            Node end = end(branches.get(0));
            if (end != end(branches.get(1))) {
                throw branches.get(1).refuse("does not meet the other branch behind '" + at + "'");
            }
            List<Layer> outer = layers;
            ImageShape input = shape;
            List<List<Layer>> sides = new ArrayList<>();
            // The branch that goes first into the sum is the body, as Pare writes it, unless it does nothing.
            boolean inOrder = entry(at, branches.getFirst(), end).equals(end.inputs.getFirst());
            for (Node branch : inOrder ? branches : branches.reversed()) {
                layers = new ArrayList<>();
                shape = input;
                if (branch != end) {
                    readers.put(at, List.of(branch));
                    chain(at, end);
                }
                sides.add(layers);
            }
            boolean swapped = sides.get(0).isEmpty();
            layers = outer;
            layers.add(new Residual(name("block"), sides.get(swapped ? 1 : 0), sides.get(swapped ? 0 : 1)));
            shape = layers.getLast().output(input);
            done++;
            return end.output;
        }

        /** The addition of two computed values that ends the branch which begins with {@code node}. */
        private Node end(Node node) {
            int steps = 0;
            for (Node each = node; steps <= graph.nodes.size(); each = onlyReader(each), steps++) {
                if (isJoin(each)) {
                    return each;
                }
            }
            throw node.refuse("lies on a circle");
        }

        /** The value with which a branch enters the addition. */
        private String entry(String at, Node branch, Node end) {
            String value = at;
            for (Node each = branch; each != end; each = onlyReader(each)) {
                value = each.output;
            }
            return value;
        }

        private boolean isJoin(Node node) {
            return node.operator.equals("Add") && node.inputs.stream().noneMatch(graph.tensors::containsKey);
        }

        private Node onlyReader(Node node) {
            List<Node> next = readers.getOrDefault(node.output, List.of());
            if (next.size() != 1) {
                throw node.refuse("is read by " + next.size() + " operators inside a branch");
            }
            return next.getFirst();
        }

        /** What {@link Exporter} makes of a subsampling. */
        private Layer subsample(Node slice, Node pad) {
            float[] starts = tensor(slice, 1).values;
            float[] axes = tensor(slice, 3).values;
            float[] steps = tensor(slice, 4).values;
            float[] pads = pad.operator.equals("Pad") ? tensor(pad, 1).values : new float[0];
            boolean fits = Arrays.equals(starts, new float[]{0, 0}) && Arrays.equals(axes, new float[]{2, 3})
                    && steps.length == 2 && steps[0] == steps[1] && steps[0] >= 1 && pads.length == 8;
            for (int i = 0; fits && i < pads.length; i++) {
                fits = i % 4 == 1 ? pads[i] >= 0 && pads[i] < 1 << 20 : pads[i] == 0;
            }
            int added = fits ? (int) (pads[1] + pads[5]) : 0;
            if (!fits || (int) pads[1] != added / 2) {
                throw slice
                        .refuse("with the one behind it is not every n-th pixel and channels of zeros on both sides");
            }
            return new Subsample(name("subsample"), shape.channels() + added, (int) steps[0]);
        }

        private InputScale scale() {
            try {
                return InputScale.parse(graph.properties.getOrDefault(MEAN, InputScale.UNIT.means()),
                        graph.properties.getOrDefault(DEVIATION, InputScale.UNIT.deviations()));
            } catch (IllegalArgumentException e) {
                throw new FormatException("properties " + MEAN + " and " + DEVIATION + ": " + e.getMessage(), e);
            }
        }

        private String input() {
            Map<String, long[]> free = new LinkedHashMap<>(graph.inputs);
            free.keySet().removeAll(graph.tensors.keySet());
            if (free.size() != 1) {
                throw new FormatException("the graph has the inputs " + free.keySet() + ", one is needed");
            }
            String at = free.keySet().iterator().next();
            long[] sizes = free.get(at);
            if (sizes.length != 2 && sizes.length != 4
                    || Arrays.stream(sizes).skip(1).anyMatch(size -> size < 1 || size > 1 << 16)) {
                throw new FormatException("input '" + at + "' has the shape " + Arrays.toString(sizes)
                        + "; [batch, channels, height, width] or [batch, features] with fixed sizes is needed");
            }
            shape = sizes.length == 4
                    ? new ImageShape((int) sizes[1], (int) sizes[2], (int) sizes[3])
                    : new ImageShape((int) sizes[1], 1, 1);
            return at;
        }

        /** Computes nodes that depend on tensors of the file only. */
        private boolean constant(Node node) {
            switch (node.operator) {
                case "Constant" -> {
                    if (node.value == null) {
                        throw node.refuse("holds no tensor");
                    }
                    graph.tensors.put(node.output, node.value);
                    return true;
                }
                case "Cast", "Identity" -> {
                    Tensor tensor = node.inputs.isEmpty() ? null : graph.tensors.get(node.inputs.get(0));
                    if (tensor != null) {
                        graph.tensors.put(node.output, tensor);
                    }
                    return tensor != null;
                }
                case "Gather" -> {
                    Tensor table = node.inputs.isEmpty() ? null : graph.tensors.get(node.inputs.get(0));
                    Tensor codes = node.inputs.size() < 2 ? null : graph.tensors.get(node.inputs.get(1));
                    if (table == null || codes == null || table.shape.length != 1) {
                        throw node.refuse("does not look up codes in a codebook");
                    }
                    float[] values = new float[codes.values.length];
                    for (int i = 0; i < values.length; i++) {
                        float code = codes.values[i];
                        if (!(code >= 0 && code < table.values.length)) {
                            throw node.refuse("looks up code " + code + " in " + table.values.length + " values");
                        }
                        values[i] = table.values[(int) code];
                    }
                    graph.tensors.put(node.output, new Tensor(codes.shape, values));
                    return true;
                }
                default -> {
                    return false;
                }
            }
        }

        private void add(Node node, Node sum) {
            Layer layer = switch (node.operator) {
                case "Conv" -> convolution(node);
                case "Gemm" -> gemm(node);
                case "MatMul" -> matMul(node, sum);
                case "MaxPool" -> {
                    int kernel = node.same("kernel_shape", 0);
                    checkPool(node);
                    yield new MaxPool(name("pool"), kernel, node.same("strides", 1), node.same("pads", 0));
                }
                case "AveragePool" -> {
                    int padding = node.same("pads", 0);
                    if (padding > 0 && node.integer("count_include_pad", 0) == 0) {
                        throw node.refuse("leaves padding out of the mean, which Pare cannot");
                    }
                    checkPool(node);
                    yield new AvgPool(name("pool"), node.same("kernel_shape", 0), node.same("strides", 1), padding);
                }
                case "GlobalAveragePool" -> new GlobalAvgPool(name("pool"));
                case "BatchNormalization" -> {
                    BatchNorm norm = new BatchNorm(name("bn"), shape.channels(),
                            node.decimals.getOrDefault("epsilon", 1e-5f));
                    put(node, norm, tensor(node, 1).values, tensor(node, 2).values, tensor(node, 3).values,
                            tensor(node, 4).values);
                    yield norm;
                }
                case "LRN" -> new ResponseNorm(name("norm"), node.small("size", node.integer("size", 1)),
                        node.decimals.getOrDefault("alpha", 1e-4f), node.decimals.getOrDefault("beta", 0.75f),
                        node.decimals.getOrDefault("bias", 1f));
                case "Relu" -> new Relu(name("relu"));
                case "Flatten" -> {
                    if (node.integer("axis", 1) != 1) {
                        throw node.refuse("has axis " + node.integer("axis", 1) + "; 1 is needed");
                    }
                    yield new Flatten(name("flatten"));
                }
                case "Reshape" -> {
                    Tensor sizes = node.inputs.size() < 2 ? null : graph.tensors.get(node.inputs.get(1));
                    if (sizes == null || sizes.values.length != 2
                            || sizes.values[1] != -1 && sizes.values[1] != shape.features()) {
                        throw node.refuse("is no flattening of each sample");
                    }
                    yield new Flatten(name("flatten"));
                }
                case "Dropout" -> {
                    float rate = node.decimals.getOrDefault("ratio", 0.5f);
                    yield new Dropout(name("drop"), rate >= 0 && rate < 1 ? rate : 0.5f);
                }
                case "Identity", "Cast" -> null;
                default -> throw node.refuse("is not one that Pare has; it has Conv, Gemm, MatMul with Add, MaxPool,"
                        + " AveragePool, GlobalAveragePool, BatchNormalization, LRN, Relu, Add of two branches, Slice with"
                        + " Pad, Flatten, Reshape, Dropout, Identity, Constant, Gather, Cast");
            };
            if (layer != null) {
                shape = layer.output(shape);
                layers.add(layer);
            }
        }

        private void checkPool(Node node) {
            if (node.integer("ceil_mode", 0) != 0 || node.same("dilations", 1) != 1
                    || node.integer("auto_pad", 0) == 2) {
                throw node.refuse("rounds up, dilates or pads by itself, which Pare's pools do not");
            }
        }

        private String name(String prefix) {
            int number = counters.merge(prefix, 1, Integer::sum);
            return prefix.equals("flatten") && number == 1 ? prefix : prefix + number;
        }

        private Tensor tensor(Node node, int input) {
            Tensor tensor = node.inputs.size() > input ? graph.tensors.get(node.inputs.get(input)) : null;
            if (tensor == null) {
                throw node.refuse("has no constant tensor as input " + input);
            }
            return tensor;
        }

        private void put(Node node, Layer layer, float[]... values) {
            var parameters = layer.parameters();
            for (int i = 0; i < values.length; i++) {
                if (values[i].length != parameters.get(i).count()) {
                    throw node.refuse("has " + values[i].length + " values for " + parameters.get(i).name() + ", "
                            + parameters.get(i).count() + " are needed");
                }
                tensors.put(parameters.get(i).name(), CompressedTensor.of(values[i], parameters.get(i).shape()));
            }
        }

        private Layer convolution(Node node) {
            Tensor weight = tensor(node, 1);
            if (weight.shape.length != 4 || node.integer("auto_pad", 0) == 2) {
                throw node.refuse("is not a plain 2-D convolution");
            }
            int groups = node.small("group", node.integer("group", 1));
            int out = node.small("outputs", weight.shape[0]);
            boolean bias = node.inputs.size() > 2 || !isNormalized(node);
            Conv2d conv = new Conv2d(name("conv"), node.small("inputs", weight.shape[1] * groups), out,
                    node.small("height", weight.shape[2]), node.small("width", weight.shape[3]),
                    node.same("strides", 1), node.same("pads", 0), node.same("dilations", 1), groups, bias);
            if (bias) {
                put(node, conv, weight.values, node.inputs.size() > 2 ? tensor(node, 2).values : new float[out]);
            } else {
                put(node, conv, weight.values);
            }
            return conv;
        }

        private boolean isNormalized(Node node) {
            List<Node> next = readers.getOrDefault(node.output, List.of());
            return next.size() == 1 && next.getFirst().operator.equals("BatchNormalization");
        }

        private Layer gemm(Node node) {
            Tensor weight = tensor(node, 1);
            if (weight.shape.length != 2 || node.integer("transA", 0) != 0
                    || node.decimals.getOrDefault("alpha", 1f) != 1 || node.decimals.getOrDefault("beta", 1f) != 1) {
                throw node.refuse("is not a plain linear layer");
            }
            boolean transposed = node.integer("transB", 0) != 0;
            return linear(node, weight, !transposed, node.inputs.size() > 2 ? tensor(node, 2).values : null);
        }

        private Layer matMul(Node node, Node sum) {
            Tensor weight = tensor(node, 1);
            if (weight.shape.length != 2) {
                throw node.refuse("is not a linear layer");
            }
            float[] bias = null;
            if (sum != null) {
                int constant = sum.inputs.get(0).equals(node.output) ? 1 : 0;
                bias = tensor(sum, constant).values;
            }
            return linear(node, weight, true, bias);
        }

        private Layer linear(Node node, Tensor weight, boolean inputsFirst, float[] bias) {
            int rows = node.small("rows", weight.shape[0]);
            int columns = node.small("columns", weight.shape[1]);
            float[] values = weight.values;
            if (inputsFirst) {
                values = new float[weight.values.length];
                for (int i = 0; i < values.length; i++) {
                    values[i % columns * rows + i / columns] = weight.values[i];
                }
            }
            Linear linear = new Linear(name("fc"), inputsFirst ? rows : columns, inputsFirst ? columns : rows);
            put(node, linear, values, bias == null ? new float[linear.out()] : bias);
            return linear;
        }

        /** Gives the layers the names of a known network if they are the same. */
        private static CompressedWeights known(CompressedWeights weights) {
            for (String name : Models.names()) {
                Model candidate = Models.byName(name);
                if (candidate.input().equals(weights.model().input())
                        && nameless(candidate).equals(nameless(weights.model()))) {
                    Map<String, CompressedTensor> renamed = new LinkedHashMap<>();
                    var values = weights.tensors().values().iterator();
                    candidate.parameters().forEach(parameter -> renamed.put(parameter.name(), values.next()));
                    return new CompressedWeights(candidate, renamed, weights.scale());
                }
            }
            return weights;
        }

        private static String nameless(Model model) {
            return model.layers().stream().filter(layer -> !(layer instanceof Dropout))
                    .map(layer -> layer.toString().replaceAll("name=[^,\\]]*", "")).collect(Collectors.joining("|"));
        }
    }
}
