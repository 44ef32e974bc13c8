package io.pare.text;

import io.pare.file.FormatException;
import io.pare.kernel.MatrixKernels;
import io.pare.kernel.PackedMatrix;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.TensorOp.Attention;
import io.pare.net.TensorOp.Constant;
import io.pare.net.TensorOp.Embedding;
import io.pare.net.TensorOp.LayerNorm;
import io.pare.net.TensorOp.Projection;
import io.pare.net.TensorOp.Reshape;
import io.pare.tensor.Computation;
import io.pare.tensor.Product;
import io.pare.text.Transformer.Layer;
import io.pare.text.Transformer.Norm;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;

/**
 * Finds BERT's encoder in a network that was read for one number of tokens: words and positions, then layers of attention and
 * of features, each with what it reads added and normalised.
 */
final class TransformerReader {
    private final CompressedWeights weights;
    private final Net net;
    private final List<List<Integer>> readers;
    private final MatrixKernels kernels = MatrixKernels.active();
    private final float[][] rooms = new float[2][0];
    private int heads;

    private TransformerReader(CompressedWeights weights) {
        this.weights = weights;
        this.net = weights.model();
        this.readers = net.readers();
    }

    /**
     * The encoder that a network is.
     *
     * @throws FormatException saying where it is another network
     */
    static Transformer read(CompressedWeights weights) {
        return new TransformerReader(weights).read();
    }

    private Transformer read() {
        Node words = reader(0, Embedding.class);
        int width = ((Embedding) words.op()).width();
        float[] positions = new float[net.input().features() * width];
        Node sum = words;
        for (Node next = only(sum); isSum(next); next = only(sum)) {
            addTo(positions, expect(other(next, sum), Constant.class));
            sum = next;
        }
        Node start = expect(only(sum), LayerNorm.class);
        List<Layer> layers = new ArrayList<>();
        Node place = start;
        while (place.place() != net.output().place()) {
            place = layer(place, layers);
        }
        if (layers.isEmpty()) {
            throw foreign(start, "a layer of attention");
        }
        return new Transformer(weights.tensor(words.parameters().getFirst().name()), positions, width, heads,
                norm(start), layers);
    }

    /** Reads the layer that begins with what a node gives; returns the node that ends it. */
    private Node layer(Node from, List<Layer> layers) {
        Node attention = attention(from);
        Attention op = (Attention) attention.op();
        int width = from.output().fromEnd(1);
        List<Node> sources = IntStream.range(0, 3).mapToObj(i -> source(attention, i, from)).toList();
        Node mixed = expect(only(expect(only(attention), Reshape.class)), Projection.class);
        Node afterAttention = normalized(mixed, from);
        Node wide = reader(afterAttention.place(), Projection.class);
        Node function = expect(only(wide), TensorOp.Map.class);
        Node narrow = expect(only(function), Projection.class);
        Node afterFeatures = normalized(narrow, afterAttention);
        float[] attended = room(0, 3 * width * width);
        float[] biases = new float[3 * width];
        for (int i = 0; i < 3; i++) {
            float scale = i == 0 ? op.scale() : 1;
            put(weight(sources.get(i)), width * width, scale, attended, i * width * width);
            put(bias(sources.get(i)), width, scale, biases, i * width);
        }
        layers.add(new Layer(packed(attended, width, biases), packed(mixed), norm(afterAttention), packed(wide),
                function((TensorOp.Map) function.op()), packed(narrow), norm(afterFeatures)));
        return afterFeatures;
    }

    private static ObjIntConsumer<float[]> function(TensorOp.Map op) {
        if (op.function() == Pointwise.GELU) {
            return Gelu::apply;
        }
        return (values, count) -> {
            for (int i = 0; i < count; i++) {
                values[i] = (float) op.function().of(values[i], op.a(), op.b());
            }
        };
    }

    /** The attention whose queries come from what a node gives. */
    private Node attention(Node from) {
        Node projection = reader(from.place(), Projection.class);
        Node attention = expect(only(expect(only(projection), Reshape.class)), Attention.class);
        Attention op = (Attention) attention.op();
        int own = attention.output().fromEnd(2);
        if (!op.rowsFirst() || heads != 0 && own != heads) {
            throw foreign(attention, "attention of rows of heads");
        }
        heads = own;
        if (op.masked() && !isZero(net.node(attention.inputs().getLast()))) {
            throw foreign(attention, "attention to all tokens");
        }
        return attention;
    }

    /** The projection of queries, keys or values, which must read what a node gives and be as wide. */
    private Node source(Node attention, int input, Node from) {
        Node reshape = expect(net.node(attention.inputs().get(input)), Reshape.class);
        Node projection = expect(net.node(reshape.input()), Projection.class);
        if (projection.input() != from.place() || !projection.output().equals(from.output())) {
            throw foreign(projection, "a projection of the layer's input");
        }
        return projection;
    }

    /** The normalisation of the sum of what two nodes give. */
    private Node normalized(Node branch, Node trunk) {
        Node sum = only(branch);
        if (!isSum(sum) || other(sum, branch) != trunk) {
            throw foreign(sum, "the sum with the layer's input");
        }
        return expect(only(sum), LayerNorm.class);
    }

    private static boolean isSum(Node node) {
        return node.op() instanceof Op.Add || node.op() instanceof TensorOp.Zip(Pairwise function)
                && function == Pairwise.ADD;
    }

    private Node other(Node sum, Node one) {
        return net.node(sum.inputs().getFirst() == one.place() ? sum.inputs().getLast() : sum.inputs().getFirst());
    }

    private boolean isZero(Node node) {
        return node.op() instanceof Constant && weights.tensor(node.parameters().getFirst().name()).nonzeros() == 0;
    }

    /** The only reader of what a node gives. */
    private Node only(Node node) {
        List<Integer> own = readers.get(node.place());
        if (own.size() != 1) {
            throw foreign(node, "a step that one other reads");
        }
        return net.node(own.getFirst());
    }

    /** The first reader of such a kind. */
    private Node reader(int place, Class<? extends Op> kind) {
        return readers.get(place).stream().map(net::node).filter(node -> kind.isInstance(node.op())).findFirst()
                .orElseThrow(() -> foreign(net.node(place), "a step that a " + kind.getSimpleName() + " reads"));
    }

    private static Node expect(Node node, Class<? extends Op> kind) {
        if (!kind.isInstance(node.op())) {
            throw foreign(node, "a " + kind.getSimpleName());
        }
        return node;
    }

    private static FormatException foreign(Node node, String wanted) {
        return new FormatException("no encoder of BERT's kind: its step " + node.name() + " is a "
                + node.op().getClass().getSimpleName() + ", where " + wanted + " is needed");
    }

    private float[] tensor(Node node, int number) {
        return weights.tensor(node.parameters().get(number).name()).toArray();
    }

    /** Zeros where a projection has none. */
    private float[] bias(Node projection) {
        Projection op = (Projection) projection.op();
        return op.bias() ? tensor(projection, 1) : new float[op.out()];
    }

    private Norm norm(Node node) {
        LayerNorm op = (LayerNorm) node.op();
        Shape row = Shape.of(node.output().fromEnd(1));
        return new Norm(Computation.of(op, List.of(row), Product.JAVA), MemorySegment.ofArray(tensor(node, 0)),
                MemorySegment.ofArray(tensor(node, 1)));
    }

    private PackedMatrix packed(Node projection) {
        return packed(weight(projection), ((Projection) projection.op()).in(), bias(projection));
    }

    /** The weights of a projection, until those of the next are read. */
    private float[] weight(Node projection) {
        CompressedTensor tensor = weights.tensor(projection.parameters().getFirst().name());
        float[] into = room(1, tensor.count());
        tensor.copyTo(into);
        return into;
    }

    /** An array that is used again: memory that nobody has touched yet takes the system longer than the copy. */
    private float[] room(int number, int size) {
        if (rooms[number].length < size) {
            rooms[number] = new float[size];
        }
        return rooms[number];
    }

    private PackedMatrix packed(float[] outIn, int in, float[] bias) {
        return new PackedMatrix(kernels).transpose(outIn, 0, in, bias.length, in).bias(bias);
    }

    /** Adds a constant, which may be the same for all positions. */
    private void addTo(float[] positions, Node constant) {
        float[] values = tensor(constant, 0);
        for (int i = 0; i < positions.length; i++) {
            positions[i] += values[i % values.length];
        }
    }

    private static void put(float[] from, int count, float factor, float[] to, int at) {
        for (int i = 0; i < count; i++) {
            to[at + i] = from[i] * factor;
        }
    }
}
