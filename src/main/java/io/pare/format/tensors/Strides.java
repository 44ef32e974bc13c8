package io.pare.format.tensors;

import io.pare.file.FormatException;
import io.pare.mem.FloatTensor;
import java.util.Arrays;

/**
 * Where the elements of a tensor lie among those of a file, as its dimensions and the step from one index of each to the
 * next. Immutable.
 *
 * @param shape at most {@value #MAX_RANK} dimensions
 * @param steps for each dimension, counted in elements; none is negative
 */
public record Strides(long[] shape, long[] steps) {
    /** Most dimensions of a tensor. */
    public static final int MAX_RANK = 16;

    /** Takes over its arguments; {@link FormatException} if they are no tensor's. */
    public Strides {
        if (shape.length > MAX_RANK || steps.length != shape.length) {
            throw new FormatException("has " + shape.length + " dimensions and " + steps.length
                    + " steps between elements, at most " + MAX_RANK + " of both are possible");
        }
        if (Arrays.stream(shape).anyMatch(size -> size < 0) || Arrays.stream(steps).anyMatch(step -> step < 0)) {
            throw new FormatException("has the negative size or step in " + Arrays.toString(shape) + " by steps "
                    + Arrays.toString(steps));
        }
        try {
            FloatTensor.count(shape);
            for (int axis = 0; axis < shape.length; axis++) {
                Math.multiplyExact(shape[axis], steps[axis]);
            }
        } catch (ArithmeticException e) {
            throw new FormatException("is larger than any memory: " + Arrays.toString(shape), e);
        }
    }

    /**
     * {@return the strides with which the last dimension varies fastest}
     *
     * @param shape sizes of the dimensions, the slowest first
     */
    public static Strides rowMajor(long... shape) {
        long[] steps = new long[shape.length];
        long step = 1;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            steps[axis] = step;
            step = times(step, shape[axis]);
        }
        return new Strides(shape, steps);
    }

    /**
     * {@return the strides with which the first dimension varies fastest, as in Fortran}
     *
     * @param shape sizes of the dimensions, the fastest first
     */
    public static Strides columnMajor(long... shape) {
        long[] steps = new long[shape.length];
        long step = 1;
        for (int axis = 0; axis < shape.length; axis++) {
            steps[axis] = step;
            step = times(step, shape[axis]);
        }
        return new Strides(shape, steps);
    }

    /** The product, or the largest number, which the constructor refuses. */
    private static long times(long step, long size) {
        return size > 0 && step > Long.MAX_VALUE / size ? Long.MAX_VALUE : step * Math.max(0, size);
    }

    /** {@return the number of elements} */
    public long count() {
        return FloatTensor.count(shape);
    }

    /** {@return the number of elements from the first of the tensor to its last, both included; 0 if it has none} */
    public long span() {
        if (count() == 0) {
            return 0;
        }
        long last = 0;
        try {
            for (int axis = 0; axis < shape.length; axis++) {
                last = Math.addExact(last, (shape[axis] - 1) * steps[axis]);
            }
            return Math.addExact(last, 1);
        } catch (ArithmeticException e) {
            throw new FormatException("has steps larger than any memory: " + Arrays.toString(steps), e);
        }
    }

    /** Takes one element after the other. */
    @FunctionalInterface
    interface Visitor {
        /**
         * @param index in row-major order
         * @param at elements from the tensor's first
         */
        void visit(long index, long at);
    }

    /** Visits all elements in row-major order. */
    void forEach(Visitor visitor) {
        long count = count();
        long[] index = new long[shape.length];
        long at = 0;
        for (long i = 0; i < count; i++) {
            visitor.visit(i, at);
            for (int axis = shape.length - 1; axis >= 0; axis--) {
                at += steps[axis];
                if (++index[axis] < shape[axis]) {
                    break;
                }
                at -= steps[axis] * shape[axis];
                index[axis] = 0;
            }
        }
    }
}
