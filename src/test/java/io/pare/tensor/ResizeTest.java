package io.pare.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pare.net.Shape;
import io.pare.net.TensorOp.Coordinates;
import io.pare.net.TensorOp.Interpolation;
import io.pare.net.TensorOp.Nearest;
import io.pare.net.TensorOp.Resize;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Resizing against the formulas of ONNX's operator, evaluated in double precision for one output value at a time. */
class ResizeTest {
    private static final Shape INPUT = Shape.of(2, 5, 4);

    static Stream<Resize> operators() {
        List<Resize> all = new ArrayList<>();
        for (Coordinates coordinates : Coordinates.values()) {
            for (Interpolation interpolation : Interpolation.values()) {
                for (Nearest nearest : interpolation == Interpolation.NEAREST
                        ? Nearest.values()
                        : new Nearest[]{Nearest.FLOOR}) {
                    for (boolean flag : new boolean[]{false, true}) {
                        // Powers of two have exact coordinates, so that ties are the same in float and in double.
                        all.add(new Resize(Shape.of(2, 10, 2), List.of(1f, 2f, 0.5f), interpolation, coordinates,
                                nearest, -0.75f, flag, flag));
                        if (interpolation != Interpolation.NEAREST || coordinates != Coordinates.HALF_PIXEL_SYMMETRIC) {
                            all.add(new Resize(Shape.of(1, 8, 1), List.of(0.5f, 1.75f, 0.25f), interpolation,
                                    coordinates, nearest, -0.5f, flag, !flag));
                        }
                    }
                }
            }
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("operators")
    void computesAsItsFormulasSay(Resize op) {
        new Trial(op, List.of(INPUT), 100, 5).check(20);
    }

    @Test
    void computesRowsLongerThanABlock() {
        Shape input = Shape.of(3, Blocks.SIZE + 7);
        Resize op = Resize.of(input, Shape.of(6, Blocks.SIZE + 7), Interpolation.LINEAR, Coordinates.HALF_PIXEL);
        new Trial(op, List.of(input), 50, 6).check(2);
    }

    @Test
    void passesOnWhatHasItsSizeAlready() {
        Resize op = Resize.of(INPUT, INPUT, Interpolation.CUBIC, Coordinates.HALF_PIXEL);
        new Trial(op, List.of(INPUT), 1, 7).check(20);
    }

    /** The values follow from the definition by hand: coordinates -0.25, 0.25, 0.75, 1.25, 1.75, 2.25. */
    @Test
    void interpolatesBetweenPixelCentres() {
        assertArrayEquals(new float[]{1, 1.5f, 2.5f, 4, 6, 7}, resized(Interpolation.LINEAR, Coordinates.HALF_PIXEL));
        assertArrayEquals(new float[]{1, 1, 3, 3, 7, 7}, resized(Interpolation.NEAREST, Coordinates.HALF_PIXEL));
    }

    private static float[] resized(Interpolation interpolation, Coordinates coordinates) {
        float[] y = new float[6];
        Resize op = Resize.of(Shape.of(3), Shape.of(6), interpolation, coordinates);
        Computation.of(op, List.of(Shape.of(3)), Product.JAVA).forward(1,
                new MemorySegment[]{MemorySegment.ofArray(new float[]{1, 3, 7})}, MemorySegment.ofArray(y),
                MemorySegment.NULL);
        return y;
    }

    @Test
    void refusesScalesThatDoNotFitTheSizes() {
        Resize op = new Resize(Shape.of(4), List.of(3f), Interpolation.LINEAR, Coordinates.ASYMMETRIC, Nearest.FLOOR, 0,
                false, false);
        assertThrows(IllegalArgumentException.class, () -> op.output(List.of(Shape.of(2))));
        assertThrows(IllegalArgumentException.class, () -> op.output(List.of(Shape.of(2, 2))));
    }
}
