package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;

/** {@link TensorOp.Constant}: the tensor, once for each sample. */
final class Repetition implements Computation {
    private final int size;

    Repetition(Shape output) {
        this.size = output.features();
    }

    @Override
    public Reads reads() {
        return Reads.NOTHING;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int s = 0; s < n; s++) {
            Floats.copy(x[0], 0, y, (long) s * size, size);
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        throw new AssertionError("a constant has no gradient");
    }
}
