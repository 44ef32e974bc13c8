package io.pare.net;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What can leave a network only together: filters with their normalisations and the channels that read them, the other
 * arm of a sum, the parts of a concatenation, the groups of a grouped convolution whole, attention heads with their
 * projections, hidden units of recurrent layers (Fang and others, 2301.12900, call this a dependency graph).
 *
 * <p>A group is a set of indices along axes of tensors and values. Its units are read by weights alone: where all
 * {@linkplain Slices#reads reading} slices are zero, the network computes the same without the group. What an operator
 * blends, classes and inputs are in no group; nor is what is the whole of an axis, for nothing would pass without it.
 *
 * <p>Immutable and thread-safe.
 */
public final class Groups {
    /** The group of an index that has to stay. */
    public static final int NONE = -1;

    private final int count;
    private final List<List<Integer>> axes;
    private final List<Slices> slices;
    private final List<Work> work;
    private final int[][] values;
    private final Map<String, String> held;

    /**
     * A dimension of a tensor whose indices belong to groups.
     *
     * @param tensor name of a parameter
     * @param dimension of it, from 0
     * @param axis number of the axis that it goes along, see {@link #axes}
     * @param reads whether its indices read units, as columns of a weight do; if not, they give them
     * @param kind what the tensor is to training
     */
    public record Slices(String tensor, int dimension, int axis, boolean reads, Parameter.Kind kind) {}

    /**
     * Multiply-adds of a node: a number for each combination of indices along some axes.
     *
     * @param each multiply-adds of one combination
     * @param axes numbers of axes
     */
    public record Work(long each, List<Integer> axes) {
        /** Copies the list. */
        public Work {
            axes = List.copyOf(axes);
        }
    }

    private Groups(int count, List<List<Integer>> axes, List<Slices> slices, List<Work> work, int[][] values,
            Map<String, String> held) {
        this.count = count;
        this.axes = List.copyOf(axes);
        this.slices = List.copyOf(slices);
        this.work = List.copyOf(work);
        this.values = values;
        this.held = held;
    }

    /**
     * {@return the groups of a network}
     *
     * @param net any network
     */
    public static Groups of(Net net) {
        return new Building(net).groups();
    }

    /** {@return the number of groups, which are counted from 0} */
    public int count() {
        return count;
    }

    /**
     * {@return the different axes of values and tensors: for each index the number of its group, or {@link #NONE}} An axis
     * has to keep an index at least.
     */
    public List<List<Integer>> axes() {
        return axes;
    }

    /** {@return the dimensions of tensors with indices in groups, in the order of the network's tensors} */
    public List<Slices> slices() {
        return slices;
    }

    /** {@return what makes up the network's multiply-adds} */
    public List<Work> work() {
        return work;
    }

    /**
     * {@return the number of the axis along which an axis of a node's output goes}
     *
     * @param place of the node
     * @param axis of its output, without the batch
     */
    public int axis(int place, int axis) {
        return values[place][axis];
    }

    /**
     * {@return by name of a layer with weights whose units are in no group, the name of the node for which they have to
     * stay: one that blends them, the input or the output, or the layer itself where they all go together}
     */
    public Map<String, String> held() {
        return held;
    }

    /**
     * {@return multiply-adds for a sample where only some groups stay}
     *
     * @param kept whether each group stays
     */
    public long multiplyAdds(boolean[] kept) {
        long[] sizes = axes.stream().mapToLong(axis -> axis.stream().filter(group -> group == NONE || kept[group])
                .count()).toArray();
        long sum = 0;
        for (Work each : work) {
            long product = each.each();
            for (int axis : each.axes()) {
                product *= sizes[axis];
            }
            sum += product;
        }
        return sum;
    }

    private static final class Building {
        private final Net net;
        private final Ties ties;
        private final int[] groups;
        private final List<List<Integer>> axes = new ArrayList<>();
        private final Map<List<Integer>, Integer> numbers = new HashMap<>();
        private final List<Slices> slices = new ArrayList<>();
        private final Map<String, String> held = new LinkedHashMap<>();

        Building(Net net) {
            this.net = net;
            this.ties = new Ties(net);
            this.groups = new int[ties.numbers()];
        }

        Groups groups() {
            Arrays.fill(groups, NONE);
            boolean[] whole = new boolean[groups.length];
            for (Node node : net.nodes()) {
                for (int axis = 0; axis < node.output().rank(); axis++) {
                    markWhole(ties.value(node.place(), axis), whole);
                }
                for (Parameter parameter : node.parameters()) {
                    for (int d = 0; d < parameter.shape().length; d++) {
                        markWhole(ties.tensor(parameter.name(), d), whole);
                    }
                }
            }
            // Groups are counted in the order of the weights whose units they are.
            int count = 0;
            for (Node node : net.layers()) {
                for (Parameter parameter : node.parameters()) {
                    for (int d = 0; d < parameter.shape().length; d++) {
                        for (int number : ties.tensor(parameter.name(), d)) {
                            int root = ties.find(number);
                            if (ties.holder(root) < 0 && !whole[root] && groups[root] == NONE) {
                                groups[root] = count++;
                            }
                        }
                    }
                }
            }
            int[][] values = new int[net.nodes().size()][];
            for (Node node : net.nodes()) {
                values[node.place()] = new int[node.output().rank()];
                for (int axis = 0; axis < values[node.place()].length; axis++) {
                    values[node.place()][axis] = number(ties.value(node.place(), axis));
                }
                node.parameters().forEach(parameter -> add(node, parameter));
            }
            List<Work> work = ties.counts().stream()
                    .map(each -> new Work(each.each(), each.axes().stream().map(this::number).toList())).toList();
            return new Groups(count, axes, slices, work, values, held);
        }

        /** A class that is all of an axis cannot go. */
        private void markWhole(int[] axis, boolean[] whole) {
            int root = ties.find(axis[0]);
            if (Arrays.stream(axis).allMatch(number -> ties.find(number) == root)) {
                whole[root] = true;
            }
        }

        private int number(int[] axis) {
            List<Integer> of = Arrays.stream(axis).mapToObj(number -> groups[ties.find(number)]).toList();
            return numbers.computeIfAbsent(of, key -> {
                axes.add(key);
                return axes.size() - 1;
            });
        }

        private void add(Node node, Parameter parameter) {
            for (int d = 0; d < parameter.shape().length; d++) {
                int axis = number(ties.tensor(parameter.name(), d));
                boolean reads = ties.reads(parameter.name(), d);
                if (axes.get(axis).stream().anyMatch(group -> group != NONE)) {
                    slices.add(new Slices(parameter.name(), d, axis, reads, parameter.kind()));
                } else if (ties.gives(parameter.name(), d)) {
                    int holder = ties.holder(ties.tensor(parameter.name(), d)[0]);
                    held.put(node.name(), net.node(holder < 0 ? node.place() : holder).name());
                }
            }
        }
    }
}
