package io.pare.infer;

import io.pare.format.CompressedTensor;
import io.pare.format.CompressedWeights;
import io.pare.kernel.SparseKernels;
import io.pare.model.ImageShape;
import io.pare.model.Layer;
import io.pare.model.Layer.AvgPool;
import io.pare.model.Layer.Conv2d;
import io.pare.model.Layer.Dropout;
import io.pare.model.Layer.Flatten;
import io.pare.model.Layer.Linear;
import io.pare.model.Layer.MaxPool;
import io.pare.model.Layer.Relu;
import io.pare.model.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A network made ready to run on {@code n} samples at a time: offsets instead of positions, values instead of codes,
 * activations folded into the layers before them. Immutable.
 *
 * <p>The samples of a batch lie side by side: the value of pixel (c, y, x) of sample s is at {@code (c * plane + y * row
 * + x) * n + s}. So a weight of a batch meets a contiguous range. With one sample, the rows of a plane of a convolution
 * are computed in one go, together with the few columns between them that belong to no output.
 */
final class Plan {
    /** Where values lie: distances in pixels; each pixel is {@code n} floats. */
    record Layout(int channels, int height, int width, int row, int plane) {
        static Layout compact(ImageShape shape) {
            return new Layout(shape.channels(), shape.height(), shape.width(), shape.width(),
                    shape.height() * shape.width());
        }

        boolean isCompact() {
            return row == width && plane == height * width;
        }

        /** Offset of feature {@code index} in CHW order. */
        int at(int index) {
            int area = height * width;
            return index / area * plane + index % area / width * row + index % width;
        }

        long pixels() {
            return (long) channels * plane;
        }
    }

    /** Density above which a linear layer on one sample runs over whole rows: see InferLayerBench. */
    static final double DENSE_LINEAR = 0.10;

    private final int n;
    private final List<Step> steps = new ArrayList<>();
    private final Layout output;
    private int bufferFloats;

    Plan(CompressedWeights weights, int n) {
        this.n = n;
        Model model = weights.model();
        List<Layer> layers = model.layers();
        boolean[][] needed = needed(weights);
        Layout layout = Layout.compact(model.input());
        grow(layout);
        for (int i = 0; i < layers.size(); i++) {
            boolean rectified = i + 1 < layers.size() && layers.get(i + 1) instanceof Relu;
            switch (layers.get(i)) {
                case Conv2d conv -> {
                    if (conv.padding() > 0) {
                        layout = add(new Pad(layout, conv.padding(), 0, n));
                    }
                    layout = add(new Convolution(conv, layout, weights, needed[i], rectified, n));
                    i += rectified ? 1 : 0;
                }
                case Linear linear -> {
                    layout = add(new FullyConnected(linear, layout, weights, needed[i], rectified, n));
                    i += rectified ? 1 : 0;
                }
                case MaxPool pool -> {
                    if (pool.padding() > 0) {
                        layout = add(new Pad(layout, pool.padding(), Float.NEGATIVE_INFINITY, n));
                    }
                    layout = add(new Maximum(pool, layout, needed[i], n));
                }
                case AvgPool pool -> {
                    if (pool.padding() > 0) {
                        layout = add(new Pad(layout, pool.padding(), 0, n));
                    }
                    layout = add(new Mean(pool, layout, n));
                }
                case Relu _ -> add(new Rectifier(layout, n));
                case Dropout _ -> {
                    // Does nothing after training.
                }
                case Flatten _ -> {
                    if (!layout.isCompact()) {
                        layout = add(new Compaction(layout, n));
                    }
                    layout = new Layout(layout.channels() * layout.plane(), 1, 1, 1, 1);
                }
            }
        }
        this.output = layout;
    }

    private Layout add(Step step) {
        steps.add(step);
        grow(step.output());
        return step.output();
    }

    private void grow(Layout layout) {
        // Twice the slack: a range may begin inside the last plane and be rounded up from there.
        bufferFloats = Math.max(bufferFloats, Math.toIntExact(layout.pixels() * n + 2 * SparseKernels.SLACK));
    }

    int samples() {
        return n;
    }

    /** Floats that each of a session's two buffers needs. */
    int bufferFloats() {
        return bufferFloats;
    }

    /** Runs all layers; the input lies in {@code first}. Returns the buffer in which the output lies. */
    float[] run(SparseKernels kernels, float[] first, float[] second) {
        float[] in = first;
        float[] out = second;
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            step.run(kernels, in, out);
            if (!step.inPlace()) {
                float[] swap = in;
                in = out;
                out = swap;
            }
        }
        return in;
    }

    /** Offset, in pixels, of output {@code index}. */
    int outputAt(int index) {
        return output.at(index);
    }

    /** One line for each step: how it runs. */
    List<String> describe() {
        return steps.stream().map(Step::toString).toList();
    }

    /**
     * For each layer, which of its outputs anything behind it uses: by channel, or by feature where the layer gives a
     * vector.
     */
    static boolean[][] needed(CompressedWeights weights) {
        List<Layer> layers = weights.model().layers();
        List<ImageShape> shapes = weights.model().shapes();
        boolean[][] needed = new boolean[layers.size()][];
        boolean[] now = new boolean[shapes.getLast().features()];
        Arrays.fill(now, true);
        for (int i = layers.size() - 1; i >= 0; i--) {
            now = fold(now, shapes.get(i + 1).channels());
            needed[i] = now;
            switch (layers.get(i)) {
                case Conv2d conv -> {
                    CompressedTensor weight = weights.tensor(conv.name() + ".weight");
                    int taps = conv.kernelHeight() * conv.kernelWidth();
                    int perGroup = conv.in() / conv.groups();
                    now = new boolean[conv.in()];
                    for (int k = 0; k < weight.nonzeros(); k++) {
                        int row = weight.position(k) / (perGroup * taps);
                        int group = row / (conv.out() / conv.groups());
                        now[group * perGroup + weight.position(k) % (perGroup * taps) / taps] = true;
                    }
                }
                case Linear linear -> {
                    CompressedTensor weight = weights.tensor(linear.name() + ".weight");
                    now = new boolean[linear.in()];
                    for (int k = 0; k < weight.nonzeros(); k++) {
                        now[weight.position(k) % linear.in()] = true;
                    }
                }
                default -> {
                    // Each output comes from the channel of the same number.
                }
            }
        }
        return needed;
    }

    private static boolean[] fold(boolean[] features, int channels) {
        if (features.length == channels) {
            return features;
        }
        boolean[] folded = new boolean[channels];
        for (int i = 0; i < features.length; i++) {
            folded[(int) ((long) i * channels / features.length)] |= features[i];
        }
        return folded;
    }

    /** One layer, ready to run from one buffer into another. */
    abstract static sealed class Step {
        private final Layout output;

        Step(Layout output) {
            this.output = output;
        }

        final Layout output() {
            return output;
        }

        boolean inPlace() {
            return false;
        }

        abstract void run(SparseKernels kernels, float[] in, float[] out);
    }

    /** Rows of weights: what each output sums over. */
    private static final class Rows {
        private final int[] starts;
        private final int[] offsets;
        private final float[] weights;
        private final float[] biases;

        Rows(CompressedTensor weight, CompressedTensor bias) {
            biases = bias.toArray();
            starts = new int[biases.length + 1];
            offsets = new int[weight.nonzeros()];
            weights = new float[weight.nonzeros()];
            int perRow = weight.count() / biases.length;
            for (int k = 0; k < weights.length; k++) {
                starts[weight.position(k) / perRow + 1]++;
                weights[k] = weight.value(k);
            }
            for (int i = 0; i < biases.length; i++) {
                starts[i + 1] += starts[i];
            }
        }
    }

    private static String density(CompressedTensor weight) {
        return weight.nonzeros() + " of " + weight.count() + " weights";
    }

    static final class Convolution extends Step {
        private final Conv2d conv;
        private final Layout input;
        private final Rows rows;
        private final boolean[] needed;
        private final float floor;
        private final int n;
        private final String text;

        Convolution(Conv2d conv, Layout input, CompressedWeights weights, boolean[] needed, boolean rectified, int n) {
            super(layout(conv, input, n));
            this.conv = conv;
            this.input = input;
            this.needed = needed;
            this.floor = rectified ? 0 : Float.NEGATIVE_INFINITY;
            this.n = n;
            CompressedTensor weight = weights.tensor(conv.name() + ".weight");
            this.rows = new Rows(weight, weights.tensor(conv.name() + ".bias"));
            int taps = conv.kernelHeight() * conv.kernelWidth();
            int perGroup = conv.in() / conv.groups();
            for (int k = 0; k < weight.nonzeros(); k++) {
                int row = weight.position(k) / (perGroup * taps);
                int group = row / (conv.out() / conv.groups());
                int channel = group * perGroup + weight.position(k) % (perGroup * taps) / taps;
                int tap = weight.position(k) % taps;
                rows.offsets[k] = (channel * input.plane() + tap / conv.kernelWidth() * conv.dilation() * input.row()
                        + tap % conv.kernelWidth() * conv.dilation()) * n;
            }
            this.text = conv.name() + ": sparse, " + density(weight);
        }

        private static Layout layout(Conv2d conv, Layout input, int n) {
            int height = (input.height() - (conv.kernelHeight() - 1) * conv.dilation() - 1) / conv.stride() + 1;
            int width = (input.width() - (conv.kernelWidth() - 1) * conv.dilation() - 1) / conv.stride() + 1;
            int row = n == 1 && conv.stride() == 1 ? input.row() : width;
            return new Layout(conv.out(), height, width, row, height * row);
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            Layout to = output();
            for (int o = 0; o < needed.length; o++) {
                if (needed[o]) {
                    int at = o * to.plane() * n;
                    if (conv.stride() > 1) {
                        strided(kernels, in, out, o, at);
                    } else if (n == 1) {
                        kernels.accumulate(in, 0, rows.offsets, rows.weights, rows.starts[o], rows.starts[o + 1],
                                rows.biases[o], floor, out, at, (to.height() - 1) * to.row() + to.width());
                    } else {
                        for (int y = 0; y < to.height(); y++) {
                            kernels.accumulate(in, y * input.row() * n, rows.offsets, rows.weights, rows.starts[o],
                                    rows.starts[o + 1], rows.biases[o], floor, out, at + y * to.row() * n,
                                    to.width() * n);
                        }
                    }
                }
            }
        }

        private void strided(SparseKernels kernels, float[] in, float[] out, int o, int at) {
            int to = at;
            for (int y = 0; y < output().height(); y++) {
                for (int x = 0; x < output().width(); x++, to += n) {
                    int from = (y * input.row() + x) * conv.stride() * n;
                    if (n == 1) {
                        out[to] = Math.max(floor, rows.biases[o] + kernels.gather(in, from, rows.offsets, rows.weights,
                                rows.starts[o], rows.starts[o + 1]));
                    } else {
                        kernels.accumulate(in, from, rows.offsets, rows.weights, rows.starts[o], rows.starts[o + 1],
                                rows.biases[o], floor, out, to, n);
                    }
                }
            }
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static final class FullyConnected extends Step {
        private final Linear linear;
        private final Rows rows;
        private final boolean[] needed;
        private final float floor;
        private final int n;
        private final float[] dense;
        private final String text;

        FullyConnected(Linear linear, Layout input, CompressedWeights weights, boolean[] needed, boolean rectified,
                int n) {
            super(new Layout(linear.out(), 1, 1, 1, 1));
            this.linear = linear;
            this.needed = needed;
            this.floor = rectified ? 0 : Float.NEGATIVE_INFINITY;
            this.n = n;
            CompressedTensor weight = weights.tensor(linear.name() + ".weight");
            this.rows = new Rows(weight, weights.tensor(linear.name() + ".bias"));
            for (int k = 0; k < weight.nonzeros(); k++) {
                rows.offsets[k] = input.at(weight.position(k) % linear.in()) * n;
            }
            boolean whole = n == 1 && input.isCompact() && weight.density() > DENSE_LINEAR;
            this.dense = whole ? weight.toArray() : null;
            this.text = linear.name() + ": " + (whole ? "dense" : "sparse") + ", " + density(weight);
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            for (int o = 0; o < needed.length; o++) {
                if (needed[o]) {
                    if (dense != null) {
                        out[o] = Math.max(floor,
                                rows.biases[o] + kernels.dot(dense, o * linear.in(), in, 0, linear.in()));
                    } else if (n == 1) {
                        out[o] = Math.max(floor, rows.biases[o] + kernels.gather(in, 0, rows.offsets, rows.weights,
                                rows.starts[o], rows.starts[o + 1]));
                    } else {
                        kernels.accumulate(in, 0, rows.offsets, rows.weights, rows.starts[o], rows.starts[o + 1],
                                rows.biases[o], floor, out, o * n, n);
                    }
                }
            }
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static final class Maximum extends Step {
        private final MaxPool pool;
        private final Layout input;
        private final boolean[] needed;
        private final int n;

        Maximum(MaxPool pool, Layout input, boolean[] needed, int n) {
            super(Layout.compact(new ImageShape(input.channels(), windows(input.height(), pool.kernel(), pool.stride()),
                    windows(input.width(), pool.kernel(), pool.stride()))));
            this.pool = pool;
            this.input = input;
            this.needed = needed;
            this.n = n;
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            for (int c = 0; c < needed.length; c++) {
                if (needed[c]) {
                    kernels.maxPool(in, c * input.plane() * n, input.row() * n, pool.kernel(), pool.stride(), n, out,
                            c * output().plane() * n, output().height(), output().width());
                }
            }
        }

        @Override
        public String toString() {
            return pool.name() + ": maximum";
        }
    }

    static int windows(int input, int kernel, int stride) {
        return (input - kernel) / stride + 1;
    }

    static final class Mean extends Step {
        private final AvgPool pool;
        private final Layout input;
        private final int n;

        Mean(AvgPool pool, Layout input, int n) {
            super(Layout.compact(new ImageShape(input.channels(), windows(input.height(), pool.kernel(), pool.stride()),
                    windows(input.width(), pool.kernel(), pool.stride()))));
            this.pool = pool;
            this.input = input;
            this.n = n;
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            float share = 1f / (pool.kernel() * pool.kernel());
            int to = 0;
            for (int c = 0; c < input.channels(); c++) {
                for (int y = 0; y < output().height(); y++) {
                    for (int x = 0; x < output().width(); x++) {
                        int from = (c * input.plane() + (y * input.row() + x) * pool.stride()) * n;
                        for (int s = 0; s < n; s++) {
                            out[to++] = share * sum(in, from + s);
                        }
                    }
                }
            }
        }

        private float sum(float[] in, int from) {
            float sum = 0;
            for (int ky = 0; ky < pool.kernel(); ky++) {
                for (int kx = 0; kx < pool.kernel(); kx++) {
                    sum += in[from + (ky * input.row() + kx) * n];
                }
            }
            return sum;
        }

        @Override
        public String toString() {
            return pool.name() + ": mean";
        }
    }

    static final class Rectifier extends Step {
        private final int floats;

        Rectifier(Layout layout, int n) {
            super(layout);
            this.floats = Math.toIntExact(layout.pixels() * n);
        }

        @Override
        boolean inPlace() {
            return true;
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            for (int i = 0; i < floats; i++) {
                in[i] = Math.max(0, in[i]);
            }
        }

        @Override
        public String toString() {
            return "relu";
        }
    }

    /** Surrounds each plane with a value. */
    static final class Pad extends Step {
        private final Layout input;
        private final int padding;
        private final float value;
        private final int n;

        Pad(Layout input, int padding, float value, int n) {
            super(Layout.compact(new ImageShape(input.channels(), input.height() + 2 * padding,
                    input.width() + 2 * padding)));
            this.input = input;
            this.padding = padding;
            this.value = value;
            this.n = n;
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            Arrays.fill(out, 0, Math.toIntExact(output().pixels() * n), value);
            for (int c = 0; c < input.channels(); c++) {
                for (int y = 0; y < input.height(); y++) {
                    System.arraycopy(in, (c * input.plane() + y * input.row()) * n, out,
                            (c * output().plane() + (y + padding) * output().row() + padding) * n, input.width() * n);
                }
            }
        }

        @Override
        public String toString() {
            return "padding by " + padding;
        }
    }

    /** Takes out the columns that belong to no output. */
    static final class Compaction extends Step {
        private final Layout input;
        private final int n;

        Compaction(Layout input, int n) {
            super(Layout.compact(new ImageShape(input.channels(), input.height(), input.width())));
            this.input = input;
            this.n = n;
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            int to = 0;
            for (int c = 0; c < input.channels(); c++) {
                for (int y = 0; y < input.height(); y++) {
                    System.arraycopy(in, (c * input.plane() + y * input.row()) * n, out, to, input.width() * n);
                    to += input.width() * n;
                }
            }
        }

        @Override
        public String toString() {
            return "compaction";
        }
    }
}
