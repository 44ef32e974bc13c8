package io.pare.tensor;

import io.pare.net.Reduction;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** {@link TensorOp.Reduce}: values in the order of the kept axes, then of the others. */
final class ReductionAlong implements Computation {
    private final TensorOp.Reduce op;
    /** Visits the input's values, those of one result after another. */
    private final Walk walk;
    private final int inputSize;
    private final int size;
    private final int each;

    ReductionAlong(TensorOp.Reduce op, Shape input) {
        this.op = op;
        List<Integer> order = new ArrayList<>();
        int results = 1;
        for (int axis = 0; axis < input.rank(); axis++) {
            if (!op.axes().contains(axis)) {
                order.add(axis);
                results *= input.sizes().get(axis);
            }
        }
        order.addAll(op.axes());
        TensorOp.Transpose sorted = new TensorOp.Transpose(order);
        this.walk = new Walk(sorted.output(List.of(input)), sorted.of(input).offsets());
        this.inputSize = input.features();
        this.size = results;
        this.each = inputSize / results;
    }

    @Override
    public Reads reads() {
        return switch (op.function()) {
            case SUM, MEAN -> Reads.NOTHING;
            case MAX, MIN, PRODUCT -> Reads.BOTH;
        };
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        double[] sum = new double[1];
        for (int s = 0; s < n; s++) {
            long in = (long) s * inputSize;
            long out = (long) s * size;
            walk.run((at, from) -> {
                float value = Floats.get(x[0], in + from[0]);
                boolean first = at % each == 0;
                sum[0] = first && !isSum() ? value : switch (op.function()) {
                    case SUM, MEAN -> (first ? 0 : sum[0]) + value;
                    case MAX -> Math.max(sum[0], value);
                    case MIN -> Math.min(sum[0], value);
                    case PRODUCT -> sum[0] * value;
                };
                if (at % each == each - 1) {
                    Floats.set(y, out + at / each, op.function() == Reduction.MEAN ? sum[0] / each : sum[0]);
                }
            });
        }
    }

    private boolean isSum() {
        return reads() == Reads.NOTHING;
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        boolean[] found = new boolean[1];
        for (int s = 0; s < n; s++) {
            long in = (long) s * inputSize;
            long out = (long) s * size;
            walk.run((at, from) -> {
                float gradient = Floats.get(dy, out + at / each);
                found[0] &= at % each != 0;
                double own = switch (op.function()) {
                    case SUM -> gradient;
                    case MEAN -> (double) gradient / each;
                    case MAX, MIN -> {
                        boolean best = !found[0] && Floats.get(x[0], in + from[0]) == Floats.get(y, out + at / each);
                        found[0] |= best;
                        yield best ? gradient : 0;
                    }
                    case PRODUCT -> gradient * others(x[0], in, out, at, y, from[0]);
                };
                Floats.set(dx[0], in + from[0], own);
            });
        }
    }

    /** The product of all values but one. */
    private double others(MemorySegment x, long in, long out, int at, MemorySegment y, int own) {
        float value = Floats.get(x, in + own);
        if (value != 0) {
            return Floats.get(y, out + at / each) / value;
        }
        double[] product = {1};
        walk.run((other, from) -> {
            if (other / each == at / each && other != at) {
                product[0] *= Floats.get(x, in + from[0]);
            }
        });
        return product[0];
    }
}
