package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.onnx.Protobuf.Writer;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.Node;
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
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Turns the nodes of a network into those of ONNX. */
final class OnnxExporter {
    private final CompressedWeights weights;
    private final Net net;
    private final boolean codebooks;
    private final Writer graph = new Writer();
    private final List<Writer> initializers = new ArrayList<>();

    OnnxExporter(CompressedWeights weights, boolean codebooks) {
        this.weights = weights;
        // Dropout does nothing in a network that is trained.
        this.net = weights.model().trained();
        this.codebooks = codebooks;
    }

    byte[] run() {
        if (net.output().output().rank() != 1) {
            throw new IllegalArgumentException("model " + net.name() + " does not end in a vector of logits");
        }
        net.layers().forEach(this::add);
        graph.text(2, net.name());
        initializers.forEach(tensor -> graph.message(5, tensor));
        graph.message(11, value(OnnxFile.INPUT, sizes(net.input())));
        graph.message(12, value(OnnxFile.OUTPUT, net.classes()));
        return new Writer().number(1, OnnxFile.IR_VERSION).text(2, "Pare").message(7, graph)
                .message(8, new Writer().text(1, "").number(2, opset()))
                .message(14, property(OnnxFile.MEAN, weights.scale().means()))
                .message(14, property(OnnxFile.DEVIATION, weights.scale().deviations())).toByteArray();
    }

    private long opset() {
        boolean dilated =
                net.layers().stream().anyMatch(node -> node.op() instanceof AvgPool p && p.window().isDilated());
        return dilated ? OnnxFile.OPSET_OF_DILATED_MEANS : OnnxFile.OPSET;
    }

    private static long[] sizes(Shape shape) {
        return shape.sizes().stream().mapToLong(Integer::longValue).toArray();
    }

    /** Name of the value that a node gives. */
    private String valueOf(Node node) {
        return node.op() instanceof Op.Input ? OnnxFile.INPUT
                : node.place() == net.nodes().size() - 1 ? OnnxFile.OUTPUT : node.name() + ".out";
    }

    private void add(Node node) {
        String name = node.name();
        String output = valueOf(node);
        String at = node.inputs().isEmpty() ? "" : valueOf(net.node(node.input()));
        Shape shape = net.inputs(node).stream().findFirst().orElse(null);
        switch (node.op()) {
            case Conv2d c -> graph.message(1, node("Conv", name, tensors(node, image(node, at)), output)
                    .message(5, integers("kernel_shape", c.window().kernelHeight(), c.window().kernelWidth()))
                    .message(5, integers("strides", c.window().strideHeight(), c.window().strideWidth()))
                    .message(5, pads(c.window()))
                    .message(5, integers("dilations", c.window().dilationHeight(), c.window().dilationWidth()))
                    .message(5, integer("group", c.groups())));
            case Linear _ -> {
                if (shape.rank() != 1) {
                    graph.message(1, node("Flatten", name + ".flatten", List.of(at), name + ".in")
                            .message(5, integer("axis", 1)));
                    at = name + ".in";
                }
                graph.message(1, node("Gemm", name, tensors(node, at), output).message(5, integer("transB", 1)));
            }
            case MaxPool(Window window) ->
                    graph.message(1, pool("MaxPool", name, window, List.of(image(node, at)), output));
            case AvgPool p -> {
                Window declared = declared(node, p, shape);
                Writer mean = pool("AveragePool", name, declared, List.of(image(node, at)), output)
                        .message(5, integer("count_include_pad", p.countsPadding() || !p.window().pads() ? 1 : 0));
                graph.message(1, declared.equals(p.window()) ? mean : mean.message(5, integer("ceil_mode", 1)));
            }
            case Relu _ -> graph.message(1, node("Relu", name, List.of(at), output));
            case Sigmoid _ -> graph.message(1, node("Sigmoid", name, List.of(at), output));
            case Flatten _ -> graph.message(1,
                    node("Flatten", name, List.of(at), output).message(5, integer("axis", 1)));
            case GlobalAvgPool _ -> graph.message(1,
                    node("GlobalAveragePool", name, List.of(image(node, at)), output));
            case BatchNorm b -> graph.message(1, node("BatchNormalization", name, tensors(node, at), output)
                    .message(5, decimal("epsilon", b.epsilon())));
            case ResponseNorm r -> graph.message(1, node("LRN", name, List.of(image(node, at)), output)
                    .message(5, integer("size", r.size())).message(5, decimal("alpha", r.alpha()))
                    .message(5, decimal("beta", r.beta())).message(5, decimal("bias", r.k())));
            case Add _ -> graph.message(1,
                    node("Add", name, List.of(at, valueOf(net.node(node.inputs().getLast()))),
                            output));
            case Concat _ -> graph.message(1,
                    node("Concat", name, node.inputs().stream().map(net::node).map(this::valueOf).toList(), output)
                            .message(5, integer("axis", 1)));
            case Subsample subsample -> {
                image(node, at);
                int stride = subsample.stride();
                String pixels = name + ".pixels";
                graph.message(1, node("Slice", name + ".slice", List.of(at, longs(name + ".starts", 0, 0),
                        longs(name + ".ends", Integer.MAX_VALUE, Integer.MAX_VALUE),
                        longs(name + ".axes", 2, 3), longs(name + ".steps", stride, stride)), pixels));
                int added = subsample.out() - shape.channels();
                graph.message(1, node("Pad", name, List.of(pixels, longs(name + ".pads", 0, added / 2, 0, 0, 0,
                        added - added / 2, 0, 0)), output));
            }
            case TensorOp op -> throw new IllegalArgumentException(
                    "layer " + name + " of " + net.name() + " is " + op + ", which is not written to ONNX");
            case Op.Input _,Dropout _ -> throw new AssertionError(name + " is no node of a trained network");
        }
    }

    /** The value that a node takes, which must be an image. */
    private String image(Node node, String value) {
        if (net.inputs(node).getFirst().rank() == 1) {
            throw new IllegalArgumentException("layer " + node.name() + " of " + net.name()
                    + " takes images behind a vector, which is not written to ONNX");
        }
        return value;
    }

    /** The value that a node takes, and its tensors. */
    private List<String> tensors(Node node, String value) {
        List<String> inputs = new ArrayList<>(List.of(value));
        for (var parameter : node.parameters()) {
            inputs.add(parameter(graph, initializers, parameter.name(), weights.tensor(parameter.name()),
                    codebooks && parameter.weight()));
        }
        return inputs;
    }

    /** Adds a tensor of integers; returns its name. */
    private String longs(String name, long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        initializers.add(tensor(name, Type.INT64, new long[]{values.length}, bytes.array()));
        return name;
    }

    private static Writer property(String key, String value) {
        return new Writer().text(1, key).text(2, value);
    }

    private static Writer node(String operator, String name, List<String> inputs, String output) {
        Writer node = new Writer();
        inputs.forEach(input -> node.text(1, input));
        return node.text(2, output).text(3, name).text(4, operator);
    }

    /**
     * The window with the padding that counts alone. What does not count is what ONNX reads in ceil mode to complete the
     * last windows, which must come to the same.
     */
    private Window declared(Node node, AvgPool pool, Shape image) {
        Window w = pool.window();
        if (pool.uncountedBottom() == 0 && pool.uncountedRight() == 0) {
            return w;
        }
        Window counted = w.padded(w.top(), w.left(), w.bottom() - pool.uncountedBottom(),
                w.right() - pool.uncountedRight());
        if (!counted.fits(image) || !Ceiling.of(counted, image).window().output(1, image).equals(w.output(1, image))) {
            throw new IllegalArgumentException("layer " + node.name() + " of " + net.name()
                    + " counts a part of its padding that ONNX cannot tell");
        }
        return counted;
    }

    private static Writer pool(String operator, String name, Window window, List<String> inputs, String output) {
        Writer pool = node(operator, name, inputs, output)
                .message(5, integers("kernel_shape", window.kernelHeight(), window.kernelWidth()))
                .message(5, integers("strides", window.strideHeight(), window.strideWidth()))
                .message(5, pads(window));
        return window.isDilated()
                ? pool.message(5, integers("dilations", window.dilationHeight(), window.dilationWidth()))
                : pool;
    }

    private static Writer pads(Window window) {
        return integers("pads", window.top(), window.left(), window.bottom(), window.right());
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
                new Writer().message(1, new Writer().number(1, Type.FLOAT.code()).message(2, shape)));
    }

    /** Adds a tensor, and nodes that unpack it if it is to be coded. Returns the name of the unpacked tensor. */
    private static String parameter(Writer graph, List<Writer> initializers, String name, CompressedTensor tensor,
            boolean coded) {
        if (!coded || !tensor.isCoded() || tensor.codebook().length >= CompressedTensor.MAX_CODEBOOK) {
            initializers.add(tensor(name, Type.FLOAT, tensor.shape(), floats(tensor.toArray())));
            return name;
        }
        float[] codebook = tensor.codebook();
        float[] withZero = new float[codebook.length + 1];
        System.arraycopy(codebook, 0, withZero, 1, codebook.length);
        byte[] codes = new byte[tensor.count()];
        for (int i = 0; i < tensor.nonzeros(); i++) {
            codes[tensor.position(i)] = (byte) (tensor.code(i) + 1);
        }
        initializers.add(tensor(name + ".codebook", Type.FLOAT, new long[]{withZero.length}, floats(withZero)));
        initializers.add(tensor(name + ".codes", Type.UINT8, tensor.shape(), codes));
        // Gather takes no bytes as indices.
        graph.message(1, node("Cast", name + ".cast", List.of(name + ".codes"), name + ".indices").message(5,
                integer("to", Type.INT32.code())));
        graph.message(1, node("Gather", name + ".gather", List.of(name + ".codebook", name + ".indices"), name));
        return name;
    }

    private static byte[] floats(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    private static Writer tensor(String name, Type type, long[] shape, byte[] raw) {
        Writer tensor = new Writer();
        for (long size : shape) {
            tensor.number(1, size);
        }
        return tensor.number(2, type.code()).text(8, name).bytes(9, raw);
    }
}
