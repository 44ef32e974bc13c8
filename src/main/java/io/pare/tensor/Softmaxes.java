package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;

/** {@link TensorOp.Softmax}: along rows of neighbours, or along columns, many at a time. */
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
            if (inner == 1) {
                row(x[0], y, o * count);
            }
            for (int i = 0; inner > 1 && i < inner; i += Blocks.SIZE) {
                columns(x[0], y, o * count * inner + i, Math.min(Blocks.SIZE, inner - i));
            }
        }
    }

    private void row(MemorySegment x, MemorySegment y, long start) {
        float[] block = Blocks.mine()[0];
        float largest = Float.NEGATIVE_INFINITY;
        for (int at = 0; at < count; at += Blocks.SIZE) {
            int some = Math.min(Blocks.SIZE, count - at);
            Blocks.load(x, start + at, block, some);
            largest = Math.max(largest, Blocks.largest(block, some));
        }
        double sum = 0;
        for (int at = 0; at < count; at += Blocks.SIZE) {
            int some = Math.min(Blocks.SIZE, count - at);
            Blocks.load(x, start + at, block, some);
            powers(block, largest, some);
            sum += Blocks.sum(block, some);
            Blocks.store(block, y, start + at, some);
        }
        for (int at = 0; at < count; at += Blocks.SIZE) {
            int some = Math.min(Blocks.SIZE, count - at);
            Blocks.load(logarithm ? x : y, start + at, block, some);
            if (logarithm) {
                subtract(block, largest + Math.log(sum), some);
            } else {
                scale(block, 1 / sum, some);
            }
            Blocks.store(block, y, start + at, some);
        }
    }

    private static void powers(float[] block, float largest, int some) {
        for (int i = 0; i < some; i++) {
            block[i] = (float) Functions.exp((double) block[i] - largest);
        }
    }

    private static void subtract(float[] block, double shift, int some) {
        for (int i = 0; i < some; i++) {
            block[i] = (float) (block[i] - shift);
        }
    }

    private static void scale(float[] block, double factor, int some) {
        for (int i = 0; i < some; i++) {
            block[i] = (float) (block[i] * factor);
        }
    }

    private void columns(MemorySegment x, MemorySegment y, long start, int some) {
        float[] block = Blocks.mine()[0];
        float[] largest = Blocks.mine()[1];
        double[] sums = Blocks.doubles()[0];
        for (int k = 0; k < count; k++) {
            Blocks.load(x, start + (long) k * inner, k == 0 ? largest : block, some);
            for (int i = 0; k > 0 && i < some; i++) {
                largest[i] = Math.max(largest[i], block[i]);
            }
        }
        for (int k = 0; k < count; k++) {
            Blocks.load(x, start + (long) k * inner, block, some);
            for (int i = 0; i < some; i++) {
                double power = Functions.exp((double) block[i] - largest[i]);
                sums[i] = (k == 0 ? 0 : sums[i]) + power;
                block[i] = (float) power;
            }
            Blocks.store(block, y, start + (long) k * inner, some);
        }
        for (int i = 0; i < some; i++) {
            sums[i] = logarithm ? largest[i] + Math.log(sums[i]) : 1 / sums[i];
        }
        for (int k = 0; k < count; k++) {
            Blocks.load(logarithm ? x : y, start + (long) k * inner, block, some);
            for (int i = 0; i < some; i++) {
                block[i] = (float) (logarithm ? block[i] - sums[i] : block[i] * sums[i]);
            }
            Blocks.store(block, y, start + (long) k * inner, some);
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        for (long o = 0; o < (long) n * outer; o++) {
            if (inner == 1) {
                rowBackward(y, dy, dx[0], o * count);
            }
            for (int i = 0; inner > 1 && i < inner; i += Blocks.SIZE) {
                columnsBackward(y, dy, dx[0], o * count * inner + i, Math.min(Blocks.SIZE, inner - i));
            }
        }
    }

    private void rowBackward(MemorySegment y, MemorySegment dy, MemorySegment dx, long start) {
        float[] value = Blocks.mine()[0];
        float[] gradient = Blocks.mine()[1];
        double sum = 0;
        for (int at = 0; at < count; at += Blocks.SIZE) {
            int some = Math.min(Blocks.SIZE, count - at);
            Blocks.load(y, start + at, value, some);
            Blocks.load(dy, start + at, gradient, some);
            sum += logarithm ? Blocks.sum(gradient, some) : Blocks.dot(value, gradient, some);
        }
        for (int at = 0; at < count; at += Blocks.SIZE) {
            int some = Math.min(Blocks.SIZE, count - at);
            Blocks.load(y, start + at, value, some);
            Blocks.load(dy, start + at, gradient, some);
            for (int i = 0; i < some; i++) {
                gradient[i] = (float) (logarithm
                        ? gradient[i] - Functions.exp(value[i]) * sum
                        : value[i] * (gradient[i] - sum));
            }
            Blocks.store(gradient, dx, start + at, some);
        }
    }

    private void columnsBackward(MemorySegment y, MemorySegment dy, MemorySegment dx, long start, int some) {
        float[] value = Blocks.mine()[0];
        float[] gradient = Blocks.mine()[1];
        double[] sums = Blocks.doubles()[0];
        for (int k = 0; k < count; k++) {
            Blocks.load(y, start + (long) k * inner, value, some);
            Blocks.load(dy, start + (long) k * inner, gradient, some);
            for (int i = 0; i < some; i++) {
                sums[i] = (k == 0 ? 0 : sums[i]) + (logarithm ? gradient[i] : (double) gradient[i] * value[i]);
            }
        }
        for (int k = 0; k < count; k++) {
            Blocks.load(y, start + (long) k * inner, value, some);
            Blocks.load(dy, start + (long) k * inner, gradient, some);
            for (int i = 0; i < some; i++) {
                gradient[i] = (float) (logarithm
                        ? gradient[i] - Functions.exp(value[i]) * sums[i]
                        : value[i] * (gradient[i] - sums[i]));
            }
            Blocks.store(gradient, dx, start + (long) k * inner, some);
        }
    }
}
