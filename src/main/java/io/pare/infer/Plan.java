package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.ImageShape;
import io.pare.net.Layer;
import io.pare.net.Layer.AvgPool;
import io.pare.net.Layer.BatchNorm;
import io.pare.net.Layer.Conv2d;
import io.pare.net.Layer.Dropout;
import io.pare.net.Layer.Flatten;
import io.pare.net.Layer.GlobalAvgPool;
import io.pare.net.Layer.Linear;
import io.pare.net.Layer.MaxPool;
import io.pare.net.Layer.Relu;
import io.pare.net.Layer.Residual;
import io.pare.net.Layer.ResponseNorm;
import io.pare.net.Layer.Subsample;
import io.pare.net.Liveness;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

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

    /**
     * Density above which a linear layer on one sample runs over whole rows. In InferLayerBench the time by weights is
     * that of whole rows at a density of 0.16 (20.6 and 22.7 us at 0.15, 27.9 and 23.4 us at 0.20).
     */
    static final double DENSE_LINEAR = 0.16;

    private final int n;
    private final CompressedWeights weights;
    private final Map<String, boolean[]> needed = new HashMap<>();
    private final List<Move> moves = new ArrayList<>();
    /** Whether the values in a buffer are read again later: then nothing may be written there. */
    private final List<Boolean> held = new ArrayList<>(List.of(false));
    private final Value output;
    private int bufferFloats;

    /** A step, the buffer that it reads and the buffer that it writes. */
    private record Move(Step step, int from, int to) {}

    /** Where values of a layer lie: the buffer, and where in it. */
    private record Value(Layout layout, int buffer) {}

    static boolean isDense(CompressedTensor weight) {
        return weight.density() > DENSE_LINEAR;
    }

    Plan(CompressedWeights weights, int n) {
        this.n = n;
        this.weights = weights;
        Liveness.walk(weights.model(), place -> {
            Layer layer = place.layer();
            needed.put(layer.name(), place.needed());
            return layer instanceof Conv2d || layer instanceof Linear
                    ? weights.tensor(layer.name() + ".weight")
                    : null;
        });
        Layout input = Layout.compact(weights.model().input());
        grow(input);
        this.output = chain(weights.model().layers(), new Value(input, 0));
    }

    /** Adds the steps of layers that run one after another. */
    private Value chain(List<Layer> layers, Value value) {
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            boolean normalized = layer instanceof Conv2d && i + 1 < layers.size()
                    && layers.get(i + 1) instanceof BatchNorm;
            int next = i + (normalized ? 2 : 1);
            boolean rectified = next < layers.size() && layers.get(next) instanceof Relu;
            switch (layer) {
                case Conv2d conv -> {
                    if (conv.padding() > 0) {
                        value = add(new Pad(value.layout(), conv.padding(), 0, n), value);
                    }
                    Affine affine = normalized
                            ? Affine.of((BatchNorm) layers.get(i + 1), weights)
                            : Affine.identity(conv.out());
                    value = add(new Convolution(conv, affine, value.layout(), weights, needed.get(conv.name()),
                            rectified, n), value);
                    i = next - (rectified ? 0 : 1);
                }
                case Linear linear -> {
                    value = own(value);
                    value = add(new FullyConnected(linear, value.layout(), weights, needed.get(linear.name()),
                            rectified, n), value);
                    i += rectified ? 1 : 0;
                }
                case MaxPool pool -> {
                    if (pool.padding() > 0) {
                        value = add(new Pad(value.layout(), pool.padding(), Float.NEGATIVE_INFINITY, n), value);
                    }
                    value = add(new Maximum(pool, value.layout(), needed.get(pool.name()), n), value);
                }
                case AvgPool pool -> {
                    if (pool.padding() > 0) {
                        value = add(new Pad(value.layout(), pool.padding(), 0, n), value);
                    }
                    value = add(new Mean(pool.name(), pool.kernel(), pool.kernel(), pool.stride(), value.layout(), n),
                            value);
                }
                case GlobalAvgPool pool -> value = add(new Mean(pool.name(), value.layout().height(),
                        value.layout().width(), 1, value.layout(), n), value);
                case BatchNorm norm -> {
                    value = own(value);
                    value = add(new Normalization(norm, weights, value.layout(), n), value);
                }
                case ResponseNorm norm -> value = add(new Response(norm, value.layout(), n), value);
                case Subsample subsample -> value = add(new Subsampling(subsample, value.layout(), n), value);
                case Relu _ -> {
                    value = own(value);
                    value = add(new Rectifier(value.layout(), n), value);
                }
                case Residual residual -> {
                    value = add(residual, rectified, value);
                    i += rectified ? 1 : 0;
                }
                case Dropout _ -> {
                    // Does nothing after training.
                }
                case Flatten _ -> {
                    if (!value.layout().isCompact()) {
                        value = add(new Compaction(value.layout(), n), value);
                    }
                    Layout flat = new Layout(value.layout().channels() * value.layout().plane(), 1, 1, 1, 1);
                    value = new Value(flat, value.buffer());
                }
            }
        }
        return value;
    }

    private Value add(Residual residual, boolean rectified, Value input) {
        boolean before = held.set(input.buffer(), true);
        Value body = chain(residual.body(), input);
        if (body.buffer() == input.buffer()) {
            body = add(new Compaction(body.layout(), n), body);
        }
        held.set(input.buffer(), before);
        held.set(body.buffer(), true);
        Value shortcut = chain(residual.shortcut(), input);
        held.set(body.buffer(), false);
        moves.add(new Move(new Sum(residual.name(), shortcut.layout(), body.layout(), rectified, n),
                shortcut.buffer(), body.buffer()));
        return body;
    }

    private Value add(Step step, Value input) {
        grow(step.output());
        int to = step.inPlace() ? input.buffer() : free(input.buffer());
        moves.add(new Move(step, input.buffer(), to));
        return new Value(step.output(), to);
    }

    /** The value where it may be overwritten. */
    private Value own(Value value) {
        return held.get(value.buffer()) ? add(new Compaction(value.layout(), n), value) : value;
    }

    /** A buffer other than {@code taken} in which nothing is that is read again. */
    private int free(int taken) {
        for (int i = 0; i < held.size(); i++) {
            if (i != taken && !held.get(i)) {
                return i;
            }
        }
        held.add(false);
        return held.size() - 1;
    }

    private void grow(Layout layout) {
        // Twice the slack: a range may begin inside the last plane and be rounded up from there.
        long floats = layout.pixels() * n + 2 * SparseKernels.SLACK;
        if (floats > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("a layer of " + weights.model().name() + " has " + layout.pixels()
                    + " values, too many for " + n + " samples at once");
        }
        bufferFloats = Math.max(bufferFloats, (int) floats);
    }

    int samples() {
        return n;
    }

    /** Number of buffers that a session needs. */
    int buffers() {
        return held.size();
    }

    /** Floats that each buffer needs. */
    int bufferFloats() {
        return bufferFloats;
    }

    /** Bytes of all buffers together. */
    long bufferBytes() {
        return (long) Float.BYTES * buffers() * bufferFloats;
    }

    /** Runs all layers; the input lies in the first buffer. Returns the buffer in which the output lies. */
    float[] run(SparseKernels kernels, float[][] buffers) {
        for (int i = 0; i < moves.size(); i++) {
            Move move = moves.get(i);
            move.step().run(kernels, buffers[move.from()], buffers[move.to()]);
        }
        return buffers[output.buffer()];
    }

    /** Offset, in pixels, of output {@code index}. */
    int outputAt(int index) {
        return output.layout().at(index);
    }

    /** One line for each step: how it runs. */
    List<String> describe() {
        return moves.stream().map(move -> move.step().toString()).toList();
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

        Rows(CompressedTensor weight, CompressedTensor bias, Affine affine) {
            int rows = Math.toIntExact(weight.shape()[0]);
            biases = bias == null ? new float[rows] : bias.toArray();
            starts = new int[rows + 1];
            offsets = new int[weight.nonzeros()];
            weights = new float[weight.nonzeros()];
            int perRow = weight.count() / biases.length;
            for (int k = 0; k < weights.length; k++) {
                int row = weight.position(k) / perRow;
                starts[row + 1]++;
                weights[k] = weight.value(k) * affine.scale[row];
            }
            for (int i = 0; i < rows; i++) {
                starts[i + 1] += starts[i];
                biases[i] = biases[i] * affine.scale[i] + affine.shift[i];
            }
        }
    }

    /** What a normalisation by running statistics does to each channel: {@code scale x + shift}. */
    private record Affine(float[] scale, float[] shift) {
        static Affine identity(int channels) {
            float[] ones = new float[channels];
            Arrays.fill(ones, 1f);
            return new Affine(ones, new float[channels]);
        }

        static Affine of(BatchNorm norm, CompressedWeights weights) {
            float[] scale = weights.tensor(norm.name() + ".weight").toArray();
            float[] shift = weights.tensor(norm.name() + ".bias").toArray();
            float[] mean = weights.tensor(norm.name() + ".running_mean").toArray();
            float[] variance = weights.tensor(norm.name() + ".running_var").toArray();
            for (int c = 0; c < scale.length; c++) {
                scale[c] = (float) (scale[c] / Math.sqrt(variance[c] + (double) norm.epsilon()));
                shift[c] -= mean[c] * scale[c];
            }
            return new Affine(scale, shift);
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

        Convolution(Conv2d conv, Affine affine, Layout input, CompressedWeights weights, boolean[] needed,
                boolean rectified, int n) {
            super(layout(conv, input, n));
            this.conv = conv;
            this.input = input;
            this.needed = needed;
            this.floor = rectified ? 0 : Float.NEGATIVE_INFINITY;
            this.n = n;
            CompressedTensor weight = weights.tensor(conv.name() + ".weight");
            this.rows = new Rows(weight, conv.bias() ? weights.tensor(conv.name() + ".bias") : null, affine);
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
        /** Inputs that no weight reads, so that nobody has computed them: what lies there may be infinite. */
        private final int[] unread;
        private final String text;

        FullyConnected(Linear linear, Layout input, CompressedWeights weights, boolean[] needed, boolean rectified,
                int n) {
            super(new Layout(linear.out(), 1, 1, 1, 1));
            this.linear = linear;
            this.needed = needed;
            this.floor = rectified ? 0 : Float.NEGATIVE_INFINITY;
            this.n = n;
            CompressedTensor weight = weights.tensor(linear.name() + ".weight");
            this.rows = new Rows(weight, weights.tensor(linear.name() + ".bias"), Affine.identity(linear.out()));
            for (int k = 0; k < weight.nonzeros(); k++) {
                rows.offsets[k] = input.at(weight.position(k) % linear.in()) * n;
            }
            boolean whole = n == 1 && input.isCompact() && isDense(weight);
            this.dense = whole ? weight.toArray() : null;
            this.unread = whole ? unread(linear, weight) : null;
            this.text = linear.name() + ": " + (whole ? "dense" : "sparse") + ", " + density(weight);
        }

        private static int[] unread(Linear linear, CompressedTensor weight) {
            boolean[] read = Liveness.read(linear, weight);
            return IntStream.range(0, read.length).filter(i -> !read[i]).toArray();
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            for (int i = 0; dense != null && i < unread.length; i++) {
                in[unread[i]] = 0;
            }
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
        private final String name;
        private final int kernelHeight;
        private final int kernelWidth;
        private final int stride;
        private final Layout input;
        private final int n;

        Mean(String name, int kernelHeight, int kernelWidth, int stride, Layout input, int n) {
            super(Layout.compact(new ImageShape(input.channels(), windows(input.height(), kernelHeight, stride),
                    windows(input.width(), kernelWidth, stride))));
            this.name = name;
            this.kernelHeight = kernelHeight;
            this.kernelWidth = kernelWidth;
            this.stride = stride;
            this.input = input;
            this.n = n;
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            float share = 1f / (kernelHeight * kernelWidth);
            int to = 0;
            for (int c = 0; c < input.channels(); c++) {
                for (int y = 0; y < output().height(); y++) {
                    for (int x = 0; x < output().width(); x++) {
                        int from = (c * input.plane() + (y * input.row() + x) * stride) * n;
                        for (int s = 0; s < n; s++) {
                            out[to++] = share * sum(in, from + s);
                        }
                    }
                }
            }
        }

        private float sum(float[] in, int from) {
            float sum = 0;
            for (int ky = 0; ky < kernelHeight; ky++) {
                for (int kx = 0; kx < kernelWidth; kx++) {
                    sum += in[from + (ky * input.row() + kx) * n];
                }
            }
            return sum;
        }

        @Override
        public String toString() {
            return name + ": mean";
        }
    }

    /** A normalisation that no convolution has taken in. */
    static final class Normalization extends Step {
        private final String name;
        private final Affine affine;
        private final int plane;

        Normalization(BatchNorm norm, CompressedWeights weights, Layout layout, int n) {
            super(layout);
            this.name = norm.name();
            this.affine = Affine.of(norm, weights);
            this.plane = layout.plane() * n;
        }

        @Override
        boolean inPlace() {
            return true;
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            for (int c = 0; c < affine.scale.length; c++) {
                for (int i = c * plane; i < (c + 1) * plane; i++) {
                    in[i] = in[i] * affine.scale[c] + affine.shift[c];
                }
            }
        }

        @Override
        public String toString() {
            return name + ": normalisation";
        }
    }

    static final class Response extends Step {
        private final ResponseNorm norm;
        private final int plane;

        Response(ResponseNorm norm, Layout layout, int n) {
            super(layout);
            this.norm = norm;
            this.plane = layout.plane() * n;
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            int channels = output().channels();
            for (int c = 0; c < channels; c++) {
                int first = Math.max(0, c - norm.size() / 2);
                int last = Math.min(channels - 1, c + norm.size() / 2);
                for (int i = 0; i < plane; i++) {
                    double squares = 0;
                    for (int near = first; near <= last; near++) {
                        squares += (double) in[near * plane + i] * in[near * plane + i];
                    }
                    out[c * plane + i] = (float) (in[c * plane + i]
                            * Math.pow(norm.k() + norm.alpha() / norm.size() * squares, -norm.beta()));
                }
            }
        }

        @Override
        public String toString() {
            return norm.name() + ": response normalisation";
        }
    }

    static final class Subsampling extends Step {
        private final Subsample subsample;
        private final Layout input;
        private final int n;

        Subsampling(Subsample subsample, Layout input, int n) {
            super(Layout.compact(
                    subsample.output(new ImageShape(input.channels(), input.height(), input.width()))));
            this.subsample = subsample;
            this.input = input;
            this.n = n;
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            Layout to = output();
            Arrays.fill(out, 0, Math.toIntExact(to.pixels() * n), 0f);
            int before = subsample.before(input.channels());
            for (int c = 0; c < input.channels(); c++) {
                for (int y = 0; y < to.height(); y++) {
                    for (int x = 0; x < to.width(); x++) {
                        System.arraycopy(in,
                                (c * input.plane() + (y * input.row() + x) * subsample.stride()) * n, out,
                                ((before + c) * to.plane() + y * to.row() + x) * n, n);
                    }
                }
            }
        }

        @Override
        public String toString() {
            return subsample.name() + ": subsample";
        }
    }

    /** Adds what is in one buffer to what is in the other. */
    static final class Sum extends Step {
        private final String name;
        private final Layout addend;
        private final float floor;
        private final int n;

        Sum(String name, Layout addend, Layout sum, boolean rectified, int n) {
            super(sum);
            this.name = name;
            this.addend = addend;
            this.floor = rectified ? 0 : Float.NEGATIVE_INFINITY;
            this.n = n;
        }

        @Override
        void run(SparseKernels kernels, float[] in, float[] out) {
            Layout to = output();
            for (int c = 0; c < to.channels(); c++) {
                for (int y = 0; y < to.height(); y++) {
                    int from = (c * addend.plane() + y * addend.row()) * n;
                    int at = (c * to.plane() + y * to.row()) * n;
                    for (int i = 0; i < to.width() * n; i++) {
                        out[at + i] = Math.max(floor, out[at + i] + in[from + i]);
                    }
                }
            }
        }

        @Override
        public String toString() {
            return name + ": sum";
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
