package io.pare.format.pare;

import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Node;
import io.pare.net.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A network of one chain in which sums join two chains that begin at one value: the only networks that version 1 of the
 * format can describe.
 */
final class Tree {
    /** A part of a chain. */
    sealed interface Part {
        Node node();
    }

    /** An operator that takes the value before it. */
    record Leaf(Node node) implements Part {}

    /** A sum of two chains that take the value before it; a chain without parts gives that value itself. */
    record Block(Node node, List<Part> body, List<Part> shortcut) implements Part {}

    private final Net net;
    /** For each sum, the place where its two chains begin, or -1 if it is not known yet. */
    private final int[] starts;
    /** Parts that may still be written down: where two sums share values, there would be more of them than nodes. */
    private int left;

    private Tree(Net net) {
        this.net = net;
        this.starts = new int[net.nodes().size()];
        this.left = starts.length;
        for (Node node : net.nodes()) {
            starts[node.place()] =
                    node.inputs().size() == 2 ? start(node) : node.inputs().isEmpty() ? -1 : node.input();
        }
    }

    /** The network's parts; nothing if it is no such network. */
    static Optional<List<Part>> of(Net net) {
        boolean tree = net.input().rank() == 3
                && net.nodes().stream().allMatch(node -> node.inputs().size() < 2 || node.op() instanceof Op.Add);
        if (!tree) {
            return Optional.empty();
        }
        List<Part> parts = new Tree(net).chain(net.output().place(), 0);
        NetBuilder again = new NetBuilder(net.name(), net.input());
        try {
            add(parts, again);
            // Sums may join what no tree can: then this is another network.
            return again.build().equals(net) ? Optional.of(parts) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static void add(List<Part> parts, NetBuilder into) {
        for (Part part : parts) {
            switch (part) {
                case Leaf(Node node) -> into.add(node.name(), node.op());
                case Block(Node node, List<Part> body, List<Part> shortcut) ->
                        into.residual(node.name(), left -> add(body, left), right -> add(shortcut, right));
            }
        }
    }

    /** The last value through which everything goes that either summand is computed from. */
    private int start(Node sum) {
        int left = sum.inputs().getFirst();
        int right = sum.inputs().getLast();
        while (left != right) {
            if (left > right) {
                left = starts[left];
            } else {
                right = starts[right];
            }
        }
        return left;
    }

    /** The parts behind the value at {@code first}, up to that at {@code last}. */
    private List<Part> chain(int last, int first) {
        List<Part> parts = new ArrayList<>();
        for (int at = last; at > first && left-- > 0; at = starts[at]) {
            Node node = net.node(at);
            parts.addFirst(node.op() instanceof Op.Add
                    ? new Block(node, chain(node.inputs().getFirst(), starts[at]),
                            chain(node.inputs().getLast(), starts[at]))
                    : new Leaf(node));
        }
        return parts;
    }
}
