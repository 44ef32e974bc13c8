package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.lang.foreign.MemorySegment;

/** {@link TensorOp.Recurrent}, one direction after another. The backward pass computes the forward pass again. */
final class Recurrence implements Computation {
    private final TensorOp.Recurrent op;
    private final Product product;
    private final int sequence;
    private final int hidden;
    /** Values of all gates in a step. */
    private final int gates;
    /** Values of one direction's output, and of all. */
    private final int way;
    private final int size;

    Recurrence(TensorOp.Recurrent op, Shape input, Product product) {
        this.op = op;
        this.product = product;
        this.sequence = input.fromEnd(2);
        this.hidden = op.hidden();
        this.gates = Math.multiplyExact(op.cell().gates(), hidden);
        this.way = Math.multiplyExact(op.rows(sequence), hidden);
        this.size = Math.multiplyExact(way, op.direction().count());
        Math.multiplyExact(sequence, gates);
    }

    @Override
    public Reads reads() {
        return Reads.INPUTS;
    }

    @Override
    public long scratchBytes(int n) {
        return Float.BYTES * ((long) n * (sequence * (gates + (long) hidden) + 2L * hidden)
                + (hidden + 1L) * gates);
    }

    @Override
    public long backwardScratchBytes(int n) {
        return scratchBytes(n) + Float.BYTES * (long) n * (way + (sequence + 3L) * hidden);
    }

    @Override
    public void forward(int n, MemorySegment[] x, MemorySegment y, MemorySegment scratch) {
        for (int d = 0; d < op.direction().count(); d++) {
            new Way(n, x, d, scratch).forward(new Rows(y, (long) d * way, size));
        }
    }

    @Override
    public void backward(int n, MemorySegment[] x, MemorySegment y, MemorySegment dy, MemorySegment[] dx,
            MemorySegment scratch) {
        for (int d = 0; d < op.direction().count(); d++) {
            new Way(n, x, d, scratch).backward(new Rows(dy, (long) d * way, size), dx);
        }
    }

    /** A pass in one direction, and its working memory. */
    private final class Way {
        private final int n;
        private final MemorySegment[] x;
        private final int direction;
        private final MemorySegment scratch;
        private final GateSteps steps;
        private final MemorySegment weight;
        private final MemorySegment recurrence;
        /** {@code [n, sequence, gates]}: what gates are activated from, then gates, then their gradients. */
        private final MemorySegment activations;
        /** {@code [n, sequence, hidden]}: cell states, states after the reset, or the recurrent parts of hidden gates. */
        private final MemorySegment kept;
        /** {@code [n, hidden]}: the states before the first step. */
        private final Rows firstHidden;
        private final Rows firstCell;
        /** The recurrent weights with inputs as rows, {@code [hidden, gates]}: read in their order in each step. */
        private final MemorySegment transposed;
        private final MemorySegment bias;
        private long taken;

        Way(int n, MemorySegment[] x, int direction, MemorySegment scratch) {
            this.n = n;
            this.x = x;
            this.direction = direction;
            this.scratch = scratch;
            this.steps = new GateSteps(n, hidden);
            this.weight = ofDirection(x[1], gates * op.in());
            this.recurrence = ofDirection(x[2], gates * hidden);
            this.activations = take((long) n * sequence * gates);
            this.kept = take((long) n * sequence * hidden);
            this.firstHidden = Rows.of(take((long) n * hidden), hidden);
            this.firstCell = Rows.of(take((long) n * hidden), hidden);
            this.transposed = take((long) hidden * gates);
            this.bias = take(gates);
        }

        private MemorySegment take(long floats) {
            MemorySegment part = scratch.asSlice(taken * Float.BYTES, floats * Float.BYTES);
            taken += floats;
            return part;
        }

        private MemorySegment ofDirection(MemorySegment tensor, int count) {
            return tensor.asSlice((long) direction * count * Float.BYTES, (long) count * Float.BYTES);
        }

        /** The step that is computed as the {@code index}-th. */
        private int step(int index) {
            return op.direction().isReverse(direction) ? sequence - 1 - index : index;
        }

        private Rows gates(int step) {
            return new Rows(activations, (long) step * gates, sequence * gates);
        }

        private Rows kept(int step) {
            return new Rows(kept, (long) step * hidden, sequence * hidden);
        }

        private Rows cellBefore(int index) {
            return index == 0 ? firstCell : kept(step(index - 1));
        }

        private Rows hiddenBefore(int index, Rows y) {
            return index == 0 ? firstHidden : y.from((long) step(index - 1) * hidden);
        }

        void forward(Rows y) {
            begin();
            for (int index = 0; index < sequence; index++) {
                Rows now = gates(step(index));
                Rows before = hiddenBefore(index, y);
                Rows after = y.from((long) step(index) * hidden);
                Rows own = kept(step(index));
                switch (op.cell()) {
                    case LSTM -> {
                        addRecurrent(before, 0, gates, now);
                        steps.lstm(now, cellBefore(index), own, after);
                    }
                    case GRU -> {
                        addRecurrent(before, 0, 2 * hidden, now);
                        steps.reset(now, before, own);
                        addRecurrent(own, 2 * hidden, hidden, now.from(2L * hidden));
                        steps.update(now, before, after);
                    }
                    case GRU_RESET_AFTER -> {
                        addRecurrent(before, 0, 2 * hidden, now);
                        for (int s = 0; s < n; s++) {
                            Floats.copy(ofDirection(x[4], gates), 2L * hidden, kept, own.at() + (long) s * own.stride(),
                                    hidden);
                        }
                        addRecurrent(before, 2 * hidden, hidden, own);
                        steps.resetAfter(now, own);
                        steps.update(now, before, after);
                    }
                }
            }
            if (op.cell().hasCellState()) {
                copy(kept(step(sequence - 1)), y.from((long) sequence * hidden));
            }
        }

        /** The parts of all gates that come from the input and from the biases, and the first states. */
        private void begin() {
            MemorySegment ofInput = ofDirection(x[3], gates);
            MemorySegment ofState = ofDirection(x[4], gates);
            boolean apart = op.cell() == TensorOp.Cell.GRU_RESET_AFTER;
            for (int i = 0; i < gates; i++) {
                float second = apart && i >= 2 * hidden ? 0 : Floats.get(ofState, i);
                Floats.set(bias, i, Floats.get(ofInput, i) + second);
            }
            int all = n * sequence;
            for (int row = 0; row < all; row++) {
                Floats.copy(bias, 0, activations, (long) row * gates, gates);
            }
            product.sgemm(false, true, all, gates, op.in(), 1, x[0], op.in(), weight, op.in(), 1, activations, gates);
            for (int i = 0; i < gates; i++) {
                for (int k = 0; k < hidden; k++) {
                    Floats.set(transposed, (long) k * gates + i, Floats.get(recurrence, (long) i * hidden + k));
                }
            }
            first(firstHidden, 5);
            first(firstCell, 6);
        }

        private void first(Rows states, int tensor) {
            for (int s = 0; s < n; s++) {
                if (tensor < x.length) {
                    Floats.copy(ofDirection(x[tensor], hidden), 0, states.memory(), (long) s * hidden, hidden);
                } else {
                    Floats.clear(Floats.from(states.memory(), (long) s * hidden), hidden);
                }
            }
        }

        private void copy(Rows from, Rows into) {
            for (int s = 0; s < n; s++) {
                Floats.copy(from.memory(), from.at() + (long) s * from.stride(), into.memory(),
                        into.at() + (long) s * into.stride(), hidden);
            }
        }

        /** Adds the product of states and the recurrent weights of some gates. */
        private void addRecurrent(Rows states, int firstGate, int count, Rows sums) {
            product.sgemm(false, false, n, count, hidden, 1, states.segment(), states.stride(),
                    Floats.from(transposed, firstGate), gates, 1, sums.segment(), sums.stride());
        }

        void backward(Rows dy, MemorySegment[] dx) {
            Rows y = Rows.of(take((long) n * way), way);
            MemorySegment before = take((long) n * sequence * hidden);
            Rows ofHidden = Rows.of(take((long) n * hidden), hidden);
            Rows ofCell = Rows.of(take((long) n * hidden), hidden);
            Rows ofReset = Rows.of(take((long) n * hidden), hidden);
            forward(y);
            Floats.clear(ofHidden.memory(), (long) n * hidden);
            if (op.cell().hasCellState()) {
                copy(dy.from((long) sequence * hidden), ofCell);
            }
            for (int index = sequence - 1; index >= 0; index--) {
                int step = step(index);
                Rows now = gates(step);
                Rows old = new Rows(before, (long) step * hidden, sequence * hidden);
                copy(hiddenBefore(index, y), old);
                add(dy.from((long) step * hidden), ofHidden);
                switch (op.cell()) {
                    case LSTM -> {
                        steps.lstmBackward(now, cellBefore(index), kept(step), ofHidden, ofCell);
                        toStates(now, 0, gates, 0, ofHidden);
                    }
                    case GRU -> {
                        steps.updateBackward(now, old, ofHidden);
                        toStates(now.from(2L * hidden), 2 * hidden, hidden, 0, ofReset);
                        steps.resetBackward(now, old, ofReset, ofHidden);
                        toStates(now, 0, 2 * hidden, 1, ofHidden);
                    }
                    case GRU_RESET_AFTER -> {
                        steps.updateBackward(now, old, ofHidden);
                        steps.resetAfterBackward(now, kept(step));
                        toStates(kept(step), 2 * hidden, hidden, 1, ofHidden);
                        toStates(now, 0, 2 * hidden, 1, ofHidden);
                    }
                }
            }
            deliver(before, dx);
        }

        private void add(Rows addend, Rows sum) {
            float[] left = Blocks.mine()[0];
            float[] right = Blocks.mine()[1];
            for (int s = 0; s < n; s++) {
                for (int unit = 0; unit < hidden; unit += Blocks.SIZE) {
                    int count = Math.min(Blocks.SIZE, hidden - unit);
                    addend.load(s, unit, left, count);
                    sum.load(s, unit, right, count);
                    for (int i = 0; i < count; i++) {
                        right[i] += left[i];
                    }
                    sum.store(right, s, unit, count);
                }
            }
        }

        /** The gradients of states from those of some gates, added to {@code beta} times what is there. */
        private void toStates(Rows ofGates, int firstGate, int count, float beta, Rows states) {
            product.sgemm(false, false, n, hidden, count, 1, ofGates.segment(), ofGates.stride(),
                    Floats.from(recurrence, (long) firstGate * hidden), hidden, beta, states.segment(),
                    states.stride());
        }

        private void deliver(MemorySegment before, MemorySegment[] dx) {
            int all = n * sequence;
            if (dx[0] != null) {
                product.sgemm(false, false, all, op.in(), gates, 1, activations, gates, weight, op.in(),
                        direction == 0 ? 0 : 1, dx[0], op.in());
            }
            if (dx[1] != null) {
                product.sgemm(true, false, gates, op.in(), all, 1, activations, gates, x[0], op.in(), 0,
                        ofDirection(dx[1], gates * op.in()), op.in());
            }
            if (dx[2] != null) {
                deliverRecurrence(before, ofDirection(dx[2], gates * hidden));
            }
            if (dx[3] != null) {
                sumRows(activations, gates, gates, dx[3], 0);
            }
            if (dx[4] != null) {
                sumRows(activations, gates, gates, dx[4], 0);
            }
            if (dx[4] != null && op.cell() == TensorOp.Cell.GRU_RESET_AFTER) {
                sumRows(kept, hidden, hidden, dx[4], 2 * hidden);
            }
        }

        private void deliverRecurrence(MemorySegment before, MemorySegment gradient) {
            int all = n * sequence;
            MemorySegment last = Floats.from(gradient, 2L * hidden * hidden);
            switch (op.cell()) {
                case LSTM -> product.sgemm(true, false, gates, hidden, all, 1, activations, gates, before, hidden, 0,
                        gradient, hidden);
                case GRU -> {
                    product.sgemm(true, false, 2 * hidden, hidden, all, 1, activations, gates, before, hidden, 0,
                            gradient, hidden);
                    product.sgemm(true, false, hidden, hidden, all, 1, Floats.from(activations, 2L * hidden), gates,
                            kept, hidden, 0, last, hidden);
                }
                case GRU_RESET_AFTER -> {
                    product.sgemm(true, false, 2 * hidden, hidden, all, 1, activations, gates, before, hidden, 0,
                            gradient, hidden);
                    product.sgemm(true, false, hidden, hidden, all, 1, kept, hidden, before, hidden, 0, last, hidden);
                }
            }
        }

        /** Sums the rows of a matrix of {@code n * sequence} rows into a bias of all directions. */
        private void sumRows(MemorySegment matrix, int columns, int stride, MemorySegment into, int first) {
            for (int i = 0; i < columns; i++) {
                double sum = 0;
                for (int row = 0; row < n * sequence; row++) {
                    sum += Floats.get(matrix, (long) row * stride + i);
                }
                Floats.set(into, (long) direction * gates + first + i, sum);
            }
        }
    }
}
