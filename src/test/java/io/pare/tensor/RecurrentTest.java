package io.pare.tensor;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.TensorOp.Cell;
import io.pare.net.TensorOp.Direction;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Recurrent layers against ONNX's formulas in double precision, unit by unit. */
class RecurrentTest {
    private static final int SEQUENCE = 5;

    static Stream<TensorOp.Recurrent> layers() {
        return Stream.of(Cell.values()).flatMap(cell -> Stream.of(Direction.values())
                .flatMap(direction -> Stream.of(true, false)
                        .map(stateful -> new TensorOp.Recurrent(cell, 3, 4, direction, stateful))));
    }

    @ParameterizedTest
    @MethodSource("layers")
    void computesAsItsFormulasSay(TensorOp.Recurrent op) {
        new Trial(op, List.of(Shape.of(SEQUENCE, op.in())), x -> reference(op, SEQUENCE, x), 200, 3).check(20);
    }

    /** States wider than a block of values are computed in parts. */
    @ParameterizedTest
    @MethodSource("wide")
    void takesAnyWidth(TensorOp.Recurrent op) {
        new Trial(op, List.of(Shape.of(2, op.in())), x -> reference(op, 2, x), 2000, 4).check(2);
    }

    static Stream<TensorOp.Recurrent> wide() {
        return Stream.of(Cell.values())
                .map(cell -> new TensorOp.Recurrent(cell, 1, Blocks.SIZE + 3, Direction.FORWARD, false));
    }

    private static double[] reference(TensorOp.Recurrent op, int sequence, double[][] x) {
        int rows = op.rows(sequence);
        double[] y = new double[op.direction().count() * rows * op.hidden()];
        for (int d = 0; d < op.direction().count(); d++) {
            double[] state = first(op, d, x, 5);
            double[] cell = first(op, d, x, 6);
            for (int index = 0; index < sequence; index++) {
                int t = op.direction().isReverse(d) ? sequence - 1 - index : index;
                double[] next = new double[op.hidden()];
                double[] nextCell = new double[op.hidden()];
                double[] after = new double[op.hidden()];
                for (int j = 0; j < after.length; j++) {
                    after[j] = op.cell() == Cell.GRU ? logistic(gate(op, d, x, t, 1, j, state)) * state[j] : 0;
                }
                for (int j = 0; j < op.hidden(); j++) {
                    switch (op.cell()) {
                        case LSTM -> {
                            double in = logistic(gate(op, d, x, t, 0, j, state));
                            double out = logistic(gate(op, d, x, t, 1, j, state));
                            double forget = logistic(gate(op, d, x, t, 2, j, state));
                            nextCell[j] = forget * cell[j] + in * Math.tanh(gate(op, d, x, t, 3, j, state));
                            next[j] = out * Math.tanh(nextCell[j]);
                        }
                        case GRU -> {
                            double update = logistic(gate(op, d, x, t, 0, j, state));
                            next[j] = (1 - update) * Math.tanh(gate(op, d, x, t, 2, j, after)) + update * state[j];
                        }
                        case GRU_RESET_AFTER -> {
                            double update = logistic(gate(op, d, x, t, 0, j, state));
                            double reset = logistic(gate(op, d, x, t, 1, j, state));
                            double fresh = Math.tanh(fromInput(op, d, x, t, 2, j)
                                    + reset * fromState(op, d, x, 2, j, state));
                            next[j] = (1 - update) * fresh + update * state[j];
                        }
                    }
                }
                state = next;
                cell = nextCell;
                System.arraycopy(state, 0, y, (d * rows + t) * op.hidden(), op.hidden());
            }
            if (op.cell() == Cell.LSTM) {
                System.arraycopy(cell, 0, y, (d * rows + sequence) * op.hidden(), op.hidden());
            }
        }
        return y;
    }

    private static double[] first(TensorOp.Recurrent op, int d, double[][] x, int tensor) {
        double[] state = new double[op.hidden()];
        if (tensor < x.length) {
            System.arraycopy(x[tensor], d * op.hidden(), state, 0, op.hidden());
        }
        return state;
    }

    private static double gate(TensorOp.Recurrent op, int d, double[][] x, int t, int gate, int j, double[] state) {
        return fromInput(op, d, x, t, gate, j) + fromState(op, d, x, gate, j, state);
    }

    private static double fromInput(TensorOp.Recurrent op, int d, double[][] x, int t, int gate, int j) {
        int row = (d * op.cell().gates() + gate) * op.hidden() + j;
        double sum = x[3][row];
        for (int k = 0; k < op.in(); k++) {
            sum += x[1][row * op.in() + k] * x[0][t * op.in() + k];
        }
        return sum;
    }

    private static double fromState(TensorOp.Recurrent op, int d, double[][] x, int gate, int j, double[] state) {
        int row = (d * op.cell().gates() + gate) * op.hidden() + j;
        double sum = x[4][row];
        for (int k = 0; k < op.hidden(); k++) {
            sum += x[2][row * op.hidden() + k] * state[k];
        }
        return sum;
    }

    private static double logistic(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
