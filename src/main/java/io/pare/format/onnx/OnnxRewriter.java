package io.pare.format.onnx;

import static io.pare.format.onnx.OnnxNodes.integer;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.format.protobuf.Protobuf.Reader;
import io.pare.format.protobuf.Protobuf.Writer;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.TensorOp;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Puts integers in place of the matrices of a file: what multiplies by one becomes {@code MatMulNBits} of ONNX Runtime, what looks
 * rows up {@code GatherBlockQuantized}. All else stays, byte for byte: inputs of any length, names, the operator set.
 *
 * <p>Both operators are of the domain {@value #DOMAIN}. Those of ONNX itself need opset 21, to which a graph of another one cannot
 * be moved without a change of its other operators.
 */
final class OnnxRewriter {
    static final String DOMAIN = "com.microsoft";
    private final Reader file;
    private final OnnxGraph graph;
    private final OnnxWeights form;
    /** Matrices by the names of their tensors. */
    private final Map<String, OnnxBlocks> blocks = new LinkedHashMap<>();
    /** Those that are multiplied by; the first node that reads one says so. */
    private final Set<String> products = new HashSet<>();
    /** Tensors of the file that something else reads too. */
    private final Set<String> kept = new HashSet<>();

    /**
     * Chooses the matrices.
     *
     * @param folder of the file, in which others may hold its tensors
     * @param weights to take in place of the file's; null to take its own
     */
    OnnxRewriter(ByteBuffer file, Path folder, OnnxWeights form, @Nullable CompressedWeights weights) {
        this.file = new Reader(file);
        this.graph = new OnnxGraph(file, folder);
        this.form = form;
        Deque<CompressedTensor> given = new ArrayDeque<>();
        if (weights != null) {
            weights.model().layers().stream().filter(OnnxRewriter::isMatrix)
                    .forEach(node -> given.add(weights.tensor(node.parameters().getFirst().name())));
        }
        OnnxMemory memory = new OnnxMemory();
        for (OnnxNode node : new OnnxOrder(graph, Set.of()).nodes()) {
            String name = matrixOf(node);
            if (name != null && !blocks.containsKey(name)) {
                OnnxConstant own = graph.tensor(name, memory);
                if (own.type() == Type.FLOAT && own.shape().length == 2) {
                    take(node, name, own, weights == null ? null : given);
                }
            }
        }
        if (!given.isEmpty()) {
            throw new FormatException("the graph has no place for a matrix of shape "
                    + Arrays.toString(given.getFirst().shape()) + ": the weights are of another network");
        }
        if (blocks.isEmpty()) {
            throw new FormatException(
                    "the graph has no matrix of " + OnnxBlocks.LEAST
                            + " or more floats that is multiplied or looked up");
        }
        for (OnnxNode node : graph.nodes()) {
            node.inputs().stream().filter(input -> !isRewritten(node) || !input.equals(matrixOf(node)))
                    .forEach(kept::add);
        }
    }

    private static boolean isMatrix(Node node) {
        return node.op() instanceof Op.Linear || node.op() instanceof TensorOp.Projection
                || node.op() instanceof TensorOp.Embedding;
    }

    private void take(OnnxNode node, String name, OnnxConstant own, @Nullable Deque<CompressedTensor> given) {
        boolean turned = isProduct(node);
        int rows = (int) own.shape()[turned ? 1 : 0];
        int columns = (int) own.shape()[turned ? 0 : 1];
        CompressedTensor next = given == null ? null : given.peek();
        CompressedTensor tensor = null;
        if (next != null && next.shape()[0] == rows && next.shape()[1] == columns) {
            tensor = given.poll();
        }
        // Two zeros lie in a byte; where a row has an odd number of them, runtimes do not agree on where the next row begins.
        boolean whole = turned || columns % (form.block() * 8 / form.bits()) == 0;
        if ((long) rows * columns >= OnnxBlocks.LEAST && columns >= form.block() && whole) {
            CompressedTensor made = tensor != null ? tensor
                    : CompressedTensor.takingOver(turned ? OnnxProducts.transposed(own, columns, rows) : own.decimals(),
                            rows, columns);
            blocks.put(name, OnnxBlocks.of(made, form));
            if (turned) {
                products.add(name);
            }
        }
    }

    private static boolean isProduct(OnnxNode node) {
        return node.operator().equals("MatMul");
    }

    /** The tensor of the file that a node multiplies by, or looks rows up in; null if it does neither. */
    private @Nullable String matrixOf(OnnxNode node) {
        String name = switch (node.operator()) {
            case "MatMul" -> node.inputs().get(1);
            case "Gather" -> node.has("axis") && node.integer("axis", 0) != 0 ? null : node.inputs().getFirst();
            default -> null;
        };
        return name != null && graph.holds(name) ? name : null;
    }

    private boolean isRewritten(OnnxNode node) {
        String name = matrixOf(node);
        return name != null && blocks.containsKey(name) && isProduct(node) == products.contains(name);
    }

    byte[] run() {
        Writer model = new Writer();
        boolean declared = false;
        while (file.next()) {
            if (file.field() == 7) {
                model.message(7, graph(file.message()));
            } else {
                if (file.field() == 8) {
                    Reader version = file.message();
                    while (version.next()) {
                        declared |= version.field() == 1 && version.text().equals(DOMAIN);
                    }
                }
                file.copyTo(model);
            }
        }
        if (!declared) {
            model.message(8, new Writer().text(1, DOMAIN).number(2, 1));
        }
        return model.toByteArray();
    }

    private Writer graph(Reader in) {
        Writer out = new Writer();
        List<OnnxNode> nodes = graph.nodes();
        int node = 0;
        while (in.next()) {
            boolean copied = true;
            if (in.field() == 1) {
                OnnxNode own = nodes.get(node++);
                if (isRewritten(own)) {
                    out.message(1, rewritten(own));
                    copied = false;
                }
            } else if (in.field() == 5) {
                String name = OnnxGraph.tensorName(in.message());
                copied = !blocks.containsKey(name) || kept.contains(name);
            } else if (in.field() == 11) {
                // Old files list their tensors among the inputs too.
                copied = !blocks.containsKey(OnnxGraph.readName(in.message()));
            }
            if (copied) {
                in.copyTo(out);
            }
        }
        blocks.forEach((name, own) -> {
            boolean product = products.contains(name);
            tensors(name, own, product).forEach(tensor -> out.message(5, tensor));
        });
        return out;
    }

    private Writer rewritten(OnnxNode node) {
        String name = matrixOf(node);
        OnnxBlocks own = blocks.get(name);
        boolean product = isProduct(node);
        List<String> inputs = product
                ? List.of(node.inputs().getFirst(), name + ".codes", name + ".steps", name + ".zeros")
                : List.of(name + ".codes", node.inputs().get(1), name + ".steps", name + ".zeros");
        Writer made = new Writer();
        inputs.forEach(input -> made.text(1, input));
        made.text(2, node.output()).text(3, node.output()).text(4, product ? "MatMulNBits" : "GatherBlockQuantized");
        List<Writer> attributes =
                new ArrayList<>(List.of(integer("bits", own.bits()), integer("block_size", own.block())));
        if (product) {
            attributes.addAll(List.of(integer("K", own.columns()), integer("N", own.rows())));
        } else {
            attributes.addAll(List.of(integer("gather_axis", 0), integer("quantize_axis", 1)));
        }
        attributes.forEach(attribute -> made.message(5, attribute));
        return made.text(7, DOMAIN);
    }

    /** Codes, steps and zeros as the operator takes them. */
    private static List<Writer> tensors(String name, OnnxBlocks own, boolean product) {
        int each = own.block() * own.bits() / 8;
        byte[] codes =
                bytes(own.codes(), own.columns(), product ? own.blocks() * own.block() : own.columns(), own.bits());
        byte[] zeros = bytes(own.zeros(), own.blocks(), own.blocks(), own.bits());
        long[] shape = product
                ? new long[]{own.rows(), own.blocks(), each}
                : new long[]{own.rows(), (long) codes.length / own.rows()};
        long[] ofZeros = product ? new long[]{zeros.length} : new long[]{own.rows(), (long) zeros.length / own.rows()};
        long[] ofSteps = product ? new long[]{own.steps().length} : new long[]{own.rows(), own.blocks()};
        return List.of(OnnxNodes.tensor(name + ".codes", Type.UINT8, shape, codes),
                OnnxNodes.tensor(name + ".steps", Type.FLOAT, ofSteps, OnnxNodes.bytes(own.steps())),
                OnnxNodes.tensor(name + ".zeros", Type.UINT8, ofZeros, zeros));
    }

    /** Rows of codes, each filled up to a width and to a whole byte; of two codes in a byte the first lies in the lower half. */
    private static byte[] bytes(byte[] codes, int columns, int width, int bits) {
        int rows = codes.length / columns;
        int each = Math.ceilDiv(width * bits, 8);
        byte[] packed = new byte[rows * each];
        for (int i = 0; i < codes.length; i++) {
            int bit = i % columns * bits;
            packed[i / columns * each + bit / 8] |= (byte) (codes[i] << bit % 8);
        }
        return packed;
    }
}
