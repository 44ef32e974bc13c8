package io.pare.format.pare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.TensorOp.Cell;
import io.pare.net.TensorOp.ConvTranspose;
import io.pare.net.TensorOp.Coordinates;
import io.pare.net.TensorOp.Direction;
import io.pare.net.TensorOp.Interpolation;
import io.pare.net.TensorOp.Nearest;
import io.pare.net.TensorOp.Recurrent;
import io.pare.net.TensorOp.Resize;
import io.pare.net.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Operators that are coded as records come back as they were. */
class RecordCoderTest {
    static Stream<TensorOp> operators() {
        return Stream.of(new ConvTranspose(6, 4, Window.square(3, 2, 1).dilated(1, 2), 2, 1, 0, true),
                new Recurrent(Cell.GRU_RESET_AFTER, 3, 1000, Direction.BOTH, true),
                new Resize(Shape.of(2, 9, 5), List.of(1f, 3f, 0.3f), Interpolation.CUBIC,
                        Coordinates.HALF_PIXEL_SYMMETRIC, Nearest.CEIL, -0.5f, true, false));
    }

    @ParameterizedTest
    @MethodSource("operators")
    void readsWhatItWrites(TensorOp op) {
        BitCoder.Writer writer = new BitCoder.Writer();
        assertEquals(op, new RecordCoder(writer).code(op));
        byte[] bytes = writer.finish();
        assertEquals(op, new RecordCoder(new BitCoder.Reader(bytes, 0, bytes.length)).code(null));
    }

    @Test
    void knowsEveryOperator() {
        List<Class<?>> concrete = new ArrayList<>();
        collect(TensorOp.class, concrete);
        assertTrue(RecordCoder.KINDS.containsAll(concrete), () -> concrete + " are not all in " + RecordCoder.KINDS);
        assertEquals(concrete.size(), RecordCoder.KINDS.size());
    }

    private static void collect(Class<?> type, List<Class<?>> into) {
        if (type.isRecord()) {
            into.add(type);
        } else {
            for (Class<?> kind : type.getPermittedSubclasses()) {
                collect(kind, into);
            }
        }
    }
}
