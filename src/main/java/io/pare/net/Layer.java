package io.pare.net;

import io.pare.net.Parameter.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * One layer of a {@link Model}, as a declaration: no memory, no code that computes.
 *
 * <p>Every layer knows the shape that it gives for a shape that it
 * takes, and refuses with {@link IllegalArgumentException} a shape that it cannot take.
 */
public sealed interface Layer {
    String name();

    /** The shape of the layer's output for one sample of shape {@code input}. */
    ImageShape output(ImageShape input);

    /** Where the channels of the output come from: whoever follows a channel through a network asks this. */
    Flow flow();

    /** How the channels of an output depend on those of the input; features of a vector count as channels. */
    enum Flow {
        /**
         * Each on the one of the same number alone, or, behind a flattening, on the one that the feature is of. Without
         * parameters, a layer makes zeros of zeros.
         */
        KEPT,
        /** The same, at places further on; see {@link Subsample#before}. */
        PLACED,
        /** Each on several. */
        MIXED
    }

    /** Its tensors: weight first, then bias, then statistics, as far as it has them. */
    default List<Parameter> parameters() {
        return List.of();
    }

    /** Multiply-adds of convolutions and products for one sample; the few others are not counted. */
    default long multiplyAdds(ImageShape input) {
        return 0;
    }

    /**
     * 2-D convolution (cross-correlation), weights OIHW.
     *
     * @param dilation distance between taps; 1 is the ordinary convolution
     * @param bias whether it has one; before a normalisation it needs none
     */
    record Conv2d(String name, int in, int out, int kernelHeight, int kernelWidth, int stride, int padding,
            int dilation, int groups, boolean bias) implements Layer {
        public Conv2d {
            positive(name, in, out, kernelHeight, kernelWidth, stride, dilation, groups);
            if (padding < 0 || in % groups != 0 || out % groups != 0) {
                throw new IllegalArgumentException("layer " + name + ": padding " + padding + ", " + in + " to " + out
                        + " channels in " + groups + " groups");
            }
        }

        /** With bias. */
        public Conv2d(String name, int in, int out, int kernelHeight, int kernelWidth, int stride, int padding,
                int dilation, int groups) {
            this(name, in, out, kernelHeight, kernelWidth, stride, padding, dilation, groups, true);
        }

        /** A square kernel, stride 1, no padding, with bias. */
        public static Conv2d of(String name, int in, int out, int kernel) {
            return of(name, in, out, kernel, 1, 0, true);
        }

        /** A square kernel. */
        public static Conv2d of(String name, int in, int out, int kernel, int stride, int padding, boolean bias) {
            return new Conv2d(name, in, out, kernel, kernel, stride, padding, 1, 1, bias);
        }

        @Override
        public Flow flow() {
            return Flow.MIXED;
        }

        @Override
        public ImageShape output(ImageShape input) {
            if (input.channels() != in) {
                throw new IllegalArgumentException(
                        "layer " + name + " takes " + in + " channels, is given " + input.channels());
            }
            return new ImageShape(out, size(input.height(), kernelHeight), size(input.width(), kernelWidth));
        }

        private int size(int input, int kernel) {
            return window(name, input, (kernel - 1L) * dilation + 1, stride, padding);
        }

        @Override
        public List<Parameter> parameters() {
            int fanIn = in / groups * kernelHeight * kernelWidth;
            Parameter weight = new Parameter(name + ".weight",
                    new long[]{out, in / groups, kernelHeight, kernelWidth}, fanIn, Kind.WEIGHT);
            return bias
                    ? List.of(weight, new Parameter(name + ".bias", new long[]{out}, fanIn, Kind.BIAS))
                    : List.of(weight);
        }

        @Override
        public long multiplyAdds(ImageShape input) {
            return (long) output(input).features() * (in / groups) * kernelHeight * kernelWidth;
        }
    }

    /** Fully connected layer, weight {@code [out, in]}; takes the sample as a flat vector in CHW order. */
    record Linear(String name, int in, int out) implements Layer {
        public Linear {
            positive(name, in, out);
        }

        @Override
        public Flow flow() {
            return Flow.MIXED;
        }

        @Override
        public ImageShape output(ImageShape input) {
            if (input.features() != in) {
                throw new IllegalArgumentException(
                        "layer " + name + " takes " + in + " features, is given " + input.features());
            }
            return new ImageShape(out, 1, 1);
        }

        @Override
        public List<Parameter> parameters() {
            return List.of(new Parameter(name + ".weight", new long[]{out, in}, in, Kind.WEIGHT),
                    new Parameter(name + ".bias", new long[]{out}, in, Kind.BIAS));
        }

        @Override
        public long multiplyAdds(ImageShape input) {
            return (long) in * out;
        }
    }

    /** Maximum over square windows; padding never wins. */
    record MaxPool(String name, int kernel, int stride, int padding) implements Layer {
        public MaxPool {
            pool(name, kernel, stride, padding);
        }

        @Override
        public Flow flow() {
            return Flow.KEPT;
        }

        @Override
        public ImageShape output(ImageShape input) {
            return new ImageShape(input.channels(), window(name, input.height(), kernel, stride, padding),
                    window(name, input.width(), kernel, stride, padding));
        }
    }

    /** Mean over each channel's whole plane. */
    record GlobalAvgPool(String name) implements Layer {
        @Override
        public Flow flow() {
            return Flow.KEPT;
        }

        @Override
        public ImageShape output(ImageShape input) {
            return new ImageShape(input.channels(), 1, 1);
        }
    }

    /**
     * Batch normalisation with a scale and a shift for each channel (Ioffe, Szegedy, 1502.03167): by the batch's
     * statistics in training, by running ones, which training gathers, afterwards.
     *
     * @param epsilon added to the variance
     */
    record BatchNorm(String name, int channels, float epsilon) implements Layer {
        public BatchNorm {
            positive(name, channels);
            if (!(epsilon >= 0) || !Float.isFinite(epsilon)) {
                throw new IllegalArgumentException("layer " + name + ": epsilon is " + epsilon);
            }
        }

        /** With the usual epsilon of 1e-5. */
        public static BatchNorm of(String name, int channels) {
            return new BatchNorm(name, channels, 1e-5f);
        }

        @Override
        public Flow flow() {
            return Flow.KEPT;
        }

        @Override
        public ImageShape output(ImageShape input) {
            if (input.channels() != channels) {
                throw new IllegalArgumentException(
                        "layer " + name + " takes " + channels + " channels, is given " + input.channels());
            }
            return input;
        }

        @Override
        public List<Parameter> parameters() {
            long[] shape = {channels};
            return List.of(new Parameter(name + ".weight", shape, 0, Kind.SCALE),
                    new Parameter(name + ".bias", shape, 0, Kind.BIAS),
                    new Parameter(name + ".running_mean", shape, 0, Kind.MEAN),
                    new Parameter(name + ".running_var", shape, 0, Kind.VARIANCE));
        }
    }

    /**
     * Local response normalisation across channels (Krizhevsky, Sutskever, Hinton 2012, section 3.3), as in Caffe:
     * {@code x / (k + alpha / size * sum of squares of size neighbouring channels) ^ beta}.
     *
     * @param size channels summed over, odd
     */
    record ResponseNorm(String name, int size, float alpha, float beta, float k) implements Layer {
        public ResponseNorm {
            positive(name, size);
            if (size % 2 == 0) {
                throw new IllegalArgumentException("layer " + name + ": " + size + " channels have no middle");
            }
        }

        @Override
        public Flow flow() {
            return Flow.MIXED;
        }

        @Override
        public ImageShape output(ImageShape input) {
            return input;
        }
    }

    /**
     * Every {@code stride}-th pixel both ways, and zeros for the channels that are new, half of them before and half
     * behind: the shortcut without weights of He, Zhang, Ren, Sun, 1512.03385 (option A).
     *
     * @param out channels, at least as many as there are
     */
    record Subsample(String name, int out, int stride) implements Layer {
        public Subsample {
            positive(name, out, stride);
        }

        /** Channels of zeros before the first of {@code input} channels. */
        public int before(int input) {
            return (out - input) / 2;
        }

        @Override
        public Flow flow() {
            return Flow.PLACED;
        }

        @Override
        public ImageShape output(ImageShape input) {
            if (out < input.channels()) {
                throw new IllegalArgumentException(
                        "layer " + name + " gives " + out + " channels, is given " + input.channels());
            }
            return new ImageShape(out, (input.height() - 1) / stride + 1, (input.width() - 1) / stride + 1);
        }
    }

    /**
     * Two branches that take the same and whose outputs are added.
     *
     * @param shortcut may be empty: then the input itself is added
     */
    record Residual(String name, List<Layer> body, List<Layer> shortcut) implements Layer {
        public Residual {
            body = List.copyOf(body);
            shortcut = List.copyOf(shortcut);
        }

        @Override
        public Flow flow() {
            return Flow.MIXED;
        }

        @Override
        public ImageShape output(ImageShape input) {
            ImageShape left = through(body, input);
            ImageShape right = through(shortcut, input);
            if (!left.equals(right)) {
                throw new IllegalArgumentException("layer " + name + " adds " + left + " and " + right);
            }
            return left;
        }

        private static ImageShape through(List<Layer> layers, ImageShape shape) {
            for (Layer layer : layers) {
                shape = layer.output(shape);
            }
            return shape;
        }

        @Override
        public List<Parameter> parameters() {
            List<Parameter> parameters = new ArrayList<>();
            body.forEach(layer -> parameters.addAll(layer.parameters()));
            shortcut.forEach(layer -> parameters.addAll(layer.parameters()));
            return parameters;
        }
    }

    /** Mean over square windows; padding counts as zeros in the mean. */
    record AvgPool(String name, int kernel, int stride, int padding) implements Layer {
        public AvgPool {
            pool(name, kernel, stride, padding);
        }

        @Override
        public Flow flow() {
            return Flow.KEPT;
        }

        @Override
        public ImageShape output(ImageShape input) {
            return new ImageShape(input.channels(), window(name, input.height(), kernel, stride, padding),
                    window(name, input.width(), kernel, stride, padding));
        }
    }

    /** max(x, 0); NaN stays NaN. */
    record Relu(String name) implements Layer {
        @Override
        public Flow flow() {
            return Flow.KEPT;
        }

        @Override
        public ImageShape output(ImageShape input) {
            return input;
        }
    }

    /** Zeroes each value with probability {@code rate} in training and scales the rest by 1 / (1 - rate). */
    record Dropout(String name, float rate) implements Layer {
        public Dropout {
            if (!(rate >= 0 && rate < 1)) {
                throw new IllegalArgumentException("layer " + name + ": dropout rate " + rate + " is not in [0, 1)");
            }
        }

        @Override
        public Flow flow() {
            return Flow.KEPT;
        }

        @Override
        public ImageShape output(ImageShape input) {
            return input;
        }
    }

    /** An image as a vector, in CHW order. */
    record Flatten(String name) implements Layer {
        @Override
        public Flow flow() {
            return Flow.KEPT;
        }

        @Override
        public ImageShape output(ImageShape input) {
            return new ImageShape(input.features(), 1, 1);
        }
    }

    private static int window(String name, int input, long kernel, int stride, int padding) {
        long span = input + 2L * padding - kernel;
        if (span < 0 || span / stride >= Integer.MAX_VALUE) {
            throw new IllegalArgumentException("layer " + name + ": a window of " + kernel + " does not fit into "
                    + input + " with padding " + padding);
        }
        return (int) (span / stride) + 1;
    }

    private static void pool(String name, int kernel, int stride, int padding) {
        positive(name, kernel, stride);
        if (padding < 0 || padding >= kernel) {
            throw new IllegalArgumentException("layer " + name + ": padding " + padding + " for a window of " + kernel);
        }
    }

    private static void positive(String name, int... values) {
        for (int value : values) {
            if (value < 1) {
                throw new IllegalArgumentException("layer " + name + ": a size is " + value + ", must be at least 1");
            }
        }
    }
}
