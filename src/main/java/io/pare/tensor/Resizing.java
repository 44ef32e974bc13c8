package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** {@link TensorOp.Resize}: one axis after another, the last one first; results between lie in working memory. */
final class Resizing implements Computation {
    private final List<Pass> passes = new ArrayList<>();
    private final int inputSize;
    private final int size;
    /** Values of the largest tensor between two passes. */
    private final int largest;

    /** One axis of {@code in} values becomes one of {@code out}; {@code inner} values stand behind each. */
    private record Pass(Taps taps, int outer, int in, int out, int inner) {
        int size() {
            return outer * out * inner;
        }

        void forward(MemorySegment x, long from, MemorySegment y, long to) {
            if (inner == 1) {
                rows(x, from, y, to);
                return;
            }
            float[] sum = Blocks.mine()[0];
            float[] block = Blocks.mine()[1];
            for (int o = 0; o < outer; o++) {
                for (int i = 0; i < out; i++) {
                    long source = from + (long) o * in * inner;
                    long target = to + ((long) o * out + i) * inner;
                    for (int at = 0; at < inner; at += Blocks.SIZE) {
                        int count = Math.min(Blocks.SIZE, inner - at);
                        for (int k = taps.starts()[i]; k < taps.starts()[i + 1]; k++) {
                            boolean first = k == taps.starts()[i];
                            Blocks.load(x, source + (long) taps.indices()[k] * inner + at, first ? sum : block, count);
                            if (first) {
                                scale(sum, taps.weights()[k], count);
                            } else {
                                addScaled(sum, block, taps.weights()[k], count);
                            }
                        }
                        Blocks.store(sum, y, target + at, count);
                    }
                }
            }
        }

        /** Several rows at a time, as many as fit a block; longer ones value by value. */
        private void rows(MemorySegment x, long from, MemorySegment y, long to) {
            float[] block = Blocks.mine()[0];
            float[] result = Blocks.mine()[1];
            int some = Blocks.SIZE / Math.max(in, out);
            for (int o = 0; some > 0 && o < outer; o += some) {
                int rows = Math.min(some, outer - o);
                Blocks.load(x, from + (long) o * in, block, rows * in);
                for (int row = 0; row < rows; row++) {
                    for (int i = 0; i < out; i++) {
                        float sum = 0;
                        for (int k = taps.starts()[i]; k < taps.starts()[i + 1]; k++) {
                            sum += taps.weights()[k] * block[row * in + taps.indices()[k]];
                        }
                        result[row * out + i] = sum;
                    }
                }
                Blocks.store(result, y, to + (long) o * out, rows * out);
            }
            for (int o = 0; some == 0 && o < outer; o++) {
                for (int i = 0; i < out; i++) {
                    float sum = 0;
                    for (int k = taps.starts()[i]; k < taps.starts()[i + 1]; k++) {
                        sum += taps.weights()[k] * Floats.get(x, from + (long) o * in + taps.indices()[k]);
                    }
                    Floats.set(y, to + (long) o * out + i, sum);
                }
            }
        }

        void backward(MemorySegment dy, long to, MemorySegment dx, long from) {
            Floats.clear(Floats.from(dx, from), (long) outer * in * inner);
            for (int o = 0; o < outer; o++) {
                for (int i = 0; i < out; i++) {
                    long source = from + (long) o * in * inner;
                    long target = to + ((long) o * out + i) * inner;
                    for (int k = taps.starts()[i]; k < taps.starts()[i + 1]; k++) {
                        addScaled(dx, source + (long) taps.indices()[k] * inner, dy, target, taps.weights()[k], inner);
                    }
                }
            }
        }

        private static void addScaled(MemorySegment sums, long into, MemorySegment addends, long from, float factor,
                int count) {
            if (count == 1) {
                Floats.add(sums, into, factor * Floats.get(addends, from));
                return;
            }
            float[] sum = Blocks.mine()[0];
            float[] block = Blocks.mine()[1];
            for (int at = 0; at < count; at += Blocks.SIZE) {
                int some = Math.min(Blocks.SIZE, count - at);
                Blocks.load(sums, into + at, sum, some);
                Blocks.load(addends, from + at, block, some);
                addScaled(sum, block, factor, some);
                Blocks.store(sum, sums, into + at, some);
            }
        }

        private static void scale(float[] values, float factor, int count) {
            for (int i = 0; i < count; i++) {
                values[i] *= factor;
            }
        }

        private static void addScaled(float[] sum, float[] addend, float factor, int count) {
            for (int i = 0; i < count; i++) {
                sum[i] += factor * addend[i];
            }
        }
    }

    Resizing(TensorOp.Resize op, Shape input) {
        int inner = 1;
        int between = 0;
        for (int axis = input.rank() - 1; axis >= 0; axis--) {
            int in = input.sizes().get(axis);
            int out = op.to().sizes().get(axis);
            if (!op.keeps(axis, input)) {
                int outer = new Shape(input.sizes().subList(0, axis)).features();
                between = passes.isEmpty() ? 0 : Math.max(between, passes.getLast().size());
                passes.add(new Pass(Taps.of(op, axis, in), outer, in, out, inner));
                Math.multiplyExact(Math.multiplyExact(outer, out), inner);
            }
            inner = Math.multiplyExact(inner, out);
        }
        this.inputSize = input.features();
        this.size = op.to().features();
        this.largest = between;
    }

    @Override
    public Reads reads() {
        return Reads.NOTHING;
    }

    /** Two tensors, from one of which a pass goes to the other. */
    @Override
    public long scratchBytes(int n) {
        return 2L * largest * Float.BYTES;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        if (passes.isEmpty()) {
            Floats.copy(x[0], 0, y, 0, (long) n * size);
        }
        for (int s = 0; s < n; s++) {
            MemorySegment from = x[0];
            long at = (long) s * inputSize;
            for (int i = 0; i < passes.size(); i++) {
                boolean last = i == passes.size() - 1;
                MemorySegment to = last ? y : scratch;
                long next = last ? (long) s * size : (long) i % 2 * largest;
                passes.get(i).forward(from, at, to, next);
                from = to;
                at = next;
            }
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        if (passes.isEmpty()) {
            Floats.copy(dy, 0, dx[0], 0, (long) n * size);
        }
        for (int s = 0; s < n; s++) {
            MemorySegment to = dy;
            long at = (long) s * size;
            for (int i = passes.size() - 1; i >= 0; i--) {
                MemorySegment from = i == 0 ? dx[0] : scratch;
                long next = i == 0 ? (long) s * inputSize : (long) i % 2 * largest;
                passes.get(i).backward(to, at, from, next);
                to = from;
                at = next;
            }
        }
    }
}
