package io.pare.exec;

import java.util.Arrays;
import java.util.List;

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

    public Operation op() {
        return op;
    }

    public List<Value> inputs() {
        return inputs;
    }

    /** The {@code index}-th input. */
    public Value input(int index) {
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
