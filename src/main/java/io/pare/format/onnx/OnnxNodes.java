package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.protobuf.Protobuf.Writer;
import io.pare.net.CompressedTensor;
import io.pare.net.Shape;
import io.pare.net.Window;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** The nodes and constants of a graph that is being written, in their order. */
final class OnnxNodes {
    private final int opset;
    private final Writer graph = new Writer();
    private final List<Writer> initializers = new ArrayList<>();

    /** @param opset version of the operator set */
    OnnxNodes(int opset) {
        this.opset = opset;
    }

    /** Version of the operator set. */
    int opset() {
        return opset;
    }

    /** Adds a node of one output, whose name it returns. */
    String add(String operator, String name, List<String> inputs, String output, Writer... attributes) {
        add(operator, name, inputs, List.of(output), attributes);
        return output;
    }

    /** Adds a node; an empty name stands for an input or an output that there is not. */
    void add(String operator, String name, List<String> inputs, List<String> outputs, Writer... attributes) {
        Writer node = new Writer();
        inputs.forEach(input -> node.text(1, input));
        outputs.forEach(output -> node.text(2, output));
        node.text(3, name).text(4, operator);
        for (Writer attribute : attributes) {
            node.message(5, attribute);
        }
        graph.message(1, node);
    }

    /** The graph of all that was added. */
    Writer graph(String name) {
        graph.text(2, name);
        initializers.forEach(tensor -> graph.message(5, tensor));
        return graph;
    }

    static Writer integer(String name, long value) {
        return new Writer().text(1, name).number(3, value).number(20, 2);
    }

    static Writer decimal(String name, float value) {
        return new Writer().text(1, name).decimal(2, value).number(20, 1);
    }

    static Writer text(String name, String value) {
        return new Writer().text(1, name).text(4, value).number(20, 3);
    }

    static Writer integers(String name, long... values) {
        Writer attribute = new Writer().text(1, name);
        for (long value : values) {
            attribute.number(8, value);
        }
        return attribute.number(20, 7);
    }

    static Writer kernel(Window window) {
        return integers("kernel_shape", window.kernelHeight(), window.kernelWidth());
    }

    static Writer strides(Window window) {
        return integers("strides", window.strideHeight(), window.strideWidth());
    }

    static Writer pads(Window window) {
        return integers("pads", window.top(), window.left(), window.bottom(), window.right());
    }

    static Writer dilations(Window window) {
        return integers("dilations", window.dilationHeight(), window.dilationWidth());
    }

    static long[] sizes(Shape shape) {
        return shape.sizes().stream().mapToLong(Integer::longValue).toArray();
    }

    /** Adds a list of integers; returns its name. */
    String longs(String name, long... values) {
        return longs(name, new long[]{values.length}, values);
    }

    /** Adds a tensor of integers; returns its name. */
    String longs(String name, long[] shape, long[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        initializers.add(tensor(name, Type.INT64, shape, bytes.array()));
        return name;
    }

    /** Adds a tensor of floats; returns its name. */
    String floats(String name, long[] shape, float... values) {
        initializers.add(tensor(name, Type.FLOAT, shape, bytes(values)));
        return name;
    }

    /** Adds a single float; returns its name. */
    String number(String name, float value) {
        return floats(name, new long[0], value);
    }

    /** Adds a tensor, and nodes that unpack it if it is to be coded. Returns the name of the unpacked tensor. */
    String parameter(String name, CompressedTensor tensor, boolean coded) {
        if (!coded || !tensor.isCoded() || tensor.codebook().length >= CompressedTensor.MAX_CODEBOOK) {
            return floats(name, tensor.shape(), tensor.toArray());
        }
        float[] codebook = tensor.codebook();
        float[] withZero = new float[codebook.length + 1];
        System.arraycopy(codebook, 0, withZero, 1, codebook.length);
        byte[] codes = new byte[tensor.count()];
        for (int i = 0; i < tensor.nonzeros(); i++) {
            codes[tensor.position(i)] = (byte) (tensor.code(i) + 1);
        }
        floats(name + ".codebook", new long[]{withZero.length}, withZero);
        initializers.add(tensor(name + ".codes", Type.UINT8, tensor.shape(), codes));
        // Gather takes no bytes as indices.
        add("Cast", name + ".cast", List.of(name + ".codes"), name + ".indices",
                integer("to", Type.INT32.code()));
        return add("Gather", name + ".gather", List.of(name + ".codebook", name + ".indices"), name);
    }

    /** Adds a matrix on grids and the node that makes it floats. Returns the name of these. */
    String blocks(String name, OnnxBlocks blocks) {
        return blocks(name, blocks, 1, blocks.rows(), blocks.columns());
    }

    /** The same with rows as columns. */
    String turned(String name, OnnxBlocks blocks) {
        return blocks(name, blocks.turned(), 0, blocks.columns(), blocks.rows());
    }

    private String blocks(String name, OnnxBlocks blocks, int axis, long... shape) {
        Type type = blocks.bits() == 4 ? Type.UINT4 : Type.UINT8;
        long[] ofBlocks = shape.clone();
        ofBlocks[axis] = blocks.blocks();
        initializers.add(tensor(name + ".codes", type, shape, type.packed(blocks.codes())));
        floats(name + ".steps", ofBlocks, blocks.steps());
        initializers.add(tensor(name + ".zeros", type, ofBlocks, type.packed(blocks.zeros())));
        return add("DequantizeLinear", name + ".dequantized",
                List.of(name + ".codes", name + ".steps", name + ".zeros"),
                name, integer("axis", axis), integer("block_size", blocks.block()));
    }

    static byte[] bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    static Writer tensor(String name, Type type, long[] shape, byte[] raw) {
        Writer tensor = new Writer();
        for (long size : shape) {
            tensor.number(1, size);
        }
        return tensor.number(2, type.code()).text(8, name).bytes(9, raw);
    }
}
