package io.pare.format.onnx;

import static io.pare.format.onnx.OnnxNodes.decimal;
import static io.pare.format.onnx.OnnxNodes.integer;
import static io.pare.format.onnx.OnnxNodes.integers;
import static io.pare.format.onnx.OnnxNodes.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.protobuf.Protobuf.Writer;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Shape;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Operators, attributes and tensors as other tools write them: computed as by ONNX Runtime, or refused by name. */
class OnnxImportTest {
    /** A file that is put together in code. */
    static final class Onnx {
        private final Writer graph = new Writer().text(2, "made");
        private final Random random = new Random(5);
        private final List<String> outputs = new ArrayList<>(List.of("y"));
        private int opset = 15;

        /** With the input x, the output y. */
        Onnx(long... shape) {
            graph.message(11, value("x", shape));
        }

        private static Writer value(String name, long... shape) {
            Writer sizes = new Writer();
            for (int axis = 0; axis < shape.length; axis++) {
                sizes.message(1, shape[axis] < 0
                        ? new Writer().text(2, axis == 0 ? "n" : "n" + axis)
                        : new Writer().number(1, shape[axis]));
            }
            return new Writer().text(1, name)
                    .message(2, new Writer().message(1, new Writer().number(1, Type.FLOAT.code()).message(2, sizes)));
        }

        Onnx opset(int version) {
            opset = version;
            return this;
        }

        /** Inputs with blanks between; "-" is one that is not given. */
        Onnx node(String operator, String inputs, String outputs, Writer... attributes) {
            return node("", operator, inputs, outputs, attributes);
        }

        Onnx node(String domain, String operator, String inputs, String outputs, Writer... attributes) {
            Writer node = new Writer();
            for (String input : inputs.isEmpty() ? new String[0] : inputs.split(" ")) {
                node.text(1, input.equals("-") ? "" : input);
            }
            for (String output : outputs.split(" ")) {
                node.text(2, output);
            }
            node.text(3, "to " + outputs).text(4, operator);
            for (Writer attribute : attributes) {
                node.message(5, attribute);
            }
            if (!domain.isEmpty()) {
                node.text(7, domain);
            }
            graph.message(1, node);
            return this;
        }

        /** Random weights. */
        Onnx weights(String name, long... shape) {
            float[] values = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
            for (int i = 0; i < values.length; i++) {
                values[i] = random.nextFloat() - 0.5f;
            }
            return floats(name, values, shape);
        }

        Onnx floats(String name, float[] values, long... shape) {
            return tensor(raw(name, Type.FLOAT, OnnxConstant.of(values, shape).data().array(), shape));
        }

        Onnx number(String name, float value) {
            return floats(name, new float[]{value});
        }

        Onnx longs(String name, long... values) {
            return tensor(raw(name, Type.INT64, OnnxConstant.of(values).data().array(), values.length));
        }

        Onnx tensor(Writer tensor) {
            graph.message(5, tensor);
            return this;
        }

        Onnx sparse(Writer tensor) {
            graph.message(15, tensor);
            return this;
        }

        Onnx input(String name, long... shape) {
            graph.message(11, value(name, shape));
            return this;
        }

        Onnx output(String name) {
            outputs.add(name);
            return this;
        }

        byte[] bytes() {
            outputs.forEach(name -> graph.message(12,
                    new Writer().text(1, name).message(2, new Writer().message(1, new Writer().number(1, 1)))));
            return new Writer().number(1, 8).message(7, graph).message(8, new Writer().text(1, "").number(2, opset))
                    .message(8, new Writer().text(1, "my.ops").number(2, 1)).toByteArray();
        }

        void computesTheSame() throws OrtException {
            OnnxRuntime.assertComputesTheSame(bytes());
        }

        void refused(String... words) {
            byte[] file = bytes();
            String message = assertThrows(FormatException.class, () -> OnnxFile.decode(file)).getMessage();
            for (String word : words) {
                assertTrue(message.contains(word), message);
            }
        }
    }

    private static Writer raw(String name, Type type, byte[] data, long... shape) {
        return head(name, type.code(), shape).bytes(9, data);
    }

    private static Writer head(String name, int type, long... shape) {
        Writer tensor = new Writer();
        for (long size : shape) {
            tensor.number(1, size);
        }
        return tensor.number(2, type).text(8, name);
    }

    private static Writer decimals(String name, float... values) {
        return new Writer().text(1, name).bytes(7, OnnxConstant.of(values, values.length).data().array()).number(20, 6);
    }

    private static Writer tensor(String name, Writer tensor) {
        return new Writer().text(1, name).message(5, tensor).number(20, 4);
    }

    private static Onnx image() {
        return new Onnx(-1, 2, 8, 8);
    }

    private static Onnx vector() {
        return new Onnx(-1, 4).weights("w", 4, 3);
    }

    private static Onnx convolution(String inputs, Writer... attributes) {
        return image().weights("w", 3, 2, 3, 3).weights("b", 3).node("Conv", inputs, "y", attributes);
    }

    private static Onnx pool(String operator, Writer... attributes) {
        return image().node(operator, "x", "y", attributes);
    }

    private static Onnx gemm(String inputs, Writer... attributes) {
        return vector().weights("wt", 3, 4).weights("c", 3).weights("row", 1, 3).weights("one", 1).floats("none",
                new float[]{0.5f}).node("Gemm", inputs, "y", attributes);
    }

    private static Onnx reshape(long... sizes) {
        return image().longs("s", sizes).node("Reshape", "x s", "y");
    }

    private static Onnx normalization(Writer... attributes) {
        return image().weights("s", 2).weights("b", 2).weights("m", 2).floats("v", new float[]{0.5f, 2}, 2)
                .node("BatchNormalization", "x s b m v", "y", attributes);
    }

    private static Onnx slice(long[] starts, long[] ends, long[] axes, long[] steps) {
        return image().longs("starts", starts).longs("ends", ends).longs("axes", axes).longs("steps", steps);
    }

    private static Onnx padded(String mode, float value, long... pads) {
        return image().longs("pads", pads).floats("value", new float[]{value}).node("Pad", "x pads value", "y",
                text("mode", mode));
    }

    private static Onnx product(Writer weight) {
        return new Onnx(-1, 4).tensor(weight).node("Cast", "w", "f", integer("to", 1)).node("MatMul", "x f", "y");
    }

    static Stream<Arguments> legal() {
        Writer square = integers("kernel_shape", 3, 3);
        Writer two = integers("kernel_shape", 2, 2);
        return Stream.of(
                Arguments.of("auto_pad VALID", convolution("x w b", text("auto_pad", "VALID"))),
                Arguments.of("auto_pad SAME_UPPER", convolution("x w b", text("auto_pad", "SAME_UPPER"))),
                Arguments.of("auto_pad SAME_LOWER", convolution("x w b", text("auto_pad", "SAME_LOWER"))),
                Arguments.of("auto_pad NOTSET", convolution("x w b", text("auto_pad", "NOTSET"),
                        integers("pads", 1, 1, 1, 1), integers("strides", 2, 2))),
                Arguments.of("pads that no window reaches",
                        convolution("x w b", square, integers("pads", 1, 1, 0, 0), integers("strides", 2, 2))),
                Arguments.of("dilated", convolution("x w b", integers("dilations", 2, 2), integer("group", 1))),
                Arguments.of("no bias", convolution("x w")), Arguments.of("empty bias", convolution("x w -")),
                Arguments.of("bias behind", image().weights("w", 3, 2, 3, 3).weights("c", 3, 1, 1)
                        .node("Conv", "x w", "p").node("Add", "c p", "y")),
                Arguments.of("scalar behind", image().weights("w", 3, 2, 3, 3).weights("b", 3).weights("c", 1)
                        .node("Conv", "x w b", "p").node("Sum", "p c", "y")),
                Arguments.of("max pool", pool("MaxPool", two, integers("strides", 2, 2), integer("ceil_mode", 1),
                        integer("storage_order", 0))),
                Arguments.of("padded max pool",
                        pool("MaxPool", square, integers("pads", 1, 1, 1, 1), text("auto_pad", "NOTSET"))),
                Arguments.of("SAME max pool", pool("MaxPool", two, integers("strides", 2, 2),
                        text("auto_pad", "SAME_UPPER"))),
                Arguments.of("average pool", pool("AveragePool", two)),
                Arguments.of("SAME_UPPER with strides",
                        convolution("x w b", text("auto_pad", "SAME_UPPER"), integers("strides", 2, 2))),
                Arguments.of("SAME_LOWER with strides",
                        convolution("x w b", text("auto_pad", "SAME_LOWER"), integers("strides", 2, 3))),
                Arguments.of("VALID max pool in ceil mode", pool("MaxPool", square, integers("strides", 2, 2),
                        text("auto_pad", "VALID"), integer("ceil_mode", 1))),
                Arguments.of("SAME max pool in ceil mode", pool("MaxPool", square, integers("strides", 3, 2),
                        text("auto_pad", "SAME_UPPER"), integer("ceil_mode", 1))),
                Arguments.of("SAME average", pool("AveragePool", square, integers("strides", 2, 3),
                        text("auto_pad", "SAME_LOWER"))),
                Arguments.of("average that does not count pads",
                        pool("AveragePool", square, integers("pads", 1, 1, 1, 1))),
                Arguments.of("average that counts pads", pool("AveragePool", square, integers("pads", 1, 1, 1, 1),
                        integer("count_include_pad", 1))),
                Arguments.of("global average", pool("GlobalAveragePool")),
                Arguments.of("Gemm", gemm("x wt c", integer("transB", 1), decimal("alpha", 0.5f),
                        decimal("beta", 3))),
                Arguments.of("Gemm of a row", gemm("x w row", integer("transB", 0), integer("transA", 0))),
                Arguments.of("Gemm of one", gemm("x w one")), Arguments.of("Gemm of a scalar", gemm("x w none")),
                Arguments.of("Gemm without C", gemm("x w", decimal("beta", 0))),
                Arguments.of("MatMul and Add", vector().weights("c", 1, 3).node("MatMul", "x w", "p").node("Add",
                        "p c", "y")),
                Arguments.of("flatten", image().node("Flatten", "x", "y", integer("axis", -3))),
                Arguments.of("flatten a vector", vector().node("Flatten", "x", "y", integer("axis", -1))),
                Arguments.of("reshape", reshape(0, -1)), Arguments.of("reshape known", reshape(-1, 128)),
                Arguments.of("normalization",
                        normalization(decimal("epsilon", 0.1f), decimal("momentum", 0.5f),
                                integer("training_mode", 0))),
                Arguments.of("LRN", image().node("LRN", "x", "y", integer("size", 3), decimal("alpha", 0.7f),
                        decimal("beta", 0.6f), decimal("bias", 2))),
                Arguments.of("dropout", image().floats("r", new float[]{0.3f})
                        .tensor(raw("t", Type.BOOL, new byte[1])).node("Dropout", "x r t", "y mask")),
                Arguments.of("every second pixel",
                        slice(new long[]{0, 0}, new long[]{8, Long.MAX_VALUE}, new long[]{-1, 2}, new long[]{2, 2})
                                .node("Slice", "x starts ends axes steps", "y")),
                Arguments.of("pixels and channels",
                        slice(new long[]{0, 0}, new long[]{9, 7}, new long[]{2, 3}, new long[]{2, 2})
                                .longs("pads", 0, 1, 0, 0, 0, 2, 0, 0)
                                .node("Slice", "x starts ends axes steps", "p").node("Pad", "p pads", "y")),
                Arguments.of("channels", padded("constant", 0, 0, 2, 0, 0, 0, 2, 0, 0)),
                Arguments.of("sum of branches",
                        image().node("Relu", "x", "r").node("Sum", "x r", "y")),
                Arguments.of("twice itself", image().node("Add", "x x", "y")),
                Arguments.of("a branch that ends nowhere", image().node("Relu", "x", "y").node("Softmax", "x", "z")
                        .node("Relu", "z", "end")),
                Arguments.of("mixed order", image().node("Relu", "r", "y").node("Identity", "x", "r")),
                Arguments.of("casts between", image().node("Cast", "x", "r", integer("to", 11))
                        .node("Cast", "r", "y", integer("to", 1))),
                Arguments.of("ai.onnx", image().node("ai.onnx", "Relu", "x", "y")),
                Arguments.of("value_floats", vector().node("Constant", "", "v", decimals("value_floats", 1, 2, 3))
                        .node("Gemm", "x w v", "y")),
                Arguments.of("value_float", vector().node("Constant", "", "v", decimal("value_float", 2))
                        .node("Gemm", "x w v", "y")),
                Arguments.of("value_ints", image().node("Constant", "", "v", integers("value_ints", 0, -1))
                        .node("Reshape", "x v", "y")),
                Arguments.of("reshaped and transposed", new Onnx(-1, 4).weights("v", 12).longs("s", 3, -1)
                        .node("Reshape", "v s", "m").node("Transpose", "m", "t", integers("perm", 1, 0))
                        .node("MatMul", "x t", "y")),
                Arguments.of("ConstantOfShape", vector().longs("s", 4, 3)
                        .node("ConstantOfShape", "s", "k",
                                tensor("value", raw("v", Type.FLOAT, new byte[]{0, 0, -128, 63}, 1)))
                        .node("MatMul", "x k", "y")),
                Arguments.of("codes", new Onnx(-1, 4).floats("book", new float[]{1, -2, 3}, 3)
                        .longs("codes", 0, 1, 2, -1, -2, 0, 1, 2, 2, 1, 0, 0).longs("s", 4, 3)
                        .node("Gather", "book codes", "v").node("Reshape", "v s", "k").node("MatMul", "x k", "y")),
                Arguments.of("sparse by number", new Onnx(-1, 4)
                        .sparse(sparse("w", new float[]{1, -2}, new long[]{1, 11}, new long[]{2}, 4, 3))
                        .node("MatMul", "x w", "y")),
                Arguments.of("sparse by place", new Onnx(-1, 4)
                        .sparse(sparse("w", new float[]{1, -2}, new long[]{0, 1, 3, 2}, new long[]{2, 2}, 4, 3))
                        .node("MatMul", "x w", "y")),
                Arguments.of("no bias", image().weights("w", 3, 2, 3, 3).weights("c", 6)
                        .node("Conv", "x w", "p").node("Add", "p c", "y")),
                Arguments.of("images", image().weights("w", 8, 3).node("MatMul", "x w", "y")),
                Arguments.of("allowzero 1", new Onnx(1, 2, 8, 8).longs("s", 1, -1).node("Reshape", "x s", "y",
                        integer("allowzero", 1))),
                Arguments.of("ends [4, 4]",
                        slice(new long[]{0, 0}, new long[]{4, 4}, new long[]{2, 3}, new long[]{1, 1})
                                .node("Slice", "x starts ends axes steps", "y")),
                Arguments.of("starts [1, 1]",
                        slice(new long[]{1, 1}, new long[]{8, 8}, new long[]{2, 3}, new long[]{2, 2})
                                .node("Slice", "x starts ends axes steps", "y")),
                Arguments.of("mode 'reflect'", padded("reflect", 0, 0, 1, 0, 0, 0, 1, 0, 0)),
                Arguments.of("value 3.0", padded("constant", 3, 0, 1, 0, 0, 0, 1, 0, 0)),
                Arguments.of("pads [0, 0, 1, 1", padded("constant", 0, 0, 0, 1, 1, 0, 0, 1, 1)),
                Arguments.of("into INT32", image().node("Cast", "x", "i", integer("to", 6)).node("Cast", "i", "y",
                        integer("to", 1))),
                Arguments.of("adds 3 values", image().node("Sum", "x x x", "y")),
                Arguments.of("adds a constant", image().weights("c", 1).node("Add", "x c", "y")),
                Arguments.of("unused tensors", vector().tensor(head("text", 8, 1).text(6, "words"))
                        .tensor(raw("bits", Type.INT8, new byte[1], 1)).node("MatMul", "x w", "y")));
    }

    private static Writer sparse(String name, float[] values, long[] indices, long[] shape, long... sizes) {
        Writer tensor = new Writer()
                .message(1, raw(name, Type.FLOAT, OnnxConstant.of(values, values.length).data().array(), values.length))
                .message(2, raw("", Type.INT64, OnnxConstant.of(indices).data().array(), shape));
        for (long size : sizes) {
            tensor.number(3, size);
        }
        return tensor;
    }

    /** Files that are read, and files that are refused for what they say. */
    static List<byte[]> files() {
        return Stream.concat(legal(), refused()).map(arguments -> ((Onnx) arguments.get()[1]).bytes()).toList();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("legal")
    void whatIsLegalIsComputedAsOnnxRuntimeDoes(String name, Onnx file) throws OrtException {
        file.computesTheSame();
    }

    /**
     * Windows, strides, dilations and pads of any size, with the last windows whole or not.
     *
     * <p>ONNX Runtime 1.23 departs from ONNX where means count padding: up to operators of version 18 it counts what only
     * ceil_mode reads, and from version 19 on it takes the padding below for as much as that on the left.
     */
    @ParameterizedTest
    @ValueSource(strings = {"Conv", "MaxPool", "AveragePool"})
    void windowsOfAnyFormAreComputedAsOnnxRuntimeDoes(String operator) throws OrtException {
        int compared = 0;
        for (int seed = 0; seed < 150; seed++) {
            Random random = new Random(seed);
            long[] kernel = draw(random, 1, 4);
            boolean mean = operator.equals("AveragePool");
            boolean counts = mean && random.nextBoolean();
            boolean late = mean && random.nextBoolean();
            long[] pads = new long[4];
            for (int i = 0; i < pads.length; i++) {
                pads[i] = i > 0 && late && counts ? pads[0]
                        : random.nextInt((int) (late && counts ? Math.min(kernel[0], kernel[1]) : kernel[i % 2]));
            }
            List<Writer> attributes = new ArrayList<>(List.of(integers("kernel_shape", kernel),
                    integers("strides", draw(random, 1, 4)), integers("pads", pads)));
            if (random.nextInt(3) == 0 && (!mean || late)) {
                attributes.add(integers("dilations", draw(random, 1, 3)));
            }
            if (!operator.equals("Conv") && (late || !counts)) {
                attributes.add(integer("ceil_mode", random.nextInt(2)));
            }
            if (mean) {
                attributes.add(integer("count_include_pad", counts ? 1 : 0));
            }
            Onnx file = new Onnx(-1, 2, 4 + random.nextInt(6), 4 + random.nextInt(6)).opset(late ? 19 : 13);
            if (operator.equals("Conv")) {
                file.weights("w", 3, 2, kernel[0], kernel[1]);
            }
            file.node(operator, operator.equals("Conv") ? "x w" : "x", "y", attributes.toArray(Writer[]::new));
            byte[] bytes = file.bytes();
            try {
                OnnxFile.decode(bytes);
            } catch (FormatException e) {
                assertTrue(e.getMessage().contains("has windows of"), e.getMessage());
                continue;
            }
            compared++;
            try {
                OnnxRuntime.assertComputesTheSame(bytes);
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed + ": " + OnnxFile.decode(bytes).model(), e);
            }
        }
        assertTrue(compared > 100, compared + " compared");
    }

    private static long[] draw(Random random, int from, int to) {
        return random.longs(2, from, to).toArray();
    }

    /** ONNX Runtime has these in other versions of the operators, or does not take them at all. */
    @Test
    void olderAndRedundantFormsAreRead() {
        for (Onnx file : List.of(
                convolution("x w b", text("auto_pad", "VALID"), integers("pads", 0, 0, 0, 0)),
                normalization(integer("spatial", 1), integer("is_test", 1)).opset(6),
                image().node("Pad", "x", "y", integers("pads", 0, 1, 0, 0, 0, 1, 0, 0), decimal("value", 0)).opset(2),
                image().node("Dropout", "x", "y", decimal("ratio", 0.2f)).opset(7),
                image().node("Relu", "x", "y").node("my.ops", "Anything", "x", "end"),
                vector().tensor(head("far", 1, 3).message(13, new Writer().text(1, "location").text(2, "w.bin"))
                        .number(14, 1)).node("MatMul", "x w", "y"))) {
            assertTrue(OnnxFile.decode(file.bytes()).model().classes() > 0);
        }
    }

    static Stream<Arguments> refused() {
        Writer square = integers("kernel_shape", 3, 3);
        Writer two = integers("kernel_shape", 2, 2);
        return Stream.of(
                Arguments.of("mixes samples", image().node("Flatten", "x", "y", integer("axis", 0))),
                Arguments.of("auto_pad 'FULL'", convolution("x w b", text("auto_pad", "FULL"))),
                Arguments.of("contradict",
                        convolution("x w b", text("auto_pad", "VALID"), integers("pads", 1, 1, 1, 1))),
                Arguments.of("pads -1", convolution("x w b", integers("pads", -1, -1, -1, -1))),
                Arguments.of("kernel_shape [2, 2]", convolution("x w b", two)),
                Arguments.of("made_up 7", convolution("x w b", integer("made_up", 7))),
                Arguments.of("another type", convolution("x w b", decimal("group", 1))),
                Arguments.of("'b' as input 3", convolution("x w b b")),
                Arguments.of("the computed value 'x' as input 1", convolution("x x")),
                Arguments.of("takes images and is given values of shape [2, 2, 1, 1]",
                        image().node("Relu", "x", "r").weights("w", 2, 2, 1, 1).node("Conv", "w r", "y")),
                Arguments.of("strides [0, 1]", convolution("x w b", integers("strides", 0, 1))),
                Arguments.of("dilations [2]", pool("MaxPool", two, integers("dilations", 2))),
                Arguments.of("pads [1, 1]", pool("MaxPool", two, integers("pads", 1, 1))),
                Arguments.of("kernel_shape [2, 2, 2]", pool("MaxPool", integers("kernel_shape", 2, 2, 2))),
                Arguments.of("windows of 9x1", pool("MaxPool", integers("kernel_shape", 9, 1))),
                Arguments.of("pads by less than its window", pool("MaxPool", two, integers("pads", 2, 2, 2, 2))),
                Arguments.of("values are read", pool("AveragePool", integers("kernel_shape", 1 << 15, 1 << 15),
                        integers("pads", 32000, 32000, 32000, 32000))),
                Arguments.of("no kernel_shape", pool("MaxPool")),
                Arguments.of("output 1 'i' that is used",
                        image().node("MaxPool", "x", "p i", two).node("Relu", "i", "y")),
                Arguments.of("across samples", gemm("x w", integer("transA", 1))),
                Arguments.of("do not fit together", vector().weights("c", 4).node("Gemm", "x w c", "y")),
                Arguments.of("the shape [2, 64], which mixes samples", reshape(2, -1)),
                Arguments.of("the shape [2, 64], which mixes samples", reshape(-1, 64)),
                Arguments.of("training_mode 1", normalization(integer("training_mode", 1))),
                Arguments.of("spatial 0", normalization(integer("spatial", 0))),
                Arguments.of("is_test 0", normalization(integer("is_test", 0))),
                Arguments.of("no middle", image().node("LRN", "x", "y", integer("size", 4))),
                Arguments.of("training_mode", image().floats("r", new float[]{0.3f})
                        .tensor(raw("t", Type.BOOL, new byte[]{1})).node("Dropout", "x r t", "y")),
                Arguments.of("each axis is needed once",
                        image().node("Transpose", "x", "y", integers("perm", 0, 0, 1, 2))),
                Arguments.of("cuts off all of axis 1",
                        vector().longs("p", 0, -6, 0, -6).node("Pad", "x p", "y")),
                Arguments.of("my.ops::Relu", image().node("my.ops", "Relu", "x", "y")),
                Arguments.of("holds no numbers", vector().node("Constant", "", "v", text("value_string", "a"))
                        .node("Gemm", "x w v", "y")),
                Arguments.of("'w.bin' (external data)", new Onnx(-1, 4).tensor(head("w", 1, 4, 3)
                        .message(13, new Writer().text(1, "location").text(2, "w.bin")).number(14, 1))
                        .node("MatMul", "x w", "y")),
                Arguments.of("element type 8", new Onnx(-1, 4).tensor(head("w", 8, 1).text(6, "a"))
                        .node("MatMul", "x w", "y")),
                Arguments.of("looks up value 3 of 3", new Onnx(-1, 3).weights("book", 3).longs("codes", 3)
                        .node("Gather", "book codes", "v").node("MatMul", "x v", "y")),
                Arguments.of("turns -1.0 into UINT8", new Onnx(-1, 1).floats("w", new float[]{-1}, 1, 1)
                        .node("Cast", "w", "v", integer("to", 2)).node("MatMul", "x v", "y")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void whatPareCannotComputeIsRefusedByName(String words, Onnx file) {
        file.refused(words);
    }

    static Stream<Arguments> hostile() {
        long huge = 1L << 40;
        return Stream.of(
                Arguments.of("needs 48 bytes, 4 are there", product(raw("w", Type.FLOAT, new byte[4], 4, 3))),
                Arguments.of("has the shape", product(raw("w", Type.FLOAT, new byte[4], huge, huge))),
                Arguments.of("has the shape", product(raw("w", Type.FLOAT, new byte[4], -1, -1))),
                Arguments.of("are there", product(raw("w", Type.FLOAT, new byte[4], 1 << 15, 1 << 15))),
                Arguments.of("twice as many", product(raw("w", Type.INT64, new byte[32], 4, 1)
                        .number(7, 1).number(7, 1).number(7, 1).number(7, 1))),
                Arguments.of("more memory", new Onnx(-1, 4).longs("s", 1 << 14, 1 << 16)
                        .node("ConstantOfShape", "s", "k").node("MatMul", "x k", "y")),
                Arguments.of("has the shape", new Onnx(-1, 4).longs("s", huge, huge)
                        .node("ConstantOfShape", "s", "k").node("MatMul", "x k", "y")),
                Arguments.of("more memory", new Onnx(-1, 4)
                        .sparse(sparse("w", new float[1], new long[1], new long[]{1}, 1 << 14, 1 << 16))
                        .node("MatMul", "x w", "y")),
                Arguments.of("lies outside", new Onnx(-1, 4)
                        .sparse(sparse("w", new float[1], new long[]{12}, new long[]{1}, 4, 3))
                        .node("MatMul", "x w", "y")),
                Arguments.of("values and", new Onnx(-1, 4)
                        .sparse(sparse("w", new float[2], new long[]{1}, new long[]{1}, 4, 3))
                        .node("MatMul", "x w", "y")),
                Arguments.of("depends on what it computes itself",
                        image().node("Add", "x z", "a").node("Relu", "a", "z").node("Relu", "z", "y")),
                Arguments.of("'z', which nothing computes", image().node("Add", "x z", "y")),
                Arguments.of("'y', which there is already", image().node("Relu", "x", "y").node("Relu", "x", "y")),
                Arguments.of("'x', which there is already", image().node("Relu", "x", "x")),
                Arguments.of("two tensors are named 'w'", vector().weights("w", 4, 3).node("MatMul", "x w", "y")),
                Arguments.of("attribute 'axis' twice",
                        image().node("Flatten", "x", "y", integer("axis", 0), integer("axis", 1))),
                Arguments.of("outputs [y, r]",
                        image().node("Relu", "x", "r").node("Relu", "r", "y").output("r")),
                Arguments.of("nothing computes the output 'y'", image().node("Relu", "x", "z")),
                Arguments.of("at most", new Onnx(-1, 1 << 14, 1 << 14, 1 << 14).node("Relu", "x", "y")),
                Arguments.of("at most", convolution("x w b",
                        integers("pads", 1 << 19, 1 << 19, 1 << 19, 1 << 19))),
                Arguments.of("windows of", image().weights("w", 1, 2, 9, 1)
                        .node("Conv", "x w", "y", integers("dilations", 1 << 20, 1 << 20))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("hostile")
    void whatDoesNotFitTheFileIsRefusedBeforeItIsMade(String words, Onnx file) {
        file.refused(words);
    }

    @Test
    void everyOperatorThatIsLackingIsNamedOnceAndTheOthersLast() {
        byte[] file = image().node("Det", "x", "a").node("Det", "a", "b").node("Unique", "b", "y").bytes();
        String message = assertThrows(FormatException.class, () -> OnnxFile.decode(file)).getMessage();
        assertTrue(message.startsWith("operator Det 'to a', operator Unique 'to y' are not supported;"), message);
        assertEquals(message.indexOf(" MaxPool,"), message.lastIndexOf(" MaxPool,"));
    }

    /** What no reader of a file may go down into: each graph holds an operator with a graph. */
    @Test
    void messagesMayNestDeeply() {
        Writer graph = new Writer();
        for (int i = 0; i < 2000; i++) {
            graph = new Writer().message(1, new Writer().text(4, "If")
                    .message(5, new Writer().text(1, "then_branch").message(6, graph).number(20, 5)));
        }
        Writer nested = new Writer().text(1, "then_branch").message(6, graph).number(20, 5);
        image().node("If", "x", "y", nested).refused("operator If");
    }

    /** As onnx.helper writes it: values of 16 bits are integers of the typed field. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"UINT4", "INT4"})
    void everyTypeOfElementIsReadFromRawAndFromTypedData(Type type) throws OrtException {
        double[] values = switch (type) {
            case BOOL -> new double[]{1, 0, 1, 1};
            case UINT8, UINT16, UINT32, UINT64 -> new double[]{3, 0, 200, 7};
            case INT8, INT16, INT32, INT64 -> new double[]{-3, 0, 100, -128};
            case UINT4 -> new double[]{3, 0, 15, 8};
            case INT4 -> new double[]{-3, 0, 7, -8};
            case FLOAT, FLOAT16, DOUBLE, BFLOAT16 -> new double[]{-0.5, 0, 96, 1.5};
        };
        byte[] raw = bytes(type, values);
        product(raw("w", type, raw, 4, 1)).computesTheSame();
        assertArrayEquals(floats(values), OnnxFile.decode(product(raw("w", type, raw, 4, 1)).bytes())
                .tensor("fc1.weight").toArray());
        Writer typed = head("w", type.code(), 4, 1);
        ByteBuffer each = ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN);
        switch (type.field()) {
            case FLOATS -> {
                // Two runs, as a writer of streams makes them.
                typed.bytes(4, Arrays.copyOf(raw, 4)).bytes(4, Arrays.copyOfRange(raw, 4, 16));
            }
            case DOUBLES -> typed.bytes(10, raw);
            case INTEGERS, LONGS, UNSIGNED_LONGS -> {
                int field = switch (type.field()) {
                    case INTEGERS -> 5;
                    case LONGS -> 7;
                    case UNSIGNED_LONGS, FLOATS, DOUBLES -> 11;
                };
                for (int i = 0; i < values.length; i++) {
                    typed.number(field, switch (type) {
                        case FLOAT16, BFLOAT16 -> each.getShort(2 * i) & 0xffff;
                        default -> (long) values[i];
                    });
                }
            }
        }
        product(typed).computesTheSame();
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    private static byte[] bytes(Type type, double[] values) {
        ByteBuffer raw = ByteBuffer.allocate(values.length * type.width()).order(ByteOrder.LITTLE_ENDIAN);
        for (double value : values) {
            switch (type) {
                case FLOAT -> raw.putFloat((float) value);
                case DOUBLE -> raw.putDouble(value);
                case FLOAT16 -> raw.putShort(Float.floatToFloat16((float) value));
                case BFLOAT16 -> raw.putShort((short) (Float.floatToRawIntBits((float) value) >>> 16));
                case BOOL, UINT8, INT8, UINT4, INT4 -> raw.put((byte) value);
                case UINT16, INT16 -> raw.putShort((short) value);
                case UINT32, INT32 -> raw.putInt((int) value);
                case UINT64, INT64 -> raw.putLong((long) value);
            }
        }
        return raw.array();
    }

    /** From every type to every other and on to floats, with numbers that lose something on the way. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"UINT4", "INT4"})
    void constantsAreCastAsOnnxRuntimeDoes(Type to) throws OrtException {
        boolean unsigned = switch (to) {
            case BOOL, UINT8, UINT16, UINT32, UINT64 -> true;
            default -> false;
        };
        for (Type from : Type.values()) {
            if (from.isPacked()) {
                // Opset 15 has none.
                continue;
            }
            double[] values = switch (from) {
                case BOOL -> new double[]{1, 0, 1, 1};
                case UINT8, UINT16, UINT32, UINT64 -> new double[]{3, 0, 100, 7};
                case INT8, INT16, INT32, INT64 -> new double[]{unsigned ? 3 : -3, 0, 100, 7};
                case UINT4 -> new double[]{3, 0, 15, 8};
                case INT4 -> new double[]{unsigned ? 3 : -3, 0, 7, 5};
                case FLOAT, FLOAT16, DOUBLE, BFLOAT16 -> new double[]{unsigned ? 0.5 : -1.75, 0, 96.5, 2.9999};
            };
            new Onnx(-1, 4).tensor(raw("w", from, bytes(from, values), 4, 1))
                    .node("Cast", "w", "v", integer("to", to.code())).node("Cast", "v", "f", integer("to", 1))
                    .node("MatMul", "x f", "y").computesTheSame();
        }
    }

    @Test
    void roundingToHalvesTakesTheEvenOne() {
        float[] values = {1 + 1f / 256, 1 + 3f / 256, -1 - 1.01f / 256, Float.MAX_VALUE};
        float[] rounded = {1, 1 + 4f / 256, -1 - 2f / 256, Float.POSITIVE_INFINITY};
        assertArrayEquals(rounded, OnnxConstant.of(values, 4).cast(Type.BFLOAT16).decimals());
        assertTrue(Float.isNaN(OnnxConstant.of(new float[]{Float.NaN}, 1).cast(Type.BFLOAT16).decimal(0)));
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 0x8000_0080_0000_0001L, 5})
    void integersWithoutSignKeepTheirHighestBit(long bits) {
        OnnxConstant value = new OnnxConstant(Type.UINT64, new long[0], OnnxConstant.of(bits).data());
        assertEquals(new BigDecimal(Long.toUnsignedString(bits)).floatValue(), value.decimal(0));
    }

    @Test
    void weightsThatAreQuantisedAreReadAsFloatsAndSaidToBe() throws OrtException {
        Onnx file = new Onnx(-1, 3).tensor(raw("q", Type.INT8, new byte[]{-3, 5, 7, 0, 127, -128}, 3, 2))
                .number("scale", 0.25f).tensor(raw("zero", Type.INT8, new byte[]{1}))
                .node("DequantizeLinear", "q scale zero", "w").node("MatMul", "x w", "y");
        file.computesTheSame();
        assertArrayEquals(new float[]{-1, 1.5f, 31.5f, 1, -0.25f, -32.25f},
                OnnxFile.decode(file.bytes()).tensors().values().iterator().next().toArray());
        List<String> notes = OnnxFile.contents(file.bytes()).notes();
        assertEquals(1, notes.size());
        assertTrue(notes.getFirst().contains("integers"), notes.toString());
    }

    @Test
    void aNetworkThatDoesNothingIsWrittenAsIdentity() throws OrtException {
        Net net = new NetBuilder("nothing", Shape.of(1, 2, 2)).dropout("drop1", 0.5f).build();
        byte[] file = OnnxFile.encode(new CompressedWeights(net, Map.of(), InputScale.UNIT), OnnxWeights.FLOATS);
        float[] image = {1, -2, 3, 0};
        assertArrayEquals(image, OnnxRuntime.run(file, image, 1, 1, 2, 2));
        assertEquals(net.trained().input(), OnnxFile.decode(file).model().input());
    }
}
