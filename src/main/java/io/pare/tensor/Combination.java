package io.pare.tensor;

import io.pare.net.Pairwise;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** {@link TensorOp.Zip}. */
final class Combination implements Computation {
    private final Pairwise function;
    private final Runs runs;
    private final int left;
    private final int right;
    private final int size;

    Combination(Pairwise function, List<Shape> inputs, Shape output) {
        this.function = function;
        this.left = inputs.getFirst().features();
        this.right = inputs.getLast().features();
        this.size = output.features();
        this.runs = new Runs(inputs, output);
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        float[][] block = Blocks.mine();
        for (int s = 0; s < n; s++) {
            long l = (long) s * left;
            long r = (long) s * right;
            long o = (long) s * size;
            runs.run((at, from, count) -> {
                Blocks.load(x[0], l + from[0], runs.moves(0), block[0], count);
                Blocks.load(x[1], r + from[1], runs.moves(1), block[1], count);
                PairwiseLoops.values(function, block[0], block[1], block[2], count);
                Blocks.store(block[2], y, o + at, count);
            });
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        if (dx[0] != null) {
            Floats.clear(dx[0], (long) n * left);
        }
        if (dx[1] != null) {
            Floats.clear(dx[1], (long) n * right);
        }
        float[][] block = Blocks.mine();
        for (int s = 0; s < n; s++) {
            long l = (long) s * left;
            long r = (long) s * right;
            long o = (long) s * size;
            runs.run((at, from, count) -> {
                Blocks.load(x[0], l + from[0], runs.moves(0), block[0], count);
                Blocks.load(x[1], r + from[1], runs.moves(1), block[1], count);
                Blocks.load(dy, o + at, block[2], count);
                if (dx[0] != null) {
                    PairwiseLoops.slopesLeft(function, block[0], block[1], block[2], block[3], count);
                    Blocks.addTo(dx[0], l + from[0], runs.moves(0), block[3], block[4], count);
                }
                if (dx[1] != null) {
                    PairwiseLoops.slopesRight(function, block[0], block[1], block[2], block[3], count);
                    Blocks.addTo(dx[1], r + from[1], runs.moves(1), block[3], block[4], count);
                }
            });
        }
    }
}
