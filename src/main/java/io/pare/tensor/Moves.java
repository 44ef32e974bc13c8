package io.pare.tensor;

import io.pare.net.Rearrangement;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;

/** {@link TensorOp.Rearranging}. */
final class Moves implements Computation {
    private final Walk walk;
    private final float filler;
    private final int inputSize;
    private final int size;

    Moves(Rearrangement rearrangement, Shape output) {
        this.walk = new Walk(output, rearrangement.offsets());
        this.filler = rearrangement.filler();
        this.inputSize = rearrangement.input().features();
        this.size = output.features();
    }

    @Override
    public Reads reads() {
        return Reads.NOTHING;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int s = 0; s < n; s++) {
            long in = (long) s * inputSize;
            long out = (long) s * size;
            walk.run((at, from) -> Floats.set(y, out + at, from[0] < 0 ? filler : Floats.get(x[0], in + from[0])));
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        Floats.clear(dx[0], (long) n * inputSize);
        for (int s = 0; s < n; s++) {
            long in = (long) s * inputSize;
            long out = (long) s * size;
            walk.run((at, from) -> {
                if (from[0] >= 0) {
                    Floats.add(dx[0], in + from[0], Floats.get(dy, out + at));
                }
            });
        }
    }
}
