package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;

/** {@link TensorOp.PRelu}. */
final class SlopedRelu implements Computation {
    private final Walk walk;
    private final int size;
    private final int slopes;

    SlopedRelu(Shape slope, Shape output) {
        this.walk = new Walk(output, Walk.repeated(slope, output));
        this.size = output.features();
        this.slopes = slope.features();
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int s = 0; s < n; s++) {
            long sample = (long) s * size;
            walk.run((at, from) -> {
                float value = Floats.get(x[0], sample + at);
                Floats.set(y, sample + at, value >= 0 ? value : value * Floats.get(x[1], from[0]));
            });
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        double[] sums = new double[slopes];
        for (int s = 0; s < n; s++) {
            long sample = (long) s * size;
            walk.run((at, from) -> {
                float value = Floats.get(x[0], sample + at);
                float gradient = Floats.get(dy, sample + at);
                if (dx[0] != null) {
                    Floats.set(dx[0], sample + at, value >= 0 ? gradient : gradient * Floats.get(x[1], from[0]));
                }
                sums[from[0]] += value >= 0 ? 0 : (double) gradient * value;
            });
        }
        for (int i = 0; dx[1] != null && i < slopes; i++) {
            Floats.set(dx[1], i, sums[i]);
        }
    }
}
