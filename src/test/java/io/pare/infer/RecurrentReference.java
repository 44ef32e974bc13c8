package io.pare.infer;

import io.pare.infer.ReferenceNet.Bounded;
import io.pare.infer.ReferenceNet.Sum;
import io.pare.net.TensorOp.Cell;
import io.pare.net.TensorOp.Recurrent;
import java.util.List;

/** A recurrent layer on one sequence by ONNX's formulas, unit by unit, in double precision and with bounds. */
final class RecurrentReference {
    private final Recurrent op;
    private final int sequence;
    private final List<Bounded> x;

    /** @param x the sequence, then the layer's tensors */
    RecurrentReference(Recurrent op, int sequence, List<Bounded> x) {
        this.op = op;
        this.sequence = sequence;
        this.x = x;
    }

    void into(Bounded y) {
        int rows = op.rows(sequence);
        for (int d = 0; d < op.direction().count(); d++) {
            Bounded state = first(d, 5);
            Bounded cell = first(d, 6);
            for (int index = 0; index < sequence; index++) {
                int t = op.direction().isReverse(d) ? sequence - 1 - index : index;
                Bounded next = new Bounded(op.hidden());
                Bounded nextCell = new Bounded(op.hidden());
                Bounded after = new Bounded(op.hidden());
                for (int j = 0; op.cell() == Cell.GRU && j < op.hidden(); j++) {
                    times(gate(d, t, 1, j, state), at(state, j)).put(after, j);
                }
                for (int j = 0; j < op.hidden(); j++) {
                    step(d, t, j, state, cell, after, next, nextCell);
                }
                state = next;
                cell = nextCell;
                copy(state, y, (d * rows + t) * op.hidden());
            }
            if (op.cell() == Cell.LSTM) {
                copy(cell, y, (d * rows + sequence) * op.hidden());
            }
        }
    }

    private void step(int d, int t, int j, Bounded state, Bounded cell, Bounded after, Bounded next,
            Bounded nextCell) {
        switch (op.cell()) {
            case LSTM -> {
                Number fresh = tanh(sum(d, t, 3, j, state));
                Number kept = plus(times(gate(d, t, 2, j, state), at(cell, j)), times(gate(d, t, 0, j, state), fresh));
                kept.put(nextCell, j);
                times(gate(d, t, 1, j, state), tanh(kept)).put(next, j);
            }
            case GRU -> mixed(gate(d, t, 0, j, state), tanh(sum(d, t, 2, j, after)), at(state, j)).put(next, j);
            case GRU_RESET_AFTER -> {
                Number reset = times(gate(d, t, 1, j, state), fromState(d, 2, j, state));
                mixed(gate(d, t, 0, j, state), tanh(plus(fromInput(d, t, 2, j), reset)), at(state, j)).put(next, j);
            }
        }
    }

    /** A value and how far it may be off. */
    private record Number(double value, double error) {
        void put(Bounded into, int at) {
            into.values()[at] = value;
            into.errors()[at] = error;
        }
    }

    private static Number at(Bounded of, int index) {
        return new Number(of.values()[index], of.errors()[index]);
    }

    private static Number rounded(double value, double error) {
        return new Number(value, error + ReferenceNet.ROUNDING * Math.abs(value));
    }

    private static Number times(Number a, Number b) {
        return rounded(a.value * b.value,
                Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + a.error * b.error);
    }

    private static Number plus(Number a, Number b) {
        return rounded(a.value + b.value, a.error + b.error);
    }

    private static Number mixed(Number share, Number fresh, Number old) {
        return plus(times(rounded(1 - share.value, share.error), fresh), times(share, old));
    }

    private static Number tanh(Number of) {
        return new Number(Math.tanh(of.value), of.error + ReferenceNet.POWER * ReferenceNet.ROUNDING);
    }

    private Number gate(int d, int t, int gate, int j, Bounded state) {
        Number sum = sum(d, t, gate, j, state);
        // The logistic function is nowhere steeper than 1/4.
        return new Number(1 / (1 + Math.exp(-sum.value)), sum.error / 4 + ReferenceNet.POWER * ReferenceNet.ROUNDING);
    }

    private Number sum(int d, int t, int gate, int j, Bounded state) {
        return plus(fromInput(d, t, gate, j), fromState(d, gate, j, state));
    }

    private int row(int d, int gate, int j) {
        return (d * op.cell().gates() + gate) * op.hidden() + j;
    }

    private Number fromInput(int d, int t, int gate, int j) {
        return product(x.get(3), x.get(1), row(d, gate, j), op.in(), x.getFirst(), t * op.in());
    }

    private Number fromState(int d, int gate, int j, Bounded state) {
        return product(x.get(4), x.get(2), row(d, gate, j), op.hidden(), state, 0);
    }

    private static Number product(Bounded bias, Bounded weight, int row, int count, Bounded of, int from) {
        Sum sum = new Sum(bias.values()[row]);
        for (int k = 0; k < count; k++) {
            sum.add(weight, row * count + k, of, from + k);
        }
        Bounded one = new Bounded(1);
        sum.into(one, 0);
        return at(one, 0);
    }

    private Bounded first(int d, int tensor) {
        Bounded state = new Bounded(op.hidden());
        for (int j = 0; tensor < x.size() && j < op.hidden(); j++) {
            state.set(j, x.get(tensor), d * op.hidden() + j);
        }
        return state;
    }

    private static void copy(Bounded from, Bounded into, int at) {
        for (int j = 0; j < from.values().length; j++) {
            into.set(at + j, from, j);
        }
    }
}
