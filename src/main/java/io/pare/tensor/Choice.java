package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** {@link TensorOp.Choose}. The condition has no gradient. */
final class Choice implements Computation {
    private final Runs runs;
    private final int[] sizes;
    private final int size;

    Choice(List<Shape> inputs, Shape output) {
        this.sizes = inputs.stream().mapToInt(Shape::features).toArray();
        this.size = output.features();
        this.runs = new Runs(inputs, output);
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        float[][] block = Blocks.mine();
        for (int s = 0; s < n; s++) {
            long sample = s;
            runs.run((at, from, count) -> {
                for (int i = 0; i < 3; i++) {
                    Blocks.load(x[i], sample * sizes[i] + from[i], runs.moves(i), block[i], count);
                }
                for (int i = 0; i < count; i++) {
                    block[3][i] = block[0][i] != 0 ? block[1][i] : block[2][i];
                }
                Blocks.store(block[3], y, sample * size + at, count);
            });
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        for (int i = 0; i < dx.length; i++) {
            if (dx[i] != null) {
                Floats.clear(dx[i], (long) n * sizes[i]);
            }
        }
        float[][] block = Blocks.mine();
        for (int s = 0; s < n; s++) {
            long sample = s;
            runs.run((at, from, count) -> {
                Blocks.load(x[0], sample * sizes[0] + from[0], runs.moves(0), block[0], count);
                Blocks.load(dy, sample * size + at, block[1], count);
                for (int chosen = 1; chosen < 3; chosen++) {
                    if (dx[chosen] != null) {
                        for (int i = 0; i < count; i++) {
                            block[2][i] = block[0][i] != 0 == (chosen == 1) ? block[1][i] : 0;
                        }
                        Blocks.addTo(dx[chosen], sample * sizes[chosen] + from[chosen], runs.moves(chosen), block[2],
                                block[3], count);
                    }
                }
            });
        }
    }
}
