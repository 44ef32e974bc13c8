package io.pare.exec;

import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Builds values and checks their shapes. A graph holds no memory and computes nothing: {@link Tape} does.
 *
 * <p>Shapes include the batch size, so a graph is built for one batch size. Every method throws
 * {@link IllegalArgumentException} that names the operation and the shapes when they do not fit.
 */
public final class Graph {
    private Graph() {}

    /**
     * {@return values that the caller writes before each pass}
     *
     * @param name unique in the graph
     * @param shape with the batch first
     */
    public static Value input(String name, long... shape) {
        return new Value(new Operation.Input(name), shape.clone());
    }

    /**
     * {@return a tensor that is trained}
     *
     * @param name that a {@link Binding} knows
     * @param shape of the tensor
     */
    public static Value parameter(String name, long... shape) {
        return new Value(new Operation.Parameter(name), shape.clone());
    }

    /**
     * {@return a tensor without a gradient; some operations change theirs in training}
     *
     * @param name that a {@link Binding} knows
     * @param shape of the tensor
     */
    public static Value state(String name, long... shape) {
        return new Value(new Operation.State(name), shape.clone());
    }

    /**
     * {@return the logits {@code [batch, classes]} of a network}
     *
     * @param net layers
     * @param input name of the network's input
     * @param batch samples of a pass
     * @param dropout whether dropout drops; otherwise it is left out
     */
    public static Value logits(Net net, String input, int batch, boolean dropout) {
        return logits(net, batch, dropout, shape -> input(input, shape), Graph::tensor);
    }

    /**
     * {@return the logits {@code [batch, classes]} of a network whose weights are given and whose inputs are sought: these
     * are what the graph trains}
     *
     * @param net layers; no dropout drops
     * @param sought name of the inputs, of which a {@link Binding} knows values and gradient
     * @param batch samples of a pass
     */
    public static Value sought(Net net, String sought, int batch) {
        return logits(net, batch, false, shape -> parameter(sought, shape),
                each -> state(each.name(), each.shape()));
    }

    private static Value logits(Net net, int batch, boolean dropout, Function<long[], Value> input,
            Function<Parameter, Value> tensor) {
        Value[] values = new Value[net.nodes().size()];
        for (Node node : net.nodes()) {
            List<Value> inputs = node.inputs().stream().map(place -> values[place]).toList();
            values[node.place()] = switch (node.op()) {
                case Op.Input(Shape shape) -> input.apply(batched(batch, shape));
                case Op.Dropout _ when !dropout -> inputs.getFirst();
                case Op _ -> node(net, node, batch, inputs, tensor);
            };
        }
        return vector(values[values.length - 1]);
    }

    /**
     * {@return what one layer of a network gives, for a caller who writes what it takes: inputs are named by the places of
     * the nodes that give them, and have their shapes}
     *
     * @param net layers
     * @param node of the network, not its input
     * @param batch samples of a pass
     */
    public static Value layer(Net net, Node node, int batch) {
        Map<Integer, Value> given = new HashMap<>();
        return node(net, node, batch, node.inputs().stream().map(place -> given.computeIfAbsent(place,
                each -> input(Integer.toString(each), batched(batch, net.node(each).output())))).toList(),
                Graph::tensor);
    }

    private static Value node(Net net, Node node, int batch, List<Value> inputs, Function<Parameter, Value> tensor) {
        List<Value> tensors = node.parameters().stream().map(tensor).toList();
        if (node.op() instanceof TensorOp op) {
            // What looks at channels may have made an image of a vector.
            return applied(batch, op, IntStream.range(0, inputs.size())
                    .mapToObj(i -> shaped(inputs.get(i), net.node(node.inputs().get(i)).output())).toList(),
                    tensors);
        }
        return apply(node.op(), inputs, tensors);
    }

    private static Value tensor(Parameter parameter) {
        return parameter.trained()
                ? parameter(parameter.name(), parameter.shape())
                : state(parameter.name(), parameter.shape());
    }

    /**
     * {@return the value of an operator on values, which are reshaped to what it takes}
     *
     * @param op the operator
     * @param inputs as many as its node has
     * @param tensors its parameters, in their order
     */
    public static Value apply(Op op, List<Value> inputs, List<Value> tensors) {
        if (op instanceof Op.Flatten) {
            return vector(inputs.getFirst());
        }
        if (op instanceof TensorOp tensorOp) {
            return applied(inputs.getFirst().size(0), tensorOp, inputs, tensors);
        }
        List<Value> all = new ArrayList<>();
        boolean alike = inputs.stream().allMatch(input -> input.rank() == inputs.getFirst().rank());
        List<Shape> shapes = new ArrayList<>();
        for (Value input : inputs) {
            Value taken = reshape(alike ? input : vector(input), op);
            shapes.add(taken.sample());
            all.add(taken);
        }
        return checked(inputs.getFirst().size(0), op, shapes, all, tensors);
    }

    /** An operator that takes its inputs as they are, if it has any. */
    private static Value applied(int batch, TensorOp op, List<Value> inputs, List<Value> tensors) {
        List<Shape> shapes = inputs.stream().map(Value::sample).toList();
        return op instanceof TensorOp.Reshape(Shape to) && op.output(shapes).equals(to)
                ? shaped(inputs.getFirst(), to)
                : checked(batch, op, shapes, new ArrayList<>(inputs), tensors);
    }

    private static Value checked(int batch, Op op, List<Shape> shapes, List<Value> all, List<Value> tensors) {
        int inputs = all.size();
        all.addAll(tensors);
        try {
            Shape output = op.output(shapes);
            List<Parameter> parameters = op.parameters("");
            boolean fits = inputs == op.arity() && parameters.size() == tensors.size()
                    && IntStream.range(0, tensors.size()).allMatch(i -> Arrays.equals(parameters.get(i).shape(),
                            tensors.get(i).shape()));
            if (!fits) {
                throw new IllegalArgumentException("does not take " + all);
            }
            return new Value(new Operation.Apply(op), batched(batch, output),
                    all.toArray(Value[]::new));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(op + " " + e.getMessage() + ", applied to " + all, e);
        }
    }

    private static Value reshape(Value value, Op op) {
        return shaped(value, op.taken(value.sample()));
    }

    private static Value shaped(Value value, Shape sample) {
        return sample.equals(value.sample())
                ? value
                : new Value(new Operation.Reshape(), batched(value.size(0), sample), value);
    }

    private static long[] batched(long batch, Shape sample) {
        long[] shape = new long[sample.rank() + 1];
        Arrays.setAll(shape, i -> i == 0 ? batch : sample.sizes().get(i - 1));
        return shape;
    }

    /**
     * {@return {@code [n, ...]} as {@code [n, features]}}
     *
     * @param x value of any rank
     */
    public static Value vector(Value x) {
        return shaped(x, x.sample().flat());
    }

    /**
     * {@return the mean cross-entropy of the softmax with the batch's labels: a loss}
     *
     * @param logits {@code [n, classes]}
     */
    public static Value softmaxCrossEntropy(Value logits) {
        check(logits.rank() == 2, "softmax cross-entropy", logits);
        return new Value(new Operation.SoftmaxCrossEntropy(), new long[]{1}, logits);
    }

    /**
     * {@return cross-entropy mixed with knowledge distillation, see {@link Operation.Distillation}: a loss}
     *
     * @param student logits {@code [n, classes]}
     * @param teacher logits of the same shape
     * @param temperature above 0
     * @param share of distillation, in [0, 1]
     */
    public static Value distillation(Value student, Value teacher, float temperature, float share) {
        check(student.rank() == 2 && Arrays.equals(student.shape(), teacher.shape()), "distillation", student, teacher);
        check(temperature > 0 && share >= 0 && share <= 1,
                "distillation at temperature " + temperature + ", share " + share, student, teacher);
        return new Value(new Operation.Distillation(temperature, share), new long[]{1}, student, teacher);
    }

    /**
     * {@return the mean over batch and labels of the cross-entropy behind a sigmoid: a loss}
     *
     * @param logits {@code [n, labels]}
     * @param targets of the same shape, in [0, 1]
     */
    public static Value binaryCrossEntropy(Value logits, Value targets) {
        check(logits.rank() == 2 && Arrays.equals(logits.shape(), targets.shape()), "binary cross-entropy", logits,
                targets);
        return new Value(new Operation.BinaryCrossEntropy(), new long[]{1}, logits, targets);
    }

    /**
     * {@return the mean squared error: a loss}
     *
     * @param outputs {@code [n, numbers]}
     * @param targets of the same shape
     */
    public static Value squaredError(Value outputs, Value targets) {
        check(outputs.rank() == 2 && Arrays.equals(outputs.shape(), targets.shape()), "squared error", outputs,
                targets);
        return new Value(new Operation.SquaredError(), new long[]{1}, outputs, targets);
    }

    private static void check(boolean fits, String what, Value... values) {
        if (!fits) {
            throw new IllegalArgumentException(what + " does not take " + Arrays.toString(values));
        }
    }
}
