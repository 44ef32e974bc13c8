package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;

/** {@link TensorOp.Softmax}. */
final class Softmaxes implements Computation {
    private final boolean logarithm;
    private final int outer;
    private final int count;
    private final int inner;

    Softmaxes(TensorOp.Softmax op, Shape shape) {
        this.logarithm = op.logarithm();
        this.outer = new Shape(shape.sizes().subList(0, op.axis())).features();
        this.count = shape.sizes().get(op.axis());
        this.inner = shape.features() / outer / count;
    }

    @Override
    public Reads reads() {
        return Reads.OUTPUT;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (long o = 0; o < (long) n * outer; o++) {
            for (int i = 0; i < inner; i++) {
                forward(x[0], y, o * count * inner + i);
            }
        }
    }

    private void forward(MemorySegment x, MemorySegment y, long start) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int k = 0; k < count; k++) {
            largest = Math.max(largest, Floats.get(x, start + (long) k * inner));
        }
        double sum = 0;
        for (int k = 0; k < count; k++) {
            double power = Math.exp(Floats.get(x, start + (long) k * inner) - largest);
            sum += power;
            Floats.set(y, start + (long) k * inner, power);
        }
        double shift = largest + Math.log(sum);
        for (int k = 0; k < count; k++) {
            long at = start + (long) k * inner;
            Floats.set(y, at, logarithm ? Floats.get(x, at) - shift : Floats.get(y, at) / sum);
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        for (long o = 0; o < (long) n * outer; o++) {
            for (int i = 0; i < inner; i++) {
                backward(y, dy, dx[0], o * count * inner + i);
            }
        }
    }

    private void backward(MemorySegment y, MemorySegment dy, MemorySegment dx, long start) {
        double sum = 0;
        for (int k = 0; k < count; k++) {
            long at = start + (long) k * inner;
            sum += logarithm ? Floats.get(dy, at) : (double) Floats.get(dy, at) * Floats.get(y, at);
        }
        for (int k = 0; k < count; k++) {
            long at = start + (long) k * inner;
            double value = Floats.get(y, at);
            Floats.set(dx, at, logarithm
                    ? Floats.get(dy, at) - Math.exp(value) * sum
                    : value * (Floats.get(dy, at) - sum));
        }
    }
}
