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
        new Trial(op, List.of(Shape.of(SEQUENCE, op.in())), 200, 3).check(20);
    }

    /** States wider than a block of values are computed in parts. */
    @ParameterizedTest
    @MethodSource("wide")
    void takesAnyWidth(TensorOp.Recurrent op) {
        new Trial(op, List.of(Shape.of(2, op.in())), 2000, 4).check(2);
    }

    static Stream<TensorOp.Recurrent> wide() {
        return Stream.of(Cell.values())
                .map(cell -> new TensorOp.Recurrent(cell, 1, Blocks.SIZE + 3, Direction.FORWARD, false));
    }
}
