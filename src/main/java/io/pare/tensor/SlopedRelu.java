package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** {@link TensorOp.PRelu}. */
final class SlopedRelu implements Computation {
    private final Runs runs;
    private final int size;
    private final int slopes;

    SlopedRelu(Shape slope, Shape output) {
        this.runs = new Runs(List.of(slope), output);
        this.size = output.features();
        this.slopes = slope.features();
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        float[] value = Blocks.mine()[0];
        float[] slope = Blocks.mine()[1];
        for (int s = 0; s < n; s++) {
            long sample = (long) s * size;
            runs.run((at, from, count) -> {
                Blocks.load(x[0], sample + at, value, count);
                Blocks.load(x[1], from[0], runs.moves(0), slope, count);
                values(value, slope, count);
                Blocks.store(value, y, sample + at, count);
            });
        }
    }

    private static void values(float[] value, float[] slope, int count) {
        for (int i = 0; i < count; i++) {
            value[i] = Math.max(value[i], 0) + slope[i] * Math.min(value[i], 0);
        }
    }

    /** Replaces slopes by the gradients of values, and values by the parts of slopes' gradients. */
    private static void gradients(float[] value, float[] slope, float[] gradient, int count) {
        for (int i = 0; i < count; i++) {
            slope[i] = value[i] >= 0 ? gradient[i] : gradient[i] * slope[i];
            value[i] = gradient[i] * Math.min(value[i], 0);
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        float[][] block = Blocks.mine();
        if (dx[1] != null) {
            Floats.clear(dx[1], slopes);
        }
        for (int s = 0; s < n; s++) {
            long sample = (long) s * size;
            runs.run((at, from, count) -> {
                float[] value = block[0];
                float[] slope = block[1];
                float[] gradient = block[2];
                Blocks.load(x[0], sample + at, value, count);
                Blocks.load(x[1], from[0], runs.moves(0), slope, count);
                Blocks.load(dy, sample + at, gradient, count);
                gradients(value, slope, gradient, count);
                if (dx[0] != null) {
                    Blocks.store(slope, dx[0], sample + at, count);
                }
                if (dx[1] != null) {
                    Blocks.addTo(dx[1], from[0], runs.moves(0), value, block[3], count);
                }
            });
        }
    }
}
