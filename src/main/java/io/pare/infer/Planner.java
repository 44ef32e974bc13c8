package io.pare.infer;

import io.pare.infer.Plan.Value;
import io.pare.kernel.SparseKernels;
import io.pare.net.CompressedWeights;
import io.pare.net.Flow;
import io.pare.net.Liveness;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Op;
import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.Relu;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import io.pare.tensor.Computation;
import io.pare.tensor.Product;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Turns the nodes of a network into the steps of a {@link Plan} and gives their values buffers.
 *
 * <p>A buffer is free again once every reader of its value has run. Normalisations, ReLUs and maxima that
 * alone read a convolution, and ReLUs that alone read a linear layer or a sum, are computed with it.
 */
final class Planner {
    private final int n;
    private final CompressedWeights weights;
    private final Net net;
    private final List<List<Integer>> readers;
    private final boolean[][] needed;
    private final Value[] values;
    private final List<Move> moves = new ArrayList<>();
    private final List<String> owners = new ArrayList<>();
    /** For each buffer, how often what lies in it is still read. */
    private final List<Integer> pending = new ArrayList<>();
    private int bufferFloats;

    /** @param needed units of each node's output that are used, see {@link Liveness#of} */
    Planner(CompressedWeights weights, boolean[][] needed, int n) {
        this.n = n;
        this.weights = weights;
        this.net = weights.model();
        this.readers = net.readers();
        this.values = new Value[net.nodes().size()];
        this.needed = needed;
    }

    Plan plan() {
        Layout input = Layout.compact(net.input());
        grow(input);
        pending.add(0);
        put(0, new Value(input, 0));
        for (Node node : net.layers()) {
            if (values[node.place()] == null) {
                step(node);
                owners.addAll(Collections.nCopies(moves.size() - owners.size(), node.name()));
            }
        }
        return new Plan(n, moves, owners, values[values.length - 1], pending.size(), bufferFloats);
    }

    /** Adds the steps of a node and of those that are computed with it. */
    private void step(Node node) {
        String name = node.name();
        switch (node.op()) {
            case Op.Conv2d conv -> {
                Node norm = onlyReader(node, BatchNorm.class);
                Node last = norm == null ? node : norm;
                Node relu = onlyReader(last, Relu.class);
                Affine affine = norm == null
                        ? Affine.identity(conv.out())
                        : Affine.of(norm.name(), (BatchNorm) norm.op(), weights);
                Value in = padded(take(node.input()), conv.window(), 0);
                Convolution step = new Convolution(node, conv, affine, in.layout(), weights, needed[node.place()],
                        relu != null, n);
                Node active = relu == null ? last : relu;
                Node pool = onlyReader(active, Op.MaxPool.class);
                if (pool != null && !((Op.MaxPool) pool.op()).window().pads()) {
                    put(pool.place(), addPooled(step, pool, in), node, last, active);
                } else {
                    put(active.place(), add(step, in), node, last);
                }
            }
            case Op.Linear linear -> {
                Node relu = onlyReader(node, Relu.class);
                Value in = own(take(node.input()));
                Value out = add(new FullyConnected(name, linear, in.layout(), weights, needed[node.place()],
                        relu != null, n), in);
                put(relu == null ? node.place() : relu.place(), out, node);
            }
            case Op.MaxPool(Window window) -> {
                Value in = padded(take(node.input()), window, Float.NEGATIVE_INFINITY);
                put(node.place(), add(new Maximum(node, window, in.layout(), needed[node.place()], n), in));
            }
            case Op.AvgPool pool -> {
                Value in = padded(take(node.input()), pool.window(), 0);
                put(node.place(), add(new Mean(node, pool, net.inputs(node).getFirst(), in.layout(), n), in));
            }
            case Op.GlobalAvgPool _ -> {
                Value in = take(node.input());
                Op.AvgPool whole =
                        new Op.AvgPool(Window.of(in.layout().height(), in.layout().width()), false);
                put(node.place(), add(new Mean(node, whole, in.layout().shape(), in.layout(), n), in));
            }
            case Op.BatchNorm norm -> {
                Value in = own(take(node.input()));
                put(node.place(), add(new Normalization(name, norm, weights, in.layout(), n), in));
            }
            case Op.ResponseNorm norm -> {
                Value in = take(node.input());
                put(node.place(), add(new Response(name, norm, in.layout(), n), in));
            }
            case Op.Subsample subsample -> {
                Value in = take(node.input());
                put(node.place(), add(new Subsampling(name, subsample, in.layout(), n), in));
            }
            case Op.Relu _ -> {
                Value in = own(take(node.input()));
                put(node.place(), add(new Rectifier(in.layout(), n), in));
            }
            case Op.Sigmoid _ -> {
                Value in = own(take(node.input()));
                put(node.place(), add(new Sigmoid(in.layout(), n), in));
            }
            case Op.Add _ -> {
                Node relu = onlyReader(node, Relu.class);
                Value sum = own(take(node.input()));
                Value addend = values[node.inputs().getLast()];
                moves.add(
                        new Move.Single(new Sum(name, addend.layout(), sum.layout(), relu != null, n), addend.buffer(),
                                sum.buffer()));
                take(node.inputs().getLast());
                put(relu == null ? node.place() : relu.place(), sum, node);
            }
            case Op.Concat _ -> {
                Layout output = Layout.compact(node.output());
                grow(output);
                // None of the inputs has been read yet, so their buffers are not free.
                int to = free(-1);
                List<Integer> starts = ((Flow.Place) net.flow(node)).starts();
                for (int i = 0; i < starts.size(); i++) {
                    Value in = values[node.inputs().get(i)];
                    moves.add(new Move.Single(new Placement(name, in.layout(), output, starts.get(i), n), in.buffer(),
                            to));
                }
                node.inputs().forEach(this::take);
                put(node.place(), new Value(output, to));
            }
            // Does nothing after training.
            case Op.Dropout _ -> put(node.place(), take(node.input()));
            case Op.Flatten _ -> {
                Value in = take(node.input());
                if (!in.layout().isCompact()) {
                    in = add(new Compaction(in.layout(), n), in);
                }
                put(node.place(), new Value(Layout.compact(node.output()), in.buffer()));
            }
            case TensorOp op -> compute(node, op);
            case Op.Input _ -> throw new AssertionError("an input is not computed");
        }
    }

    /**
     * An operator over whole samples: where several lie side by side they are put one after another, and back if anything
     * but such an operator reads the result.
     */
    private void compute(Node node, TensorOp op) {
        List<Integer> taken = new ArrayList<>();
        int[] from = new int[node.inputs().size()];
        for (int i = 0; i < from.length; i++) {
            Value in = values[node.inputs().get(i)];
            boolean ready = in.apart() || n == 1 && in.layout().isCompact();
            from[i] = ready ? in.buffer() : reserve(taken, in.layout());
            if (!ready) {
                moves.add(new Move.Single(new SampleOrder(in.layout(), true, n), in.buffer(), from[i]));
            }
        }
        Layout output = Layout.compact(node.output());
        int to = reserve(taken, output);
        Computation computation = Computation.of(op, net.inputs(node), Product.JAVA);
        long each = Math.ceilDiv(computation.scratchBytes(n), (long) Float.BYTES * n);
        int scratch = reserve(taken, Layout.compact(Shape.of(Math.toIntExact(Math.max(1, each)))));
        moves.add(new Computed(node, computation, weights, n, from, to, scratch));
        boolean apart = n > 1 && isReadWhole(node);
        int last = to;
        if (n > 1 && !apart) {
            last = reserve(taken, output);
            moves.add(new Move.Single(new SampleOrder(output, false, n), to, last));
        }
        taken.forEach(buffer -> pending.set(buffer, 0));
        node.inputs().forEach(this::take);
        put(node.place(), new Value(output, last, apart));
    }

    /** Whether only operators over whole samples read a node's value. */
    private boolean isReadWhole(Node node) {
        List<Integer> places = readers.get(node.place());
        return !places.isEmpty() && places.stream().allMatch(place -> net.node(place).op() instanceof TensorOp);
    }

    /** A buffer for a value that is read soon, which stays taken until it is set free. */
    private int reserve(List<Integer> taken, Layout layout) {
        grow(layout);
        int buffer = free(-1);
        pending.set(buffer, 1);
        taken.add(buffer);
        return buffer;
    }

    /** The node that reads another one's value, if it is the only one and of such a kind; else {@code null}. */
    private Node onlyReader(Node node, Class<? extends Op> kind) {
        List<Integer> places = readers.get(node.place());
        return places.size() == 1 && kind.isInstance(net.node(places.getFirst()).op())
                ? net.node(places.getFirst())
                : null;
    }

    /** A value for one of its readers. */
    private Value take(int place) {
        pending.set(values[place].buffer(), pending.get(values[place].buffer()) - 1);
        return values[place];
    }

    /** Notes where the value of a node lies; those that were computed on the way to it have none of their own. */
    private void put(int place, Value value, Node... inner) {
        for (Node node : inner) {
            values[node.place()] = value;
        }
        values[place] = value;
        // The output stays to the end.
        int reads = place == values.length - 1 ? 1 : readers.get(place).size();
        pending.set(value.buffer(), pending.get(value.buffer()) + reads);
    }

    private Value padded(Value value, Window window, float with) {
        return window.pads() ? add(new Pad(value.layout(), window, with, n), value) : value;
    }

    /** The value where it may be overwritten. */
    private Value own(Value value) {
        return pending.get(value.buffer()) > 0 ? add(new Compaction(value.layout(), n), value) : value;
    }

    private Value add(PlanStep step, Value input) {
        grow(step.output());
        int to = step.inPlace() ? input.buffer() : free(input.buffer());
        moves.add(new Move.Single(step, input.buffer(), to));
        return new Value(step.output(), to);
    }

    private Value addPooled(Convolution convolution, Node pool, Value input) {
        Layout all = convolution.output();
        Layout one = new Layout(1, all.height(), all.width(), all.row(), all.plane());
        Maximum maximum = new Maximum(pool, ((Op.MaxPool) pool.op()).window(), one, needed[pool.place()], n);
        List<Integer> taken = new ArrayList<>();
        // Free only once the step has run; until then its input is not free either.
        pending.set(input.buffer(), pending.get(input.buffer()) + 1);
        int plane = reserve(taken, one);
        int to = reserve(taken, maximum.output());
        pending.set(input.buffer(), pending.get(input.buffer()) - 1);
        taken.forEach(buffer -> pending.set(buffer, 0));
        moves.add(new Move.Pooled(convolution, maximum, input.buffer(), plane, to));
        return new Value(maximum.output(), to);
    }

    /** A buffer other than {@code taken} in which nothing is that is read again. */
    private int free(int taken) {
        for (int i = 0; i < pending.size(); i++) {
            if (i != taken && pending.get(i) == 0) {
                return i;
            }
        }
        pending.add(0);
        return pending.size() - 1;
    }

    private void grow(Layout layout) {
        // Twice the slack: a range may begin inside the last plane and be rounded up from there.
        long floats = layout.pixels() * n + 2 * SparseKernels.SLACK;
        if (floats > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("a layer of " + net.name() + " has " + layout.pixels()
                    + " values, too many for " + n + " samples at once");
        }
        bufferFloats = Math.max(bufferFloats, (int) floats);
    }
}
