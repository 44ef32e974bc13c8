package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;

/** {@link TensorOp.Map}. */
final class Mapping implements Computation {
    private final TensorOp.Map op;
    private final int size;

    Mapping(TensorOp.Map op, Shape output) {
        this.op = op;
        this.size = output.features();
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        float[] block = Blocks.mine()[0];
        long all = (long) n * size;
        for (long at = 0; at < all; at += Blocks.SIZE) {
            int count = (int) Math.min(Blocks.SIZE, all - at);
            Blocks.load(x[0], at, block, count);
            PointwiseLoops.values(op.function(), op.a(), op.b(), block, count);
            Blocks.store(block, y, at, count);
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        float[] block = Blocks.mine()[0];
        float[] gradient = Blocks.mine()[1];
        long all = (long) n * size;
        for (long at = 0; at < all; at += Blocks.SIZE) {
            int count = (int) Math.min(Blocks.SIZE, all - at);
            Blocks.load(x[0], at, block, count);
            Blocks.load(dy, at, gradient, count);
            PointwiseLoops.slopes(op.function(), op.a(), op.b(), block, gradient, count);
            Blocks.store(gradient, dx[0], at, count);
        }
    }
}
