package io.pare.net;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;

/**
 * A network as a declaration: a directed acyclic graph of operators, from one input to one output, the logits.
 *
 * <p>Immutable and thread-safe. Nodes stand in the order in which they were built, each behind those that it reads. That
 * order decides the order of parameters, of initial values and of what files hold. {@link NetBuilder} makes networks.
 *
 * @param name for people and files
 * @param nodes the input first, the output last; every node but the last is read by another
 */
public record Net(String name, List<Node> nodes) {
    /** Checks that the nodes fit together; {@link IllegalArgumentException} says which does not. */
    public Net {
        nodes = List.copyOf(nodes);
        checkName(name);
        if (nodes.isEmpty() || !(nodes.getFirst().op() instanceof Op.Input)) {
            throw new IllegalArgumentException("network " + name + " does not begin with its input");
        }
        Set<String> names = new HashSet<>();
        Set<Integer> read = new HashSet<>(List.of(nodes.size() - 1));
        for (int place = 0; place < nodes.size(); place++) {
            Node node = nodes.get(place);
            checkName(node.name());
            // The input is no layer: one may be called as it is.
            if (place > 0 && !names.add(node.name())) {
                throw new IllegalArgumentException("two layers of " + name + " are named " + node.name());
            }
            if (!node.equals(next(nodes.subList(0, place), node.name(), node.op(), node.inputs()))) {
                throw new IllegalArgumentException("layer " + node.name() + " of " + name + " stands where it cannot");
            }
            read.addAll(node.inputs());
        }
        for (Node node : nodes) {
            if (!read.contains(node.place())) {
                throw new IllegalArgumentException("nothing reads layer " + node.name() + " of " + name);
            }
        }
    }

    /** The node that follows those given; {@link IllegalArgumentException} if the operator cannot take its inputs. */
    static Node next(List<Node> before, String name, Op op, List<Integer> inputs) {
        try {
            if (inputs.size() != op.arity() || op instanceof Op.Input != before.isEmpty()) {
                throw new IllegalArgumentException("takes " + op.arity() + " inputs, is given " + inputs.size());
            }
            inputs.forEach(input -> Objects.checkIndex(input, before.size()));
            return new Node(before.size(), name, op, inputs, op.output(shapes(before, inputs)));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("layer " + name + " " + e.getMessage(), e);
        }
    }

    private static List<Shape> shapes(List<Node> nodes, List<Integer> places) {
        return places.stream().map(place -> nodes.get(place).output()).toList();
    }

    /** Names are printed: none may hold what moves a terminal's cursor or makes a line of its own. */
    private static void checkName(String name) {
        if (!name.codePoints().allMatch(Net::prints)) {
            throw new IllegalArgumentException("the name '" + name.codePoints()
                    .mapToObj(c -> prints(c) ? Character.toString(c) : String.format("\\u%04x", c))
                    .collect(Collectors.joining()) + "' holds characters that cannot be printed");
        }
    }

    private static boolean prints(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }

    /** {@return the shape of one sample} */
    public Shape input() {
        return nodes.getFirst().output();
    }

    /** {@return the node whose output are the logits} */
    public Node output() {
        return nodes.getLast();
    }

    /** {@return the number of logits} */
    public int classes() {
        return output().output().features();
    }

    /**
     * {@return the node at a place}
     *
     * @param place from 0, the input's
     */
    public Node node(int place) {
        return nodes.get(place);
    }

    /** {@return the operators that compute: all nodes but the input} */
    public List<Node> layers() {
        return nodes.subList(1, nodes.size());
    }

    /**
     * {@return the shapes of what a node takes}
     *
     * @param node a node of this network
     */
    public List<Shape> inputs(Node node) {
        return shapes(nodes, node.inputs());
    }

    /**
     * {@return how units flow through a node}
     *
     * @param node a node of this network
     */
    public Flow flow(Node node) {
        return node.op().flow(inputs(node));
    }

    /** {@return for each node, the places of those that read it, ascending; twice where one reads it twice} */
    public List<List<Integer>> readers() {
        List<List<Integer>> readers = new ArrayList<>();
        for (Node node : nodes) {
            readers.add(new ArrayList<>());
            node.inputs().forEach(input -> readers.get(input).add(node.place()));
        }
        return readers;
    }

    /**
     * {@return the nodes through which every path from the input to the output goes, in order: the network without the
     * inner nodes of its branches}
     */
    public List<Node> trunk() {
        int[] farthest = new int[nodes.size()];
        nodes.forEach(node -> node.inputs().forEach(input -> farthest[input] = node.place()));
        List<Node> trunk = new ArrayList<>();
        int reached = 0;
        for (Node node : nodes) {
            if (reached <= node.place()) {
                trunk.add(node);
            }
            reached = Math.max(reached, farthest[node.place()]);
        }
        return trunk;
    }

    /** {@return whether the output has a value for each class: a vector, or one with further dimensions of size 1} */
    public boolean givesVector() {
        return output().output().sizes().stream().filter(size -> size > 1).count() <= 1;
    }

    /**
     * {@return whether a path leads from the input to the output past all nodes that let nothing through}
     *
     * @param blocked says which nodes nothing passes
     */
    public boolean leadsPast(Predicate<Node> blocked) {
        boolean[] reached = new boolean[nodes.size()];
        for (Node node : nodes) {
            boolean from = node.op() instanceof Op.Input || node.inputs().stream().anyMatch(input -> reached[input]);
            reached[node.place()] = from && !blocked.test(node);
        }
        return reached[output().place()];
    }

    /**
     * Two nodes of the trunk with weights: the second alone reads the units that the first's rows give, in their order, and
     * nothing between them depends on that order.
     *
     * @param producer the node whose output is read
     * @param consumer the node that reads it, and mixes units
     */
    public record Link(Node producer, Node consumer) {}

    /** {@return the links between neighbouring nodes with weights; a producer has a bias, a consumer but one group} */
    public List<Link> links() {
        List<Link> links = new ArrayList<>();
        Node last = null;
        for (Node node : trunk()) {
            switch (flow(node)) {
                case Flow.Mix mix when node.parameters().size() > 1 -> {
                    if (last != null && mix.groups() == 1) {
                        links.add(new Link(last, node));
                    }
                    last = node;
                }
                case Flow.Keep _ -> last = node.parameters().isEmpty() ? last : null;
                // Units are mixed or moved.
                case Flow.Mix _,Flow.Place _,Flow.Same _,Flow.Blend _ -> last = null;
            }
        }
        return links;
    }

    /** {@return every tensor, in the order of the nodes} */
    public List<Parameter> parameters() {
        return nodes.stream().flatMap(node -> node.parameters().stream()).toList();
    }

    /** {@return the multiply-adds of convolutions and products for one sample} */
    public long multiplyAdds() {
        return nodes.stream().mapToLong(this::multiplyAdds).sum();
    }

    /**
     * {@return those of one node}
     *
     * @param node a node of this network
     */
    public long multiplyAdds(Node node) {
        return node.op().multiplyAdds(inputs(node));
    }

    /** {@return the elements of all tensors that are trained: what papers call the number of parameters} */
    public long trainedCount() {
        return nodes.stream().mapToLong(Node::trainedCount).sum();
    }

    /** {@return the elements of all tensors, statistics too: what a file or a copy of the network holds} */
    public long elementCount() {
        return parameters().stream().mapToLong(Parameter::count).sum();
    }

    /** {@return the number of weights, biases left out: the figure that compression ratios refer to} */
    public long weightCount() {
        return parameters().stream().filter(Parameter::weight).mapToLong(Parameter::count).sum();
    }

    /**
     * {@return the network with other operators}
     *
     * @param change gives a node's operator; where it gives none, the node is left out and its readers read its input
     */
    public Net with(Function<Node, Optional<Op>> change) {
        int[] places = new int[nodes.size()];
        List<Node> changed = new ArrayList<>();
        for (Node node : nodes) {
            Optional<Op> op = change.apply(node);
            places[node.place()] = op.isPresent() ? changed.size() : places[node.input()];
            op.ifPresent(kept -> changed.add(next(changed, node.name(), kept,
                    node.inputs().stream().map(input -> places[input]).toList())));
        }
        return new Net(name, changed);
    }

    /** {@return the network as it is after training: without dropout, which then does nothing} */
    public Net trained() {
        return with(node -> node.op() instanceof Op.Dropout ? Optional.empty() : Optional.of(node.op()));
    }

    /**
     * {@return whether two networks compute the same from the same tensors, whatever they and their nodes are called}
     *
     * @param other a network of any name
     */
    public boolean computesLike(Net other) {
        return trained().wiring().equals(other.trained().wiring());
    }

    /**
     * {@return a number that tells apart networks that compute otherwise, or drop otherwise in training; the same in
     * every process}
     */
    public String fingerprint() {
        CRC32C sum = new CRC32C();
        sum.update(wiring().toString().getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", sum.getValue());
    }

    private List<Object> wiring() {
        return nodes.stream().<Object>map(node -> List.of(node.op(), node.inputs())).toList();
    }
}
