package io.pare.format.onnx;

import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.Op;
import io.pare.net.Pairwise;
import io.pare.net.Pointwise;
import io.pare.net.Reduction;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Operators that make one number of many along axes. */
final class OnnxReductions {
    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        Map<String, OnnxOperator.Single> table = new HashMap<>();
        table.put("ReduceMean", in -> reduce(in, Reduction.MEAN));
        table.put("ReduceSum", in -> reduce(in, Reduction.SUM));
        table.put("ReduceMax", in -> reduce(in, Reduction.MAX));
        table.put("ReduceMin", in -> reduce(in, Reduction.MIN));
        table.put("ReduceProd", in -> reduce(in, Reduction.PRODUCT));
        table.put("ReduceL1", in -> Axes.of(in).along(in, Reduction.SUM,
                OnnxFunctions.map(in, in.value(0), Pointwise.ABS, 0, 0)));
        table.put("ReduceL2", in -> OnnxFunctions.map(in, squares(in), Pointwise.SQRT, 0, 0));
        table.put("ReduceSumSquare", OnnxReductions::squares);
        table.put("ReduceLogSum", in -> OnnxFunctions.map(in, reduce(in, Reduction.SUM), Pointwise.LOG, 0, 0));
        table.put("ReduceLogSumExp", OnnxReductions::logarithmOfSum);
        table.put("Softmax", in -> softmax(in, false));
        table.put("LogSoftmax", in -> softmax(in, true));
        table.put("ArgMax", in -> place(in, Reduction.MAX));
        table.put("ArgMin", in -> place(in, Reduction.MIN));
        table.put("GlobalMaxPool", OnnxReductions::globalMaximum);
        table.put("MeanVarianceNormalization", OnnxReductions::standardised);
        return OnnxOperator.all(table);
    }

    private OnnxReductions() {}

    /**
     * Along what an operator goes.
     *
     * @param inSample axes of a sample, ascending; empty if it does nothing
     * @param keeps whether they stay, with size 1
     * @param batch the batch's axis in the result
     */
    private record Axes(List<Integer> inSample, boolean keeps, int batch) {
        static Axes of(OnnxCall in) {
            OnnxValue x = in.value(0);
            long[] given = in.integers(1, "axes");
            boolean nothing = in.node().integer("noop_with_empty_axes", 0) != 0;
            boolean keeps = in.node().integer("keepdims", 1) != 0;
            if (given != null && given.length > 0 || nothing) {
                return of(in, x, keeps, given == null ? new long[0] : given);
            }
            return of(in, x, keeps, IntStream.range(0, x.rank()).asLongStream().toArray());
        }

        static Axes of(OnnxCall in, OnnxValue x, boolean keeps, long... axes) {
            TreeSet<Integer> inSample = new TreeSet<>();
            int before = 0;
            for (long axis : axes) {
                boolean added = inSample.add(in.sampleAxis(x, axis));
                before += added && in.axis(x, axis) < x.batch() ? 1 : 0;
            }
            return new Axes(List.copyOf(inSample), keeps, keeps || x.batch() < 0 ? x.batch() : x.batch() - before);
        }

        OnnxValue along(OnnxCall in, Reduction function, OnnxValue x) {
            if (inSample.isEmpty()) {
                return x;
            }
            boolean planes = function == Reduction.MEAN && !x.isConstant() && x.batch() == 0 && x.rank() == 4
                    && inSample.equals(List.of(1, 2));
            if (planes) {
                OnnxValue means = in.apply("pool", new Op.GlobalAvgPool(), x);
                return keeps ? means : OnnxShapes.without(in, means, 2, 3);
            }
            return in.apply(OnnxFunctions.kind(function.name()),
                    new TensorOp.Reduce(function, inSample, keeps), x.type(), batch, List.of(x));
        }
    }

    private static OnnxValue reduce(OnnxCall in, Reduction function) {
        return Axes.of(in).along(in, function, in.value(0));
    }

    private static OnnxValue squares(OnnxCall in) {
        OnnxValue x = in.value(0);
        return Axes.of(in).along(in, Reduction.SUM, OnnxFunctions.zip(in, Pairwise.MULTIPLY, x, x));
    }

    /** The largest value, and the logarithm of the sum of powers of e of what is below it. */
    private static OnnxValue logarithmOfSum(OnnxCall in) {
        OnnxValue x = in.value(0);
        Axes axes = Axes.of(in);
        Axes kept = new Axes(axes.inSample, true, x.batch());
        OnnxValue below = OnnxFunctions.zip(in, Pairwise.SUBTRACT, x, kept.along(in, Reduction.MAX, x));
        OnnxValue sum = axes.along(in, Reduction.SUM, OnnxFunctions.map(in, below, Pointwise.EXP, 0, 0));
        return OnnxFunctions.zip(in, Pairwise.ADD, OnnxFunctions.map(in, sum, Pointwise.LOG, 0, 0),
                axes.along(in, Reduction.MAX, x));
    }

    /** Along one axis; before opset 13 along all from one on. */
    private static OnnxValue softmax(OnnxCall in, boolean logarithm) {
        OnnxValue x = in.value(0);
        String kind = logarithm ? "logsoftmax" : "softmax";
        boolean flattens = in.opset() < 13;
        long given = in.node().integer("axis", flattens ? 1 : -1);
        int axis = in.axis(x, given);
        if (!flattens || axis == x.rank() - 1) {
            return in.apply(kind, new TensorOp.Softmax(in.sampleAxis(x, axis), logarithm), x);
        }
        if (x.batch() >= axis) {
            throw in.acrossSamples();
        }
        int from = x.inSample(axis);
        List<Integer> sample = x.sample();
        List<Integer> flat = new ArrayList<>(sample.subList(0, from));
        flat.add(Math.toIntExact(OnnxCall.product(sample, from, sample.size())));
        OnnxValue rows = in.reshaped(x, flat, x.batch());
        return in.reshaped(in.apply(kind, new TensorOp.Softmax(from, logarithm), rows), sample, x.batch());
    }

    /** The index of the largest or smallest value, the first or the last one of equals. */
    private static OnnxValue place(OnnxCall in, Reduction function) {
        OnnxValue x = in.value(0);
        int axis = in.axis(x, in.node().integer("axis", 0));
        Axes along = Axes.of(in, x, in.node().integer("keepdims", 1) != 0, axis);
        boolean last = in.node().integer("select_last_index", 0) != 0;
        OnnxValue best = new Axes(along.inSample, true, x.batch()).along(in, function, x);
        float[] numbers = new float[x.size(axis)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = i;
        }
        long[] shape = new long[x.sample().size() - along.inSample.getFirst()];
        Arrays.fill(shape, 1);
        shape[0] = numbers.length;
        OnnxValue places = OnnxValue.of(OnnxConstant.of(numbers, shape));
        OnnxValue none = OnnxValue.of(OnnxConstant.of(new float[]{last ? -1 : numbers.length}, 1));
        List<OnnxValue> values = List.of(OnnxFunctions.zip(in, Pairwise.EQUAL, x, best), places, none);
        OnnxValue found = in.apply("where", new TensorOp.Choose(), Type.FLOAT, x.batch(), values);
        return along.along(in, last ? Reduction.MAX : Reduction.MIN, found).as(Type.INT64);
    }

    private static OnnxValue globalMaximum(OnnxCall in) {
        OnnxValue x = in.value(0);
        if (x.rank() < 3) {
            throw in.refuse("takes images and is given values of shape " + x.sizes());
        }
        return Axes.of(in, x, true, IntStream.range(2, x.rank()).asLongStream().toArray()).along(in, Reduction.MAX, x);
    }

    private static OnnxValue standardised(OnnxCall in) {
        OnnxValue x = in.value(0);
        Axes axes = Axes.of(in, x, true, in.node().integers("axes", 0, 2, 3));
        OnnxValue centred = OnnxFunctions.zip(in, Pairwise.SUBTRACT, x, axes.along(in, Reduction.MEAN, x));
        OnnxValue variance = axes.along(in, Reduction.MEAN,
                OnnxFunctions.zip(in, Pairwise.MULTIPLY, centred, centred));
        OnnxValue deviation = OnnxFunctions.map(in, variance, Pointwise.SQRT, 0, 0);
        return OnnxFunctions.zip(in, Pairwise.DIVIDE, centred,
                OnnxFunctions.map(in, deviation, Pointwise.LINEAR, 1, 1e-9f));
    }
}
