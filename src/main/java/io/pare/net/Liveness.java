package io.pare.net;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Follows from a network's output back which units of each node anything behind it uses. */
public final class Liveness {
    private Liveness() {}

    /** Told of every node but the input, each after all that read it. */
    public interface Visitor {
        /**
         * Gives the node's weight, or {@code null} if its operator does not {@linkplain Flow.Mix mix} units.
         *
         * @param node the node
         * @param needed units of its output that are used
         * @return the node's weight, or {@code null} if its operator does not {@linkplain Flow.Mix mix} units
         */
        @Nullable
        CompressedTensor visit(Node node, boolean[] needed);
    }

    /**
     * Visits all nodes of a network whose outputs are all used. Of branches, that of a node's first input is visited first
     * and whole.
     *
     * @param net the network
     * @param visitor asked once for each node
     */
    public static void walk(Net net, Visitor visitor) {
        List<List<Integer>> readers = net.readers();
        int[] open = readers.stream().mapToInt(List::size).toArray();
        boolean[][] used = new boolean[open.length][];
        used[net.output().place()] = all(net.classes());
        Deque<Node> ready = new ArrayDeque<>(List.of(net.output()));
        while (!ready.isEmpty()) {
            Node node = ready.pop();
            if (node.place() == 0) {
                continue;
            }
            boolean[] needed = perUnit(used[node.place()], node.output().channels());
            CompressedTensor weight = visitor.visit(node, needed);
            Flow flow = net.flow(node);
            for (int i = node.inputs().size() - 1; i >= 0; i--) {
                int input = node.inputs().get(i);
                boolean[] read = flow instanceof Flow.Mix mix ? read(mix, weight) : before(net, node, i, needed);
                used[input] = merged(used[input], read, net.node(input).output().channels());
                if (--open[input] == 0) {
                    ready.push(net.node(input));
                }
            }
        }
    }

    /**
     * {@return the units of each node's output, by its place, that anything behind it uses; {@code null} for the input}
     *
     * @param weights a network and its tensors
     */
    public static boolean[] @Nullable [] of(CompressedWeights weights) {
        Net net = weights.model();
        boolean[][] needed = new boolean[net.nodes().size()][];
        walk(net, (node, used) -> {
            needed[node.place()] = used;
            return net.flow(node) instanceof Flow.Mix ? weights.tensor(node.weight().name()) : null;
        });
        return needed;
    }

    private static boolean[] merged(boolean[] known, boolean[] more, int units) {
        boolean[] merged = perUnit(more, units).clone();
        for (int i = 0; known != null && i < units; i++) {
            merged[i] |= known[i];
        }
        return merged;
    }

    private static boolean[] all(int units) {
        boolean[] all = new boolean[units];
        Arrays.fill(all, true);
        return all;
    }

    /**
     * {@return which units of an input a node uses, as far as its operator says that without a look at its weights}
     *
     * @param net the network
     * @param node one of it
     * @param index which of its inputs
     * @param needed units of its output that are used
     */
    public static boolean[] before(Net net, Node node, int index, boolean[] needed) {
        int units = net.inputs(node).get(index).channels();
        return switch (net.flow(node)) {
            case Flow.Keep _,Flow.Same _ -> perUnit(needed, units);
            case Flow.Place(List<Integer> starts) ->
                    Arrays.copyOfRange(needed, starts.get(index), starts.get(index) + units);
            case Flow.Mix _,Flow.Blend _ -> all(units);
        };
    }

    /**
     * {@return for each unit of the input, whether rows of a weight read it}
     *
     * @param mix how the weight's operator mixes units
     * @param weight of that operator
     */
    public static boolean[] read(Flow.Mix mix, CompressedTensor weight) {
        boolean[] read = new boolean[mix.in()];
        int perRow = mix.perRow();
        for (int k = 0; k < weight.nonzeros(); k++) {
            read[mix.source(weight.position(k) / perRow, weight.position(k) % perRow)] = true;
        }
        return read;
    }

    /**
     * Flags of features, units outermost, as flags of units: one that is set sets its unit's.
     *
     * @param features a flag for each
     * @param units how many there are
     * @return a flag for each unit: one feature that is set sets its unit's
     */
    public static boolean[] perUnit(boolean[] features, int units) {
        if (features.length == units) {
            return features;
        }
        boolean[] flags = new boolean[units];
        for (int i = 0; i < features.length; i++) {
            flags[(int) ((long) i * units / features.length)] |= features[i];
        }
        return flags;
    }
}
