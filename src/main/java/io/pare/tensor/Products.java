package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** {@link TensorOp.MatMul}. */
final class Products implements Computation {
    private final Walk walk;
    private final Product product;
    private final int m;
    private final int n;
    private final int k;
    private final int left;
    private final int right;
    private final int size;

    Products(List<Shape> inputs, Shape output, Product product) {
        Shape outer = TensorOp.MatMul.outer(output);
        this.product = product;
        this.walk = new Walk(outer, Walk.broadcast(TensorOp.MatMul.outer(inputs.getFirst()), outer),
                Walk.broadcast(TensorOp.MatMul.outer(inputs.getLast()), outer));
        this.m = output.fromEnd(2);
        this.n = output.fromEnd(1);
        this.k = inputs.getFirst().fromEnd(1);
        this.left = inputs.getFirst().features();
        this.right = inputs.getLast().features();
        this.size = output.features();
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public void forward(int samples, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int s = 0; s < samples; s++) {
            long sample = s;
            walk.run((at, from) -> product.sgemm(false, false, m, n, k, 1, left(x[0], sample, from), k,
                    right(x[1], sample, from), n, 0, result(y, sample, at), n));
        }
    }

    private MemorySegment left(MemorySegment all, long sample, int[] from) {
        return Floats.from(all, sample * left + (long) from[0] * m * k);
    }

    private MemorySegment right(MemorySegment all, long sample, int[] from) {
        return Floats.from(all, sample * right + (long) from[1] * k * n);
    }

    private MemorySegment result(MemorySegment all, long sample, int at) {
        return Floats.from(all, sample * size + (long) at * m * n);
    }

    @Override
    public void backward(int samples, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        if (dx[0] != null) {
            Floats.clear(dx[0], (long) samples * left);
        }
        if (dx[1] != null) {
            Floats.clear(dx[1], (long) samples * right);
        }
        for (int s = 0; s < samples; s++) {
            long sample = s;
            walk.run((at, from) -> {
                if (dx[0] != null) {
                    product.sgemm(false, true, m, k, n, 1, result(dy, sample, at), n, right(x[1], sample, from), n, 1,
                            left(dx[0], sample, from), k);
                }
                if (dx[1] != null) {
                    product.sgemm(true, false, k, n, m, 1, left(x[0], sample, from), k, result(dy, sample, at), n, 1,
                            right(dx[1], sample, from), n);
                }
            });
        }
    }
}
