package io.pare.net;

import io.pare.net.Op.Add;
import io.pare.net.Op.AvgPool;
import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.Concat;
import io.pare.net.Op.Conv2d;
import io.pare.net.Op.Dropout;
import io.pare.net.Op.Flatten;
import io.pare.net.Op.GlobalAvgPool;
import io.pare.net.Op.Input;
import io.pare.net.Op.Linear;
import io.pare.net.Op.MaxPool;
import io.pare.net.Op.Relu;
import io.pare.net.Op.ResponseNorm;
import io.pare.net.Op.Sigmoid;
import io.pare.net.Op.Subsample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Which indices along the axes of a network's values and tensors can be left out only together, and which not at all.
 *
 * <p>An axis is an array of numbers, one for each of its indices. Numbers that are tied belong to one class.
 */
final class Ties {
    private static final int FREE = -1;

    private final Net net;
    private final int[][][] values;
    private final Map<String, int[][]> tensors = new HashMap<>();
    /** For each weight the dimension of the units that it gives, and that of those that it reads. */
    private final Map<String, Integer> giving = new HashMap<>();
    private final Map<String, Integer> reading = new HashMap<>();
    private final List<Count> counts = new ArrayList<>();
    /** Of each number another one of its class; its own where it stands for the class. */
    private int[] parents = new int[1024];
    /** Of what stands for a class, the place of the node that holds it, or {@link #FREE}. */
    private int[] holders = new int[1024];
    private int numbers;
    private Node node;

    /** Multiply-adds for each combination of indices along some axes. */
    record Count(long each, List<int[]> axes) {}

    Ties(Net net) {
        this.net = net;
        this.values = new int[net.nodes().size()][][];
        for (Node each : net.nodes()) {
            node = each;
            values[each.place()] = axes(each.output());
            each.parameters().forEach(parameter -> tensors.put(parameter.name(), axes(parameter)));
            tie(each);
        }
        node = net.output();
        hold(values[node.place()]);
    }

    /** The numbers along an axis of a node's output. */
    int[] value(int place, int axis) {
        return values[place][axis];
    }

    /** The numbers along a dimension of a tensor. */
    int[] tensor(String name, int dimension) {
        return tensors.get(name)[dimension];
    }

    /** Whether the units along a dimension of a tensor are those that a weight gives. */
    boolean gives(String name, int dimension) {
        return giving.getOrDefault(name, FREE) == dimension;
    }

    /** Whether they are those that a weight reads. */
    boolean reads(String name, int dimension) {
        return reading.getOrDefault(name, FREE) == dimension;
    }

    List<Count> counts() {
        return counts;
    }

    /** What stands for the class of a number. */
    int find(int number) {
        int root = number;
        while (parents[root] != root) {
            root = parents[root];
        }
        for (int at = number; parents[at] != root;) {
            int next = parents[at];
            parents[at] = root;
            at = next;
        }
        return root;
    }

    /** The place of the node for which the class of a number has to stay, or -1 if it may go. */
    int holder(int number) {
        return holders[find(number)];
    }

    int numbers() {
        return numbers;
    }

    private int[][] axes(Shape shape) {
        return shape.sizes().stream().map(this::axis).toArray(int[][]::new);
    }

    private int[][] axes(Parameter parameter) {
        return Arrays.stream(parameter.shape()).mapToObj(size -> axis(Math.toIntExact(size))).toArray(int[][]::new);
    }

    private int[] axis(int size) {
        int[] axis = IntStream.range(numbers, numbers + size).toArray();
        numbers += size;
        if (numbers > parents.length) {
            int length = parents.length;
            parents = Arrays.copyOf(parents, Math.max(numbers, 2 * length));
            holders = Arrays.copyOf(holders, parents.length);
        }
        for (int number : axis) {
            parents[number] = number;
            holders[number] = FREE;
        }
        return axis;
    }

    private void tie(int first, int second) {
        int root = find(first);
        int other = find(second);
        if (root != other) {
            parents[other] = root;
            holders[root] = holders[root] == FREE ? holders[other] : holders[root];
        }
    }

    private void tie(int[] first, int[] second) {
        for (int i = 0; i < first.length; i++) {
            tie(first[i], second[i]);
        }
    }

    private void hold(int[]... axes) {
        for (int[] axis : axes) {
            for (int number : axis) {
                int root = find(number);
                holders[root] = holders[root] == FREE ? node.place() : holders[root];
            }
        }
    }

    /** All axes but the first: no operator on images lets rows or columns go. */
    private void holdPlane(int[][] image) {
        hold(Arrays.copyOfRange(image, Math.min(1, image.length), image.length));
    }

    private int[][] input(int index) {
        return values[node.inputs().get(index)];
    }

    private int[][] output() {
        return values[node.place()];
    }

    private int[] tensor(int index, int dimension) {
        return tensors.get(node.parameters().get(index).name())[dimension];
    }

    private static int[] last(int[][] axes, int behind) {
        return axes[axes.length - behind];
    }

    private void tie(Node each) {
        switch (each.op()) {
            case Input _ -> hold(output());
            case Conv2d conv -> {
                planes();
                mix(input(0)[0], output()[0], conv.groups(), 1, 0);
            }
            case Linear _ -> {
                int[][] flat = {axis(tensor(0, 1).length)};
                reshape(input(0), flat);
                mix(flat[0], output()[0], 1, 1, 0);
            }
            case MaxPool _,AvgPool _,GlobalAvgPool _ -> {
                planes();
                tie(input(0)[0], output()[0]);
            }
            case BatchNorm _ -> {
                planes();
                tie(input(0)[0], output()[0]);
                each.parameters().forEach(parameter -> tie(tensors.get(parameter.name())[0], output()[0]));
            }
            case ResponseNorm _ -> {
                hold(input(0));
                hold(output());
            }
            case Subsample subsample -> {
                planes();
                place(input(0)[0], output()[0], subsample.before(input(0)[0].length));
            }
            case Relu _,Sigmoid _,Dropout _ -> same(input(0));
            case Flatten _ -> reshape(input(0), output());
            case Add _ -> {
                same(input(0));
                same(input(1));
            }
            case Concat _ -> join(0);
            case TensorOp op -> tie(op);
        }
    }

    private void planes() {
        holdPlane(input(0));
        holdPlane(output());
    }

    private void tie(TensorOp op) {
        switch (op) {
            case TensorOp.Constant _ -> {
                for (int axis = 0; axis < output().length; axis++) {
                    tie(tensor(0, axis), output()[axis]);
                }
            }
            case TensorOp.Map _ -> same(input(0));
            case TensorOp.Zip _,TensorOp.Choose _ -> node.inputs().forEach(place -> broadcast(values[place], output()));
            case TensorOp.Reduce reduce -> reduce(reduce);
            case TensorOp.Softmax softmax -> {
                same(input(0));
                hold(input(0)[softmax.axis()]);
            }
            case TensorOp.Reshape _ -> reshape(input(0), output());
            case TensorOp.Rearranging moved -> rearrange(moved.of(net.inputs(node).getFirst()));
            case TensorOp.Join join -> join(join.axis());
            case TensorOp.MatMul product -> {
                count(product.multiplyAdds(net.inputs(node)), output());
                int[][] left = input(0);
                int[][] right = input(1);
                tie(last(left, 2), last(output(), 2));
                tie(last(right, 1), last(output(), 1));
                hold(last(left, 1), last(right, 2));
                broadcast(outer(left, 2), outer(output(), 2));
                broadcast(outer(right, 2), outer(output(), 2));
            }
            case TensorOp.Attention attention -> attend(attention);
            case TensorOp.Projection _ -> {
                mix(last(input(0), 1), last(output(), 1), 1, 1, 0, outer(output(), 1));
                ties(outer(input(0), 1), outer(output(), 1));
            }
            case TensorOp.Embedding _ -> {
                tie(tensor(0, 1), last(output(), 1));
                giving.put(node.weight().name(), 1);
                hold(tensor(0, 0));
                ties(input(0), outer(output(), 1));
            }
            case TensorOp.Gather gather -> gather(gather.axis());
            case TensorOp.LayerNorm norm -> {
                same(input(0));
                int outer = output().length - norm.sizes().size();
                hold(Arrays.copyOfRange(output(), outer, output().length));
                node.parameters().forEach(parameter -> hold(tensors.get(parameter.name())));
            }
            case TensorOp.GroupNorm norm -> {
                planes();
                tie(input(0)[0], output()[0]);
                node.parameters().forEach(parameter -> tie(tensors.get(parameter.name())[0], output()[0]));
                runs(output()[0], norm.groups());
            }
            case TensorOp.PRelu _ -> {
                same(input(0));
                broadcast(tensors.get(node.parameters().getFirst().name()), output());
            }
            case TensorOp.ConvTranspose transpose -> {
                planes();
                mix(input(0)[0], output()[0], transpose.groups(), 0, 1);
            }
            case TensorOp.Resize resize -> {
                for (int axis = 0; axis < output().length; axis++) {
                    if (resize.keeps(axis, net.inputs(node).getFirst())) {
                        tie(input(0)[axis], output()[axis]);
                    } else {
                        hold(input(0)[axis], output()[axis]);
                    }
                }
            }
            case TensorOp.Recurrent recurrent -> recur(recurrent);
        }
    }

    /** Counts multiply-adds, as many for each combination of indices along the axes. */
    private void count(long all, int[]... axes) {
        long each = all;
        for (int[] axis : axes) {
            each /= axis.length;
        }
        counts.add(new Count(each, List.of(axes)));
    }

    /** Axes of equal sizes, one by one; where a vector is an image of one pixel, the first alone. */
    private void same(int[][] from) {
        if (from.length == output().length) {
            ties(from, output());
        } else {
            reshape(from, output());
        }
    }

    private void ties(int[][] first, int[][] second) {
        for (int axis = 0; axis < first.length; axis++) {
            tie(first[axis], second[axis]);
        }
    }

    private static int[][] outer(int[][] axes, int inner) {
        return Arrays.copyOf(axes, axes.length - inner);
    }

    /** Last axes over one another; an axis of size 1 stands for all indices of the other. */
    private void broadcast(int[][] from, int[][] to) {
        for (int i = 1; i <= from.length; i++) {
            if (last(from, i).length == last(to, i).length) {
                tie(last(from, i), last(to, i));
            } else {
                hold(last(from, i));
            }
        }
    }

    private void place(int[] from, int[] to, int start) {
        for (int i = 0; i < from.length; i++) {
            tie(from[i], to[start + i]);
        }
    }

    private void join(int axis) {
        int start = 0;
        for (int place : node.inputs()) {
            int[][] from = values[place];
            place(from[axis], output()[axis], start);
            start += from[axis].length;
            for (int other = 0; other < from.length; other++) {
                if (other != axis && other < output().length) {
                    tie(from[other], output()[other]);
                }
            }
        }
    }

    /** Units that are summed over by a weight, in each of {@code places}; {@code in} and {@code out} are its dimensions of them. */
    private void mix(int[] from, int[] to, int groups, int in, int out, int[]... places) {
        String weight = node.weight().name();
        long all = net.multiplyAdds(node);
        if (groups == 1) {
            tie(tensor(0, in), from);
            tie(tensor(0, out), to);
            reading.put(weight, in);
            giving.put(weight, out);
            int[][] axes = Arrays.copyOf(places, places.length + 2);
            axes[places.length] = tensor(0, 0);
            axes[places.length + 1] = tensor(0, 1);
            count(all, axes);
        } else {
            giving.put(weight, 0);
            count(all, tensor(0, 0));
            // The dimension that counts within a group stays.
            hold(tensor(0, 1));
            tie(tensor(0, 0), in == 1 ? to : from);
            int[] blocks = axis(groups);
            blocks(blocks, from);
            blocks(blocks, to);
        }
        if (node.parameters().size() > 1) {
            tie(tensor(1, 0), to);
        }
        hold(Arrays.copyOfRange(tensors.get(weight), 2, tensors.get(weight).length));
    }

    /** Ties each of equal runs of an axis to a number. */
    private void blocks(int[] blocks, int[] axis) {
        for (int i = 0; i < axis.length; i++) {
            tie(blocks[i / (axis.length / blocks.length)], axis[i]);
        }
    }

    private void runs(int[] axis, int count) {
        blocks(axis(count), axis);
    }

    private void reduce(TensorOp.Reduce reduce) {
        int at = 0;
        for (int axis = 0; axis < input(0).length; axis++) {
            if (reduce.axes().contains(axis)) {
                hold(input(0)[axis]);
                at += reduce.keeps() ? 1 : 0;
            } else {
                tie(input(0)[axis], output()[at++]);
            }
        }
    }

    /** Of axes that become others, the outermost ones are tied where they meet, and the inner ones stay. */
    private void reshape(int[][] from, int[][] to) {
        int i = 0;
        int j = 0;
        while (i < from.length || j < to.length) {
            List<int[]> left = new ArrayList<>();
            List<int[]> right = new ArrayList<>();
            long before = 1;
            long after = 1;
            do {
                if (j >= to.length || i < from.length && before <= after) {
                    before *= from[i].length;
                    left.add(from[i++]);
                } else {
                    after *= to[j].length;
                    right.add(to[j++]);
                }
            } while (before != after);
            meet(left, right, before);
        }
    }

    private void meet(List<int[]> left, List<int[]> right, long count) {
        int[] first = outermost(left);
        int[] second = outermost(right);
        for (int p = 0, q = 0; first.length > 1 && p < first.length && q < second.length;) {
            tie(first[p], second[q]);
            long end = (p + 1) * (count / first.length);
            long other = (q + 1) * (count / second.length);
            p += end <= other ? 1 : 0;
            q += other <= end ? 1 : 0;
        }
    }

    /** The first axis of more than one index; the others stay. */
    private int[] outermost(List<int[]> axes) {
        int[] found = {0};
        for (int[] axis : axes) {
            if (found.length == 1 && axis.length > 1) {
                found = axis;
            } else {
                hold(axis);
            }
        }
        return found;
    }

    private void rearrange(Rearrangement moved) {
        for (int axis = 0; axis < output().length; axis++) {
            if (moved.order().get(axis) < 0) {
                continue;
            }
            int[] from = input(0)[moved.order().get(axis)];
            int[] indices = moved.indices().get(axis);
            if (from.length == 1 && node.op() instanceof TensorOp.Expand) {
                hold(from);
                continue;
            }
            for (int i = 0; i < indices.length; i++) {
                if (indices[i] != Rearrangement.NOTHING) {
                    tie(from[indices[i]], output()[axis][i]);
                }
            }
        }
    }

    private void attend(TensorOp.Attention attention) {
        int[][] out = headsFirst(output(), attention);
        Shape scores = attention.scores(net.inputs(node));
        int[][] rows = outer(out, 1);
        count(scores.features() * (long) net.inputs(node).getFirst().fromEnd(1), rows);
        count((long) scores.features() * last(out, 1).length, out);
        for (int i = 0; i < 3; i++) {
            int[][] matrices = headsFirst(input(i), attention);
            broadcast(outer(matrices, 2), outer(out, 2));
            hold(last(matrices, i == 0 ? 1 : 2));
            if (i == 0) {
                tie(last(matrices, 2), last(out, 2));
            } else if (i == 1) {
                hold(last(matrices, 1));
            } else {
                tie(last(matrices, 1), last(out, 1));
            }
        }
        if (attention.masked()) {
            int[][] mask = input(3);
            hold(Arrays.copyOfRange(mask, Math.max(0, mask.length - 2), mask.length));
            if (mask.length > 2) {
                broadcast(outer(mask, 2), outer(out, 2));
            }
            hold(last(out, 2));
        }
    }

    private static int[][] headsFirst(int[][] axes, TensorOp.Attention attention) {
        int[][] ordered = axes.clone();
        if (attention.rowsFirst()) {
            ordered[axes.length - 3] = axes[axes.length - 2];
            ordered[axes.length - 2] = axes[axes.length - 3];
        }
        return ordered;
    }

    private void gather(int axis) {
        int[][] from = input(0);
        int[][] indices = input(1);
        hold(from[axis]);
        for (int i = 0; i < from.length; i++) {
            if (i != axis) {
                tie(from[i], output()[i < axis ? i : i + indices.length - 1]);
            }
        }
        for (int i = 0; i < indices.length; i++) {
            tie(indices[i], output()[axis + i]);
        }
    }

    /** A hidden unit has a row in each gate of each direction, and a column of the recurrence. */
    private void recur(TensorOp.Recurrent recurrent) {
        int[] hidden = last(output(), 1);
        tie(last(input(0), 1), tensor(0, 1));
        hold(last(input(0), 2), output()[0], output()[1]);
        tie(tensor(1, 1), hidden);
        for (int index = 0; index < 2; index++) {
            String weight = node.parameters().get(index).name();
            giving.put(weight, 0);
            reading.put(weight, 1);
            count((long) tensor(index, 0).length * tensor(index, 1).length * last(input(0), 2).length,
                    tensor(index, 0), tensor(index, 1));
        }
        for (int index = 0; index < 4; index++) {
            int[] rows = tensor(index, 0);
            for (int row = 0; row < rows.length; row++) {
                tie(rows[row], hidden[row % hidden.length]);
            }
        }
        for (int index = 4; index < node.parameters().size(); index++) {
            hold(tensor(index, 0));
            tie(tensor(index, 1), hidden);
        }
    }
}
