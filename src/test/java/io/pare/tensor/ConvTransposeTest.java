package io.pare.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pare.net.Shape;
import io.pare.net.TensorOp.ConvTranspose;
import io.pare.net.Window;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Transposed convolutions against their definition: each pixel adds its multiple of a kernel. */
class ConvTransposeTest {
    static Stream<ConvTranspose> operators() {
        return Stream.of(new ConvTranspose(2, 3, Window.of(3, 3), 1, 0, 0, true),
                new ConvTranspose(4, 6, Window.square(4, 2, 1), 2, 0, 0, true),
                new ConvTranspose(2, 2, Window.square(3, 2, 1), 1, 1, 1, false),
                new ConvTranspose(3, 3, Window.of(2, 3).by(3, 1).padded(1, 2, 0, 1).dilated(2, 1), 3, 0, 2, true),
                // Rows and columns that no pixel reaches have the bias alone.
                new ConvTranspose(1, 2, Window.of(1, 1).by(3, 3), 1, 2, 2, true),
                // A padding larger than the kernel.
                new ConvTranspose(2, 1, Window.of(2, 2).by(3, 3).padded(3, 4, 3, 2), 1, 0, 0, true));
    }

    @ParameterizedTest
    @MethodSource("operators")
    void addsMultiplesOfItsKernel(ConvTranspose op) {
        Shape input = Shape.of(op.in(), 4, 5);
        new Trial(op, List.of(input), 100, 8).check(20);
    }

    @Test
    void computesRowsLongerThanABlock() {
        ConvTranspose op = new ConvTranspose(1, 1, Window.of(1, 3).by(1, 2).padded(0, 1, 0, 1), 1, 0, 0, true);
        Shape input = Shape.of(1, 1, Blocks.SIZE + 5);
        new Trial(op, List.of(input), 100, 9).check(5);
    }

    @Test
    void hasTheSizeThatItsConvolutionTakes() {
        ConvTranspose op = new ConvTranspose(3, 8, Window.square(4, 2, 1), 1, 0, 1, false);
        assertEquals(Shape.of(8, 14, 19), op.output(List.of(Shape.of(3, 7, 9))));
        assertThrows(IllegalArgumentException.class, () -> op.output(List.of(Shape.of(4, 7, 9))));
        ConvTranspose nothing = new ConvTranspose(3, 8, Window.square(2, 1, 4), 1, 0, 0, false);
        assertThrows(IllegalArgumentException.class, () -> nothing.output(List.of(Shape.of(3, 7, 7))));
    }
}
