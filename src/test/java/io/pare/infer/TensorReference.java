package io.pare.infer;

import io.pare.infer.ReferenceNet.Bounded;
import io.pare.infer.ReferenceNet.Sum;
import io.pare.net.Pairwise;
import io.pare.net.Reduction;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * The operators of {@link TensorOp} on one sample, by their definitions: loops over indices, in double precision, with the
 * bounds of {@link ReferenceNet}.
 *
 * <p>What an error of an input becomes is the largest change of the function over the interval that the error spans. Where
 * a function jumps and its input has an error at all, and where a first-order bound says nothing, the bound is infinite.
 */
public final class TensorReference {
    /** Points on each side at which the change over an interval is looked at. */
    private static final int POINTS = 4;
    /** Normalised values may be off by up to this part of the deviation; beyond it, the first order says too little. */
    private static final double FIRST_ORDER = 0.1;
    /** So far below the largest, e^x is nothing as a float. */
    private static final double NOTHING = 110;
    /** Covers the second order below that. */
    private static final double SECOND_ORDER = 2;

    private final List<Shape> shapes;
    private final List<Bounded> x;
    private final Shape out;
    private final Bounded y;

    private TensorReference(TensorOp op, List<Shape> shapes, List<Bounded> x) {
        this.shapes = shapes;
        this.x = x;
        this.out = op.output(shapes);
        this.y = new Bounded(out.features());
    }

    /**
     * The output.
     *
     * @param shapes of the inputs
     * @param x inputs, then the operator's tensors
     */
    public static Bounded of(TensorOp op, List<Shape> shapes, List<Bounded> x) {
        TensorReference reference = new TensorReference(op, shapes, x);
        if (op instanceof TensorOp.Recurrent recurrent) {
            new RecurrentReference(recurrent, shapes.getFirst().fromEnd(2), x).into(reference.y);
        } else if (op instanceof TensorOp.Resize resize) {
            new ResizeReference(resize, shapes.getFirst()).into(x.getFirst(), reference.y);
        } else {
            reference.compute(op);
        }
        return reference.y;
    }

    private void compute(TensorOp operator) {
        for (int at = 0; at < out.features(); at++) {
            int[] index = index(out, at);
            switch (operator) {
                case TensorOp.Constant _,TensorOp.Reshape _ -> y.set(at, x.getFirst(), at);
                case TensorOp.Map op -> map(op, at);
                case TensorOp.Zip(Pairwise function) -> zip(function, at, repeated(0, index), repeated(1, index));
                case TensorOp.Choose _ -> choose(at, index);
                case TensorOp.Reduce op -> reduce(op, at, index);
                case TensorOp.Softmax op -> softmax(op, at, index);
                case TensorOp.Transpose(List<Integer> order) -> {
                    int[] from = new int[index.length];
                    for (int axis = 0; axis < from.length; axis++) {
                        from[order.get(axis)] = index[axis];
                    }
                    move(at, from);
                }
                case TensorOp.Slice op -> {
                    int[] from = index.clone();
                    for (int axis = 0; axis < from.length; axis++) {
                        from[axis] = op.starts().get(axis) + op.steps().get(axis) * index[axis];
                    }
                    move(at, from);
                }
                case TensorOp.Expand _ -> y.set(at, x.getFirst(), repeated(0, index));
                case TensorOp.Pad op -> pad(op, at, index);
                case TensorOp.Take(int axis, List<Integer> indices) -> {
                    int[] from = index.clone();
                    from[axis] = indices.get(index[axis]);
                    move(at, from);
                }
                case TensorOp.Join(_, int axis) -> {
                    int input = 0;
                    while (index[axis] >= shapes.get(input).sizes().get(axis)) {
                        index[axis] -= shapes.get(input++).sizes().get(axis);
                    }
                    y.set(at, x.get(input), place(shapes.get(input), index));
                }
                case TensorOp.MatMul _ -> multiply(at, index);
                case TensorOp.Attention op -> attend(op, at, index);
                case TensorOp.Projection op -> {
                    int o = index[index.length - 1];
                    Sum sum = new Sum(op.bias() ? x.get(2).values()[o] : 0);
                    for (int i = 0; i < op.in(); i++) {
                        sum.add(x.get(0), at / op.out() * op.in() + i, x.get(1), o * op.in() + i);
                    }
                    sum.into(y, at);
                }
                case TensorOp.Embedding op -> {
                    int row = counted(0, at / op.width(), op.rows(), at);
                    y.values()[at] = x.get(1).values()[row * op.width() + at % op.width()];
                }
                case TensorOp.Gather(int axis) -> {
                    int rank = shapes.get(1).rank();
                    int[] from = new int[shapes.getFirst().rank()];
                    System.arraycopy(index, 0, from, 0, axis);
                    System.arraycopy(index, axis + rank, from, axis + 1, from.length - axis - 1);
                    int indexed = place(shapes.get(1), Arrays.copyOfRange(index, axis, axis + rank));
                    from[axis] = counted(1, indexed, shapes.getFirst().sizes().get(axis), at);
                    y.values()[at] = x.getFirst().values()[place(shapes.getFirst(), from)];
                    y.errors()[at] += x.getFirst().errors()[place(shapes.getFirst(), from)];
                }
                case TensorOp.LayerNorm op -> {
                    int run = new Shape(op.sizes()).features();
                    normalize(at, at / run * run, run, at % run, op.epsilon());
                }
                case TensorOp.GroupNorm op -> {
                    int run = out.features() / op.groups();
                    normalize(at, at / run * run, run, index[0], op.epsilon());
                }
                case TensorOp.PRelu(Shape slope) -> {
                    double value = x.getFirst().values()[at];
                    double factor = x.get(1).values()[aligned(slope, index)];
                    y.values()[at] = value >= 0 ? value : factor * value;
                    y.errors()[at] = Math.max(1, Math.abs(factor)) * x.getFirst().errors()[at]
                            + rounding(1, y.values()[at]);
                }
                case TensorOp.ConvTranspose op -> transposed(op, at, index);
                case TensorOp.Resize _,TensorOp.Recurrent _ -> throw new AssertionError("computed as a whole");
            }
        }
    }

    static int[] index(Shape shape, int at) {
        int[] index = new int[shape.rank()];
        int left = at;
        for (int axis = index.length - 1; axis >= 0; axis--) {
            index[axis] = left % shape.sizes().get(axis);
            left /= shape.sizes().get(axis);
        }
        return index;
    }

    private static int place(Shape shape, int[] index) {
        int place = 0;
        for (int axis = 0; axis < index.length; axis++) {
            place = place * shape.sizes().get(axis) + index[axis];
        }
        return place;
    }

    /** The place in a smaller tensor that is repeated, of an index of a larger one. */
    private static int aligned(Shape shape, int[] index) {
        int[] own = Arrays.copyOfRange(index, index.length - shape.rank(), index.length);
        for (int axis = 0; axis < own.length; axis++) {
            own[axis] = shape.sizes().get(axis) == 1 ? 0 : own[axis];
        }
        return place(shape, own);
    }

    private int repeated(int input, int[] index) {
        return aligned(shapes.get(input), index);
    }

    private void move(int at, int[] from) {
        y.set(at, x.getFirst(), place(shapes.getFirst(), from));
    }

    static double rounding(int times, double magnitude) {
        return times * ReferenceNet.ROUNDING * Math.abs(magnitude) + Float.MIN_VALUE;
    }

    /** The largest change of a function over the interval that an error spans. */
    private static double change(DoubleUnaryOperator function, double x, double error) {
        double change = 0;
        for (int i = -POINTS; i <= POINTS && error > 0; i++) {
            double there = Math.abs(function.applyAsDouble(x + error * i / POINTS) - function.applyAsDouble(x));
            change = Math.max(change, there);
        }
        return Double.isNaN(change) ? Double.POSITIVE_INFINITY : change;
    }

    private void map(TensorOp.Map op, int at) {
        double value = x.getFirst().values()[at];
        double error = x.getFirst().errors()[at];
        DoubleUnaryOperator function = of -> op.function().of(of, op.a(), op.b());
        double result = function.applyAsDouble(value);
        y.values()[at] = result;
        y.errors()[at] = switch (op.function()) {
            case ABS, CLIP -> error;
            case FLOOR, CEIL, ROUND, TRUNCATE, SIGN, NOT -> error == 0 ? 0 : Double.POSITIVE_INFINITY;
            case RECIPROCAL -> Math.abs(value) <= error ? Double.POSITIVE_INFINITY
                    : change(function, value, error) + rounding(2, result);
            case LEAKY_RELU, SQRT -> change(function, value, error) + rounding(2, result);
            case LINEAR, HARD_SIGMOID -> change(function, value, error) + rounding(4, line(op, value));
            case HARD_SWISH -> change(function, value, error) + rounding(4, value * line(op, value));
            // Others compose these of several functions, whose parts may cancel.
            case ELU, SELU, CELU, SWISH, MISH, TANH, SOFTPLUS, SOFTSIGN, GELU, GELU_TANH, ERF, EXP, LOG, POWER, SIN,
                    COS ->
                    change(function, value, error)
                            + rounding(ReferenceNet.POWER, 1 + Math.abs(op.a() * op.b()) + Math.abs(op.a())
                                    + Math.abs(op.b()) + Math.abs(value) + Math.abs(result));
        };
    }

    private static double line(TensorOp.Map op, double value) {
        return Math.abs(op.a() * value) + Math.abs(op.b());
    }

    private void zip(Pairwise function, int at, int leftAt, int rightAt) {
        double a = x.get(0).values()[leftAt];
        double b = x.get(1).values()[rightAt];
        double ea = x.get(0).errors()[leftAt];
        double eb = x.get(1).errors()[rightAt];
        double result = function.of(a, b);
        y.values()[at] = result;
        double change = 0;
        for (int i = -POINTS; i <= POINTS && eb > 0; i++) {
            double right = b + eb * i / POINTS;
            change = Math.max(change, Math.abs(function.of(a, right) - result)
                    + change(left -> function.of(left, right), a, ea));
        }
        change = eb > 0 ? change : change(left -> function.of(left, b), a, ea);
        boolean exact = ea == 0 && eb == 0;
        y.errors()[at] = switch (function) {
            case ADD, SUBTRACT, MULTIPLY -> change + rounding(1, result);
            case MINIMUM, MAXIMUM -> change;
            case DIVIDE -> Math.abs(b) <= eb ? Double.POSITIVE_INFINITY : change + rounding(1, result);
            case POWER -> change + rounding(ReferenceNet.POWER, result);
            case MODULO, REMAINDER -> exact ? rounding(1, b) : Double.POSITIVE_INFINITY;
            case DIVIDE_INTEGERS, EQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL, AND, OR, XOR ->
                    exact ? 0 : Double.POSITIVE_INFINITY;
        };
    }

    private void choose(int at, int[] index) {
        int condition = repeated(0, index);
        int chosen = x.getFirst().values()[condition] != 0 ? 1 : 2;
        y.set(at, x.get(chosen), repeated(chosen, index));
        y.errors()[at] += x.getFirst().errors()[condition] == 0 ? 0 : Double.POSITIVE_INFINITY;
    }

    /** The index for which a number stands; if the number has an error, the output's is infinite. */
    private int counted(int input, int from, int size, int at) {
        int number = (int) x.get(input).values()[from];
        y.errors()[at] = x.get(input).errors()[from] == 0 ? 0 : Double.POSITIVE_INFINITY;
        return number < 0 ? number + size : number;
    }

    private void pad(TensorOp.Pad op, int at, int[] index) {
        int[] from = index.clone();
        boolean inside = true;
        for (int axis = 0; axis < from.length; axis++) {
            int size = shapes.getFirst().sizes().get(axis);
            from[axis] -= op.before().get(axis);
            boolean low = from[axis] < 0;
            boolean high = from[axis] >= size;
            inside &= !low && !high;
            if (op.border() == TensorOp.Border.REFLECT) {
                from[axis] = low ? -from[axis] : high ? size - 1 - (from[axis] - (size - 1)) : from[axis];
            } else {
                from[axis] = low ? 0 : high ? size - 1 : from[axis];
            }
        }
        if (inside || op.border() != TensorOp.Border.CONSTANT) {
            move(at, from);
        } else {
            y.values()[at] = op.value();
        }
    }

    private void reduce(TensorOp.Reduce op, int at, int[] index) {
        Shape in = shapes.getFirst();
        Bounded values = x.getFirst();
        List<Integer> members = new ArrayList<>();
        for (int from = 0; from < in.features(); from++) {
            int[] there = index(in, from);
            int next = 0;
            boolean member = true;
            for (int axis = 0; axis < there.length; axis++) {
                boolean gone = op.axes().contains(axis);
                member &= gone || there[axis] == index[next];
                next += gone && !op.keeps() ? 0 : 1;
            }
            if (member) {
                members.add(from);
            }
        }
        if (op.function() == Reduction.SUM || op.function() == Reduction.MEAN) {
            Sum sum = new Sum(0);
            members.forEach(from -> sum.add(op.function() == Reduction.SUM ? 1 : 1.0 / members.size(), values, from));
            sum.into(y, at);
            return;
        }
        double result = values.values()[members.getFirst()];
        double error = values.errors()[members.getFirst()];
        for (int from : members.subList(1, members.size())) {
            double value = values.values()[from];
            double own = values.errors()[from];
            error = op.function() == Reduction.PRODUCT
                    ? (Math.abs(result) + error) * (Math.abs(value) + own) - Math.abs(result * value)
                            + rounding(1, result * value)
                    : Math.max(error, own);
            result = switch (op.function()) {
                case MAX -> Math.max(result, value);
                case MIN -> Math.min(result, value);
                case PRODUCT -> result * value;
                case SUM, MEAN -> throw new AssertionError(op);
            };
        }
        y.values()[at] = result;
        y.errors()[at] = error;
    }

    private void softmax(TensorOp.Softmax op, int at, int[] index) {
        int count = out.sizes().get(op.axis());
        double[] near = new double[count];
        double[] errors = new double[count];
        int[] from = index.clone();
        for (int i = 0; i < count; i++) {
            from[op.axis()] = i;
            near[i] = x.getFirst().values()[place(out, from)];
            errors[i] = x.getFirst().errors()[place(out, from)];
        }
        double largest = Arrays.stream(near).max().orElseThrow();
        double error = 0;
        double sum = 0;
        for (int i = 0; i < count; i++) {
            error = isNothing(near[i], errors[i], largest) ? error : Math.max(error, errors[i]);
            sum += Math.exp(near[i] - largest);
        }
        int own = index[op.axis()];
        double below = near[own] - largest;
        // Off by as much the exponents are; so is the sum.
        double relative = 2 * Math.max(error, op.logarithm() ? errors[own] : 0)
                + rounding(count + ReferenceNet.POWER, 1 - below) + rounding(2, Math.abs(largest));
        y.values()[at] = op.logarithm() ? below - Math.log(sum) : Math.exp(below) / sum;
        y.errors()[at] = op.logarithm()
                ? relative + rounding(2, y.values()[at])
                : (isNothing(near[own], errors[own], largest) ? 0 : y.values()[at] * Math.expm1(relative))
                        + Float.MIN_NORMAL;
    }

    /** Whether a power of e is nothing beside the largest one, whatever the error of its exponent. */
    private static boolean isNothing(double value, double error, double largest) {
        return value + error < largest - NOTHING;
    }

    private void multiply(int at, int[] index) {
        int last = index.length - 1;
        int inner = shapes.getFirst().fromEnd(1);
        Sum sum = new Sum(0);
        int[] left = index.clone();
        int[] right = index.clone();
        for (int k = 0; k < inner; k++) {
            left[last] = k;
            right[last - 1] = k;
            sum.add(x.get(0), repeated(0, left), x.get(1), repeated(1, right));
        }
        sum.into(y, at);
    }

    /** The mean of a column of the values, weighted by the softmax of a row of scores. */
    private void attend(TensorOp.Attention op, int at, int[] index) {
        int rank = index.length;
        int columns = op.scores(shapes).fromEnd(1);
        int[] there = swapped(op, index);
        int feature = there[rank - 1];
        Bounded scores = new Bounded(columns);
        for (int column = 0; column < columns; column++) {
            int[] query = there.clone();
            int[] key = there.clone();
            key[rank - 2] = column;
            Sum sum = new Sum(0);
            for (int i = 0; i < shapes.getFirst().fromEnd(1); i++) {
                query[rank - 1] = i;
                key[rank - 1] = i;
                sum.add(x.get(0), repeated(0, swapped(op, query)), x.get(1), repeated(1, swapped(op, key)));
            }
            sum.into(scores, column);
            double score = op.scale() * scores.values()[column];
            double error = Math.abs(op.scale()) * scores.errors()[column] + rounding(2, score);
            if (op.masked()) {
                int[] mask = there.clone();
                mask[rank - 1] = column;
                score += x.get(3).values()[repeated(3, mask)];
                error += x.get(3).errors()[repeated(3, mask)] + rounding(1, score);
            }
            scores.values()[column] = score;
            scores.errors()[column] = error;
        }
        double largest = Arrays.stream(scores.values()).max().orElseThrow();
        double sum = Arrays.stream(scores.values()).map(score -> Math.exp(score - largest)).sum();
        double relative = 0;
        for (int column = 0; column < columns; column++) {
            if (!isNothing(scores.values()[column], scores.errors()[column], largest)) {
                relative = Math.max(relative, 2 * scores.errors()[column] + rounding(2 * columns + ReferenceNet.POWER,
                        1 + largest - scores.values()[column]) + rounding(4, largest));
            }
        }
        if (!(relative < NOTHING)) {
            y.errors()[at] = Double.POSITIVE_INFINITY;
        }
        for (int column = 0; column < columns; column++) {
            there[rank - 2] = column;
            int from = repeated(2, swapped(op, there));
            double share = Math.exp(scores.values()[column] - largest) / sum;
            double value = x.get(2).values()[from];
            y.values()[at] += share * value;
            y.errors()[at] += y.errors()[at] == Double.POSITIVE_INFINITY ? 0
                    : share * Math.expm1(relative) * Math.abs(value)
                            + (share * Math.exp(relative) + Float.MIN_NORMAL) * x.get(2).errors()[from]
                            + Float.MIN_NORMAL;
        }
    }

    private static int[] swapped(TensorOp.Attention op, int[] index) {
        int[] swapped = index.clone();
        if (op.rowsFirst()) {
            swapped[index.length - 3] = index[index.length - 2];
            swapped[index.length - 2] = index[index.length - 3];
        }
        return swapped;
    }

    /** Of which pixels and taps a value of the output is the sum. */
    private void transposed(TensorOp.ConvTranspose op, int at, int[] index) {
        Shape in = shapes.getFirst();
        Window w = op.window();
        int inputs = op.in() / op.groups();
        int outputs = op.out() / op.groups();
        Sum sum = new Sum(op.bias() ? x.get(2).values()[index[0]] : 0);
        for (int i = index[0] / outputs * inputs; i < (index[0] / outputs + 1) * inputs; i++) {
            for (int tap = 0; tap < w.taps(); tap++) {
                int row = index[1] + w.top() - tap / w.kernelWidth() * w.dilationHeight();
                int column = index[2] + w.left() - tap % w.kernelWidth() * w.dilationWidth();
                if (row >= 0 && row % w.strideHeight() == 0 && row / w.strideHeight() < in.height() && column >= 0
                        && column % w.strideWidth() == 0 && column / w.strideWidth() < in.width()) {
                    sum.add(x.get(1), (i * outputs + index[0] % outputs) * w.taps() + tap, x.get(0),
                            (i * in.height() + row / w.strideHeight()) * in.width() + column / w.strideWidth());
                }
            }
        }
        sum.into(y, at);
    }

    /** To first order: values and mean are off by their errors and roundings, the deviation by no more than they are. */
    private void normalize(int at, int start, int run, int scale, double epsilon) {
        Bounded values = x.getFirst();
        double mean = 0;
        double size = 0;
        double error = 0;
        for (int i = start; i < start + run; i++) {
            mean += values.values()[i] / run;
            size = Math.max(size, Math.abs(values.values()[i]));
            error = Math.max(error, values.errors()[i]);
        }
        double variance = 0;
        for (int i = start; i < start + run; i++) {
            variance += (values.values()[i] - mean) * (values.values()[i] - mean) / run;
        }
        double deviation = Math.sqrt(variance + epsilon);
        double normal = (values.values()[at] - mean) / deviation;
        double factor = x.get(1).values()[scale];
        double shift = x.get(2).values()[scale];
        // One value alone is its own mean, whatever it is.
        double off = run == 1 ? 0 : 2 * (error + rounding(run + ReferenceNet.POWER, size)) / deviation;
        y.values()[at] = factor * normal + shift;
        y.errors()[at] = off > FIRST_ORDER
                ? Double.POSITIVE_INFINITY
                : SECOND_ORDER * Math.abs(factor) * off * (1 + Math.abs(normal))
                        + rounding(run + ReferenceNet.POWER, Math.abs(factor * normal) + Math.abs(shift));
    }
}
