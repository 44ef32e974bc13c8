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
        new Trial(op, List.of(INPUT), x -> reference(op, INPUT, x[0]), 100, 5).check(20);
    }

    @Test
    void computesRowsLongerThanABlock() {
        Shape input = Shape.of(3, Blocks.SIZE + 7);
        Resize op = Resize.of(input, Shape.of(6, Blocks.SIZE + 7), Interpolation.LINEAR, Coordinates.HALF_PIXEL);
        new Trial(op, List.of(input), x -> reference(op, input, x[0]), 50, 6).check(2);
    }

    @Test
    void passesOnWhatHasItsSizeAlready() {
        Resize op = Resize.of(INPUT, INPUT, Interpolation.CUBIC, Coordinates.HALF_PIXEL);
        new Trial(op, List.of(INPUT), x -> x[0], 1, 7).check(20);
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

    private static double[] reference(Resize op, Shape input, double[] x) {
        double[] values = x;
        int inner = input.features();
        for (int axis = 0; axis < input.rank(); axis++) {
            int in = input.sizes().get(axis);
            int out = op.to().sizes().get(axis);
            inner /= in;
            double[] resized = new double[values.length / in * out];
            for (int i = 0; i < out; i++) {
                for (int k = 0; k < in; k++) {
                    double weight = weight(op, op.scales().get(axis), i, k, in, out);
                    for (int at = 0; weight != 0 && at < values.length / in; at++) {
                        int o = at / inner;
                        resized[(o * out + i) * inner + at % inner] +=
                                weight * values[(o * in + k) * inner + at % inner];
                    }
                }
            }
            values = resized;
        }
        return values;
    }

    /** The weight of value {@code k} of the input in value {@code i} of the output along one axis. */
    private static double weight(Resize op, double scale, int i, int k, int in, int out) {
        if (scale == 1 && in == out) {
            return i == k ? 1 : 0;
        }
        double half = (i + 0.5) / scale - 0.5;
        double at = switch (op.coordinates()) {
            case HALF_PIXEL -> half;
            case PYTORCH_HALF_PIXEL -> out == 1 ? 0 : half;
            case ALIGN_CORNERS -> out == 1 ? 0 : i * (in - 1.0) / (out - 1);
            case ASYMMETRIC -> i / scale;
            case HALF_PIXEL_SYMMETRIC -> in / 2.0 - out / scale / 2 + half;
        };
        if (op.interpolation() == Interpolation.NEAREST) {
            double nearest = switch (op.nearest()) {
                case FLOOR -> Math.floor(at);
                case CEIL -> Math.ceil(at);
                case ROUND_PREFER_CEIL -> Math.floor(at + 0.5);
                case ROUND_PREFER_FLOOR -> -Math.floor(-at + 0.5);
            };
            return Math.clamp((long) nearest, 0, in - 1) == k ? 1 : 0;
        }
        double step = op.antialias() ? Math.min(1, scale) : 1;
        double weight = 0;
        double sum = 0;
        // Far enough for every weight that is not zero.
        for (int place = -40; place < in + 40; place++) {
            double own = kernel(op, Math.abs(place - at) * step);
            boolean inside = place >= 0 && place < in;
            if (inside || !op.excludesOutside()) {
                sum += own;
                weight += Math.clamp(place, 0, in - 1) == k ? own : 0;
            }
        }
        return weight / sum;
    }

    private static double kernel(Resize op, double distance) {
        if (op.interpolation() == Interpolation.LINEAR) {
            return Math.max(0, 1 - distance);
        }
        double a = op.cubic();
        double square = distance * distance;
        return distance <= 1 ? (a + 2) * square * distance - (a + 3) * square + 1
                : distance < 2 ? a * square * distance - 5 * a * square + 8 * a * distance - 4 * a : 0;
    }
}
