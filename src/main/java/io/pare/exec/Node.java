package io.pare.exec;

import java.util.Arrays;
import java.util.List;

/** One value of a {@link Graph}: an operation, what it takes, and the shape that it gives. Immutable. */
public final class Node {
    private final Op op;
    private final List<Node> inputs;
    private final long[] shape;

    Node(Op op, long[] shape, Node... inputs) {
        this.op = op;
        this.shape = shape;
        this.inputs = List.of(inputs);
    }

    public Op op() {
        return op;
    }

    public List<Node> inputs() {
        return inputs;
    }

    /** The {@code index}-th input. */
    public Node input(int index) {
        return inputs.get(index);
    }

    /** A copy of the shape. */
    public long[] shape() {
        return shape.clone();
    }

    /** Size of dimension {@code axis}, as an int. */
    public int size(int axis) {
        return Math.toIntExact(shape[axis]);
    }

    public int rank() {
        return shape.length;
    }

    /** Number of elements. */
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
