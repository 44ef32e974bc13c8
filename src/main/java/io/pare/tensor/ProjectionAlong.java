package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** {@link TensorOp.Projection}: one product for all rows of all samples. */
final class ProjectionAlong implements Computation {
    private final TensorOp.Projection op;
    private final Product product;
    private final int rows;

    ProjectionAlong(TensorOp.Projection op, Shape output, Product product) {
        this.op = op;
        this.product = product;
        this.rows = output.features() / op.out();
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int row = 0; op.bias() && row < n * rows; row++) {
            Floats.copy(x[2], 0, y, (long) row * op.out(), op.out());
        }
        product.sgemm(false, true, n * rows, op.out(), op.in(), 1, x[0], op.in(), x[1], op.in(), op.bias() ? 1 : 0, y,
                op.out());
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        if (dx[0] != null) {
            product.sgemm(false, false, n * rows, op.in(), op.out(), 1, dy, op.out(), x[1], op.in(), 0, dx[0], op.in());
        }
        if (dx[1] != null) {
            product.sgemm(true, false, op.out(), op.in(), n * rows, 1, dy, op.out(), x[0], op.in(), 0, dx[1], op.in());
        }
        if (op.bias() && dx[2] != null) {
            for (int o = 0; o < op.out(); o += Blocks.SIZE) {
                biasGradient(n * rows, dy, dx[2], o, Math.min(Blocks.SIZE, op.out() - o));
            }
        }
    }

    private void biasGradient(int all, MemorySegment dy, MemorySegment gradient, int first, int count) {
        float[] block = Blocks.mine()[0];
        double[] sums = Blocks.doubles()[0];
        Arrays.fill(sums, 0, count, 0);
        for (int row = 0; row < all; row++) {
            Blocks.load(dy, (long) row * op.out() + first, block, count);
            for (int i = 0; i < count; i++) {
                sums[i] += block[i];
            }
        }
        for (int i = 0; i < count; i++) {
            block[i] = (float) sums[i];
        }
        Blocks.store(block, gradient, first, count);
    }
}
