package io.pare.tensor;

import io.pare.net.Reduction;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * {@link TensorOp.Reduce}: the values of one result after another, which lie side by side or one row apart; else they are
 * first put so into working memory.
 */
final class ReductionAlong implements Computation {
    private final TensorOp.Reduce op;
    /** Puts the reduced axes to the end; {@code null} where they are neighbours. */
    private final Moves sorting;
    private final int outer;
    private final int each;
    private final int inner;

    ReductionAlong(TensorOp.Reduce op, Shape input) {
        this.op = op;
        int first = op.axes().getFirst();
        int last = op.axes().getLast();
        boolean together = last - first + 1 == op.axes().size();
        this.each = new Shape(op.axes().stream().map(input.sizes()::get).toList()).features();
        if (together) {
            this.sorting = null;
            this.outer = new Shape(input.sizes().subList(0, first)).features();
            this.inner = new Shape(input.sizes().subList(last + 1, input.rank())).features();
        } else {
            List<Integer> order = new ArrayList<>();
            for (int axis = 0; axis < input.rank(); axis++) {
                if (!op.axes().contains(axis)) {
                    order.add(axis);
                }
            }
            order.addAll(op.axes());
            TensorOp.Transpose sorted = new TensorOp.Transpose(order);
            this.sorting = new Moves(sorted.of(input), sorted.output(List.of(input)));
            this.outer = input.features() / each;
            this.inner = 1;
        }
    }

    @Override
    public Reads reads() {
        return switch (op.function()) {
            case SUM, MEAN -> Reads.NOTHING;
            case MAX, MIN, PRODUCT -> Reads.BOTH;
        };
    }

    private int size() {
        return outer * each * inner;
    }

    @Override
    public long scratchBytes(int n) {
        return sorting == null ? 0 : (long) n * size() * Float.BYTES;
    }

    /** For the sorted input, and for its gradient. */
    @Override
    public long backwardScratchBytes(int n) {
        return 2 * scratchBytes(n);
    }

    private MemorySegment sorted(int n, MemorySegment[] x, MemorySegment scratch) {
        if (sorting == null) {
            return x[0];
        }
        sorting.forward(n, x, scratch, MemorySegment.NULL);
        return scratch;
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        MemorySegment values = sorted(n, x, scratch);
        for (long o = 0; o < (long) n * outer; o++) {
            if (inner == 1) {
                Floats.set(y, o, row(values, o * each));
            }
            for (int i = 0; inner > 1 && i < inner; i += Blocks.SIZE) {
                columns(values, o * each * inner + i, y, o * inner + i, Math.min(Blocks.SIZE, inner - i));
            }
        }
    }

    private double row(MemorySegment x, long start) {
        float[] block = Blocks.mine()[0];
        double result = switch (op.function()) {
            case SUM, MEAN -> 0;
            case MAX -> Double.NEGATIVE_INFINITY;
            case MIN -> Double.POSITIVE_INFINITY;
            case PRODUCT -> 1;
        };
        for (int at = 0; at < each; at += Blocks.SIZE) {
            int count = Math.min(Blocks.SIZE, each - at);
            Blocks.load(x, start + at, block, count);
            switch (op.function()) {
                case SUM, MEAN -> result += Blocks.sum(block, count);
                case MAX -> result = Math.max(result, Blocks.largest(block, count));
                case MIN -> {
                    for (int i = 0; i < count; i++) {
                        result = Math.min(result, block[i]);
                    }
                }
                case PRODUCT -> {
                    for (int i = 0; i < count; i++) {
                        result *= block[i];
                    }
                }
            }
        }
        return op.function() == Reduction.MEAN ? result / each : result;
    }

    private void columns(MemorySegment x, long start, MemorySegment y, long to, int count) {
        float[] block = Blocks.mine()[0];
        double[] results = Blocks.doubles()[0];
        for (int k = 0; k < each; k++) {
            Blocks.load(x, start + (long) k * inner, block, count);
            if (k == 0) {
                for (int i = 0; i < count; i++) {
                    results[i] = block[i];
                }
                continue;
            }
            switch (op.function()) {
                case SUM, MEAN -> {
                    for (int i = 0; i < count; i++) {
                        results[i] += block[i];
                    }
                }
                case MAX -> {
                    for (int i = 0; i < count; i++) {
                        results[i] = Math.max(results[i], block[i]);
                    }
                }
                case MIN -> {
                    for (int i = 0; i < count; i++) {
                        results[i] = Math.min(results[i], block[i]);
                    }
                }
                case PRODUCT -> {
                    for (int i = 0; i < count; i++) {
                        results[i] *= block[i];
                    }
                }
            }
        }
        double divisor = op.function() == Reduction.MEAN ? each : 1;
        for (int i = 0; i < count; i++) {
            block[i] = (float) (results[i] / divisor);
        }
        Blocks.store(block, y, to, count);
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        if (reads() == Reads.NOTHING) {
            spread(n, dy, dx[0], scratch);
            return;
        }
        MemorySegment values = sorted(n, x, scratch);
        MemorySegment gradients = sorting == null ? dx[0] : Floats.from(scratch, (long) n * size());
        for (long o = 0; o < (long) n * outer; o++) {
            for (int i = 0; i < inner; i++) {
                choose(values, Floats.get(y, o * inner + i), Floats.get(dy, o * inner + i), gradients,
                        o * each * inner + i);
            }
        }
        deliver(n, gradients, dx[0]);
    }

    /** Every value of a result gets the same gradient. */
    private void spread(int n, MemorySegment dy, MemorySegment dx, MemorySegment scratch) {
        MemorySegment gradients = sorting == null ? dx : scratch;
        float[] block = Blocks.mine()[0];
        double divisor = op.function() == Reduction.MEAN ? each : 1;
        for (long o = 0; o < (long) n * outer; o++) {
            for (int at = 0; at < (inner == 1 ? each : inner); at += Blocks.SIZE) {
                int count = Math.min(Blocks.SIZE, (inner == 1 ? each : inner) - at);
                Blocks.load(dy, inner == 1 ? o : o * inner + at, inner > 1, block, count);
                for (int i = 0; i < count; i++) {
                    block[i] = (float) (block[i] / divisor);
                }
                for (int k = 0; k < (inner == 1 ? 1 : each); k++) {
                    Blocks.store(block, gradients, (o * each + k) * inner + at, count);
                }
            }
        }
        deliver(n, gradients, dx);
    }

    private void deliver(int n, MemorySegment gradients, MemorySegment dx) {
        if (sorting != null) {
            sorting.backward(n, null, null, gradients, new MemorySegment[]{dx}, MemorySegment.NULL);
        }
    }

    /** The gradients of the values of one result, the first of which is at {@code start}. */
    private void choose(MemorySegment x, float result, float gradient, MemorySegment dx, long start) {
        boolean found = false;
        for (int k = 0; k < each; k++) {
            long at = start + (long) k * inner;
            float value = Floats.get(x, at);
            if (op.function() == Reduction.PRODUCT) {
                Floats.set(dx, at, gradient * (value != 0 ? (double) result / value : others(x, start, k)));
            } else {
                Floats.set(dx, at, !found && value == result ? gradient : 0);
                found |= value == result;
            }
        }
    }

    /** The product of all values of a result but one. */
    private double others(MemorySegment x, long start, int but) {
        double product = 1;
        for (int k = 0; k < each; k++) {
            product *= k == but ? 1 : Floats.get(x, start + (long) k * inner);
        }
        return product;
    }
}
