package io.pare.exec;

import io.pare.net.Shape;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** One value of a {@link Graph}: an operation, what it takes, and the shape that it gives. Immutable. */
public final class Value {
    private final Operation op;
    private final List<Value> inputs;
    private final long[] shape;

    Value(Operation op, long[] shape, Value... inputs) {
        this.op = op;
        this.shape = shape;
        this.inputs = List.of(inputs);
    }

    /** {@return how it is computed} */
    public Operation op() {
        return op;
    }

    /** {@return what it is computed from, in the operation's order} */
    public List<Value> inputs() {
        return inputs;
    }

    /**
     * {@return the {@code index}-th input}
     *
     * @param index from 0
     */
    public Value input(int index) {
        return inputs.get(index);
    }

    /**
     * {@return all values that this one is computed from, inputs before users, and itself at the end} A depth-first
     * search with a stack of its own: graphs may be deeper than a thread's stack.
     */
    public List<Value> order() {
        List<Value> order = new ArrayList<>();
        Set<Value> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Map<Value, Integer> next = new IdentityHashMap<>();
        Deque<Value> stack = new ArrayDeque<>();
        stack.push(this);
        seen.add(this);
        while (!stack.isEmpty()) {
            Value node = stack.peek();
            int child = next.merge(node, 1, Integer::sum) - 1;
            if (child < node.inputs().size()) {
                if (seen.add(node.input(child))) {
                    stack.push(node.input(child));
                }
            } else {
                order.add(stack.pop());
            }
        }
        return order;
    }

    /** {@return a copy of the shape} */
    public long[] shape() {
        return shape.clone();
    }

    /** {@return the shape of one sample: without the batch, which stands first} */
    public Shape sample() {
        return Shape.of(IntStream.range(1, rank()).map(this::size).toArray());
    }

    /**
     * {@return size of dimension {@code axis}, as an int}
     *
     * @param axis from 0
     */
    public int size(int axis) {
        return Math.toIntExact(shape[axis]);
    }

    /** {@return the number of dimensions} */
    public int rank() {
        return shape.length;
    }

    /** {@return number of elements} */
    public long count() {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return count;
    }

    @Override
    public String toString() {
        return op + Arrays.toString(shape);
    }
}
