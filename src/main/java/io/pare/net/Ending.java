package io.pare.net;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What makes probabilities of a network's logits, if it does so itself. It belongs to the loss: networks are trained and
 * measured without it, and it is put back where the network is written.
 */
public enum Ending {
    /** The network gives logits. */
    NONE,
    /** Probabilities that add up to 1. */
    SOFTMAX,
    /** Their logarithms. */
    LOG_SOFTMAX,
    /** A probability for each output by itself. */
    SIGMOID;

    private static final String NAME = "probabilities";

    /**
     * {@return what a network ends in; one of two in a row is a layer like others, and so are both}
     *
     * @param net any network
     */
    public static Ending of(Net net) {
        Node last = net.output();
        Ending ending = of(last);
        return ending != NONE && of(net.node(last.inputs().getFirst())) == NONE ? ending : NONE;
    }

    private static Ending of(Node last) {
        boolean vector = last.output().isVector() && last.place() > 1;
        return switch (last.op()) {
            case TensorOp.Softmax(int axis, boolean logarithm) when vector && axis == 0 ->
                    logarithm ? LOG_SOFTMAX : SOFTMAX;
            case Op.Sigmoid _ when vector -> SIGMOID;
            case Op _ -> NONE;
        };
    }

    /**
     * {@return a network without its ending, whichever it has}
     *
     * @param net any network
     */
    public static Net without(Net net) {
        return of(net) == NONE ? net : new Net(net.name(), net.nodes().subList(0, net.nodes().size() - 1));
    }

    /**
     * {@return the weights of a network without its ending, whichever it has}
     *
     * @param weights of a network
     */
    public static CompressedWeights without(CompressedWeights weights) {
        return of(weights.model()) == NONE
                ? weights
                : new CompressedWeights(without(weights.model()), weights.tensors(), weights.scale());
    }

    /**
     * {@return the probability that {@link #SIGMOID} makes of a logit}
     *
     * @param logit any number
     */
    public static float sigmoid(float logit) {
        return Op.Sigmoid.of(logit);
    }

    /**
     * {@return a network of logits with this ending}
     *
     * @param net of logits
     */
    public Net on(Net net) {
        return switch (this) {
            case NONE -> net;
            case SOFTMAX -> appended(net, new TensorOp.Softmax(0, false));
            case LOG_SOFTMAX -> appended(net, new TensorOp.Softmax(0, true));
            case SIGMOID -> appended(net, new Op.Sigmoid());
        };
    }

    /**
     * {@return the weights of a network of logits with this ending}
     *
     * @param weights of a network of logits
     */
    public CompressedWeights on(CompressedWeights weights) {
        return this == NONE
                ? weights
                : new CompressedWeights(on(weights.model()), weights.tensors(), weights.scale());
    }

    private static Set<String> names(List<Node> nodes) {
        return nodes.stream().map(Node::name).collect(Collectors.toSet());
    }

    private static Net appended(Net net, Op op) {
        List<Node> nodes = new ArrayList<>(net.nodes());
        String name = NAME;
        while (names(nodes).contains(name)) {
            name += "_";
        }
        nodes.add(Net.next(nodes, name, op, List.of(net.output().place())));
        return new Net(net.name(), nodes);
    }
}
