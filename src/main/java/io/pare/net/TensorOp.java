package io.pare.net;

import io.pare.net.Parameter.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Operators on tensors of any rank, which make no difference between images and vectors.
 *
 * <p>Shapes, axes and indices are those of one sample: the batch stands before them and is never touched. Axes count from
 * 0. Values are single-precision numbers, indices and truth values too.
 */
public sealed interface TensorOp extends Op {
    @Override
    default Flow flow(List<Shape> inputs) {
        return new Flow.Blend();
    }

    /**
     * The same values for every sample, which training leaves as they are.
     *
     * @param shape of the values, which are a tensor of the network
     */
    record Constant(Shape shape) implements TensorOp {
        @Override
        public int arity() {
            return 0;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return shape;
        }

        @Override
        public List<Parameter> parameters(String node) {
            return List.of(new Parameter(node + ".value", longs(shape.sizes()), 0, Kind.CONSTANT));
        }
    }

    /**
     * A function of each value by itself.
     *
     * @param function what is computed
     * @param a first number of the function, see {@link Pointwise}
     * @param b second number of the function
     */
    record Map(Pointwise function, float a, float b) implements TensorOp {
        /**
         * {@return a function that needs no numbers}
         *
         * @param function what is computed
         */
        public static Map of(Pointwise function) {
            return new Map(function, 0, 0);
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Keep(false);
        }

        @Override
        public float ofConstant(float value) {
            float result = (float) function.of(value, a, b);
            return Float.isNaN(value) || !Float.isFinite(result) ? Float.NaN : result;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return inputs.getFirst();
        }
    }

    /**
     * A function of the values of two inputs that stand at the same place; one may be {@linkplain #broadcast
     * broadcast}.
     *
     * @param function what is computed
     */
    record Zip(Pairwise function) implements TensorOp {
        @Override
        public int arity() {
            return 2;
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return unitsMeet(inputs) ? new Flow.Same() : new Flow.Blend();
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return broadcast(inputs);
        }
    }

    /** The second input's value where the first's is not 0, else the third's; each may be {@linkplain #broadcast broadcast}. */
    record Choose() implements TensorOp {
        @Override
        public int arity() {
            return 3;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return broadcast(inputs);
        }
    }

    /**
     * One number for all values along some axes.
     *
     * @param function what is computed
     * @param axes ascending, at least one
     * @param keeps whether the axes stay, with size 1
     */
    record Reduce(Reduction function, List<Integer> axes, boolean keeps) implements TensorOp {
        /** Checks the sizes. */
        public Reduce {
            axes = List.copyOf(axes);
            if (axes.isEmpty() || !axes.equals(axes.stream().distinct().sorted().toList())) {
                throw new IllegalArgumentException("reduces along the axes " + axes);
            }
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return axes.contains(0) || inputs.getFirst().rank() == axes.size() ? new Flow.Blend()
                    : new Flow.Keep(false);
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            List<Integer> sizes = new ArrayList<>();
            axes.forEach(axis -> checkAxis(axis, input));
            for (int axis = 0; axis < input.rank(); axis++) {
                if (!axes.contains(axis)) {
                    sizes.add(input.sizes().get(axis));
                } else if (keeps) {
                    sizes.add(1);
                }
            }
            return new Shape(sizes);
        }
    }

    /**
     * e^x over the sum of e^x along an axis.
     *
     * @param axis counted from the slowest, without the batch
     * @param logarithm whether it gives its logarithm
     */
    record Softmax(int axis, boolean logarithm) implements TensorOp {
        @Override
        public Shape output(List<Shape> inputs) {
            checkAxis(axis, inputs.getFirst());
            return inputs.getFirst();
        }
    }

    /**
     * The same values in another shape.
     *
     * @param to shape of the output
     */
    record Reshape(Shape to) implements TensorOp {
        @Override
        public boolean keepsValues() {
            return true;
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return to.channels() == inputs.getFirst().channels() ? new Flow.Keep(true) : new Flow.Blend();
        }

        @Override
        public float ofConstant(float value) {
            return value;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            if (to.features() != inputs.getFirst().features()) {
                throw new IllegalArgumentException("gives values of " + inputs.getFirst() + " the shape " + to);
            }
            return to;
        }
    }

    /** Operators that put values of their only input to other places, or leave them out, or repeat them. */
    sealed interface Rearranging extends TensorOp {
        /**
         * {@return where each value of the output comes from}
         *
         * @param input shape of the input
         */
        Rearrangement of(Shape input);
    }

    /**
     * The axes in another order.
     *
     * @param order for each axis of the output, that of the input
     */
    record Transpose(List<Integer> order) implements Rearranging {
        /** Checks the sizes. */
        public Transpose {
            order = List.copyOf(order);
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            order.forEach(axis -> checkAxis(axis, input));
            if (order.size() != input.rank() || new HashSet<>(order).size() != order.size()) {
                throw new IllegalArgumentException("puts the axes of " + input + " into the order " + order);
            }
            return new Shape(order.stream().map(input.sizes()::get).toList());
        }

        @Override
        public Rearrangement of(Shape input) {
            return new Rearrangement(input, order, IntStream.range(0, order.size())
                    .mapToObj(axis -> range(0, 1, input.sizes().get(order.get(axis)))).toList(), 0);
        }
    }

    /**
     * Every so many-th value along each axis.
     *
     * @param starts for each axis the first index
     * @param steps for each axis the distance to the next, not 0; backwards if it is negative
     * @param to what is left
     */
    record Slice(List<Integer> starts, List<Integer> steps, Shape to) implements Rearranging {
        /** Checks the sizes. */
        public Slice {
            starts = List.copyOf(starts);
            steps = List.copyOf(steps);
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            boolean allUnits = input.rank() > 0 && starts.getFirst() == 0 && steps.getFirst() == 1
                    && to.channels() == input.channels();
            return allUnits ? new Flow.Keep(false) : new Flow.Blend();
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            boolean fits = starts.size() == input.rank() && steps.size() == input.rank() && to.rank() == input.rank();
            for (int axis = 0; fits && axis < input.rank(); axis++) {
                long last = starts.get(axis) + (to.sizes().get(axis) - 1L) * steps.get(axis);
                fits = steps.get(axis) != 0 && Math.min(starts.get(axis), last) >= 0
                        && Math.max(starts.get(axis), last) < input.sizes().get(axis);
            }
            if (!fits) {
                throw new IllegalArgumentException(
                        "takes " + to + " values of " + input + " from " + starts + " in steps of " + steps);
            }
            return to;
        }

        @Override
        public Rearrangement of(Shape input) {
            return new Rearrangement(input, axes(input), axes(input).stream()
                    .map(axis -> range(starts.get(axis), steps.get(axis), to.sizes().get(axis))).toList(), 0);
        }
    }

    /**
     * The input, {@linkplain #broadcast broadcast} along axes of size 1 and new outer ones.
     *
     * @param to shape of the output
     */
    record Expand(Shape to) implements Rearranging {
        @Override
        public Shape output(List<Shape> inputs) {
            if (!broadcast(List.of(inputs.getFirst(), to)).equals(to)) {
                throw new IllegalArgumentException("expands " + inputs.getFirst() + " to " + to);
            }
            return to;
        }

        @Override
        public Rearrangement of(Shape input) {
            int added = to.rank() - input.rank();
            List<Integer> order = IntStream.range(0, to.rank()).map(axis -> axis - added).boxed().toList();
            return new Rearrangement(input, order, order.stream()
                    .map(axis -> range(0, axis < 0 || input.sizes().get(axis) == 1 ? 0 : 1,
                            to.sizes().get(axis + added)))
                    .toList(), 0);
        }
    }

    /** What stands around a padded tensor. */
    enum Border {
        /** One value everywhere. */
        CONSTANT,
        /** The values next to the edge, as in a mirror on it; the edge itself is not repeated. */
        REFLECT,
        /** The value at the edge. */
        EDGE
    }

    /**
     * More values on both sides of each axis.
     *
     * @param before how many, for each axis
     * @param after how many, for each axis
     * @param border what the new values are
     * @param value of {@link Border#CONSTANT}
     */
    record Pad(List<Integer> before, List<Integer> after, Border border, float value) implements Rearranging {
        /** Checks the sizes. */
        public Pad {
            before = List.copyOf(before);
            after = List.copyOf(after);
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return inputs.getFirst().rank() > 0 && before.getFirst() == 0 && after.getFirst() == 0
                    ? new Flow.Keep(false)
                    : new Flow.Blend();
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            List<Integer> sizes = new ArrayList<>();
            boolean fits = before.size() == input.rank() && after.size() == input.rank();
            for (int axis = 0; fits && axis < input.rank(); axis++) {
                int size = input.sizes().get(axis);
                int most = border == Border.REFLECT ? size - 1 : Integer.MAX_VALUE;
                fits = within(before.get(axis), most) && within(after.get(axis), most);
                sizes.add(Math.addExact(size, Math.addExact(before.get(axis), after.get(axis))));
            }
            if (!fits) {
                throw new IllegalArgumentException("pads " + input + " by " + before + " and " + after);
            }
            return new Shape(sizes);
        }

        private static boolean within(int padding, int most) {
            return padding >= 0 && padding <= most;
        }

        @Override
        public Rearrangement of(Shape input) {
            return new Rearrangement(input, axes(input), axes(input).stream().map(axis -> {
                int size = input.sizes().get(axis);
                return IntStream.range(-before.get(axis), size + after.get(axis)).map(at -> switch (border) {
                    case CONSTANT -> at < 0 || at >= size ? Rearrangement.NOTHING : at;
                    case REFLECT -> at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
                    case EDGE -> Math.clamp(at, 0, size - 1);
                }).toArray();
            }).toList(), value);
        }
    }

    /**
     * The values at fixed indices along an axis.
     *
     * @param axis counted from the slowest, without the batch
     * @param indices along the axis, in the output's order; negative ones count from the end
     */
    record Take(int axis, List<Integer> indices) implements Rearranging {
        /** Checks the sizes. */
        public Take {
            indices = List.copyOf(indices);
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            checkAxis(axis, input);
            int size = input.sizes().get(axis);
            if (indices.stream().anyMatch(index -> index < 0 || index >= size)) {
                throw new IllegalArgumentException("takes " + indices + " of " + size);
            }
            List<Integer> sizes = new ArrayList<>(input.sizes());
            sizes.set(axis, indices.size());
            return new Shape(sizes);
        }

        @Override
        public Rearrangement of(Shape input) {
            return new Rearrangement(input, axes(input),
                    axes(input).stream().map(at -> at == axis
                            ? indices.stream().mapToInt(Integer::intValue).toArray()
                            : range(0, 1, input.sizes().get(at))).toList(),
                    0);
        }
    }

    /**
     * The inputs, one after another along an axis.
     *
     * @param arity number of inputs
     * @param axis counted from the slowest, without the batch
     */
    record Join(int arity, int axis) implements TensorOp {
        /** Checks the sizes. */
        public Join {
            checkPositive(arity);
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return axis > 0 ? new Flow.Same() : new Flow.Blend();
        }

        @Override
        public Shape output(List<Shape> inputs) {
            List<Integer> sizes = new ArrayList<>(inputs.getFirst().sizes());
            checkAxis(axis, inputs.getFirst());
            sizes.set(axis, 0);
            for (Shape input : inputs) {
                boolean fits = input.rank() == sizes.size();
                for (int at = 0; fits && at < sizes.size(); at++) {
                    fits = at == axis || input.sizes().get(at).equals(sizes.get(at));
                }
                if (!fits) {
                    throw new IllegalArgumentException("joins " + inputs + " along axis " + axis);
                }
                sizes.set(axis, Math.addExact(sizes.get(axis), input.sizes().get(axis)));
            }
            return new Shape(sizes);
        }
    }

    /** Products of the matrices in the last two axes of two inputs; outer axes are {@linkplain #broadcast broadcast}. */
    record MatMul() implements TensorOp {
        @Override
        public int arity() {
            return 2;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape left = inputs.getFirst();
            Shape right = inputs.getLast();
            if (left.rank() < 2 || right.rank() < 2 || !left.fromEnd(1).equals(right.fromEnd(2))) {
                throw new IllegalArgumentException("multiplies " + left + " by " + right);
            }
            List<Integer> sizes = new ArrayList<>(broadcast(List.of(outer(left), outer(right))).sizes());
            sizes.add(left.fromEnd(2));
            sizes.add(right.fromEnd(1));
            return new Shape(sizes);
        }

        /**
         * {@return the axes over which matrices are counted}
         *
         * @param matrices shape of two dimensions or more
         */
        public static Shape outer(Shape matrices) {
            return new Shape(matrices.sizes().subList(0, matrices.rank() - 2));
        }

        @Override
        public long multiplyAdds(List<Shape> inputs) {
            return (long) output(inputs).features() * inputs.getFirst().fromEnd(1);
        }
    }

    /**
     * Scaled dot-product attention: softmax(Q K^T scale + mask) V (Vaswani and others, 1706.03762, equation 1).
     *
     * <p>The inputs are queries {@code [heads, rows, features]}, keys {@code [heads, columns, features]}, values {@code
     * [heads, columns, width]} and, if {@code masked}, what is added to the scores {@code [heads, rows, columns]}. It is
     * {@linkplain #broadcast broadcast} to them. The output is {@code [heads, rows, width]}. Heads may be counted over any
     * number of axes, which are {@linkplain #broadcast broadcast} too. The softmax is taken along columns; a row whose scores
     * are all -infinity gives zeros.
     *
     * @param scale of the products of queries and keys
     * @param masked whether a mask is the last input
     * @param rowsFirst whether queries, keys, values and the output have their rows before the last axis of heads: {@code
     *            [rows, heads, features]}. The mask is the same
     */
    record Attention(float scale, boolean masked, boolean rowsFirst) implements TensorOp {
        /** Checks the sizes. */
        public Attention {
            if (!Float.isFinite(scale)) {
                throw new IllegalArgumentException("scales scores by " + scale);
            }
        }

        @Override
        public int arity() {
            return masked ? 4 : 3;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape scores = scores(inputs);
            List<Integer> sizes = new ArrayList<>(scores.sizes());
            sizes.set(sizes.size() - 1, inputs.get(2).fromEnd(1));
            return headsFirst(new Shape(sizes));
        }

        /**
         * {@return the shape of the scores, of all heads}
         *
         * @param inputs shapes of its inputs, of one sample
         */
        public Shape scores(List<Shape> inputs) {
            List<Shape> matrices = inputs.subList(0, 3).stream().map(this::headsFirst).toList();
            Shape queries = matrices.getFirst();
            Shape keys = matrices.get(1);
            Shape values = matrices.getLast();
            List<Shape> outer = new ArrayList<>(matrices.stream().map(MatMul::outer).toList());
            boolean fits = queries.fromEnd(1).equals(keys.fromEnd(1)) && keys.fromEnd(2).equals(values.fromEnd(2));
            if (masked) {
                Shape mask = inputs.getLast();
                outer.add(mask.rank() < 2 ? new Shape(List.of()) : MatMul.outer(mask));
                fits &= mask.rank() < 1 || mask.fromEnd(1) == 1 || mask.fromEnd(1).equals(keys.fromEnd(2));
                fits &= mask.rank() < 2 || mask.fromEnd(2) == 1 || mask.fromEnd(2).equals(queries.fromEnd(2));
            }
            if (!fits) {
                throw new IllegalArgumentException("attends by queries, keys, values and masks of shapes " + inputs);
            }
            List<Integer> sizes = new ArrayList<>(broadcast(outer).sizes());
            sizes.add(queries.fromEnd(2));
            sizes.add(keys.fromEnd(2));
            return new Shape(sizes);
        }

        /**
         * {@return a shape with rows and heads in the order of the scores}
         *
         * @param shape a shape {@code [rows, heads, features]}
         */
        public Shape headsFirst(Shape shape) {
            int rank = shape.rank();
            if (rank < (rowsFirst ? 3 : 2)) {
                throw new IllegalArgumentException("attends by matrices, is given " + shape);
            }
            List<Integer> sizes = new ArrayList<>(shape.sizes());
            if (rowsFirst) {
                Collections.swap(sizes, rank - 3, rank - 2);
            }
            return new Shape(sizes);
        }

        @Override
        public long multiplyAdds(List<Shape> inputs) {
            return (long) scores(inputs).features() * (inputs.getFirst().fromEnd(1) + inputs.get(2).fromEnd(1));
        }
    }

    /**
     * A linear layer along the last axis, weight {@code [out, in]}.
     *
     * @param in features of the input
     * @param out features of the output
     * @param bias whether it has one
     */
    record Projection(int in, int out, boolean bias) implements TensorOp {
        /** Checks the sizes. */
        public Projection {
            checkPositive(in, out);
        }

        @Override
        public boolean multiplies() {
            return true;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            if (input.rank() < 1 || input.fromEnd(1) != in) {
                throw new IllegalArgumentException("takes " + in + " features, is given " + input);
            }
            return withLast(input, out);
        }

        @Override
        public List<Parameter> parameters(String node) {
            Parameter weight = new Parameter(node + ".weight", new long[]{out, in}, in, Kind.WEIGHT);
            return bias ? List.of(weight, new Parameter(node + ".bias", new long[]{out}, in, Kind.BIAS))
                    : List.of(weight);
        }

        @Override
        public long multiplyAdds(List<Shape> inputs) {
            return (long) output(inputs).features() * in;
        }
    }

    /**
     * Rows of a table, weight {@code [rows, width]}, whose numbers are the input; the width is a new last axis.
     *
     * @param rows number of rows
     * @param width features of a row
     */
    record Embedding(int rows, int width) implements TensorOp {
        /** Checks the sizes. */
        public Embedding {
            checkPositive(rows, width);
        }

        @Override
        public boolean looksUp() {
            return true;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            List<Integer> sizes = new ArrayList<>(inputs.getFirst().sizes());
            sizes.add(width);
            return new Shape(sizes);
        }

        @Override
        public List<Parameter> parameters(String node) {
            return List.of(new Parameter(node + ".weight", new long[]{rows, width}, width, Kind.WEIGHT));
        }
    }

    /**
     * Of the first input the values along an axis whose indices are the second input; its axes stand in place of that
     * one.
     *
     * @param axis counted from the slowest, without the batch
     */
    record Gather(int axis) implements TensorOp {
        @Override
        public int arity() {
            return 2;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            checkAxis(axis, input);
            List<Integer> sizes = new ArrayList<>(input.sizes().subList(0, axis));
            sizes.addAll(inputs.getLast().sizes());
            sizes.addAll(input.sizes().subList(axis + 1, input.rank()));
            return new Shape(sizes);
        }
    }

    /**
     * Mean 0 and variance 1 over the last axes, then a scale and a shift for each place (Ba, Kiros, Hinton, 1607.06450).
     *
     * @param sizes of those axes
     * @param epsilon added to the variance
     */
    record LayerNorm(List<Integer> sizes, float epsilon) implements TensorOp {
        /** Checks the sizes. */
        public LayerNorm {
            sizes = List.copyOf(sizes);
            checkEpsilon(epsilon);
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            int outer = input.rank() - sizes.size();
            if (sizes.isEmpty() || outer < 0 || !input.sizes().subList(outer, input.rank()).equals(sizes)) {
                throw new IllegalArgumentException("normalises " + sizes + ", is given " + input);
            }
            return input;
        }

        @Override
        public List<Parameter> parameters(String node) {
            return scaleAndShift(node, longs(sizes));
        }
    }

    /**
     * Mean 0 and variance 1 over each group of channels and all that lies behind them, then a scale and a shift for each
     * channel (Wu, He, 1803.08494); with one channel in each group it is instance normalisation (1607.08022).
     *
     * @param channels of the input
     * @param groups of channels, each computed by itself
     * @param epsilon added to the variance
     */
    record GroupNorm(int channels, int groups, float epsilon) implements TensorOp {
        /** Checks the sizes. */
        public GroupNorm {
            checkPositive(channels, groups);
            checkEpsilon(epsilon);
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return groups == channels ? new Flow.Keep(false) : new Flow.Blend();
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            if (channels % groups != 0 || input.rank() < 1 || input.channels() != channels) {
                throw new IllegalArgumentException(
                        "normalises " + channels + " channels in " + groups + " groups, is given " + input);
            }
            return input;
        }

        @Override
        public List<Parameter> parameters(String node) {
            return scaleAndShift(node, new long[]{channels});
        }
    }

    /**
     * x above zero, below it x times a slope that is trained (He, Zhang, Ren, Sun, 1502.01852).
     *
     * @param slope shape of the slopes, which is broadcast
     */
    record PRelu(Shape slope) implements TensorOp {
        /** Slopes that are not one for each unit belong to several, or several to one. */
        @Override
        public Flow flow(List<Shape> inputs) {
            return slope.rank() == inputs.getFirst().rank() && slope.isVector()
                    ? new Flow.Keep(false)
                    : new Flow.Blend();
        }

        @Override
        public Shape output(List<Shape> inputs) {
            if (!broadcast(List.of(inputs.getFirst(), slope)).equals(inputs.getFirst())) {
                throw new IllegalArgumentException("has slopes " + slope + " for " + inputs.getFirst());
            }
            return inputs.getFirst();
        }

        @Override
        public List<Parameter> parameters(String node) {
            return List.of(new Parameter(node + ".slope", longs(slope.sizes()), 0, Kind.BIAS));
        }
    }

    /**
     * The transpose of a convolution: each pixel adds its multiple of a kernel to the output, weights {@code [in, out /
     * groups, height, width]}.
     *
     * <p>The window is that of the convolution from the output to the input: pixels stand a stride apart, and its padding
     * is cut off. A size of the output is {@code (size - 1) * stride + span - before - after + extra}.
     *
     * @param in channels of the input
     * @param out channels of the output
     * @param window of the convolution that this is the transpose of
     * @param groups of channels, each computed by itself
     * @param extraHeight rows more, at the bottom: what else the padding would cut, then the bias alone
     * @param extraWidth columns more, on the right
     * @param bias whether it has one
     */
    record ConvTranspose(int in, int out, Window window, int groups, int extraHeight, int extraWidth, boolean bias)
            implements
            TensorOp {
        /** Checks the sizes. */
        public ConvTranspose {
            if (in < 1 || out < 1 || groups < 1 || in % groups != 0 || out % groups != 0 || extraHeight < 0
                    || extraWidth < 0) {
                throw new IllegalArgumentException(in + " to " + out + " channels in " + groups + " groups, "
                        + extraHeight + " rows and " + extraWidth + " columns more");
            }
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            if (input.rank() != 3 || input.channels() != in) {
                throw new IllegalArgumentException("takes images of " + in + " channels, is given " + input);
            }
            return Shape.of(out,
                    size(input.height(), window.strideHeight(), window.spanHeight() + extraHeight, window.top(),
                            window.bottom()),
                    size(input.width(), window.strideWidth(), window.spanWidth() + extraWidth, window.left(),
                            window.right()));
        }

        private static int size(int size, int stride, long last, int before, int after) {
            return Math.toIntExact((size - 1L) * stride + last - before - after);
        }

        @Override
        public List<Parameter> parameters(String node) {
            // So many products meet in one value of the output, on average.
            int fanIn = Math.max(1, in / groups * window.taps() / (window.strideHeight() * window.strideWidth()));
            Parameter weight = new Parameter(node + ".weight",
                    new long[]{in, out / groups, window.kernelHeight(), window.kernelWidth()}, fanIn, Kind.WEIGHT);
            return bias ? List.of(weight, new Parameter(node + ".bias", new long[]{out}, fanIn, Kind.BIAS))
                    : List.of(weight);
        }

        @Override
        public long multiplyAdds(List<Shape> inputs) {
            return (long) inputs.getFirst().features() * (out / groups) * window.taps();
        }
    }

    /** From which neighbours {@link Resize} computes a value. */
    enum Interpolation {
        /** The nearest one. */
        NEAREST,
        /** Two along each axis, by their distances. */
        LINEAR,
        /** Four along each axis, by Keys' piecewise cubic (1981). */
        CUBIC
    }

    /**
     * Where, in the input, index i of an axis of {@link Resize} lies; its formulas are those of ONNX's Resize, computed in
     * single precision.
     */
    enum Coordinates {
        /** (i + 0.5) / scale - 0.5. */
        HALF_PIXEL,
        /** The same, but 0 where the output has one value. */
        PYTORCH_HALF_PIXEL,
        /**
         * i (in - 1) / (scale in - 1), so that first and last values meet where scale times in is out; 0 where the output has
         * one value.
         */
        ALIGN_CORNERS,
        /** i / scale. */
        ASYMMETRIC,
        /** As {@link #HALF_PIXEL}, around the middle of the axis if out is not scale times in. */
        HALF_PIXEL_SYMMETRIC
    }

    /** Which neighbour is the nearest one; at integers all agree. */
    enum Nearest {
        /** The lower one where both are equally near. */
        ROUND_PREFER_FLOOR,
        /** The upper one where both are equally near. */
        ROUND_PREFER_CEIL,
        /** Always the lower one. */
        FLOOR,
        /** Always the upper one. */
        CEIL
    }

    /**
     * Another number of values along each axis, interpolated along one axis after another. Beyond the edges the values at
     * the edge go on.
     *
     * @param to the shape of the result
     * @param scales for each axis the factor that {@link Coordinates} use: about the quotient of the sizes
     * @param interpolation how many values make one
     * @param coordinates where they lie
     * @param nearest of {@link Interpolation#NEAREST}
     * @param cubic the coefficient of {@link Interpolation#CUBIC}, mostly -0.5 or -0.75
     * @param excludesOutside whether weights beyond the edges are left out, and the others made to add up to 1
     * @param antialias whether the interpolation gets as much wider as an axis gets smaller
     */
    record Resize(Shape to, List<Float> scales, Interpolation interpolation, Coordinates coordinates, Nearest nearest,
            float cubic, boolean excludesOutside, boolean antialias) implements TensorOp {
        /** Checks the sizes. */
        public Resize {
            scales = List.copyOf(scales);
        }

        /**
         * {@return one with the quotients of the sizes as scales}
         *
         * @param from shape of the input
         * @param to shape of the output
         * @param interpolation how many values make one
         * @param coordinates where they lie
         */
        public static Resize of(Shape from, Shape to, Interpolation interpolation, Coordinates coordinates) {
            List<Float> scales = IntStream.range(0, Math.min(from.rank(), to.rank()))
                    .mapToObj(axis -> (float) to.sizes().get(axis) / from.sizes().get(axis)).toList();
            return new Resize(to, scales, interpolation, coordinates, Nearest.ROUND_PREFER_FLOOR, -0.75f, false, false);
        }

        /**
         * {@return whether an axis stays as it is}
         *
         * @param axis counted from the slowest, without the batch
         * @param input shape of the input
         */
        public boolean keeps(int axis, Shape input) {
            return scales.get(axis) == 1 && to.sizes().get(axis).equals(input.sizes().get(axis));
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return to.rank() > 0 && keeps(0, inputs.getFirst()) ? new Flow.Keep(true) : new Flow.Blend();
        }

        @Override
        public float ofConstant(float value) {
            return value;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            boolean fits = to.rank() == input.rank() && scales.size() == input.rank();
            for (int axis = 0; fits && axis < to.rank(); axis++) {
                fits = fits(scales.get(axis) * input.sizes().get(axis), to.sizes().get(axis));
            }
            if (!fits) {
                throw new IllegalArgumentException("resizes " + input + " to " + to + " by " + scales);
            }
            return to;
        }

        /** Whether a size is what a factor gave, however that was rounded. */
        private static boolean fits(float exact, int size) {
            return exact > 0.49f && Math.abs(exact - size) < 1.01f;
        }
    }

    /** What {@link Recurrent} remembers from step to step. */
    enum Cell {
        /** Long short-term memory (Hochreiter, Schmidhuber 1997; Gers and others 2000); gates: input, output, forget, cell. */
        LSTM(4),
        /**
         * Gated recurrent unit, whose reset gate acts on the state (Cho and others, 1406.1078); gates: update, reset,
         * hidden.
         */
        GRU(3),
        /** The same, whose reset gate acts on the product of state and recurrence, and its bias. */
        GRU_RESET_AFTER(3);

        private final int gates;

        Cell(int gates) {
            this.gates = gates;
        }

        /** {@return the number of gates, of which each has rows of weights of its own} */
        public int gates() {
            return gates;
        }

        /** {@return whether there is a cell state besides the hidden one} */
        public boolean hasCellState() {
            return this == LSTM;
        }
    }

    /** Which way {@link Recurrent} reads a sequence. */
    enum Direction {
        /** From the first step to the last. */
        FORWARD,
        /** From the last step to the first. */
        REVERSE,
        /** Forward by the first half of the weights, in reverse by the second. */
        BOTH;

        /** {@return the number of ways in which it reads} */
        public int count() {
            return this == BOTH ? 2 : 1;
        }

        /**
         * {@return whether the {@code index}-th way goes from the last step to the first}
         *
         * @param index from 0
         */
        public boolean isReverse(int index) {
            return this == REVERSE || index == 1;
        }
    }

    /**
     * A recurrent layer over a sequence: a sample is {@code [sequence, in]}. Gates use the logistic function, states tanh.
     *
     * <p>Weights are stacked: for each direction, for each gate in the order that {@link Cell} gives (that of ONNX), one
     * row for each hidden unit. The tensors are {@code weight [directions * gates * hidden, in]}, {@code recurrence
     * [directions * gates * hidden, hidden]}, {@code bias} and {@code recurrence_bias}, both {@code [directions * gates *
     * hidden]}, and if {@code stateful} the states before the first step: {@code hidden [directions, hidden]}, and for
     * LSTM {@code cell} of the same shape. Without them these are zero.
     *
     * <p>The output is {@code [directions, rows, hidden]}. Row t is the hidden state after the step that reads row t of the
     * input, in both directions. So the last state of a forward direction is row {@code sequence - 1}, that of a reverse
     * one row 0. There are {@code sequence} rows, and of LSTM one more: row {@code sequence} is the cell state after the
     * last step. ONNX's Y is rows 0 to {@code sequence - 1} with the axes of directions and steps exchanged; Y_h is one row
     * of each direction; Y_c is row {@code sequence}.
     *
     * @param cell what a step computes
     * @param in features of a step's input
     * @param hidden features of the state
     * @param direction in which steps are read
     * @param stateful whether the states before the first step are tensors of the layer
     */
    record Recurrent(Cell cell, int in, int hidden, Direction direction, boolean stateful) implements TensorOp {
        /** Checks the sizes. */
        public Recurrent {
            if (in < 1 || hidden < 1) {
                throw new IllegalArgumentException("takes " + in + " features to " + hidden + " hidden units");
            }
        }

        /**
         * {@return the rows of each direction's output}
         *
         * @param sequence steps in time
         */
        public int rows(int sequence) {
            return cell.hasCellState() ? sequence + 1 : sequence;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            if (input.rank() != 2 || input.fromEnd(1) != in) {
                throw new IllegalArgumentException("takes a sequence of " + in + " features, is given " + input);
            }
            return Shape.of(direction.count(), rows(input.fromEnd(2)), hidden);
        }

        @Override
        public List<Parameter> parameters(String node) {
            int rows = Math.multiplyExact(direction.count() * cell.gates(), hidden);
            long[] states = {direction.count(), hidden};
            List<Parameter> parameters = new ArrayList<>(List.of(
                    new Parameter(node + ".weight", new long[]{rows, in}, in, Kind.WEIGHT),
                    new Parameter(node + ".recurrence", new long[]{rows, hidden}, hidden, Kind.WEIGHT),
                    new Parameter(node + ".bias", new long[]{rows}, hidden, Kind.BIAS),
                    new Parameter(node + ".recurrence_bias", new long[]{rows}, hidden, Kind.BIAS)));
            if (stateful) {
                parameters.add(new Parameter(node + ".hidden", states, 0, Kind.CONSTANT));
            }
            if (stateful && cell.hasCellState()) {
                parameters.add(new Parameter(node + ".cell", states, 0, Kind.CONSTANT));
            }
            return parameters;
        }

        @Override
        public long multiplyAdds(List<Shape> inputs) {
            return (long) direction.count() * cell.gates() * hidden * inputs.getFirst().fromEnd(2) * (in + hidden);
        }
    }

    /**
     * {@return the shape to which shapes are broadcast, as numpy does it: last axes stand over one another} An axis of
     * size 1, or one that a shape lacks, is repeated to the size that it has in the others.
     *
     * @param inputs shapes of its inputs, of one sample
     */
    static Shape broadcast(List<Shape> inputs) {
        int rank = inputs.stream().mapToInt(Shape::rank).max().orElse(0);
        Integer[] sizes = Collections.nCopies(rank, 1).toArray(Integer[]::new);
        for (Shape input : inputs) {
            for (int i = 1; i <= input.rank(); i++) {
                int size = input.fromEnd(i);
                if (size != 1 && sizes[rank - i] != 1 && size != sizes[rank - i]) {
                    throw new IllegalArgumentException("takes " + inputs + ", which do not fit together");
                }
                sizes[rank - i] = Math.max(size, sizes[rank - i]);
            }
        }
        return new Shape(List.of(sizes));
    }

    private static boolean unitsMeet(List<Shape> inputs) {
        Shape first = inputs.getFirst();
        return first.rank() > 0 && inputs.stream()
                .allMatch(input -> input.rank() == first.rank() && input.channels() == first.channels());
    }

    private static List<Parameter> scaleAndShift(String node, long[] shape) {
        return List.of(new Parameter(node + ".weight", shape, 0, Kind.SCALE),
                new Parameter(node + ".bias", shape, 0, Kind.BIAS));
    }

    private static Shape withLast(Shape shape, int size) {
        return new Shape(Stream.concat(shape.sizes().stream().limit(shape.rank() - 1), Stream.of(size)).toList());
    }

    private static List<Integer> axes(Shape shape) {
        return IntStream.range(0, shape.rank()).boxed().toList();
    }

    private static int[] range(int start, int step, int count) {
        return IntStream.range(0, count).map(i -> start + i * step).toArray();
    }

    private static long[] longs(List<Integer> sizes) {
        return sizes.stream().mapToLong(Integer::longValue).toArray();
    }

    private static void checkAxis(int axis, Shape shape) {
        if (axis < 0 || axis >= shape.rank()) {
            throw new IllegalArgumentException("works along axis " + axis + " of " + shape);
        }
    }

    private static void checkPositive(int... sizes) {
        for (int size : sizes) {
            if (size < 1) {
                throw new IllegalArgumentException("a size is " + size + ", must be at least 1");
            }
        }
    }

    private static void checkEpsilon(float epsilon) {
        if (!(epsilon >= 0) || !Float.isFinite(epsilon)) {
            throw new IllegalArgumentException("epsilon is " + epsilon);
        }
    }
}
