package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** {@link TensorOp.Join}: runs of each input in turn. */
final class Joining implements Computation {
    /** How often each input gives a run. */
    private final int outer;
    /** Values of a run, for each input. */
    private final int[] runs;
    private final int all;

    Joining(int axis, List<Shape> inputs) {
        this.outer = new Shape(inputs.getFirst().sizes().subList(0, axis)).features();
        this.runs = inputs.stream().mapToInt(input -> input.features() / outer).toArray();
        int sum = 0;
        for (int run : runs) {
            sum += run;
        }
        this.all = sum;
    }

    @Override
    public Reads reads() {
        return Reads.NOTHING;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        long at = 0;
        for (long o = 0; o < (long) n * outer; o++) {
            for (int i = 0; i < runs.length; i++) {
                Floats.copy(x[i], o * runs[i], y, at, runs[i]);
                at += runs[i];
            }
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        for (long o = 0; o < (long) n * outer; o++) {
            long at = o * all;
            for (int i = 0; i < runs.length; i++) {
                if (dx[i] != null) {
                    Floats.copy(dy, at, dx[i], o * runs[i], runs[i]);
                }
                at += runs[i];
            }
        }
    }
}
