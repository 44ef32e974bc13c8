package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** {@link TensorOp.Gather}. The indices have no gradient. */
final class Gathering implements Computation {
    private final int outer;
    private final int count;
    private final int inner;
    private final int indices;

    Gathering(int axis, List<Shape> inputs) {
        Shape input = inputs.getFirst();
        this.outer = new Shape(input.sizes().subList(0, axis)).features();
        this.count = input.sizes().get(axis);
        this.inner = input.features() / outer / count;
        this.indices = inputs.getLast().features();
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int s = 0; s < n; s++) {
            for (int o = 0; o < outer; o++) {
                long block = (long) s * outer + o;
                for (int i = 0; i < indices; i++) {
                    int index = Indices.checked(Floats.get(x[1], (long) s * indices + i), count);
                    Floats.copy(x[0], (block * count + index) * inner, y, (block * indices + i) * inner, inner);
                }
            }
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        if (dx[1] != null) {
            Floats.clear(dx[1], (long) n * indices);
        }
        if (dx[0] == null) {
            return;
        }
        Floats.clear(dx[0], (long) n * outer * count * inner);
        for (int s = 0; s < n; s++) {
            for (int o = 0; o < outer; o++) {
                long block = (long) s * outer + o;
                for (int i = 0; i < indices; i++) {
                    int index = Indices.checked(Floats.get(x[1], (long) s * indices + i), count);
                    for (int k = 0; k < inner; k++) {
                        Floats.add(dx[0], (block * count + index) * inner + k,
                                Floats.get(dy, (block * indices + i) * inner + k));
                    }
                }
            }
        }
    }
}
