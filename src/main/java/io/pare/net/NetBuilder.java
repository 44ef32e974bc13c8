package io.pare.net;

import io.pare.net.Op.Add;
import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.Concat;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.Dropout;
import io.pare.net.Op.Flatten;
import io.pare.net.Op.GlobalAvgPool;
import io.pare.net.Op.Linear;
import io.pare.net.Op.MaxPool;
import io.pare.net.Op.Relu;
import io.pare.net.Op.Sigmoid;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Builds a {@link Net} operator by operator, and knows the shape so far, from which they take their input sizes.
 *
 * <pre>{@code
 * Net net = new NetBuilder("small", Shape.of(1, 28, 28)).conv("conv1", 20, 5, 1, 0, true).relu("relu1")
 *         .flatten("flatten").linear("fc", 10).build();
 * }</pre>
 *
 * <p>Each method appends to the value of the last one; {@link #at} says which that is, and {@link #from} goes back to an
 * earlier one, from where a branch begins. What does not fit throws {@link IllegalArgumentException} that names the layer,
 * and leaves the builder as it was. Not thread-safe.
 */
public final class NetBuilder {
    /** Name of the input in networks that a builder makes. */
    public static final String INPUT = "input";

    private final String name;
    private final List<Node> nodes = new ArrayList<>();
    private int at;

    /** A network that takes samples of shape {@code input}. */
    public NetBuilder(String name, Shape input) {
        this.name = name;
        nodes.add(Net.next(nodes, INPUT, new Op.Input(input), List.of()));
    }

    /** The place of the value to which the next operator is applied. */
    public int at() {
        return at;
    }

    /** The shape of that value. */
    public Shape shape() {
        return shape(at);
    }

    /** The shape of the value at {@code place}. */
    public Shape shape(int place) {
        return nodes.get(place).output();
    }

    /** Goes to a value that there is already. */
    public NetBuilder from(int place) {
        at = nodes.get(place).place();
        return this;
    }

    /** Whether the value at {@code place} is computed from that at {@code earlier}. */
    public boolean reads(int place, int earlier) {
        boolean[] read = new boolean[place + 1];
        read[place] = true;
        for (int at = place; at > earlier; at--) {
            if (read[at]) {
                nodes.get(at).inputs().forEach(input -> read[input] = true);
            }
        }
        return read[earlier];
    }

    /** Appends an operator of one input. */
    public NetBuilder add(String layer, Op op) {
        return add(layer, op, List.of(at));
    }

    /** Appends an operator that takes the values at those places. */
    public NetBuilder add(String layer, Op op, List<Integer> inputs) {
        nodes.add(Net.next(nodes, layer, op, inputs));
        at = nodes.size() - 1;
        return this;
    }

    /** A square convolution. */
    public NetBuilder conv(String layer, int out, int kernel, int stride, int padding, boolean bias) {
        return add(layer, Conv2d.of(channels(), out, kernel, stride, padding, bias));
    }

    /** A square convolution in groups, of stride 1, with bias. */
    public NetBuilder groupedConv(String layer, int out, int kernel, int padding, int groups) {
        return add(layer, new Conv2d(channels(), out, Window.square(kernel, 1, padding), groups, true));
    }

    private int channels() {
        return shape().channels();
    }

    /** Batch normalisation with the usual epsilon. */
    public NetBuilder norm(String layer) {
        return add(layer, BatchNorm.of(channels()));
    }

    public NetBuilder relu(String layer) {
        return add(layer, new Relu());
    }

    public NetBuilder sigmoid(String layer) {
        return add(layer, new Sigmoid());
    }

    public NetBuilder maxPool(String layer, int kernel, int stride, int padding) {
        return add(layer, MaxPool.of(kernel, stride, padding));
    }

    public NetBuilder globalAvgPool(String layer) {
        return add(layer, new GlobalAvgPool());
    }

    /** @param rate share of the values that training zeroes */
    public NetBuilder dropout(String layer, float rate) {
        return add(layer, new Dropout(rate));
    }

    public NetBuilder flatten(String layer) {
        return add(layer, new Flatten());
    }

    /** A fully connected layer with bias. */
    public NetBuilder linear(String layer, int out) {
        return add(layer, new Linear(shape().features(), out));
    }

    /**
     * Two branches that take the same and whose outputs are added.
     *
     * @param shortcut may add nothing: then the input itself is added
     */
    public NetBuilder residual(String layer, Consumer<NetBuilder> body, Consumer<NetBuilder> shortcut) {
        int start = at;
        int before = nodes.size();
        try {
            body.accept(this);
            int left = at;
            at = start;
            shortcut.accept(this);
            return add(layer, new Add(), List.of(left, at));
        } catch (RuntimeException e) {
            nodes.subList(before, nodes.size()).clear();
            at = start;
            throw e;
        }
    }

    /** The channels, or features, of the values at those places, one after another. */
    public NetBuilder concat(String layer, List<Integer> inputs) {
        return add(layer, new Concat(inputs.size()), inputs);
    }

    /** The network whose output is the last value. */
    public Net build() {
        return new Net(name, nodes);
    }
}
