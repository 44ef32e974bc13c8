package io.pare.rewrite;

import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Groups;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Parameter;
import io.pare.net.Rearrangement;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Takes out of a network the {@linkplain Groups groups} that no weight reads: what is left is a smaller dense network of
 * the same outputs, but for the order in which floats are added up.
 *
 * <p>Weights that are zero alone stay. An axis keeps one unit where none is read: without it the graph would have a gap.
 */
public final class Shrinking {
    /**
     * A smaller network.
     *
     * @param weights the network and its tensors; those given where nothing could go
     * @param groups of the network before
     * @param kept whether each group stayed
     */
    public record Result(CompressedWeights weights, Groups groups, boolean[] kept) {
        /** {@return how many groups went} */
        public int removed() {
            int removed = 0;
            for (boolean one : kept) {
                removed += one ? 0 : 1;
            }
            return removed;
        }
    }

    private final CompressedWeights weights;
    private final Net net;
    private final Groups groups;
    private final boolean[] kept;
    private final Map<Integer, int[]> indices = new HashMap<>();

    private Shrinking(CompressedWeights weights, Groups groups, boolean[] kept) {
        this.weights = weights;
        this.net = weights.model();
        this.groups = groups;
        this.kept = kept;
    }

    /**
     * {@return the network without what nothing reads}
     *
     * @param weights of any network; left as they are
     */
    public static Result shrink(CompressedWeights weights) {
        Groups groups = Groups.of(weights.model());
        boolean[] kept = read(weights, groups);
        Shrinking shrinking = new Shrinking(weights, groups, kept);
        Result result = new Result(weights, groups, kept);
        return result.removed() == 0 ? result : new Result(shrinking.run(), groups, kept);
    }

    /** Weights other than zero that read units, each with the group of those and the group that it gives them to. */
    private record Reads(int[] from, int[] to) {}

    /** The groups that stay: those read by others that stay, and one more where an axis would keep none. */
    private static boolean[] read(CompressedWeights weights, Groups groups) {
        List<Reads> reads = new ArrayList<>();
        for (Groups.Slices slices : groups.slices()) {
            if (slices.reads()) {
                reads.add(reads(weights.tensor(slices.tensor()), slices, groups));
            }
        }
        boolean[] kept = new boolean[groups.count()];
        Arrays.fill(kept, true);
        Remaining remaining = new Remaining(groups);
        boolean changed = true;
        while (changed) {
            boolean[] read = new boolean[kept.length];
            for (Reads each : reads) {
                for (int i = 0; i < each.from.length; i++) {
                    int to = each.to[i];
                    // A hidden unit that reads itself alone is read by nothing.
                    read[each.from[i]] |= to == Groups.NONE || kept[to] && to != each.from[i];
                }
            }
            changed = false;
            for (int group = 0; group < kept.length; group++) {
                if (kept[group] && !read[group] && remaining.remove(group)) {
                    kept[group] = false;
                    changed = true;
                }
            }
        }
        return kept;
    }

    private static Reads reads(CompressedTensor tensor, Groups.Slices slices, Groups groups) {
        List<Integer> own = groups.axes().get(slices.axis());
        Groups.Slices given = groups.slices().stream()
                .filter(other -> other.tensor().equals(slices.tensor()) && other.dimension() != slices.dimension())
                .findFirst().orElse(null);
        int[] from = new int[tensor.nonzeros()];
        int[] to = new int[from.length];
        int count = 0;
        for (int k = 0; k < from.length; k++) {
            int group = own.get(index(tensor, k, slices.dimension()));
            if (group != Groups.NONE) {
                from[count] = group;
                to[count++] = given == null ? Groups.NONE
                        : groups.axes().get(given.axis()).get(index(tensor, k, given.dimension()));
            }
        }
        return new Reads(Arrays.copyOf(from, count), Arrays.copyOf(to, count));
    }

    private static int index(CompressedTensor tensor, int k, int dimension) {
        long[] shape = tensor.shape();
        long behind = 1;
        for (int d = dimension + 1; d < shape.length; d++) {
            behind *= shape[d];
        }
        return (int) (tensor.position(k) / behind % shape[dimension]);
    }

    /** How many indices each axis still has. */
    private static final class Remaining {
        private final int[] sizes;
        private final Map<Integer, Map<Integer, Integer>> uses = new HashMap<>();

        Remaining(Groups groups) {
            sizes = groups.axes().stream().mapToInt(List::size).toArray();
            for (int axis = 0; axis < sizes.length; axis++) {
                for (int group : groups.axes().get(axis)) {
                    if (group != Groups.NONE) {
                        uses.computeIfAbsent(group, _ -> new HashMap<>()).merge(axis, 1, Integer::sum);
                    }
                }
            }
        }

        /** Takes a group out, unless an axis would be left with nothing. */
        boolean remove(int group) {
            Map<Integer, Integer> used = uses.getOrDefault(group, Map.of());
            if (used.entrySet().stream().anyMatch(each -> sizes[each.getKey()] <= each.getValue())) {
                return false;
            }
            used.forEach((axis, count) -> sizes[axis] -= count);
            return true;
        }
    }

    private CompressedWeights run() {
        NetBuilder builder = new NetBuilder(net.name(), net.input());
        int[] places = new int[net.nodes().size()];
        TreeSet<String> names = new TreeSet<>();
        net.nodes().forEach(node -> names.add(node.name()));
        for (Node node : net.layers()) {
            List<Integer> inputs = node.inputs().stream().map(place -> places[place]).toList();
            List<Op> ops = smaller(node);
            for (int i = 0; i < ops.size(); i++) {
                String name = i == 0 ? node.name() : fresh(node.name() + ".part", names);
                builder.add(name, ops.get(i), i == 0 ? inputs : List.of(builder.at()));
            }
            places[node.place()] = builder.at();
        }
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        Net smaller = builder.build();
        Map<String, Integer> axes = new HashMap<>();
        groups.slices().forEach(slices -> axes.put(slices.tensor() + "/" + slices.dimension(), slices.axis()));
        for (Parameter parameter : net.parameters()) {
            tensors.put(parameter.name(), cut(parameter, axes));
        }
        return new CompressedWeights(smaller, tensors, weights.scale());
    }

    private static String fresh(String wanted, TreeSet<String> names) {
        String name = wanted;
        for (int i = 2; !names.add(name); i++) {
            name = wanted + i;
        }
        return name;
    }

    private CompressedTensor cut(Parameter parameter, Map<String, Integer> axes) {
        CompressedTensor tensor = weights.tensor(parameter.name());
        long[] shape = parameter.shape();
        int[][] taken = new int[shape.length][];
        boolean whole = true;
        for (int d = 0; d < shape.length; d++) {
            Integer axis = axes.get(parameter.name() + "/" + d);
            taken[d] = axis == null ? IntStream.range(0, (int) shape[d]).toArray() : indices(axis);
            whole &= taken[d].length == shape[d];
        }
        if (whole) {
            return tensor;
        }
        float[] from = tensor.toArray();
        long[] to = Arrays.stream(taken).mapToLong(each -> each.length).toArray();
        float[] values = new float[(int) Arrays.stream(to).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            long at = 0;
            long stride = 1;
            int rest = i;
            for (int d = shape.length - 1; d >= 0; d--) {
                at += taken[d][(int) (rest % to[d])] * stride;
                rest /= (int) to[d];
                stride *= shape[d];
            }
            values[i] = from[(int) at];
        }
        return CompressedTensor.takingOver(values, to);
    }

    /** The indices of an axis that stay, ascending. */
    private int[] indices(int axis) {
        return indices.computeIfAbsent(axis, number -> {
            List<Integer> of = groups.axes().get(number);
            return IntStream.range(0, of.size()).filter(i -> of.get(i) == Groups.NONE || kept[of.get(i)]).toArray();
        });
    }

    private int[] indices(Node node, int axis) {
        return indices(groups.axis(node.place(), axis));
    }

    private Node input(Node node) {
        return net.node(node.input());
    }

    /** The number of units that an operator's output keeps. */
    private int out(Node node) {
        return indices(node, 0).length;
    }

    private int in(Node node) {
        return indices(input(node), 0).length;
    }

    private int last(Node node) {
        return indices(node, node.output().rank() - 1).length;
    }

    private Shape shape(Node node) {
        return new Shape(
                IntStream.range(0, node.output().rank()).mapToObj(axis -> indices(node, axis).length).toList());
    }

    /** What computes the units of a node that stay: its operator, perhaps with others behind it. */
    private List<Op> smaller(Node node) {
        Op op = node.op();
        return switch (op) {
            case Op.Conv2d(int in, int out, var window, int blocks, boolean bias) -> List.of(new Op.Conv2d(in(node),
                    out(node), window, blocks == 1 ? 1 : out(node) / (out / blocks), bias));
            case Op.Linear(int in, int out) -> List.of(new Op.Linear(features(node, in), out(node)));
            case Op.BatchNorm(int channels, float epsilon) -> List.of(new Op.BatchNorm(out(node), epsilon));
            case Op.Subsample subsample -> subsample(node, subsample);
            case Op.Input _,Op.MaxPool _,Op.AvgPool _,Op.GlobalAvgPool _,Op.ResponseNorm _,Op.Relu _,Op.Sigmoid _,Op.Dropout _,Op.Flatten _,Op.Add _,Op.Concat _ ->
                    List.of(op);
            case TensorOp tensorOp -> smaller(node, tensorOp);
        };
    }

    private List<Op> smaller(Node node, TensorOp op) {
        return switch (op) {
            case TensorOp.Map _,TensorOp.Zip _,TensorOp.Choose _,TensorOp.Reduce _,TensorOp.Softmax _,TensorOp.Transpose _,TensorOp.Join _,TensorOp.MatMul _,TensorOp.Attention _,TensorOp.Gather _,TensorOp.LayerNorm _ ->
                    List.of(op);
            case TensorOp.Constant _ -> List.of(new TensorOp.Constant(shape(node)));
            case TensorOp.Reshape _ -> List.of(new TensorOp.Reshape(shape(node)));
            case TensorOp.Expand _ -> List.of(new TensorOp.Expand(shape(node)));
            case TensorOp.Slice slice -> rearranged(node, slice);
            case TensorOp.Pad pad -> IntStream.range(0, pad.before().size())
                    .allMatch(axis -> pad.before().get(axis) + pad.after().get(axis) == 0 || stays(node, axis))
                            ? List.of(pad)
                            : rearranged(node, pad);
            case TensorOp.Take take -> stays(node, take.axis()) ? List.of(take) : rearranged(node, take);
            case TensorOp.Projection(int in, int out, boolean bias) ->
                    List.of(new TensorOp.Projection(last(input(node)), last(node), bias));
            case TensorOp.Embedding(int rows, int width) -> List.of(new TensorOp.Embedding(rows, last(node)));
            case TensorOp.GroupNorm(int channels, int runs, float epsilon) -> List.of(new TensorOp.GroupNorm(out(node),
                    out(node) / (channels / runs), epsilon));
            case TensorOp.PRelu(Shape slope) -> {
                int added = node.output().rank() - slope.rank();
                yield List.of(new TensorOp.PRelu(new Shape(IntStream.range(0, slope.rank())
                        .mapToObj(axis -> slope.sizes().get(axis) == 1 ? 1 : indices(node, axis + added).length)
                        .toList())));
            }
            case TensorOp.ConvTranspose(int in, int out, var window, int blocks, int height, int width, boolean bias) ->
                    List
                            .of(new TensorOp.ConvTranspose(in(node), out(node), window,
                                    blocks == 1 ? 1 : out(node) / (out / blocks), height, width, bias));
            case TensorOp.Resize(Shape to, var scales, var kind, var where, var nearest, float cubic, boolean edge, boolean wide) ->
                    List
                            .of(new TensorOp.Resize(shape(node), scales, kind, where, nearest, cubic, edge, wide));
            case TensorOp.Recurrent(var cell, int in, int hidden, var direction, boolean stateful) -> List
                    .of(new TensorOp.Recurrent(cell, last(input(node)), last(node), direction, stateful));
        };
    }

    /** The features of a vector, or of what stands for one, that stay. */
    private int features(Node node, int in) {
        Node from = input(node);
        int features = 1;
        for (int axis = 0; axis < from.output().rank(); axis++) {
            features *= indices(from, axis).length;
        }
        return features;
    }

    /** Whether an axis stays as it is, in the input too. */
    private boolean stays(Node node, int axis) {
        return indices(node, axis).length == node.output().sizes().get(axis)
                && indices(input(node), axis).length == input(node).output().sizes().get(axis);
    }

    /** Zeros before and behind, as far as they stay; they need not be as many any more. */
    private List<Op> subsample(Node node, Op.Subsample op) {
        int channels = input(node).output().channels();
        int before = op.before(channels);
        int[] out = indices(node, 0);
        int inside = in(node);
        int first = (int) Arrays.stream(out).filter(i -> i < before).count();
        Op.Subsample smaller = new Op.Subsample(out.length, op.stride());
        if (smaller.before(inside) == first) {
            return List.of(smaller);
        }
        return List.of(new Op.Subsample(inside, op.stride()), new TensorOp.Pad(List.of(first, 0, 0),
                List.of(out.length - inside - first, 0, 0), TensorOp.Border.CONSTANT, 0));
    }

    /** The same values as far as they stay, by their new places: along each axis a slice if they allow it. */
    private List<Op> rearranged(Node node, TensorOp.Rearranging op) {
        Shape from = input(node).output();
        Rearrangement moved = op.of(from);
        int rank = from.rank();
        List<Integer> before = new ArrayList<>();
        List<Integer> after = new ArrayList<>();
        List<Integer> starts = new ArrayList<>();
        List<Integer> steps = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        List<Op> ops = new ArrayList<>();
        List<Op> takes = new ArrayList<>();
        for (int axis = 0; axis < rank; axis++) {
            int[] old = indices(input(node), axis);
            int[] all = moved.indices().get(axis);
            int[] taken = Arrays.stream(indices(node, axis)).map(i -> all[i])
                    .map(i -> i == Rearrangement.NOTHING ? i : Arrays.binarySearch(old, i)).toArray();
            int[] inside = Arrays.stream(taken).filter(i -> i != Rearrangement.NOTHING).toArray();
            int front = (int) Arrays.stream(taken).takeWhile(i -> i == Rearrangement.NOTHING).count();
            before.add(front);
            after.add(taken.length - inside.length - front);
            int step = inside.length > 1 ? inside[1] - inside[0] : 1;
            boolean even = inside.length > 0 && step != 0 && IntStream.range(1, inside.length)
                    .allMatch(i -> inside[i] - inside[i - 1] == step);
            starts.add(even ? inside[0] : 0);
            steps.add(even ? step : 1);
            sizes.add(even ? inside.length : old.length);
            if (!even) {
                takes.add(new TensorOp.Take(axis, Arrays.stream(inside).boxed().toList()));
            }
        }
        if (!sizes.equals(shape(input(node)).sizes()) || steps.stream().anyMatch(step -> step != 1)) {
            ops.add(new TensorOp.Slice(starts, steps, new Shape(sizes)));
        }
        ops.addAll(takes);
        if (before.stream().anyMatch(count -> count > 0) || after.stream().anyMatch(count -> count > 0)) {
            ops.add(new TensorOp.Pad(before, after, TensorOp.Border.CONSTANT, moved.filler()));
        }
        // A node stays where nothing is left to do, for others go by its name.
        return ops.isEmpty() ? List.of(new TensorOp.Reshape(shape(node))) : ops;
    }
}
