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

    /**
     * Begins a network that takes samples of shape {@code input}.
     *
     * @param name of the network
     * @param input shape of one sample
     */
    public NetBuilder(String name, Shape input) {
        this.name = name;
        nodes.add(Net.next(nodes, INPUT, new Op.Input(input), List.of()));
    }

    /** {@return the place of the value to which the next operator is applied} */
    public int at() {
        return at;
    }

    /** {@return the shape of that value} */
    public Shape shape() {
        return shape(at);
    }

    /**
     * {@return the shape of the value at {@code place}}
     *
     * @param place of a value, as {@link #at} gave it
     */
    public Shape shape(int place) {
        return nodes.get(place).output();
    }

    /**
     * Goes to a value that there is already.
     *
     * @param place of a value, as {@link #at} gave it
     * @return this builder
     */
    public NetBuilder from(int place) {
        at = nodes.get(place).place();
        return this;
    }

    /**
     * {@return whether the value at {@code place} is computed from that at {@code earlier}}
     *
     * @param place of a value, as {@link #at} gave it
     * @param earlier of a value before it
     */
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

    /**
     * Appends an operator of one input.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @param op what is computed
     * @return this builder
     */
    public NetBuilder add(String layer, Op op) {
        return add(layer, op, List.of(at));
    }

    /**
     * Appends an operator that takes the values at those places.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @param op what is computed
     * @param inputs places of values
     * @return this builder
     */
    public NetBuilder add(String layer, Op op, List<Integer> inputs) {
        nodes.add(Net.next(nodes, layer, op, inputs));
        at = nodes.size() - 1;
        return this;
    }

    /**
     * Appends a square convolution.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @param out channels of the output
     * @param kernel height and width, in pixels
     * @param stride pixels from one place to the next
     * @param padding pixels of zeros around the image
     * @param bias whether it has one; before a normalisation it needs none
     * @return this builder
     */
    public NetBuilder conv(String layer, int out, int kernel, int stride, int padding, boolean bias) {
        return add(layer, Conv2d.of(channels(), out, kernel, stride, padding, bias));
    }

    /**
     * Appends a square convolution in groups, of stride 1, with bias.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @param out channels of the output
     * @param kernel height and width, in pixels
     * @param padding pixels of zeros around the image
     * @param groups of channels, each computed by itself
     * @return this builder
     */
    public NetBuilder groupedConv(String layer, int out, int kernel, int padding, int groups) {
        return add(layer, new Conv2d(channels(), out, Window.square(kernel, 1, padding), groups, true));
    }

    private int channels() {
        return shape().channels();
    }

    /**
     * Appends a batch normalisation with the usual epsilon.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @return this builder
     */
    public NetBuilder norm(String layer) {
        return add(layer, BatchNorm.of(channels()));
    }

    /**
     * Appends max(x, 0).
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @return this builder
     */
    public NetBuilder relu(String layer) {
        return add(layer, new Relu());
    }

    /**
     * Appends 1 / (1 + exp(-x)).
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @return this builder
     */
    public NetBuilder sigmoid(String layer) {
        return add(layer, new Sigmoid());
    }

    /**
     * Appends a square maximum pool.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @param kernel height and width, in pixels
     * @param stride pixels from one place to the next
     * @param padding pixels of zeros around the image
     * @return this builder
     */
    public NetBuilder maxPool(String layer, int kernel, int stride, int padding) {
        return add(layer, MaxPool.of(kernel, stride, padding));
    }

    /**
     * Appends the mean over each channel's plane.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @return this builder
     */
    public NetBuilder globalAvgPool(String layer) {
        return add(layer, new GlobalAvgPool());
    }

    /**
     * Appends a dropout, which is there in training only.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @param rate share of the values that training zeroes
     * @return this builder
     */
    public NetBuilder dropout(String layer, float rate) {
        return add(layer, new Dropout(rate));
    }

    /**
     * Appends a sample as a vector, an image in CHW order.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @return this builder
     */
    public NetBuilder flatten(String layer) {
        return add(layer, new Flatten());
    }

    /**
     * Appends a fully connected layer with bias.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @param out outputs
     * @return this builder
     */
    public NetBuilder linear(String layer, int out) {
        return add(layer, new Linear(shape().features(), out));
    }

    /**
     * Two branches that take the same and whose outputs are added.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @param body appends the one branch
     * @param shortcut may add nothing: then the input itself is added
     * @return this builder
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

    /**
     * Appends the channels, or features, of the values at those places, one after another.
     *
     * @param layer unique in the network; the names of its tensors begin with it
     * @param inputs places of values
     * @return this builder
     */
    public NetBuilder concat(String layer, List<Integer> inputs) {
        return add(layer, new Concat(inputs.size()), inputs);
    }

    /** {@return the network whose output is the last value} */
    public Net build() {
        return new Net(name, nodes);
    }
}
