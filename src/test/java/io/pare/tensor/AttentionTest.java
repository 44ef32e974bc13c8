package io.pare.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.blas.Gemm;
import io.pare.net.Shape;
import io.pare.net.TensorOp.Attention;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention in blocks of rows, over long rows, and of masks that leave nothing. */
class AttentionTest {
    private static final float INFINITE = Float.NEGATIVE_INFINITY;

    static Stream<Arguments> large() {
        int many = Blocks.SIZE + 5;
        return Stream.of(
                // Rows that are longer than a block of an array.
                Arguments.of(new Attention(0.5f, true, false),
                        List.of(Shape.of(2, 2), Shape.of(many, 2), Shape.of(many, 1), Shape.of(many))),
                Arguments.of(new Attention(0.5f, false, true),
                        List.of(Shape.of(2, 2, 1), Shape.of(many, 2, 1), Shape.of(many, 2, 2))),
                // More rows than are computed at a time.
                Arguments.of(new Attention(1, true, false),
                        List.of(Shape.of(many, 1), Shape.of(2, 1), Shape.of(2, 2), Shape.of(many, 2))),
                Arguments.of(new Attention(1, false, true),
                        List.of(Shape.of(1000, 1, 1), Shape.of(70, 1, 1), Shape.of(70, 1, 1))));
    }

    @ParameterizedTest
    @MethodSource("large")
    void blocksMakeNoDifference(Attention op, List<Shape> shapes) {
        new Trial(op, shapes, 200, 3).check(6);
    }

    /** One query, one feature: the scores are the mask. */
    private static float[] masked(Product product, float[] mask, float... values) {
        int columns = mask.length;
        Computation computation = Computation.of(new Attention(1, true, false),
                List.of(Shape.of(1, 1), Shape.of(columns, 1), Shape.of(columns, 1), Shape.of(columns)), product);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment[] x = Stream.of(new float[1], new float[columns], values, mask)
                    .map(each -> arena.allocateFrom(ValueLayout.JAVA_FLOAT, each)).toArray(MemorySegment[]::new);
            MemorySegment y = arena.allocateFrom(ValueLayout.JAVA_FLOAT, Float.NaN);
            computation.forward(1, x, y, arena.allocate(computation.scratchBytes(1), Float.BYTES));
            MemorySegment dy = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
            MemorySegment[] dx = Arrays.stream(x).map(each -> arena.allocate(each.byteSize(), Float.BYTES))
                    .toArray(MemorySegment[]::new);
            computation.backward(1, x, y, dy, dx, arena.allocate(computation.backwardScratchBytes(1), Float.BYTES));
            float[] all = new float[1 + columns];
            all[0] = y.getAtIndex(ValueLayout.JAVA_FLOAT, 0);
            MemorySegment.copy(dx[2], ValueLayout.JAVA_FLOAT, 0, all, 1, columns);
            return all;
        }
    }

    static Stream<Product> products() {
        return Stream.of(Product.JAVA, Gemm::sgemm);
    }

    /** The output, then the share of each value. */
    @ParameterizedTest
    @MethodSource("products")
    void maskedValuesHaveNoShare(Product product) {
        assertArrayEquals(new float[]{3, 0, 1, 0}, masked(product, new float[]{INFINITE, 0, INFINITE}, 1, 3, 5));
        assertArrayEquals(new float[]{3, 0, 1, 0},
                masked(product, new float[]{-Float.MAX_VALUE, 0, -Float.MAX_VALUE}, 1, 3, 5));
        // Nothing is left: no NaN, but zeros.
        assertArrayEquals(new float[]{0, 0, 0}, masked(product, new float[]{INFINITE, INFINITE}, 1, 3));
        // The lowest number is a number, as it is in ONNX Runtime's softmax.
        assertArrayEquals(new float[]{2, 0.5f, 0.5f},
                masked(product, new float[]{-Float.MAX_VALUE, -Float.MAX_VALUE}, 1, 3));
        assertArrayEquals(new float[]{3, 0, 1}, masked(product, new float[]{-1e30f, 1e30f}, 1, 3));
        assertTrue(Float.isNaN(masked(product, new float[]{0, Float.NaN}, 1, 3)[0]));
        float[] scores = new float[3 * Blocks.SIZE];
        Arrays.fill(scores, INFINITE);
        float[] values = new float[scores.length];
        assertEquals(0, masked(product, scores, values)[0]);
        scores[scores.length - 1] = -1e30f;
        values[scores.length - 1] = 7;
        assertEquals(7, masked(product, scores, values)[0]);
    }

    @Test
    void workingMemoryHoldsFewRows() {
        List<Shape> shapes = List.of(Shape.of(12, 4096, 32), Shape.of(12, 4096, 32), Shape.of(12, 4096, 32));
        Computation computation = Computation.of(new Attention(1, false, false), shapes, Product.JAVA);
        assertEquals(16 * 4096 * Float.BYTES, computation.scratchBytes(8));
        assertEquals(Computation.Reads.INPUTS, computation.reads());
    }

    @Test
    void refusesWhatDoesNotFit() {
        Attention plain = new Attention(1, false, false);
        Attention masked = new Attention(1, true, false);
        Shape of = Shape.of(4, 3);
        assertEquals(Shape.of(2, 4, 6),
                masked.output(List.of(of, Shape.of(5, 3), Shape.of(5, 6), Shape.of(2, 1, 5))));
        refused(plain, of, Shape.of(5, 2), Shape.of(5, 6));
        refused(plain, of, Shape.of(5, 3), Shape.of(4, 6));
        refused(plain, Shape.of(3), Shape.of(5, 3), Shape.of(5, 6));
        refused(masked, of, Shape.of(5, 3), Shape.of(5, 6), Shape.of(4));
        refused(masked, of, Shape.of(5, 3), Shape.of(5, 6), Shape.of(5, 1));
        refused(masked, Shape.of(1, 3), Shape.of(5, 3), Shape.of(5, 6), Shape.of(4, 5));
        refused(new Attention(1, false, true), of, Shape.of(5, 3), Shape.of(5, 6));
        assertThrows(IllegalArgumentException.class, () -> new Attention(Float.NaN, false, false));
    }

    private static void refused(Attention op, Shape... inputs) {
        assertThrows(IllegalArgumentException.class, () -> op.output(List.of(inputs)));
    }
}
