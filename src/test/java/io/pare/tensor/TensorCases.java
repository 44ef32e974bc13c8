package io.pare.tensor;

import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import io.pare.net.Reduction;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.TensorOp.Border;
import io.pare.net.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Every operator on tensors with inputs of many shapes, for every test that computes one alone. */
public final class TensorCases {
    private TensorCases() {}

    /** An operator and what it is given; values lie between two numbers, whole ones if they are indices. */
    public record Case(TensorOp op, List<Shape> shapes, float least, float most) {
        @Override
        public String toString() {
            return op + " of " + shapes;
        }

        /** Whether an input counts values rather than being one. */
        public boolean counts(int input) {
            return op instanceof TensorOp.Embedding && input == 0 || op instanceof TensorOp.Gather && input == 1;
        }

        public int limit() {
            return switch (op) {
                case TensorOp.Embedding embedding -> embedding.rows();
                case TensorOp.Gather gather -> shapes.getFirst().sizes().get(gather.axis());
                default -> throw new AssertionError(op);
            };
        }

        /** A value of an input, or of a tensor that follows them. */
        public float value(int input, Random random) {
            return counts(input)
                    ? random.nextInt(2 * limit()) - limit()
                    : op instanceof TensorOp.Choose && input == 0
                            ? random.nextInt(2)
                            : least + random.nextFloat() * (most - least);
        }
    }

    private static Case of(TensorOp op, Shape... shapes) {
        return new Case(op, List.of(shapes), -2, 2);
    }

    private static Shape shape(int... sizes) {
        return Shape.of(sizes);
    }

    public static Stream<Case> all() {
        List<Case> cases = new ArrayList<>();
        cases.add(of(new TensorOp.Constant(shape())));
        cases.add(of(new TensorOp.Constant(shape(2, 3))));
        for (Pointwise function : Pointwise.values()) {
            float a = function == Pointwise.CLIP ? -1 : function == Pointwise.POWER ? 3 : 0.75f;
            TensorOp op = new TensorOp.Map(function, a, 1.25f);
            boolean positive = function == Pointwise.LOG || function == Pointwise.SQRT;
            cases.add(new Case(op, List.of(shape(2, 3)), positive ? 0.25f : -3, 3));
        }
        cases.add(of(new TensorOp.Map(Pointwise.TANH, 0, 0), shape()));
        cases.add(of(new TensorOp.Map(Pointwise.GELU, 0, 0), shape(1, 2, 1, 3, 2)));
        cases.add(new Case(new TensorOp.Map(Pointwise.POWER, 0.5f, 0), List.of(shape(4)), 0.25f, 3));
        cases.add(of(new TensorOp.Map(Pointwise.POWER, 0, 0), shape(4)));
        for (Pairwise function : Pairwise.values()) {
            boolean positive = function == Pairwise.POWER || function == Pairwise.DIVIDE;
            cases.add(new Case(new TensorOp.Zip(function), List.of(shape(2, 3), shape(2, 3)), positive ? 0.5f : -2, 2));
        }
        TensorOp times = new TensorOp.Zip(Pairwise.MULTIPLY);
        cases.add(of(times, shape(), shape()));
        cases.add(of(times, shape(), shape(3)));
        cases.add(of(times, shape(2, 3, 4), shape(2, 1, 1)));
        cases.add(of(times, shape(4), shape(2, 3, 1)));
        cases.add(of(times, shape(2, 1, 2, 1), shape(3, 1, 4)));
        cases.add(of(times, shape(1, 2, 1, 3, 1), shape(2, 1, 2, 1, 2)));
        TensorOp choose = new TensorOp.Choose();
        cases.add(new Case(choose, List.of(shape(2, 3), shape(2, 3), shape(2, 3)), 0, 1));
        cases.add(new Case(choose, List.of(shape(3, 1), shape(), shape(2, 1, 4)), 0, 1));
        for (Reduction function : Reduction.values()) {
            cases.add(of(new TensorOp.Reduce(function, List.of(0), false), shape(4)));
            cases.add(of(new TensorOp.Reduce(function, List.of(1), true), shape(2, 3, 2)));
            cases.add(of(new TensorOp.Reduce(function, List.of(0, 2), false), shape(2, 3, 4)));
            cases.add(of(new TensorOp.Reduce(function, List.of(1, 3), true), shape(2, 2, 2, 3, 2)));
            cases.add(of(new TensorOp.Reduce(function, List.of(0, 1), false), shape(2, 1)));
        }
        for (boolean logarithm : new boolean[]{false, true}) {
            cases.add(of(new TensorOp.Softmax(0, logarithm), shape(5)));
            cases.add(of(new TensorOp.Softmax(1, logarithm), shape(2, 3, 4)));
            cases.add(new Case(new TensorOp.Softmax(3, logarithm), List.of(shape(2, 1, 2, 4)), -90, 90));
        }
        cases.add(of(new TensorOp.Reshape(shape()), shape(1, 1)));
        cases.add(of(new TensorOp.Reshape(shape(3, 2, 2)), shape(2, 6)));
        cases.add(of(new TensorOp.Transpose(List.of()), shape()));
        cases.add(of(new TensorOp.Transpose(List.of(1, 0)), shape(2, 3)));
        cases.add(of(new TensorOp.Transpose(List.of(2, 4, 0, 3, 1)), shape(2, 3, 1, 2, 3)));
        cases.add(of(new TensorOp.Slice(List.of(), List.of(), shape()), shape()));
        cases.add(of(new TensorOp.Slice(List.of(4, 0), List.of(-2, 3), shape(3, 2)), shape(5, 4)));
        cases.add(of(new TensorOp.Slice(List.of(0, 1, 2), List.of(1, -1, 1), shape(2, 2, 1)), shape(2, 3, 3)));
        cases.add(of(new TensorOp.Expand(shape(2, 3)), shape()));
        cases.add(of(new TensorOp.Expand(shape(2, 3, 4)), shape(3, 1)));
        cases.add(of(new TensorOp.Expand(shape(2, 2, 2, 1, 2)), shape(2, 1, 1, 2)));
        for (Border border : Border.values()) {
            cases.add(of(new TensorOp.Pad(List.of(2), List.of(1), border, 1.5f), shape(3)));
            cases.add(of(new TensorOp.Pad(List.of(0, 1, 2), List.of(1, 0, 2), border, -0.5f), shape(2, 2, 3)));
            cases.add(of(new TensorOp.Pad(List.of(0, 0), List.of(0, 0), border, 0), shape(1, 2)));
        }
        cases.add(of(new TensorOp.Take(0, List.of(2, 0, 2, 2)), shape(3)));
        cases.add(of(new TensorOp.Take(1, List.of(1)), shape(2, 3, 2)));
        cases.add(of(new TensorOp.Join(1, 0), shape(2)));
        cases.add(of(new TensorOp.Join(3, 0), shape(2, 2), shape(1, 2), shape(3, 2)));
        cases.add(of(new TensorOp.Join(2, 2), shape(2, 2, 1, 2), shape(2, 2, 3, 2)));
        cases.add(of(new TensorOp.MatMul(), shape(2, 3), shape(3, 4)));
        cases.add(of(new TensorOp.MatMul(), shape(1, 1), shape(1, 1)));
        cases.add(of(new TensorOp.MatMul(), shape(2, 2, 3), shape(3, 2)));
        cases.add(of(new TensorOp.MatMul(), shape(2, 3), shape(3, 1, 3, 2)));
        cases.add(of(new TensorOp.MatMul(), shape(2, 1, 2, 5), shape(3, 5, 2)));
        cases.add(of(new TensorOp.MatMul(), shape(2, 2, 17), shape(2, 17, 19)));
        for (boolean rowsFirst : new boolean[]{false, true}) {
            TensorOp plain = new TensorOp.Attention(0.5f, false, rowsFirst);
            TensorOp masked = new TensorOp.Attention(-1.25f, true, rowsFirst);
            cases.add(of(plain, shape(2, 2, 3), shape(2, 2, 3), shape(2, 2, 5)));
            cases.add(of(plain, shape(1, 1, 1), shape(1, 1, 1), shape(1, 1, 1)));
            cases.add(of(masked, shape(3, 3, 2), shape(3, 3, 2), shape(3, 3, 2), shape(3, 3)));
            cases.add(of(masked, shape(2, 2, 2), shape(2, 2, 2), shape(2, 2, 2), shape(3, 2, 1, 2)));
            cases.add(of(masked, shape(3, 2, 2, 4), shape(2, 2, 4), shape(1, 2, 2, 1), shape()));
        }
        TensorOp attention = new TensorOp.Attention(0.7f, true, false);
        cases.add(of(attention, shape(4, 3), shape(5, 3), shape(5, 2), shape(4, 5)));
        cases.add(of(attention, shape(4, 3), shape(5, 3), shape(5, 2), shape(5)));
        cases.add(of(attention, shape(4, 3), shape(1, 3), shape(1, 2), shape(4, 1)));
        cases.add(of(attention, shape(2, 2, 3), shape(5, 3), shape(3, 1, 5, 2), shape(2, 2, 1)));
        cases.add(of(new TensorOp.Attention(0.2f, true, true), shape(4, 2, 3), shape(5, 2, 3), shape(5, 2, 6),
                shape(4, 5)));
        cases.add(of(new TensorOp.Attention(0.2f, false, true), shape(4, 3, 3), shape(5, 1, 3), shape(5, 1, 2)));
        cases.add(new Case(new TensorOp.Attention(1, false, false), List.of(shape(3, 17), shape(19, 17), shape(19, 7)),
                -9, 9));
        for (boolean bias : new boolean[]{false, true}) {
            cases.add(of(new TensorOp.Projection(3, 2, bias), shape(3)));
            cases.add(of(new TensorOp.Projection(5, 4, bias), shape(2, 3, 5)));
            cases.add(of(new TensorOp.Projection(1, 1, bias), shape(2, 1, 2, 1)));
        }
        cases.add(of(new TensorOp.Embedding(4, 3), shape()));
        cases.add(of(new TensorOp.Embedding(5, 2), shape(2, 3)));
        cases.add(of(new TensorOp.Gather(0), shape(4), shape()));
        cases.add(of(new TensorOp.Gather(1), shape(2, 4, 3), shape(3)));
        cases.add(of(new TensorOp.Gather(2), shape(2, 2, 3), shape(2, 2)));
        cases.add(of(new TensorOp.LayerNorm(List.of(6), 1e-5f), shape(6)));
        cases.add(of(new TensorOp.LayerNorm(List.of(1), 1e-5f), shape(2, 1)));
        cases.add(of(new TensorOp.LayerNorm(List.of(3, 2), 0.1f), shape(2, 2, 3, 2)));
        cases.add(of(new TensorOp.GroupNorm(4, 2, 1e-5f), shape(4)));
        cases.add(of(new TensorOp.GroupNorm(4, 4, 1e-3f), shape(4, 3, 2)));
        cases.add(of(new TensorOp.GroupNorm(6, 2, 1e-5f), shape(6, 1, 2, 2)));
        cases.add(of(new TensorOp.GroupNorm(3, 1, 1e-5f), shape(3, 4)));
        cases.add(of(new TensorOp.PRelu(shape()), shape(3, 2)));
        cases.add(of(new TensorOp.PRelu(shape(3, 1, 1)), shape(3, 2, 2)));
        cases.add(of(new TensorOp.PRelu(shape(2, 1)), shape(3, 2, 2)));
        cases.add(of(new TensorOp.ConvTranspose(2, 3, Window.of(3, 3), 1, 0, 0, true), shape(2, 3, 4)));
        cases.add(of(new TensorOp.ConvTranspose(4, 6, Window.square(4, 2, 1), 2, 0, 0, false), shape(4, 2, 3)));
        cases.add(of(new TensorOp.ConvTranspose(3, 3, Window.of(2, 3).by(3, 2).padded(1, 2, 0, 1).dilated(2, 1), 3, 1,
                1, true), shape(3, 3, 3)));
        for (TensorOp.Interpolation interpolation : TensorOp.Interpolation.values()) {
            for (TensorOp.Coordinates coordinates : TensorOp.Coordinates.values()) {
                cases.add(of(TensorOp.Resize.of(shape(2, 4, 3), shape(2, 8, 6), interpolation, coordinates),
                        shape(2, 4, 3)));
            }
            cases.add(of(new TensorOp.Resize(shape(1, 3, 5), List.of(1f, 0.75f, 1.25f), interpolation,
                    TensorOp.Coordinates.HALF_PIXEL, TensorOp.Nearest.ROUND_PREFER_FLOOR, -0.5f, false, false),
                    shape(1, 4, 4)));
        }
        // The size of the second axis does not follow from its factor.
        cases.add(of(new TensorOp.Resize(shape(2, 1, 4), List.of(1f, 0.5f, 0.5f), TensorOp.Interpolation.LINEAR,
                TensorOp.Coordinates.HALF_PIXEL, TensorOp.Nearest.FLOOR, -0.75f, false, false), shape(2, 1, 9)));
        for (TensorOp.Cell cell : TensorOp.Cell.values()) {
            for (TensorOp.Direction direction : TensorOp.Direction.values()) {
                cases.add(of(new TensorOp.Recurrent(cell, 3, 2, direction, false), shape(4, 3)));
                cases.add(of(new TensorOp.Recurrent(cell, 2, 3, direction, true), shape(3, 2)));
            }
        }
        return cases.stream();
    }
}
