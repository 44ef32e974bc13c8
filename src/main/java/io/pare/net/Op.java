package io.pare.net;

import io.pare.net.Parameter.Kind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Node} computes, as a declaration: no memory, no code that computes.
 *
 * <p>An operator is a record here with its facts: the shape of its output, its tensors, its cost, and how it passes units
 * on. Every consumer has a switch over these records without a default, so the compiler names each place that a new one
 * needs.
 *
 * <p>Networks of images are built from those here, which treat a vector and an image of one pixel alike; {@link TensorOp}
 * has those that take tensors of any rank as they are. Where an operator looks at channels, a vector is an image of one
 * pixel; where it takes a vector, an image is its features in CHW order. Sizes that cannot be, and inputs that do not
 * fit, throw {@link IllegalArgumentException}.
 */
public sealed interface Op permits Op.OnImages, Op.Activation, Op.Input, Op.Linear, Op.Dropout, Op.Flatten, Op.Add,
        Op.Concat, TensorOp {
    /**
     * {@return the shape of the output for one sample of inputs of these shapes}
     *
     * @param inputs shapes of its inputs, of one sample
     */
    Shape output(List<Shape> inputs);

    /**
     * {@return how the units of the output come from those of inputs of these shapes}
     *
     * @param inputs shapes of its inputs, of one sample
     */
    Flow flow(List<Shape> inputs);

    /** {@return the number of inputs} */
    default int arity() {
        return 1;
    }

    /**
     * {@return the tensors of a node of that name: weight first, then bias, then statistics, as far as it has them}
     *
     * @param node the node's name
     */
    default List<Parameter> parameters(String node) {
        return List.of();
    }

    /**
     * {@return the multiply-adds of convolutions and products for one sample; the few others are not counted}
     *
     * @param inputs shapes of its inputs, of one sample
     */
    default long multiplyAdds(List<Shape> inputs) {
        return 0;
    }

    /**
     * {@return what a unit gives in every place if it takes {@code value} in every place; NaN if that cannot be said}
     * Asked of operators that {@linkplain Flow.Keep keep} units.
     *
     * @param value any number
     */
    default float ofConstant(float value) {
        return Float.NaN;
    }

    /**
     * {@return the shape in which it takes an input of the given shape: the same values, an image of one pixel in place
     * of a vector or a vector in place of an image}
     *
     * @param input shape of the input
     */
    default Shape taken(Shape input) {
        return input;
    }

    /** {@return whether a prediction gives its input's values in their order, perhaps as another shape} */
    default boolean keepsValues() {
        return false;
    }

    /** {@return whether its weight is a table, of which it gives the rows that its input names} */
    default boolean looksUp() {
        return false;
    }

    /** {@return whether its weight is one matrix, whose rows multiply rows of its input} */
    default boolean multiplies() {
        return false;
    }

    /** {@return the window whose places those rows are, as im2col lays them out; null where they lie in the input} */
    default @Nullable Window places() {
        return null;
    }

    /**
     * {@return how many values it reads of the image with its padding; 0 where it pads nothing}
     *
     * @param input shape of the input
     */
    default long paddedValues(Shape input) {
        return 0;
    }

    /** What looks at channels: it takes a vector as an image of one pixel. */
    sealed interface OnImages extends Op {
        @Override
        default Shape taken(Shape input) {
            return image(input);
        }
    }

    /** A function of each value by itself that has no parameters. */
    sealed interface Activation extends Op {
        @Override
        default Flow flow(List<Shape> inputs) {
            return new Flow.Keep(false);
        }

        @Override
        default Shape output(List<Shape> inputs) {
            return inputs.getFirst();
        }
    }

    /**
     * What the caller gives: images or vectors.
     *
     * @param shape of one sample
     */
    record Input(Shape shape) implements Op {
        @Override
        public int arity() {
            return 0;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return shape;
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Blend();
        }
    }

    /**
     * 2-D convolution (cross-correlation), weights OIHW; padding is zeros.
     *
     * @param in channels of the input
     * @param out channels of the output
     * @param window where it reads
     * @param groups of channels, each computed by itself; divides both numbers of channels
     * @param bias whether it has one; before a normalisation it needs none
     */
    record Conv2d(int in, int out, Window window, int groups, boolean bias) implements OnImages {
        /** Checks the sizes. */
        public Conv2d {
            positive(in, out, groups);
            if (in % groups != 0 || out % groups != 0) {
                throw new IllegalArgumentException(in + " to " + out + " channels in " + groups + " groups");
            }
        }

        /**
         * {@return a square kernel, stride 1, no padding, with bias}
         *
         * @param in channels of the input
         * @param out channels of the output
         * @param kernel height and width of the window, in pixels
         */
        public static Conv2d of(int in, int out, int kernel) {
            return of(in, out, kernel, 1, 0, true);
        }

        /**
         * {@return a square kernel}
         *
         * @param in channels of the input
         * @param out channels of the output
         * @param kernel height and width of the window, in pixels
         * @param stride pixels from one to the next
         * @param padding pixels around the image
         * @param bias whether it has one
         */
        public static Conv2d of(int in, int out, int kernel, int stride, int padding, boolean bias) {
            return new Conv2d(in, out, Window.square(kernel, stride, padding), 1, bias);
        }

        /** {@return the same with a bias} */
        public Conv2d biased() {
            return new Conv2d(in, out, window, groups, true);
        }

        @Override
        public boolean multiplies() {
            return groups == 1;
        }

        @Override
        public Window places() {
            return window;
        }

        @Override
        public Flow.Mix flow(List<Shape> inputs) {
            return new Flow.Mix(in, out, groups, window.taps(), window.pads());
        }

        @Override
        public long paddedValues(Shape input) {
            return window.paddedValues(input);
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = image(inputs.getFirst());
            checkChannels(in, input);
            return window.output(out, input);
        }

        @Override
        public List<Parameter> parameters(String node) {
            int fanIn = in / groups * window.taps();
            Parameter weight = new Parameter(node + ".weight",
                    new long[]{out, in / groups, window.kernelHeight(), window.kernelWidth()}, fanIn, Kind.WEIGHT);
            return bias
                    ? List.of(weight, new Parameter(node + ".bias", new long[]{out}, fanIn, Kind.BIAS))
                    : List.of(weight);
        }

        @Override
        public long multiplyAdds(List<Shape> inputs) {
            return (long) output(inputs).features() * (in / groups) * window.taps();
        }
    }

    /**
     * Fully connected layer, weight {@code [out, in]}; takes the sample as a vector.
     *
     * @param in features of the input
     * @param out features of the output
     */
    record Linear(int in, int out) implements Op {
        /** Checks the sizes. */
        public Linear {
            positive(in, out);
        }

        @Override
        public boolean multiplies() {
            return true;
        }

        @Override
        public Flow.Mix flow(List<Shape> inputs) {
            return new Flow.Mix(in, out, 1, 1, false);
        }

        @Override
        public Shape taken(Shape input) {
            return input.flat();
        }

        @Override
        public Shape output(List<Shape> inputs) {
            int features = inputs.getFirst().features();
            if (features != in) {
                throw new IllegalArgumentException("takes " + in + " features, is given " + features);
            }
            return Shape.of(out);
        }

        @Override
        public List<Parameter> parameters(String node) {
            return List.of(new Parameter(node + ".weight", new long[]{out, in}, in, Kind.WEIGHT),
                    new Parameter(node + ".bias", new long[]{out}, in, Kind.BIAS));
        }

        @Override
        public long multiplyAdds(List<Shape> inputs) {
            return (long) in * out;
        }
    }

    /**
     * Maximum over windows; padding never wins. Each window takes some pixel: one that lies in the padding alone has no
     * maximum and is refused.
     *
     * @param window where it reads
     */
    record MaxPool(Window window) implements OnImages {
        /** Checks the sizes. */
        public MaxPool {
            checkPool(window);
        }

        /**
         * {@return the square windows}
         *
         * @param kernel height and width of the window, in pixels
         * @param stride pixels from one to the next
         * @param padding pixels around the image
         */
        public static MaxPool of(int kernel, int stride, int padding) {
            return new MaxPool(Window.square(kernel, stride, padding));
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Keep(true);
        }

        @Override
        public float ofConstant(float value) {
            return value;
        }

        @Override
        public long paddedValues(Shape input) {
            return window.paddedValues(input);
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return pooled(window, inputs.getFirst());
        }
    }

    /**
     * Mean over windows: of the pixels alone, or with padding counted as zeros. Each window takes some pixel.
     *
     * <p>Padding that has been added to complete the last windows need not count: of the padding below and behind the
     * image, the outermost rows and columns may be left out. What makes no difference is set to false and 0, so that
     * equal means are equal records.
     *
     * @param window where it reads
     * @param countsPadding whether any padding counts; then a constant does not come out as it went in
     * @param uncountedBottom rows of the padding below that never count
     * @param uncountedRight columns of the padding behind that never count
     */
    record AvgPool(Window window, boolean countsPadding, int uncountedBottom, int uncountedRight) implements OnImages {
        /** Checks the sizes. */
        public AvgPool {
            checkPool(window);
            if (uncountedBottom < 0 || uncountedRight < 0 || uncountedBottom > window.bottom()
                    || uncountedRight > window.right()) {
                throw new IllegalArgumentException(uncountedBottom + " rows and " + uncountedRight
                        + " columns of padding do not count, there are " + window.bottom() + " and " + window.right());
            }
            countsPadding &= window.top() > 0 || window.left() > 0 || window.bottom() > uncountedBottom
                    || window.right() > uncountedRight;
            uncountedBottom = countsPadding ? uncountedBottom : 0;
            uncountedRight = countsPadding ? uncountedRight : 0;
        }

        /**
         * All padding counts, or none.
         *
         * @param window where it reads
         * @param countsPadding whether all padding counts, or none
         */
        public AvgPool(Window window, boolean countsPadding) {
            this(window, countsPadding, 0, 0);
        }

        /**
         * {@return the square windows; padding counts}
         *
         * @param kernel height and width of the window, in pixels
         * @param stride pixels from one to the next
         * @param padding pixels around the image
         */
        public static AvgPool of(int kernel, int stride, int padding) {
            return new AvgPool(Window.square(kernel, stride, padding), true);
        }

        /**
         * {@return for each row of the output, how many rows of taps count over an image}
         *
         * @param image shape of the input
         */
        public int[] countedRows(Shape image) {
            return window.rowsWithin(pooled(window, image).height(), countsPadding ? -window.top() : 0,
                    image.height() + (countsPadding ? window.bottom() - uncountedBottom : 0));
        }

        /**
         * {@return for each column of the output, how many columns of taps count over an image}
         *
         * @param image shape of the input
         */
        public int[] countedColumns(Shape image) {
            return window.columnsWithin(pooled(window, image).width(), countsPadding ? -window.left() : 0,
                    image.width() + (countsPadding ? window.right() - uncountedRight : 0));
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Keep(!countsPadding);
        }

        @Override
        public float ofConstant(float value) {
            return !countsPadding || value == 0 ? value : Float.NaN;
        }

        @Override
        public long paddedValues(Shape input) {
            return window.paddedValues(input);
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return pooled(window, inputs.getFirst());
        }
    }

    /** Mean over each channel's whole plane. */
    record GlobalAvgPool() implements OnImages {
        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Keep(true);
        }

        @Override
        public float ofConstant(float value) {
            return value;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return Shape.of(image(inputs.getFirst()).channels(), 1, 1);
        }
    }

    /**
     * Batch normalisation with a scale and a shift for each channel (Ioffe, Szegedy, 1502.03167): by the batch's
     * statistics in training, by running ones, which training gathers, afterwards.
     *
     * @param channels of the image
     * @param epsilon added to the variance
     */
    record BatchNorm(int channels, float epsilon) implements OnImages {
        /** Checks the sizes. */
        public BatchNorm {
            positive(channels);
            if (!(epsilon >= 0) || !Float.isFinite(epsilon)) {
                throw new IllegalArgumentException("epsilon is " + epsilon);
            }
        }

        /**
         * {@return one with the usual epsilon of 1e-5}
         *
         * @param channels of the image
         */
        public static BatchNorm of(int channels) {
            return new BatchNorm(channels, 1e-5f);
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Keep(false);
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = inputs.getFirst();
            checkChannels(channels, image(input));
            return input;
        }

        @Override
        public List<Parameter> parameters(String node) {
            long[] shape = {channels};
            return List.of(new Parameter(node + ".weight", shape, 0, Kind.SCALE),
                    new Parameter(node + ".bias", shape, 0, Kind.BIAS),
                    new Parameter(node + ".running_mean", shape, 0, Kind.MEAN),
                    new Parameter(node + ".running_var", shape, 0, Kind.VARIANCE));
        }
    }

    /**
     * Local response normalisation across channels (Krizhevsky, Sutskever, Hinton 2012, section 3.3), as in Caffe:
     * {@code x / (k + alpha / size * sum of squares of size neighbouring channels) ^ beta}.
     *
     * @param size channels summed over, odd
     * @param alpha factor of the squares
     * @param beta exponent
     * @param k added to the squares
     */
    record ResponseNorm(int size, float alpha, float beta, float k) implements OnImages {
        /** Checks the sizes. */
        public ResponseNorm {
            positive(size);
            if (size % 2 == 0) {
                throw new IllegalArgumentException(size + " channels have no middle");
            }
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Blend();
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return image(inputs.getFirst());
        }
    }

    /**
     * Every {@code stride}-th pixel both ways, and zeros for the channels that are new, half of them before and half
     * behind: the shortcut without weights of He, Zhang, Ren, Sun, 1512.03385 (option A).
     *
     * @param out channels, at least as many as there are
     * @param stride pixels from one to the next
     */
    record Subsample(int out, int stride) implements OnImages {
        /** Checks the sizes. */
        public Subsample {
            positive(out, stride);
        }

        /**
         * {@return the channels of zeros before the first of {@code input} channels}
         *
         * @param input channels of the input
         */
        public int before(int input) {
            return (out - input) / 2;
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Place(List.of(before(inputs.getFirst().channels())));
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape input = image(inputs.getFirst());
            if (out < input.channels()) {
                throw new IllegalArgumentException("gives " + out + " channels, is given " + input.channels());
            }
            return Shape.of(out, (input.height() - 1) / stride + 1, (input.width() - 1) / stride + 1);
        }
    }

    /** max(x, 0); NaN stays NaN. */
    record Relu() implements Activation {
        @Override
        public float ofConstant(float value) {
            return Math.max(0, value);
        }
    }

    /** 1 / (1 + exp(-x)). */
    record Sigmoid() implements Activation {
        /**
         * {@return its value at {@code x}, computed in double precision}
         *
         * @param x any number
         */
        public static float of(float x) {
            return (float) (1 / (1 + Math.exp(-x)));
        }

        @Override
        public float ofConstant(float value) {
            return of(value);
        }
    }

    /**
     * Zeroes each value with probability {@code rate} in training and scales the rest by 1 / (1 - rate).
     *
     * @param rate probability, from 0 and below 1
     */
    record Dropout(float rate) implements Op {
        /** Checks the sizes. */
        public Dropout {
            if (!(rate >= 0 && rate < 1)) {
                throw new IllegalArgumentException("dropout rate " + rate + " is not in [0, 1)");
            }
        }

        @Override
        public boolean keepsValues() {
            return true;
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Keep(true);
        }

        @Override
        public float ofConstant(float value) {
            return value;
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return inputs.getFirst();
        }
    }

    /** A sample as a vector, an image in CHW order. */
    record Flatten() implements Op {
        @Override
        public boolean keepsValues() {
            return true;
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Keep(true);
        }

        @Override
        public float ofConstant(float value) {
            return value;
        }

        @Override
        public Shape taken(Shape input) {
            return input.flat();
        }

        @Override
        public Shape output(List<Shape> inputs) {
            return inputs.getFirst().flat();
        }
    }

    /** Sum of two values of the same shape. */
    record Add() implements Op {
        @Override
        public int arity() {
            return 2;
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            return new Flow.Same();
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape left = inputs.getFirst();
            Shape right = inputs.getLast();
            boolean vectors = left.isVector() && right.isVector() && left.channels() == right.channels();
            if (!left.equals(right) && !vectors) {
                throw new IllegalArgumentException("adds " + left + " and " + right);
            }
            return left.equals(right) ? left : left.flat();
        }
    }

    /**
     * Its inputs' channels, or features of vectors, one after another; images must be of one size.
     *
     * @param arity number of inputs
     */
    record Concat(int arity) implements Op {
        /** Checks the sizes. */
        public Concat {
            positive(arity);
        }

        @Override
        public Flow flow(List<Shape> inputs) {
            List<Integer> starts = new ArrayList<>();
            int units = 0;
            for (Shape input : inputs) {
                starts.add(units);
                units += input.channels();
            }
            return new Flow.Place(starts);
        }

        @Override
        public Shape output(List<Shape> inputs) {
            Shape first = inputs.getFirst();
            int units = 0;
            boolean alike = true;
            boolean vectors = true;
            for (Shape input : inputs) {
                units = Math.addExact(units, input.channels());
                alike &= input.sizes().subList(1, input.rank()).equals(first.sizes().subList(1, first.rank()));
                vectors &= input.isVector();
            }
            if (!alike && !vectors) {
                throw new IllegalArgumentException("joins " + inputs);
            }
            List<Integer> sizes = new ArrayList<>(alike ? first.sizes() : List.of(units));
            sizes.set(0, units);
            return new Shape(sizes);
        }
    }

    private static Shape image(Shape shape) {
        return switch (shape.rank()) {
            case 1 -> Shape.of(shape.channels(), 1, 1);
            case 3 -> shape;
            default -> throw new IllegalArgumentException("takes images, is given " + shape);
        };
    }

    private static void checkChannels(int wanted, Shape input) {
        if (input.channels() != wanted) {
            throw new IllegalArgumentException("takes " + wanted + " channels, is given " + input.channels());
        }
    }

    private static Shape pooled(Window window, Shape input) {
        Shape image = image(input);
        window.checkReads(image);
        return window.output(image.channels(), image);
    }

    private static void checkPool(Window window) {
        if (Math.max(window.top(), window.bottom()) >= window.spanHeight()
                || Math.max(window.left(), window.right()) >= window.spanWidth()) {
            throw new IllegalArgumentException("a pool pads by less than its window: " + window);
        }
    }

    private static void positive(int... values) {
        for (int value : values) {
            if (value < 1) {
                throw new IllegalArgumentException("a size is " + value + ", must be at least 1");
            }
        }
    }
}
