package io.pare.format.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.onnx.OnnxImportTest.Onnx;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.NetBuilder;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.TensorOp.Attention;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention that files spell out, as PyTorch and Hugging Face export it, is one node, and computes the same. */
class OnnxAttentionTest {
    private static final float SCALE = (float) (1 / Math.sqrt(3));
    private static final String HALF = "half";

    /** Five tokens, and two heads of three features of queries q, keys k and values v: [samples, tokens, heads, features]. */
    private static Onnx heads() {
        return heads(-1);
    }

    private static Onnx heads(long samples) {
        Onnx file = new Onnx(samples, 5, 6).longs("heads", 0, 5, 2, 3).longs("whole", 0, 5, 6)
                .number("root", (float) Math.sqrt(3)).number("scale", SCALE).number(HALF, (float) Math.sqrt(SCALE))
                .number("nothing", 0).number("lowest", -Float.MAX_VALUE).number("infinite", Float.NEGATIVE_INFINITY)
                .number("low", -1e4f).floats("padding", new float[]{0, 0, 0, -Float.MAX_VALUE, -Float.MAX_VALUE}, 5)
                .weights("positions", 2, 5, 5).floats("causal", causal(), 5, 5);
        for (String each : List.of("q", "k", "v")) {
            file.weights("w" + each, 6, 6).node("MatMul", "x w" + each, each + 1);
        }
        return file;
    }

    private static float[] causal() {
        float[] kept = new float[25];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = i % 5 <= i / 5 ? 1 : 0;
        }
        return kept;
    }

    private static Onnx apart(Onnx file) {
        for (String each : List.of("q", "k", "v")) {
            file.node("Reshape", each + "1 heads", each);
        }
        return file;
    }

    private static Onnx transposed(Onnx file, String from, String to, long... order) {
        return file.node("Transpose", from, to, OnnxNodes.integers("perm", order));
    }

    /** Queries, keys and values as [samples, heads, tokens, features], keys with their last two axes exchanged. */
    private static Onnx headsFirst() {
        return headsFirst(heads());
    }

    private static Onnx headsFirst(Onnx heads) {
        Onnx file = apart(heads);
        transposed(file, "q", "qh", 0, 2, 1, 3);
        transposed(file, "v", "vh", 0, 2, 1, 3);
        return transposed(file, "k", "kt", 0, 2, 3, 1);
    }

    private static Onnx mixed(Onnx file, String scores) {
        return ended(file.node("Softmax", scores, "p", OnnxNodes.integer("axis", -1)).node("MatMul", "p vh", "m"));
    }

    private static Onnx ended(Onnx file) {
        return transposed(file, "m", "t", 0, 2, 1, 3).node("Reshape", "t whole", "y");
    }

    private static Onnx condition(Onnx file) {
        return file.node("Cast", "causal", "keeps", OnnxNodes.integer("to", Type.BOOL.code()))
                .node("Not", "keeps", "drops");
    }

    /** Its condition is computed: features above a bound, and the first token always. */
    private static Onnx computedCondition(Onnx file) {
        return file.longs("axes", 2).longs("one", 1).floats("first", new float[]{9, 0, 0, 0, 0}, 5)
                .node("ReduceSum", "x axes", "sums", OnnxNodes.integer("keepdims", 0)).node("Add", "sums first", "some")
                .node("Greater", "some nothing", "keeps1").node("Unsqueeze", "keeps1 one", "keeps2")
                .node("Unsqueeze", "keeps2 one", "keeps");
    }

    static Stream<Arguments> variants() {
        Attention plain = new Attention(SCALE, false, true);
        Attention masked = new Attention(SCALE, true, true);
        return Stream.of(
                Arguments.of("scores divided", plain,
                        mixed(headsFirst().node("MatMul", "qh kt", "s").node("Div", "s root", "d"), "d")),
                Arguments.of("scores multiplied, mask added", masked,
                        mixed(headsFirst().node("MatMul", "qh kt", "s").node("Mul", "s scale", "d")
                                .node("Add", "d padding", "a"), "a")),
                Arguments.of("mask and scores in the other order, between casts and identities", masked,
                        mixed(headsFirst().node("MatMul", "qh kt", "s").node("Identity", "s", "i")
                                .node("Mul", "scale i", "d")
                                .node("Cast", "d", "c", OnnxNodes.integer("to", Type.FLOAT.code()))
                                .node("Add", "positions c", "a").node("Identity", "a", "b"), "b")),
                Arguments.of("queries scaled", plain,
                        mixed(headsFirst().node("Mul", "qh scale", "e").node("MatMul", "e kt", "s"), "s")),
                Arguments.of("keys scaled", plain,
                        mixed(headsFirst().node("Div", "kt root", "e").node("MatMul", "qh e", "s"), "s")),
                Arguments.of("queries and keys scaled by the root", plain,
                        mixed(headsFirst().node("Mul", "qh half", "e").node("Mul", "kt half", "f")
                                .node("MatMul", "e f", "s"), "s")),
                Arguments.of("queries scaled before they are transposed", plain, scaledEarly()),
                Arguments.of("keys transposed twice", plain,
                        mixed(transposed(transposed(headsFirst(), "k", "kh", 0, 2, 1, 3), "kh", "kk", 0, 1, 3, 2)
                                .node("MatMul", "qh kk", "s").node("Mul", "s scale", "d"), "d")),
                Arguments.of("lowest number where a condition holds", masked,
                        mixed(condition(headsFirst()).node("MatMul", "qh kt", "s").node("Mul", "s scale", "d")
                                .node("Where", "drops lowest d", "a"), "a")),
                Arguments.of("scores where a condition holds, else -infinity", masked,
                        mixed(condition(headsFirst()).node("MatMul", "qh kt", "s").node("Mul", "s scale", "d")
                                .node("Where", "keeps d infinite", "a"), "a")),
                Arguments.of("a condition that is computed", masked,
                        mixed(computedCondition(headsFirst()).node("MatMul", "qh kt", "s").node("Mul", "s scale", "d")
                                .node("Where", "keeps d infinite", "a"), "a")),
                Arguments.of("condition, positions and padding", masked,
                        mixed(condition(headsFirst()).node("MatMul", "qh kt", "s").node("Mul", "s scale", "d")
                                .node("Add", "d positions", "a").node("Where", "keeps a lowest", "b")
                                .node("Add", "b padding", "c"), "c")),
                Arguments.of("zeros in place of NaN", masked,
                        ended(headsFirst().node("MatMul", "qh kt", "s").node("Mul", "s scale", "d")
                                .node("Add", "d padding", "a").node("Softmax", "a", "p1")
                                .node("IsNaN", "p1", "bad").node("Where", "bad nothing p1", "p")
                                .node("MatMul", "p vh", "m"))),
                Arguments.of("keys transposed as matrices of all heads", plain, matrices()),
                Arguments.of("one head", new Attention(SCALE, false, false), oneHead()));
    }

    private static Onnx scaledEarly() {
        Onnx file =
                heads().node("Mul", "q1 scale", "q2").node("Reshape", "q2 heads", "q").node("Reshape", "k1 heads", "k")
                        .node("Reshape", "v1 heads", "v");
        transposed(transposed(transposed(file, "q", "qh", 0, 2, 1, 3), "v", "vh", 0, 2, 1, 3), "k", "kt", 0, 2, 3, 1);
        return mixed(file.node("MatMul", "qh kt", "s"), "s");
    }

    private static Onnx matrices() {
        Onnx file = transposed(headsFirst(heads(2)), "k", "kh", 0, 2, 1, 3).longs("flat", -1, 5, 3).longs("deep", -1, 2,
                3, 5);
        transposed(file.node("Reshape", "kh flat", "kf"), "kf", "kg", 0, 2, 1);
        return mixed(file.node("Reshape", "kg deep", "kk").node("Mul", "qh half", "e").node("Mul", "kk half", "f")
                .node("MatMul", "e f", "s"), "s");
    }

    private static Onnx oneHead() {
        return transposed(heads(), "k1", "kt", 0, 2, 1).node("MatMul", "q1 kt", "s").node("Mul", "s scale", "d")
                .node("Softmax", "d", "p").node("MatMul", "p v1", "y");
    }

    private static List<Op> ops(Onnx file) {
        return OnnxFile.model(file.bytes(), Bindings.NONE).weights().model().layers().stream().map(Node::op).toList();
    }

    private static boolean isPart(Op op) {
        return op instanceof TensorOp.Softmax || op instanceof TensorOp.MatMul || op instanceof TensorOp.Transpose
                || op instanceof TensorOp.Map;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("variants")
    void isOneNode(String variant, Attention wanted, Onnx file) throws OrtException {
        List<Op> ops = ops(file);
        List<Attention> found = ops.stream().filter(Attention.class::isInstance).map(Attention.class::cast).toList();
        assertEquals(1, found.size(), () -> variant + ": " + ops);
        assertEquals(wanted.scale(), found.getFirst().scale(), 1e-6f);
        assertEquals(wanted, new Attention(wanted.scale(), found.getFirst().masked(), found.getFirst().rowsFirst()));
        boolean computed = variant.contains("computed");
        assertTrue(computed || ops.stream().noneMatch(OnnxAttentionTest::isPart), () -> variant + ": " + ops);
        file.computesTheSame();
    }

    static Stream<Arguments> others() {
        return Stream.of(
                Arguments.of("shares that are an output too",
                        mixed(headsFirst().node("MatMul", "qh kt", "s"), "s").output("p")),
                Arguments.of("scores that are an output too",
                        mixed(headsFirst().node("MatMul", "qh kt", "s").node("Mul", "s scale", "d"), "d").output("s")),
                Arguments.of("a filler that scores may reach",
                        mixed(condition(headsFirst()).node("MatMul", "qh kt", "s").node("Where", "keeps s low", "a"),
                                "a")),
                Arguments.of("a scale behind the mask",
                        mixed(headsFirst().node("MatMul", "qh kt", "s").node("Add", "s positions", "a")
                                .node("Mul", "a scale", "d"), "d")),
                Arguments.of("a softmax along rows",
                        ended(headsFirst().node("MatMul", "qh kt", "s")
                                .node("Softmax", "s", "p", OnnxNodes.integer("axis", 2)).node("MatMul", "p vh", "m"))),
                Arguments.of("keys that are not transposed",
                        heads().longs("square", 0, 6, 5).node("Reshape", "k1 square", "kt")
                                .node("MatMul", "q1 kt", "s").node("Softmax", "s", "p").node("MatMul", "p v1", "y")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("others")
    void otherProductsStayAsTheyAre(String variant, Onnx file) throws OrtException {
        List<Op> ops = ops(file);
        assertTrue(ops.stream().noneMatch(Attention.class::isInstance), () -> variant + ": " + ops);
        file.computesTheSame();
    }

    /** What is exported is recognised. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void comesBackAsItWas(boolean rowsFirst) {
        Attention op = new Attention(0.25f, true, rowsFirst);
        NetBuilder net = new NetBuilder("net", rowsFirst ? Shape.of(3, 2, 4) : Shape.of(2, 3, 4));
        net.add("mask", new TensorOp.Constant(Shape.of(2, 1, 3)), List.of());
        net.add("attention1", op, List.of(0, 0, 0, net.at()));
        CompressedWeights weights = new CompressedWeights(net.build(),
                Map.of("mask.value", CompressedTensor.of(new float[]{1, 2, 3, 4, 5, 6}, 2, 1, 3)), InputScale.UNIT);
        assertEquals(op, OnnxFile.decode(OnnxFile.encode(weights, OnnxWeights.FLOATS)).model().output().op());
    }
}
