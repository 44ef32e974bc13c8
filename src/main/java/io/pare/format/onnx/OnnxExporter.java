package io.pare.format.onnx;

import static io.pare.format.onnx.OnnxNodes.decimal;
import static io.pare.format.onnx.OnnxNodes.integer;
import static io.pare.format.onnx.OnnxNodes.sizes;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.protobuf.Protobuf.Writer;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Turns the nodes of a network into those of ONNX; {@link OnnxTensorNodes} has those on tensors of any rank. */
final class OnnxExporter {
    private final CompressedWeights weights;
    private final Net net;
    /** The first version of the operator set that has integers of 4 bits and blocks, and that of the representation. */
    private static final int OPSET_OF_BLOCKS = 21;
    private static final int IR_OF_BLOCKS = 10;

    private final OnnxWeights form;
    /** Matrices that are written as integers, by name. */
    private final Map<String, OnnxBlocks> blocks = new HashMap<>();
    private final OnnxNames names;
    private final OnnxNodes nodes;
    /** Which values hold the samples of a batch; those of constants alone hold one for all. */
    private final boolean[] batched;

    OnnxExporter(CompressedWeights weights, OnnxWeights form, OnnxNames names) {
        this.weights = weights;
        this.names = names;
        // Dropout does nothing in a network that is trained.
        this.net = weights.model().trained();
        this.form = form;
        for (Node node : net.layers()) {
            OnnxBlocks own = isMatrix(node) ? OnnxBlocks.of(weights.tensor(weightOf(node)), form) : null;
            if (own != null) {
                blocks.put(weightOf(node), own);
            }
        }
        this.nodes = new OnnxNodes(Math.max(blocks.isEmpty() ? 0 : OPSET_OF_BLOCKS,
                net.layers().stream().mapToInt(node -> opset(node.op())).max().orElse(OnnxFile.OPSET)));
        this.batched = new boolean[net.nodes().size()];
        batched[0] = true;
        net.layers().forEach(
                node -> batched[node.place()] = node.inputs().stream().anyMatch(input -> batched[input]));
    }

    byte[] run() {
        net.layers().forEach(this::add);
        if (net.layers().isEmpty()) {
            // Dropout alone does nothing, but a graph's output has to come from an operator.
            nodes.add("Identity", "identity", List.of(names.input()), names.output());
        }
        Writer graph = nodes.graph(net.name());
        graph.message(11, value(names.input(), sizes(net.input())));
        graph.message(12, value(names.output(), sizes(net.output().output())));
        return new Writer().number(1, blocks.isEmpty() ? OnnxFile.IR_VERSION : IR_OF_BLOCKS).text(2, "Pare")
                .message(7, graph)
                .message(8, new Writer().text(1, "").number(2, nodes.opset()))
                .message(14, property(OnnxFile.MEAN, weights.scale().means()))
                .message(14, property(OnnxFile.DEVIATION, weights.scale().deviations())).toByteArray();
    }

    /** The first version of the operator set, from {@value OnnxFile#OPSET} on, that has an operator. */
    private static int opset(Op op) {
        return switch (op) {
            case AvgPool pool when pool.window().isDilated() -> 19;
            case TensorOp.Resize resize when resize.coordinates() == TensorOp.Coordinates.HALF_PIXEL_SYMMETRIC -> 19;
            case TensorOp.Resize resize when resize.antialias() -> 18;
            case Op _ -> OnnxFile.OPSET;
        };
    }

    /** Name of the value that a node gives. */
    private String valueOf(Node node) {
        return node.op() instanceof Op.Input ? names.input()
                : node.place() == net.nodes().size() - 1 ? names.output() : node.name() + ".out";
    }

    private void add(Node node) {
        if (node.op() instanceof TensorOp op) {
            List<String> inputs = inputs(node, op instanceof TensorOp.Join);
            List<Boolean> samples = node.inputs().stream().map(input -> batched[input]).toList();
            new OnnxTensorNodes(nodes, node, net.inputs(node), inputs, samples, this::tensors, this::isTurned,
                    valueOf(node))
                    .add(op);
        } else {
            add(node, valueOf(net.node(node.input())), net.inputs(node).getFirst(), valueOf(node));
        }
    }

    private void add(Node node, String at, Shape shape, String output) {
        String name = node.name();
        switch (node.op()) {
            case Conv2d c -> nodes.add("Conv", name, with(image(node, at), node), output,
                    OnnxNodes.kernel(c.window()), OnnxNodes.strides(c.window()), OnnxNodes.pads(c.window()),
                    OnnxNodes.dilations(c.window()), integer("group", c.groups()));
            case Linear _ -> nodes.add("Gemm", name, with(flat(at, shape, name, ""), node), output,
                    integer("transB", 1));
            case MaxPool(Window window) -> pool("MaxPool", name, window, image(node, at), output);
            case AvgPool p -> {
                Window declared = declared(node, p, shape);
                List<Writer> more = new ArrayList<>(List.of(
                        integer("count_include_pad", p.countsPadding() || !p.window().pads() ? 1 : 0)));
                if (!declared.equals(p.window())) {
                    more.add(integer("ceil_mode", 1));
                }
                pool("AveragePool", name, declared, image(node, at), output, more.toArray(Writer[]::new));
            }
            case Relu _ -> nodes.add("Relu", name, List.of(at), output);
            case Sigmoid _ -> nodes.add("Sigmoid", name, List.of(at), output);
            case Flatten _ -> nodes.add("Flatten", name, List.of(at), output, integer("axis", 1));
            case GlobalAvgPool _ -> nodes.add("GlobalAveragePool", name, List.of(image(node, at)), output);
            case BatchNorm b -> nodes.add("BatchNormalization", name, with(at, node), output,
                    decimal("epsilon", b.epsilon()));
            case ResponseNorm r -> nodes.add("LRN", name, List.of(image(node, at)), output,
                    integer("size", r.size()), decimal("alpha", r.alpha()), decimal("beta", r.beta()),
                    decimal("bias", r.k()));
            case Add _ -> nodes.add("Add", name, alike(node, inputs(node, false)), output);
            case Concat _ -> nodes.add("Concat", name, alike(node, inputs(node, true)), output, integer("axis", 1));
            case Subsample subsample -> {
                image(node, at);
                int stride = subsample.stride();
                String pixels = nodes.add("Slice", name + ".slice", List.of(at, nodes.longs(name + ".starts", 0, 0),
                        nodes.longs(name + ".ends", Integer.MAX_VALUE, Integer.MAX_VALUE),
                        nodes.longs(name + ".axes", 2, 3), nodes.longs(name + ".steps", stride, stride)),
                        name + ".pixels");
                int added = subsample.out() - shape.channels();
                nodes.add("Pad", name, List.of(pixels, nodes.longs(name + ".pads", 0, added / 2, 0, 0, 0,
                        added - added / 2, 0, 0)), output);
            }
            case Op.Input _,Dropout _,TensorOp _ -> throw new AssertionError(node + " is written elsewhere, if at all");
        }
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

    private void pool(String operator, String name, Window window, String input, String output, Writer... more) {
        List<Writer> attributes = new ArrayList<>(
                List.of(OnnxNodes.kernel(window), OnnxNodes.strides(window), OnnxNodes.pads(window)));
        if (window.isDilated()) {
            attributes.add(OnnxNodes.dilations(window));
        }
        attributes.addAll(List.of(more));
        nodes.add(operator, name, List.of(input), output, attributes.toArray(Writer[]::new));
    }

    /** The value that a node takes, which must be an image. */
    private String image(Node node, String value) {
        if (net.inputs(node).getFirst().rank() == 1) {
            throw new IllegalArgumentException("layer " + node.name() + " of " + net.name()
                    + " takes images behind a vector, which is not written to ONNX");
        }
        return value;
    }

    /** A value as vectors. */
    private String flat(String value, Shape shape, String name, String suffix) {
        return shape.rank() == 1 ? value
                : nodes.add("Flatten", name + ".flatten" + suffix, List.of(value), name + ".in" + suffix,
                        integer("axis", 1));
    }

    /** The values that a node takes: as vectors, if some are vectors and others images of one pixel. */
    private List<String> alike(Node node, List<String> values) {
        List<Shape> shapes = net.inputs(node);
        boolean alike = shapes.stream().allMatch(shape -> shape.rank() == shapes.getFirst().rank());
        List<String> vectors = new ArrayList<>();
        for (int i = 0; !alike && i < values.size(); i++) {
            vectors.add(flat(values.get(i), shapes.get(i), node.name(), Integer.toString(i)));
        }
        return alike ? values : vectors;
    }

    /** The values that a node takes; constants are repeated for each sample if the node does not do that by itself. */
    private List<String> inputs(Node node, boolean repeats) {
        List<String> values = new ArrayList<>();
        for (int input : node.inputs()) {
            String value = valueOf(net.node(input));
            values.add(repeats && batched[node.place()] && !batched[input]
                    ? repeated(value, net.node(input).output(), node.name() + ".repeated" + values.size())
                    : value);
        }
        return values;
    }

    /** A value of one sample for as many as the input has. */
    private String repeated(String value, Shape shape, String name) {
        long[] one = new long[shape.rank()];
        Arrays.fill(one, 1);
        String all = nodes.add("Shape", name + ".shape", List.of(names.input()), name + ".sizes");
        String batch = nodes.add("Slice", name + ".slice",
                List.of(all, nodes.longs(name + ".start", 0), nodes.longs(name + ".end", 1)), name + ".batch");
        String sizes = nodes.add("Concat", name + ".concat", List.of(batch, nodes.longs(name + ".one", one)),
                name + ".to", integer("axis", 0));
        return nodes.add("Expand", name, List.of(value, sizes), name + ".out");
    }

    private List<String> with(String value, Node node) {
        List<String> inputs = new ArrayList<>(List.of(value));
        inputs.addAll(tensors(node));
        return inputs;
    }

    /** Whether a node multiplies by a matrix, or looks rows of one up. */
    private static boolean isMatrix(Node node) {
        return node.op() instanceof Linear || node.op() instanceof TensorOp.Projection
                || node.op() instanceof TensorOp.Embedding;
    }

    private static String weightOf(Node node) {
        return node.parameters().getFirst().name();
    }

    /** Whether the matrix of a node is written with rows as columns: ONNX Runtime multiplies by integers as it finds them. */
    private boolean isTurned(Node node) {
        return node.op() instanceof TensorOp.Projection && blocks.containsKey(weightOf(node))
                && net.inputs(node).getFirst().rank() > 1;
    }

    /** Names of a node's tensors, which are added. */
    private List<String> tensors(Node node) {
        return node.parameters().stream().map(parameter -> {
            OnnxBlocks own = blocks.get(parameter.name());
            return own == null
                    ? nodes.parameter(parameter.name(), weights.tensor(parameter.name()),
                            form.kind() == OnnxWeights.Kind.AS_THEY_ARE && parameter.weight())
                    : isTurned(node) ? nodes.turned(parameter.name(), own) : nodes.blocks(parameter.name(), own);
        }).toList();
    }

    private static Writer property(String key, String value) {
        return new Writer().text(1, key).text(2, value);
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
}
