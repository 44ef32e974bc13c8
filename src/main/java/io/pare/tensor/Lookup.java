package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;

/** {@link TensorOp.Embedding}. The indices have no gradient. */
final class Lookup implements Computation {
    private final TensorOp.Embedding op;
    private final int size;

    Lookup(TensorOp.Embedding op, Shape indices) {
        this.op = op;
        this.size = indices.features();
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    private int row(MemorySegment indices, long at) {
        return Indices.checked(Floats.get(indices, at), op.rows());
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (long i = 0; i < (long) n * size; i++) {
            Floats.copy(x[1], (long) row(x[0], i) * op.width(), y, i * op.width(), op.width());
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        if (dx[0] != null) {
            Floats.clear(dx[0], (long) n * size);
        }
        if (dx[1] != null) {
            Floats.clear(dx[1], (long) op.rows() * op.width());
            for (long i = 0; i < (long) n * size; i++) {
                long row = (long) row(x[0], i) * op.width();
                for (int k = 0; k < op.width(); k++) {
                    Floats.add(dx[1], row + k, Floats.get(dy, i * op.width() + k));
                }
            }
        }
    }
}
