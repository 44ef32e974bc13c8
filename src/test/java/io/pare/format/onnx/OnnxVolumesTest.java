package io.pare.format.onnx;

import static io.pare.format.onnx.OnnxNodes.integer;
import static io.pare.format.onnx.OnnxNodes.integers;
import static io.pare.format.onnx.OnnxNodes.text;

import ai.onnxruntime.OrtException;
import io.pare.format.onnx.OnnxImportTest.Onnx;
import io.pare.format.protobuf.Protobuf.Writer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Convolutions and pools over three dimensions, against ONNX Runtime. */
class OnnxVolumesTest {
    private static Onnx convolution(String inputs, Writer... attributes) {
        return volume().weights("w", 6, 4, 3, 2, 3).weights("grouped", 6, 2, 3, 2, 3).weights("b", 6)
                .node("Conv", inputs, "y", attributes);
    }

    private static Onnx transposed(String inputs, Writer... attributes) {
        return volume().weights("w", 4, 6, 3, 2, 3).weights("grouped", 4, 3, 3, 2, 3).weights("b", 6)
                .node("ConvTranspose", inputs, "y", attributes);
    }

    private static Onnx pool(String operator, Writer... attributes) {
        return volume().node(operator, "x", "y", attributes);
    }

    private static Onnx volume() {
        return new Onnx(-1, 4, 6, 5, 7);
    }

    static Stream<Arguments> legal() {
        Writer kernel = integers("kernel_shape", 3, 2, 3);
        Writer strides = integers("strides", 2, 1, 2);
        Writer pads = integers("pads", 1, 0, 1, 0, 1, 1);
        Writer dilations = integers("dilations", 2, 3, 1);
        return Stream.of(Arguments.of("convolution", convolution("x w b")),
                Arguments.of("without bias", convolution("x w", kernel)),
                Arguments.of("strides and pads", convolution("x w b", strides, pads)),
                Arguments.of("dilations", convolution("x w b", dilations, pads)),
                Arguments.of("groups", convolution("x grouped b", integer("group", 2), strides)),
                Arguments.of("SAME_UPPER", convolution("x w b", text("auto_pad", "SAME_UPPER"), strides)),
                Arguments.of("SAME_LOWER", convolution("x w b", text("auto_pad", "SAME_LOWER"))),
                Arguments.of("transposed", transposed("x w b")),
                Arguments.of("transposed without bias", transposed("x w", kernel)),
                Arguments.of("transposed, strides and pads", transposed("x w b", strides, pads)),
                Arguments.of("transposed, dilations", transposed("x w b", dilations, pads)),
                Arguments.of("transposed, groups", transposed("x grouped b", integer("group", 2), strides)),
                Arguments.of("transposed, values behind",
                        transposed("x w b", strides, integers("output_padding", 1, 0, 1))),
                // More is cut off than a kernel reaches beyond the edges.
                Arguments.of("transposed, values cut off",
                        transposed("x w b", strides, integers("pads", 3, 2, 3, 3, 2, 4))),
                Arguments.of("transposed, output_shape",
                        transposed("x w b", strides, integers("output_shape", 12, 5, 15))),
                Arguments.of("maxima", pool("MaxPool", kernel, strides)),
                Arguments.of("padded maxima", pool("MaxPool", kernel, pads, dilations)),
                Arguments.of("one more maximum", pool("MaxPool", kernel, strides, integer("ceil_mode", 1))),
                Arguments.of("means", pool("AveragePool", kernel, strides)),
                Arguments.of("padded means", pool("AveragePool", kernel, strides, pads)),
                Arguments.of("means with padding",
                        pool("AveragePool", kernel, strides, pads, integer("count_include_pad", 1))),
                Arguments.of("one more mean", pool("AveragePool", kernel, strides, integer("ceil_mode", 1))),
                Arguments.of("behind a convolution", volume().weights("w", 2, 4, 1, 1, 1).node("Conv", "x w", "c")
                        .node("Relu", "c", "r").node("MaxPool", "r", "y", kernel)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("legal")
    void areComputedAsByOnnxRuntime(String name, Onnx file) throws OrtException {
        file.computesTheSame();
    }

    @Test
    void whatDoesNotFitIsRefused() {
        pool("MaxPool", integers("kernel_shape", 3, 3)).refused("kernel_shape [3, 3]", "3 positive numbers");
        pool("AveragePool", integers("kernel_shape", 7, 2, 2)).refused("windows of 7 along 6 values");
        convolution("x w b", integer("group", 2)).refused("in 2 groups for 4 channels");
        convolution("x w b", integers("dilations", 3, 1, 1)).refused("operator Conv");
        transposed("x w b", integer("group", 3)).refused("in 3 groups for 4 channels");
        transposed("x w b", integers("kernel_shape", 2, 2, 2)).refused("kernel_shape [2, 2, 2]");
        convolution("x w b", integers("pads", 1, 1)).refused("6 numbers are needed");
    }

    @Test
    void layerNormalisationGivesMeanAndDeviation() throws OrtException {
        new Onnx(-1, 3, 4).opset(17).weights("s", 4).weights("b", 4)
                .node("LayerNormalization", "x s b", "y mean deviation", integer("axis", 2)).output("mean")
                .output("deviation").computesTheSame();
    }
}
