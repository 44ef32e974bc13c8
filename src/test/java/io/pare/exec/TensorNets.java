package io.pare.exec;

import io.pare.exec.TapeTest.Params;
import io.pare.net.Pairwise;
import io.pare.net.Parameter;
import io.pare.net.Pointwise;
import io.pare.net.Reduction;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.TensorOp.Border;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Small networks of operators on tensors of any rank, for every test that compares tapes. */
final class TensorNets {
    private final Params params;
    private int nodes;

    private TensorNets(Params params) {
        this.params = params;
    }

    private interface Body {
        Value of(TensorNets net, Value x);
    }

    private static Function<Params, Value> net(Body body, long... sample) {
        return params -> net(params, body, TapeTest.BATCH, sample);
    }

    private static Value net(Params params, Body body, int batch, long... sample) {
        long[] shape = new long[sample.length + 1];
        shape[0] = batch;
        System.arraycopy(sample, 0, shape, 1, sample.length);
        return params.head(body.of(new TensorNets(params), Graph.input("x", shape)));
    }

    /** One block of a transformer, whose tokens are averaged. */
    static Value transformer(Params params, int batch) {
        return net(params, TensorNets::transformer, batch, 5, 4);
    }

    private Value transformer(Value x) {
        Value tokens = of(new TensorOp.Projection(4, 6, true), x);
        Value normal = of(new TensorOp.LayerNorm(List.of(6), 1e-5f), tokens);
        Value sum = zip(Pairwise.ADD, tokens, attention(normal, 6));
        Value wide = map(Pointwise.GELU, of(new TensorOp.Projection(6, 8, true),
                of(new TensorOp.LayerNorm(List.of(6), 1e-5f), sum)));
        Value whole = zip(Pairwise.ADD, sum, of(new TensorOp.Projection(8, 6, false), wide));
        return of(new TensorOp.Reduce(Reduction.MEAN, List.of(0), false), whole);
    }

    static void into(Map<String, Function<Params, Value>> nets) {
        nets.put("transformer", params -> transformer(params, TapeTest.BATCH));
        nets.put("embedding of constant indices", net((net, x) -> {
            Value indices = net.constant("indices", 3);
            Value rows = net.of(new TensorOp.Embedding(2, 4), indices);
            return net.zip(Pairwise.MULTIPLY, net.of(new TensorOp.Projection(2, 4, false), x), rows);
        }, 3, 2));
        nets.put("value multiplied by itself and read again", net((net, x) -> {
            Value y = net.of(new TensorOp.Projection(4, 3, true), x);
            return net.zip(Pairwise.SUBTRACT, net.zip(Pairwise.MULTIPLY, y, y), net.map(Pointwise.SWISH, y));
        }, 2, 4));
        nets.put("matrices times themselves", net((net, x) -> {
            Value y = net.of(new TensorOp.Projection(3, 3, false), x);
            return net.of(new TensorOp.MatMul(), y, y);
        }, 2, 3, 3));
        nets.put("heads that attend to themselves, masked", net((net, x) -> {
            Value y = net.of(new TensorOp.Reshape(Shape.of(3, 2, 2)), net.of(new TensorOp.Projection(4, 4, true), x));
            Value mask = net.of(new TensorOp.Projection(4, 3, false), x);
            return net.of(new TensorOp.Attention(0.7f, true, true), y, y, y, mask);
        }, 3, 4));
        nets.put("joins of one value, turned and cut", net((net, x) -> {
            Value y = net.of(new TensorOp.Projection(2, 3, true), x);
            Value turned = net.of(new TensorOp.Slice(List.of(1, 0, 2), List.of(-1, 1, -2), Shape.of(2, 3, 2)), y);
            Value joined = net.of(new TensorOp.Join(3, 2), y, turned, y);
            Value put = net.of(new TensorOp.Transpose(List.of(2, 0, 1)), joined);
            return net.of(new TensorOp.Take(0, List.of(7, 0, 0, 4)), put);
        }, 2, 3, 2));
        nets.put("convolution, group norm, slopes, padding", net((net, x) -> {
            Value y = net.params.conv("c", x, 4, 3, 1, 1, 1, 1);
            y = net.of(new TensorOp.PRelu(Shape.of(4, 1, 1)), net.of(new TensorOp.GroupNorm(4, 2, 1e-5f), y));
            y = net.of(new TensorOp.Pad(List.of(0, 1, 2), List.of(0, 2, 1), Border.REFLECT, 0), y);
            y = net.params.conv("d", y, 3, 3, 2, 0, 1, 1);
            return net.of(new TensorOp.Pad(List.of(1, 0, 0), List.of(0, 0, 1), Border.CONSTANT, 0.5f), y);
        }, 2, 5, 5));
        nets.put("gate by the mean of each channel", net((net, x) -> {
            Value y = Graphs.relu(net.params.conv("c", x, 3, 3, 1, 1, 1, 1));
            Value mean = net.of(new TensorOp.Reduce(Reduction.MEAN, List.of(1, 2), true), y);
            Value gate = net.map(Pointwise.TANH, net.params.conv("g", mean, 3, 1, 1, 0, 1, 1));
            Value most = net.of(new TensorOp.Expand(Shape.of(3, 4, 4)),
                    net.of(new TensorOp.Reduce(Reduction.MAX, List.of(1), true), y));
            return net.zip(Pairwise.MAXIMUM, net.zip(Pairwise.MULTIPLY, y, gate), most);
        }, 2, 4, 4));
        activations().forEach(function -> nets.put(function + " of convolutions", net((net, x) -> net.of(function,
                net.params.conv("d", net.of(function, net.params.conv("c", x, 4, 3, 1, 1, 1, 1)), 3, 3, 1, 1, 1, 1)), 2,
                4, 4)));
        nets.put("choice, product, logarithm of softmax", net((net, x) -> {
            Value y = net.of(new TensorOp.Projection(3, 4, true), x);
            Value condition = net.constant("indices", 4);
            Value chosen = net.of(new TensorOp.Choose(), condition, y, net.map(Pointwise.TANH, y));
            Value product = net.of(new TensorOp.Reduce(Reduction.PRODUCT, List.of(1), true), chosen);
            Value soft = net.of(new TensorOp.Softmax(0, true), net.zip(Pairwise.ADD, chosen, product));
            return net.of(new TensorOp.Reshape(Shape.of(2, 2, 2)), soft);
        }, 2, 3));
        nets.put("values gathered from a projection", net((net, x) -> {
            Value y = net.of(new TensorOp.Projection(3, 2, true), x);
            return net.zip(Pairwise.ADD, net.of(new TensorOp.Gather(0), y, net.constant("indices", 3)), y);
        }, 3, 3));
        nets.put("two networks of one input, one without weights", net((net, x) -> {
            Value soft = net.of(new TensorOp.Softmax(1, false), x);
            return net.of(new TensorOp.MatMul(), soft, net.of(new TensorOp.Transpose(List.of(1, 0)),
                    net.of(new TensorOp.Projection(4, 4, true), x)));
        }, 3, 4));
    }

    /** Functions of each value that follow convolutions. */
    static List<TensorOp.Map> activations() {
        return List.of(new TensorOp.Map(Pointwise.LEAKY_RELU, 0.2f, 0), new TensorOp.Map(Pointwise.CLIP, -0.5f, 0.75f),
                new TensorOp.Map(Pointwise.HARD_SIGMOID, 0.3f, 0.4f),
                new TensorOp.Map(Pointwise.HARD_SWISH, 1 / 6f, 0.5f), new TensorOp.Map(Pointwise.ELU, 0.7f, 0),
                TensorOp.Map.of(Pointwise.SWISH), TensorOp.Map.of(Pointwise.MISH), TensorOp.Map.of(Pointwise.TANH),
                TensorOp.Map.of(Pointwise.GELU), TensorOp.Map.of(Pointwise.GELU_TANH),
                TensorOp.Map.of(Pointwise.SOFTPLUS));
    }

    /** Two heads. */
    private Value attention(Value x, int width) {
        List<Value> parts = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Value part = of(new TensorOp.Projection(width, width, i > 0), x);
            Value heads = of(new TensorOp.Reshape(Shape.of(x.size(1), 2, width / 2)), part);
            parts.add(of(new TensorOp.Transpose(i == 1 ? List.of(1, 2, 0) : List.of(1, 0, 2)), heads));
        }
        Value scores = of(new TensorOp.Map(Pointwise.LINEAR, 0.5f, 0),
                of(new TensorOp.MatMul(), parts.get(0), parts.get(1)));
        Value mixed = of(new TensorOp.MatMul(), of(new TensorOp.Softmax(2, false), scores), parts.get(2));
        return of(new TensorOp.Reshape(Shape.of(x.size(1), width)),
                of(new TensorOp.Transpose(List.of(1, 0, 2)), mixed));
    }

    private Value of(TensorOp op, Value... inputs) {
        String name = "t" + nodes++;
        List<Value> tensors = new ArrayList<>();
        for (Parameter parameter : op.parameters(name)) {
            tensors.add(params.get(parameter.name(), parameter.shape()));
        }
        return Graph.apply(op, List.of(inputs), tensors);
    }

    private Value map(Pointwise function, Value x) {
        return of(TensorOp.Map.of(function), x);
    }

    private Value zip(Pairwise function, Value left, Value right) {
        return of(new TensorOp.Zip(function), left, right);
    }

    private Value constant(String kind, int size) {
        TensorOp op = new TensorOp.Constant(Shape.of(size));
        Value tensor = params.state("t" + nodes++ + "." + kind, size);
        return new Value(new Operation.Apply(op), new long[]{TapeTest.BATCH, size}, tensor);
    }
}
