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
        for (long i = 0; i < (long) n * size; i++) {
            Floats.set(y, i, op.function().of(Floats.get(x[0], i), op.a(), op.b()));
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        for (long i = 0; i < (long) n * size; i++) {
            Floats.set(dx[0], i, Floats.get(dy, i) * op.function().slope(Floats.get(x[0], i), op.a(), op.b()));
        }
    }
}
