package io.pare.format.onnx;

import io.pare.file.AtomicFile;
import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.onnx.Protobuf.Writer;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Layer;
import io.pare.net.Layer.AvgPool;
import io.pare.net.Layer.BatchNorm;
import io.pare.net.Layer.Conv2d;
import io.pare.net.Layer.Dropout;
import io.pare.net.Layer.Flatten;
import io.pare.net.Layer.GlobalAvgPool;
import io.pare.net.Layer.Linear;
import io.pare.net.Layer.MaxPool;
import io.pare.net.Layer.Relu;
import io.pare.net.Layer.Residual;
import io.pare.net.Layer.ResponseNorm;
import io.pare.net.Layer.Subsample;
import io.pare.net.Model;
import io.pare.net.StoredNetwork;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

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
                boolean image = !(layer instanceof Linear || layer instanceof Relu || layer instanceof Flatten
                        || layer instanceof BatchNorm);
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
            initializers.add(tensor(name, Type.INT64, new long[]{values.length}, bytes.array()));
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

    /** What a file's bytes hold: layers, under the names of a known network if it has the same layers. */
    public static CompressedWeights decode(byte[] file) {
        return contents(file).weights();
    }

    /** What a file's bytes hold, and whether they say how pixels become inputs. */
    public static StoredNetwork contents(byte[] file) {
        OnnxGraph graph = new OnnxGraph(file);
        InputScale scale = scale(graph.properties());
        try {
            return new StoredNetwork(new OnnxImporter(graph).run(scale), scale != null);
        } catch (IllegalArgumentException e) {
            throw new FormatException("the layers do not fit together: " + e.getMessage(), e);
        } catch (ArithmeticException e) {
            throw new FormatException("the sizes of a layer are too large: " + e.getMessage(), e);
        }
    }

    /** The scale that the file gives, or null. */
    private static InputScale scale(Map<String, String> properties) {
        if (!properties.containsKey(MEAN) && !properties.containsKey(DEVIATION)) {
            return null;
        }
        try {
            return InputScale.parse(properties.getOrDefault(MEAN, InputScale.UNIT.means()),
                    properties.getOrDefault(DEVIATION, InputScale.UNIT.deviations()));
        } catch (IllegalArgumentException e) {
            throw new FormatException("properties " + MEAN + " and " + DEVIATION + ": " + e.getMessage(), e);
        }
    }
}
