package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.Pairwise;
import io.pare.net.TensorOp;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Operators for which it matters where along an axis a value stands. */
final class OnnxPositions {
    /** A triangle or a table of numbers is no larger. */
    private static final int MAX_SIZE = 1 << 13;

    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        Map<String, OnnxOperator.Single> table = new HashMap<>();
        table.put("Trilu", OnnxPositions::triangle);
        table.put("OneHot", OnnxPositions::oneHot);
        table.put("CumSum", OnnxPositions::runningSum);
        return OnnxOperator.all(table);
    }

    private OnnxPositions() {}

    private static OnnxValue triangle(OnnxCall in) {
        OnnxValue x = in.value(0);
        long[] given = in.integers(1, "k");
        long shift = given == null || given.length == 0 ? 0 : given[0];
        boolean upper = in.node().integer("upper", 1) != 0;
        if (x.rank() < 2 || x.batch() >= x.rank() - 2) {
            throw in.refuse("takes matrices and is given values of shape " + x.sizes());
        }
        int rows = x.size(x.rank() - 2);
        int columns = x.size(x.rank() - 1);
        checkSize(in, rows);
        checkSize(in, columns);
        in.memory().take((long) rows * columns);
        OnnxValue kept = OnnxValue.of(OnnxConstant.integers(Type.BOOL, i -> {
            long above = i % columns - i / columns - shift;
            return upper == above >= 0 || above == 0 ? 1 : 0;
        }, rows, columns));
        OnnxValue zero = OnnxValue.of(OnnxConstant.empty(x.type()));
        OnnxCall.Meeting meeting = in.meet(List.of(kept, x, zero));
        return in.apply("where", new TensorOp.Choose(), x.type(), meeting.batch(), meeting.values());
    }

    private static void checkSize(OnnxCall in, int size) {
        if (size > MAX_SIZE) {
            throw in.refuse("works along an axis of " + size + " values, at most " + MAX_SIZE + " are read");
        }
    }

    private static OnnxValue oneHot(OnnxCall in) {
        OnnxValue indices = in.value(0);
        OnnxConstant depth = in.constant(1);
        OnnxValue values = in.value(2);
        if (depth.count() != 1 || values.rank() != 1 || values.size(0) != 2) {
            throw in.refuse("does not say one depth and two values");
        }
        int count = in.node().small("depth", (long) depth.decimal(0));
        checkSize(in, count);
        int axis = in.axis(in.node().integer("axis", -1), indices.rank() + 1);
        OnnxValue apart = OnnxShapes.with(in, OnnxFunctions.cast(in, indices, Type.FLOAT), axis);
        int[] behind = IntStream.range(1, apart.rank() - axis).toArray();
        OnnxValue places = OnnxShapes.with(in, numbers(0, count), behind);
        OnnxValue below = OnnxShapes.with(in, numbers(-count, count), behind);
        OnnxValue hit = OnnxFunctions.zip(in, Pairwise.OR, OnnxFunctions.zip(in, Pairwise.EQUAL, apart, places),
                OnnxFunctions.zip(in, Pairwise.EQUAL, apart, below));
        OnnxValue on = OnnxShapes.without(in, OnnxMoves.part(in, values, 0, 1, 1, 1), 0);
        OnnxValue off = OnnxShapes.without(in, OnnxMoves.part(in, values, 0, 0, 1, 1), 0);
        OnnxCall.Meeting meeting = in.meet(List.of(hit, on, off));
        return in.apply("where", new TensorOp.Choose(), values.type(), meeting.batch(), meeting.values());
    }

    private static OnnxValue numbers(int from, int count) {
        return OnnxValue.of(OnnxConstant.decimals(Type.FLOAT, i -> (double) from + i, count));
    }

    /** The product with a triangle of ones. */
    private static OnnxValue runningSum(OnnxCall in) {
        OnnxValue x = in.value(0);
        long[] given = in.integers(1, "axis");
        boolean exclusive = in.node().integer("exclusive", 0) != 0;
        boolean reverse = in.node().integer("reverse", 0) != 0;
        if (given == null || given.length != 1) {
            throw in.refuse("does not say one axis");
        }
        int axis = in.axis(x, given[0]);
        if (axis == x.batch()) {
            throw in.acrossSamples();
        }
        int size = x.size(axis);
        checkSize(in, size);
        in.memory().take((long) size * size * Float.BYTES);
        OnnxValue ones = OnnxValue.of(OnnxConstant.decimals(Type.FLOAT, i -> {
            int from = i / size;
            int to = i % size;
            boolean before = reverse ? from > to : from < to;
            return before || from == to && !exclusive ? 1 : 0;
        }, size, size));
        // With the axis last and one of size 1 before it, so that there are matrices.
        int last = x.rank();
        OnnxValue rows = OnnxShapes.with(in, x, last);
        int[] order = IntStream.concat(IntStream.range(0, last + 1).filter(i -> i != axis), IntStream.of(axis))
                .toArray();
        int[] back = new int[order.length];
        for (int i = 0; i < order.length; i++) {
            back[order[i]] = i;
        }
        OnnxValue moved = OnnxShapes.transposed(in, rows, order);
        OnnxValue sums = in.apply("matmul", new TensorOp.MatMul(), x.type(), moved.batch(), List.of(moved, ones));
        return OnnxShapes.without(in, OnnxShapes.transposed(in, sums, back), last);
    }
}
