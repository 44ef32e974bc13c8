package io.pare.format.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OrtException;
import io.pare.format.onnx.OnnxImportTest.Onnx;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Pointwise;
import io.pare.net.TensorOp;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What files spell out as many operators is one node of the network, and computes the same. */
class OnnxPatternsTest {
    private static Onnx values() {
        return new Onnx(-1, 3, 4).number("half", 0.5f).number("one", 1).number("two", 2).number("three", 3)
                .number("six", 6).number("root", 1.4142135f).number("slope", 0.7978845f).number("cubic", 0.044715f)
                .number("epsilon", 1e-5f);
    }

    private static Onnx layerNorm(String square) {
        return values().weights("g", 4).weights("b", 4)
                .node("ReduceMean", "x", "m", OnnxNodes.integers("axes", -1))
                .node("Sub", "x m", "d").node("Sub", "x m", "e")
                .node(square, square.equals("Pow") ? "e two" : "d d", "s")
                .node("ReduceMean", "s", "v", OnnxNodes.integers("axes", -1)).node("Add", "v epsilon", "w")
                .node("Sqrt", "w", "r").node("Div", "d r", "n").node("Mul", "n g", "t").node("Add", "t b", "y");
    }

    static Stream<Arguments> patterns() {
        return Stream.of(Arguments.of(new TensorOp.LayerNorm(List.of(4), 1e-5f), layerNorm("Pow")),
                Arguments.of(new TensorOp.LayerNorm(List.of(4), 1e-5f), layerNorm("Mul")),
                Arguments.of(TensorOp.Map.of(Pointwise.GELU),
                        values().node("Div", "x root", "a").node("Erf", "a", "e").node("Add", "e one", "f")
                                .node("Mul", "x f", "m").node("Mul", "m half", "y")),
                Arguments.of(TensorOp.Map.of(Pointwise.GELU),
                        values().node("Div", "x root", "a").node("Erf", "a", "e").node("Add", "e one", "f")
                                .node("Mul", "x half", "h").node("Mul", "h f", "y")),
                Arguments.of(TensorOp.Map.of(Pointwise.GELU_TANH),
                        values().node("Pow", "x three", "p").node("Mul", "p cubic", "c").node("Add", "x c", "s")
                                .node("Mul", "s slope", "a").node("Tanh", "a", "t").node("Add", "t one", "f")
                                .node("Mul", "x f", "m").node("Mul", "half m", "y")),
                Arguments.of(TensorOp.Map.of(Pointwise.GELU_TANH),
                        values().node("Mul", "x x", "p").node("Mul", "p x", "q").node("Mul", "q cubic", "c")
                                .node("Add", "c x", "s").node("Mul", "s slope", "a").node("Tanh", "a", "t")
                                .node("Add", "t one", "f").node("Mul", "x half", "h").node("Mul", "f h", "y")),
                Arguments.of(TensorOp.Map.of(Pointwise.SWISH),
                        values().node("Sigmoid", "x", "s").node("Mul", "x s", "y")),
                Arguments.of(TensorOp.Map.of(Pointwise.MISH),
                        values().node("Softplus", "x", "s").node("Tanh", "s", "t").node("Mul", "t x", "y")),
                Arguments.of(TensorOp.Map.of(Pointwise.MISH),
                        values().node("Exp", "x", "e").node("Add", "e one", "f").node("Log", "f", "s")
                                .node("Tanh", "s", "t").node("Mul", "x t", "y")),
                Arguments.of(new TensorOp.Map(Pointwise.HARD_SWISH, 1f / 6, 0.5f),
                        values().node("Add", "x three", "a").node("Clip", "a zero six", "c").number("zero", 0)
                                .node("Mul", "x c", "m").node("Div", "m six", "y")),
                Arguments.of(new TensorOp.Map(Pointwise.HARD_SWISH, 0.2f, 0.5f),
                        values().node("HardSigmoid", "x", "s").node("Mul", "s x", "y")),
                Arguments.of(new TensorOp.Map(Pointwise.HARD_SIGMOID, 1f / 6, 0.5f), values().number("zero", 0)
                        .node("Add", "x three", "a").node("Clip", "a zero six", "c").node("Div", "c six", "y")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("patterns")
    void onePieceIsLeft(Op op, Onnx file) throws OrtException {
        List<Op> ops = OnnxFile.decode(file.bytes()).model().layers().stream().map(Node::op).toList();
        assertEquals(List.of(op), ops);
        file.computesTheSame();
    }
}
