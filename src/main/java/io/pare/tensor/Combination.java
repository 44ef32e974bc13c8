package io.pare.tensor;

import io.pare.net.Pairwise;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** {@link TensorOp.Zip}. */
final class Combination implements Computation {
    private final Pairwise function;
    private final Walk walk;
    private final int left;
    private final int right;
    private final int size;

    Combination(Pairwise function, List<Shape> inputs, Shape output) {
        this.function = function;
        this.left = inputs.getFirst().features();
        this.right = inputs.getLast().features();
        this.size = output.features();
        this.walk = new Walk(output, Walk.repeated(inputs.getFirst(), output), Walk.repeated(inputs.getLast(), output));
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int s = 0; s < n; s++) {
            long l = (long) s * left;
            long r = (long) s * right;
            long o = (long) s * size;
            walk.run((at, from) -> Floats.set(y, o + at,
                    function.of(Floats.get(x[0], l + from[0]), Floats.get(x[1], r + from[1]))));
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
        for (int s = 0; s < n; s++) {
            long l = (long) s * left;
            long r = (long) s * right;
            long o = (long) s * size;
            walk.run((at, from) -> {
                float a = Floats.get(x[0], l + from[0]);
                float b = Floats.get(x[1], r + from[1]);
                float gradient = Floats.get(dy, o + at);
                if (dx[0] != null) {
                    Floats.add(dx[0], l + from[0], gradient * function.slopeLeft(a, b));
                }
                if (dx[1] != null) {
                    Floats.add(dx[1], r + from[1], gradient * function.slopeRight(a, b));
                }
            });
        }
    }
}
