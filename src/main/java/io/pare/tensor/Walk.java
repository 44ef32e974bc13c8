package io.pare.tensor;

import io.pare.net.Rearrangement;
import io.pare.net.Shape;
import io.pare.net.TensorOp;

/**
 * Visits the values of a tensor in order, and with each the place in several others from which it comes.
 *
 * <p>Each of the others has, for each axis and index, a distance; the sum over axes is the place. A distance of
 * {@link Rearrangement#NOTHING} says that there is none.
 */
final class Walk {
    private final int rank;
    private final int[] sizes;
    private final int[][][] distances;

    /** Told of each value. */
    @FunctionalInterface
    interface Visitor {
        /**
         * @param at index of the value
         * @param from indices in the others; below 0 for none
         */
        void visit(int at, int[] from);
    }

    /** @param distances for each of the others, axis and index */
    Walk(Shape output, int[][]... distances) {
        this.rank = output.rank();
        this.sizes = output.sizes().stream().mapToInt(Integer::intValue).toArray();
        this.distances = distances;
    }

    /** The distances of an input that is broadcast to a shape. */
    static int[][] broadcast(Shape input, Shape output) {
        return new TensorOp.Expand(output).of(input).offsets();
    }

    void run(Visitor visitor) {
        visit(0, 0, new int[rank + 1][distances.length], visitor);
    }

    private int visit(int axis, int at, int[][] from, Visitor visitor) {
        if (axis == rank) {
            visitor.visit(at, from[axis]);
            return at + 1;
        }
        int next = at;
        for (int i = 0; i < sizes[axis]; i++) {
            for (int k = 0; k < distances.length; k++) {
                int distance = distances[k][axis][i];
                from[axis + 1][k] =
                        distance < 0 || from[axis][k] < 0 ? Rearrangement.NOTHING : from[axis][k] + distance;
            }
            next = visit(axis + 1, next, from, visitor);
        }
        return next;
    }
}
