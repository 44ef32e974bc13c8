package io.pare.tensor;

import io.pare.net.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Runs of neighbouring values of a tensor, along which each of several {@linkplain io.pare.net.TensorOp#broadcast broadcast}
 * inputs either moves on value by value or stays at one.
 */
final class Runs {
    private final Walk walk;
    private final int length;
    private final boolean[] moves;

    /** Told of a part of a run that fits a block. */
    @FunctionalInterface
    interface Visitor {
        /**
         * @param at index of the first value
         * @param from indices of the inputs' first, which move on as {@link Runs#moves} says
         */
        void visit(long at, int[] from, int count);
    }

    Runs(List<Shape> inputs, Shape output) {
        int[][] strides = inputs.stream().map(input -> strides(input, output)).toArray(int[][]::new);
        this.moves = new boolean[strides.length];
        int axis = output.rank() - 1;
        int run = 1;
        while (axis >= 0 && (run == 1 || continues(strides, axis, run))) {
            for (int i = 0; i < moves.length && run == 1; i++) {
                moves[i] = strides[i][axis] != 0;
            }
            run *= output.sizes().get(axis--);
        }
        this.length = run;
        Shape outer = new Shape(output.sizes().subList(0, axis + 1));
        List<int[][]> distances = new ArrayList<>();
        for (int[] own : strides) {
            int[][] all = new int[outer.rank()][];
            for (int k = 0; k < all.length; k++) {
                all[k] = new int[outer.sizes().get(k)];
                for (int i = 0; i < all[k].length; i++) {
                    all[k][i] = i * own[k];
                }
            }
            distances.add(all);
        }
        this.walk = new Walk(outer, distances.toArray(int[][][]::new));
    }

    /** Whether an axis of more than one value goes on where the run behind it ends. */
    private boolean continues(int[][] strides, int axis, int run) {
        for (int i = 0; i < moves.length; i++) {
            if (strides[i][axis] != (moves[i] ? run : 0)) {
                return false;
            }
        }
        return true;
    }

    /** For each axis of the output, the distance of neighbours in the input; 0 where it is repeated. */
    private static int[] strides(Shape input, Shape output) {
        List<Integer> sizes = new ArrayList<>(Collections.nCopies(output.rank() - input.rank(), 1));
        sizes.addAll(input.sizes());
        int[] strides = new int[sizes.size()];
        int stride = 1;
        for (int axis = strides.length - 1; axis >= 0; axis--) {
            strides[axis] = sizes.get(axis) == 1 ? 0 : stride;
            stride *= sizes.get(axis);
        }
        return strides;
    }

    /** Whether an input moves on along runs. */
    boolean moves(int input) {
        return moves[input];
    }

    /** Visits all values of a sample, in order. */
    void run(Visitor visitor) {
        walk.run((run, starts) -> {
            long first = (long) run * length;
            visitor.visit(first, starts, Math.min(Blocks.SIZE, length));
            int[] from = length > Blocks.SIZE ? starts.clone() : starts;
            for (int done = Blocks.SIZE; done < length; done += Blocks.SIZE) {
                for (int i = 0; i < from.length; i++) {
                    from[i] += moves[i] ? Blocks.SIZE : 0;
                }
                visitor.visit(first + done, from, Math.min(Blocks.SIZE, length - done));
            }
        });
    }
}
