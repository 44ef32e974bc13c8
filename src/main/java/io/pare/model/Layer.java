package io.pare.model;

import java.util.List;

/**
 * One layer of a {@link Model}, as a declaration: no memory, no code that computes.
 *
 * <p>Layers with parameters have a weight and a bias. Every layer knows the shape that it gives for a shape that it
 * takes, and refuses with {@link IllegalArgumentException} a shape that it cannot take.
 */
public sealed interface Layer {
    String name();

    /** The shape of the layer's output for one sample of shape {@code input}. */
    ImageShape output(ImageShape input);

    /** Weight and bias, or nothing. */
    default List<Parameter> parameters() {
        return List.of();
    }

    /**
     * 2-D convolution (cross-correlation) with bias, weights OIHW.
     *
     * @param dilation distance between taps; 1 is the ordinary convolution
     */
    record Conv2d(String name, int in, int out, int kernelHeight, int kernelWidth, int stride, int padding,
            int dilation, int groups) implements Layer {
        public Conv2d {
            positive(name, in, out, kernelHeight, kernelWidth, stride, dilation, groups);
            if (padding < 0 || in % groups != 0 || out % groups != 0) {
                throw new IllegalArgumentException("layer " + name + ": padding " + padding + ", " + in + " to " + out
                        + " channels in " + groups + " groups");
            }
        }

        /** A square kernel, stride 1, no padding. */
        public static Conv2d of(String name, int in, int out, int kernel) {
            return new Conv2d(name, in, out, kernel, kernel, 1, 0, 1, 1);
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
            return window(name, input, (kernel - 1) * dilation + 1, stride, padding);
        }

        @Override
        public List<Parameter> parameters() {
            int fanIn = in / groups * kernelHeight * kernelWidth;
            return List.of(
                    new Parameter(name + ".weight", new long[]{out, in / groups, kernelHeight, kernelWidth}, fanIn,
                            true),
                    new Parameter(name + ".bias", new long[]{out}, fanIn, false));
        }
    }

    /** Fully connected layer, weight {@code [out, in]}; takes the sample as a flat vector in CHW order. */
    record Linear(String name, int in, int out) implements Layer {
        public Linear {
            positive(name, in, out);
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
            return List.of(new Parameter(name + ".weight", new long[]{out, in}, in, true),
                    new Parameter(name + ".bias", new long[]{out}, in, false));
        }
    }

    /** Maximum over square windows; padding never wins. */
    record MaxPool(String name, int kernel, int stride, int padding) implements Layer {
        public MaxPool {
            pool(name, kernel, stride, padding);
        }

        @Override
        public ImageShape output(ImageShape input) {
            return new ImageShape(input.channels(), window(name, input.height(), kernel, stride, padding),
                    window(name, input.width(), kernel, stride, padding));
        }
    }

    /** Mean over square windows; padding counts as zeros in the mean. */
    record AvgPool(String name, int kernel, int stride, int padding) implements Layer {
        public AvgPool {
            pool(name, kernel, stride, padding);
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
        public ImageShape output(ImageShape input) {
            return input;
        }
    }

    /** An image as a vector, in CHW order. */
    record Flatten(String name) implements Layer {
        @Override
        public ImageShape output(ImageShape input) {
            return new ImageShape(input.features(), 1, 1);
        }
    }

    private static int window(String name, int input, int kernel, int stride, int padding) {
        int span = input + 2 * padding - kernel;
        if (span < 0) {
            throw new IllegalArgumentException("layer " + name + ": a window of " + kernel + " does not fit into "
                    + input + " with padding " + padding);
        }
        return span / stride + 1;
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
