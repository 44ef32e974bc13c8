package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** {@link TensorOp.Choose}. The condition has no gradient. */
final class Choice implements Computation {
    private final Walk walk;
    private final int[] sizes;
    private final int size;

    Choice(List<Shape> inputs, Shape output) {
        this.sizes = inputs.stream().mapToInt(Shape::features).toArray();
        this.size = output.features();
        this.walk =
                new Walk(output, inputs.stream().map(input -> Walk.repeated(input, output)).toArray(int[][][]::new));
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int s = 0; s < n; s++) {
            long sample = s;
            walk.run((at, from) -> {
                int chosen = chosen(x[0], sample, from);
                Floats.set(y, sample * size + at, Floats.get(x[chosen], sample * sizes[chosen] + from[chosen]));
            });
        }
    }

    private int chosen(MemorySegment conditions, long sample, int[] from) {
        return Floats.get(conditions, sample * sizes[0] + from[0]) != 0 ? 1 : 2;
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        for (int i = 0; i < dx.length; i++) {
            if (dx[i] != null) {
                Floats.clear(dx[i], (long) n * sizes[i]);
            }
        }
        for (int s = 0; s < n; s++) {
            long sample = s;
            walk.run((at, from) -> {
                int chosen = chosen(x[0], sample, from);
                if (dx[chosen] != null) {
                    Floats.add(dx[chosen], sample * sizes[chosen] + from[chosen], Floats.get(dy, sample * size + at));
                }
            });
        }
    }
}
