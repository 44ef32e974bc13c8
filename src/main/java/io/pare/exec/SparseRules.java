package io.pare.exec;

import io.pare.kernel.Bits;
import io.pare.kernel.SparseKernels;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * The rules of networks whose masks leave few weights: only these are multiplied, forward and backward.
 *
 * <p>Values lie with samples side by side, {@code [channel, row, column, sample]}, so that one weight multiplies whole
 * vectors of a row of all samples, whatever its position. Channels that no remaining weight reads are not computed, and
 * the gradients of what feeds them are exactly zero. The arrays are on the Java heap, as {@link SparseKernels} wants
 * them, and taken once.
 */
final class SparseRules {
    /** Batches whose rows are whole vectors of every width. */
    static final int SAMPLES = SparseKernels.SLACK;

    private static final SparseKernels KERNELS = SparseKernels.active();

    private final Tape tape;
    private final int samples;

    SparseRules(Tape tape, int samples) {
        if (samples % SAMPLES != 0) {
            throw new IllegalArgumentException(
                    "sparse training takes batches of a multiple of " + SAMPLES + ", not " + samples);
        }
        this.tape = tape;
        this.samples = samples;
    }

    /** Whether an operation has a sparse rule. */
    static boolean cover(Value node) {
        return switch (node.op()) {
            case Operation.Apply(Op.Conv2d op) -> op.stride() == 1 && op.padding() == 0 && op.dilation() == 1
                    && op.groups() == 1 && op.bias();
            case Operation.Apply(Op.MaxPool op) -> op.kernel() == op.stride() && op.padding() == 0;
            case Operation.Apply(Op.Linear _),Operation.Apply(Op.Relu _),Operation.Reshape _ -> true;
            default -> false;
        };
    }

    private static Value checked(Value node) {
        if (!cover(node)) {
            throw new IllegalArgumentException("no sparse rule for " + node);
        }
        return node;
    }

    /** The step for an operation that has a sparse rule, or {@code null}. */
    Step step(Value node) {
        return switch (node.op()) {
            case Operation.Apply(Op.Conv2d _) -> new Layer(checked(node));
            case Operation.Apply(Op.Linear _) -> new Layer(node);
            case Operation.Apply(Op.MaxPool op) -> new Pool(checked(node), op.kernel());
            case Operation.Apply(Op.Relu _) -> new Rectifier(node);
            case Operation.Reshape _ -> new Flat(node);
            default -> null;
        };
    }

    /** Row-major copy of samples that lie side by side; whoever asks for it reads all channels. */
    Source toPlain(Slot.SamplesLast slot, Value node) {
        Arrays.fill(slot.read(), true);
        FloatTensor tensor = tape.tensor(node.shape());
        int features = features(node);
        MemorySegment to = tensor.segment();
        return new Source(tensor, () -> {
            for (int n = 0; n < samples; n++) {
                for (int f = 0; f < features; f++) {
                    to.setAtIndex(ValueLayout.JAVA_FLOAT, (long) n * features + f, slot.values()[f * samples + n]);
                }
            }
        });
    }

    private int features(Value node) {
        return Math.toIntExact(node.count() / samples);
    }

    private float[] allocate(Value node) {
        return new float[Math.addExact(Math.toIntExact(node.count()), SparseKernels.SLACK)];
    }

    /** A slot with samples side by side, and what brings it up to date. */
    private record Reading(Slot.SamplesLast slot, Runnable refresh) {}

    private Reading read(Slot slot, Value node) {
        return switch (slot) {
            case Slot.SamplesLast samplesLast -> new Reading(samplesLast, Source.NOTHING);
            case Slot.Plain(FloatTensor tensor) -> {
                Slot.SamplesLast side = new Slot.SamplesLast(allocate(node), new boolean[node.size(1)]);
                yield new Reading(side, transposition(tensor, side.values(), features(node)));
            }
            case Slot.Blocked blocked -> throw new AssertionError("a sparse tape holds no oneDNN memory");
        };
    }

    private Runnable transposition(FloatTensor tensor, float[] to, int features) {
        float[] row = new float[features];
        return () -> {
            for (int n = 0; n < samples; n++) {
                MemorySegment.copy(tensor.segment(), ValueLayout.JAVA_FLOAT, (long) n * features * Float.BYTES, row, 0,
                        features);
                for (int f = 0; f < features; f++) {
                    to[f * samples + n] = row[f];
                }
            }
        };
    }

    private Reading gradient(Value node) {
        List<Slot> parts = tape.contributions(node);
        if (parts.size() != 1) {
            throw new IllegalArgumentException("no sparse rule where " + parts.size() + " nodes read " + node);
        }
        return read(parts.getFirst(), node);
    }

    private Slot.SamplesLast contribute(Value input, boolean[] read) {
        Slot.SamplesLast slot = new Slot.SamplesLast(allocate(input), read);
        tape.contribute(input, slot);
        return slot;
    }

    /** Convolution of stride 1 without padding; a linear layer is one of 1 x 1 over images of one pixel. */
    private final class Layer implements Step {
        private final Value node;
        private final int inChannels;
        private final int outChannels;
        private final int height;
        private final int width;
        private final int outHeight;
        private final int outWidth;
        private final int kernelHeight;
        private final int kernelWidth;
        private final Reading x;
        private final Slot.SamplesLast y;
        private final MemorySegment weight;
        private final MemorySegment bias;
        private Reading dy;
        private float[] dx;
        private FloatTensor dWeight;
        private FloatTensor dBias;

        // The weights that are left, by output channel: number {@code from[o]} to {@code from[o + 1]}.
        private final int[] from;
        private final int[] at;
        private final int[] offsets;
        private final float[] weights;
        private final float[] sums;

        Layer(Value node) {
            this.node = node;
            Value input = node.input(0);
            Value filters = node.input(1);
            boolean images = filters.rank() == 4;
            this.inChannels = filters.size(1);
            this.outChannels = filters.size(0);
            this.kernelHeight = images ? filters.size(2) : 1;
            this.kernelWidth = images ? filters.size(3) : 1;
            this.height = images ? input.size(2) : 1;
            this.width = images ? input.size(3) : 1;
            this.outHeight = height - kernelHeight + 1;
            this.outWidth = width - kernelWidth + 1;
            this.x = read(tape.value(input), input);
            this.y = new Slot.SamplesLast(allocate(node), new boolean[outChannels]);
            tape.value(node, y);
            this.weight = tape.plain(filters).tensor().segment();
            this.bias = tape.plain(node.input(2)).tensor().segment();
            int count = Math.toIntExact(filters.count());
            this.from = new int[outChannels + 1];
            this.at = new int[count];
            this.offsets = new int[count];
            this.weights = new float[count];
            this.sums = new float[count];
        }

        @Override
        public void readMasks() {
            boolean[] used = x.slot().read();
            Arrays.fill(used, false);
            Bits mask = tape.mask(node.input(1));
            int perFilter = inChannels * kernelHeight * kernelWidth;
            int k = 0;
            for (int o = 0; o < outChannels; o++) {
                from[o] = k;
                int end = y.read()[o] ? (o + 1) * perFilter : 0;
                for (int e = o * perFilter; e < end; e++) {
                    if (mask == null || mask.get(e)) {
                        int tap = e - o * perFilter;
                        int channel = tap / (kernelHeight * kernelWidth);
                        int row = tap / kernelWidth % kernelHeight;
                        at[k] = e;
                        offsets[k++] = ((channel * height + row) * width + tap % kernelWidth) * samples;
                        used[channel] = true;
                    }
                }
            }
            from[outChannels] = k;
            if (dWeight != null) {
                dWeight.fill(0f);
                dBias.fill(0f);
            }
            if (dx != null) {
                Arrays.fill(dx, 0f);
            }
        }

        @Override
        public void forward() {
            x.refresh().run();
            for (int k = 0; k < from[outChannels]; k++) {
                weights[k] = weight.getAtIndex(ValueLayout.JAVA_FLOAT, at[k]);
            }
            for (int o = 0; o < outChannels; o++) {
                if (!y.read()[o]) {
                    continue;
                }
                float shift = bias.getAtIndex(ValueLayout.JAVA_FLOAT, o);
                for (int row = 0; row < outHeight; row++) {
                    KERNELS.accumulate(x.slot().values(), row * width * samples, offsets, weights, from[o], from[o + 1],
                            shift, Float.NEGATIVE_INFINITY, y.values(), outAt(o) + row * outWidth * samples,
                            outWidth * samples);
                }
            }
        }

        private int outAt(int channel) {
            return channel * outHeight * outWidth * samples;
        }

        @Override
        public void prepareBackward() {
            dy = gradient(node);
            Value input = node.input(0);
            dx = tape.needsGradient(input) ? contribute(input, x.slot().read()).values() : null;
            dWeight = tape.gradientFor(node.input(1));
            dBias = tape.gradientFor(node.input(2));
        }

        @Override
        public void backward() {
            dy.refresh().run();
            float[] gradient = dy.slot().values();
            int plane = height * width * samples;
            for (int c = 0; dx != null && c < inChannels; c++) {
                if (x.slot().read()[c]) {
                    Arrays.fill(dx, c * plane, (c + 1) * plane, 0f);
                }
            }
            int rowStride = width * samples;
            int count = outWidth * samples;
            Arrays.fill(sums, 0, from[outChannels], 0f);
            for (int o = 0; o < outChannels; o++) {
                if (!y.read()[o]) {
                    continue;
                }
                dBias.segment().setAtIndex(ValueLayout.JAVA_FLOAT, o,
                        KERNELS.sum(gradient, outAt(o), outHeight * count));
                for (int row = 0; row < outHeight; row++) {
                    int rowAt = outAt(o) + row * count;
                    KERNELS.accumulateWeights(x.slot().values(), row * rowStride, offsets, sums, from[o], from[o + 1],
                            gradient, rowAt, count);
                    if (dx != null) {
                        KERNELS.scatter(gradient, rowAt, offsets, weights, from[o], from[o + 1], dx, row * rowStride,
                                count);
                    }
                }
            }
            for (int k = 0; k < from[outChannels]; k++) {
                dWeight.segment().setAtIndex(ValueLayout.JAVA_FLOAT, at[k], sums[k]);
            }
        }
    }

    /** Maximum over windows that touch, but do not overlap. */
    private final class Pool implements Step {
        private final Value node;
        private final int kernel;
        private final int channels;
        private final int height;
        private final int width;
        private final int outHeight;
        private final int outWidth;
        private final Reading x;
        private final Slot.SamplesLast y;
        private Reading dy;
        private float[] dx;

        Pool(Value node, int kernel) {
            this.node = node;
            this.kernel = kernel;
            Value input = node.input(0);
            this.channels = input.size(1);
            this.height = input.size(2);
            this.width = input.size(3);
            this.outHeight = node.size(2);
            this.outWidth = node.size(3);
            this.x = read(tape.value(input), input);
            this.y = new Slot.SamplesLast(allocate(node), x.slot().read());
            tape.value(node, y);
        }

        @Override
        public void forward() {
            x.refresh().run();
            for (int c = 0; c < channels; c++) {
                if (y.read()[c]) {
                    KERNELS.maxPool(x.slot().values(), c * height * width * samples, width * samples, kernel, kernel,
                            samples, y.values(), c * outHeight * outWidth * samples, outHeight, outWidth);
                }
            }
        }

        @Override
        public void prepareBackward() {
            if (tape.needsGradient(node.input(0))) {
                dy = gradient(node);
                dx = contribute(node.input(0), x.slot().read()).values();
            }
        }

        @Override
        public void backward() {
            if (dx == null) {
                return;
            }
            dy.refresh().run();
            // Rows and columns that no window covers keep the zeros that the array was made with.
            for (int c = 0; c < channels; c++) {
                if (y.read()[c]) {
                    KERNELS.maxPoolBackward(x.slot().values(), dx, c * height * width * samples, width * samples,
                            kernel, samples, y.values(), dy.slot().values(), c * outHeight * outWidth * samples,
                            outHeight, outWidth);
                }
            }
        }
    }

    private final class Rectifier implements Step {
        private final Value node;
        private final int channels;
        private final int plane;
        private final Reading x;
        private final Slot.SamplesLast y;
        private Reading dy;
        private float[] dx;

        Rectifier(Value node) {
            this.node = node;
            this.channels = node.size(1);
            this.plane = Math.toIntExact(node.count() / channels);
            this.x = read(tape.value(node.input(0)), node.input(0));
            this.y = new Slot.SamplesLast(allocate(node), x.slot().read());
            tape.value(node, y);
        }

        @Override
        public void forward() {
            x.refresh().run();
            float[] in = x.slot().values();
            float[] out = y.values();
            for (int c = 0; c < channels; c++) {
                int end = y.read()[c] ? (c + 1) * plane : 0;
                for (int i = c * plane; i < end; i++) {
                    out[i] = in[i] > 0 ? in[i] : 0;
                }
            }
        }

        @Override
        public void prepareBackward() {
            if (tape.needsGradient(node.input(0))) {
                dy = gradient(node);
                dx = contribute(node.input(0), x.slot().read()).values();
            }
        }

        @Override
        public void backward() {
            if (dx == null) {
                return;
            }
            dy.refresh().run();
            float[] out = y.values();
            float[] gradient = dy.slot().values();
            for (int c = 0; c < channels; c++) {
                int end = y.read()[c] ? (c + 1) * plane : 0;
                for (int i = c * plane; i < end; i++) {
                    dx[i] = out[i] > 0 ? gradient[i] : 0;
                }
            }
        }
    }

    /** The same array; only the grain of what is read differs. */
    private final class Flat implements Step {
        private final Value node;
        private final Reading x;
        private final Slot.SamplesLast y;
        private Reading dy;

        Flat(Value node) {
            this.node = node;
            this.x = read(tape.value(node.input(0)), node.input(0));
            this.y = new Slot.SamplesLast(x.slot().values(), new boolean[node.size(1)]);
            tape.value(node, y);
        }

        @Override
        public void readMasks() {
            boolean[] channels = x.slot().read();
            int plane = y.read().length / channels.length;
            Arrays.fill(channels, false);
            for (int f = 0; f < y.read().length; f++) {
                channels[f / plane] |= y.read()[f];
            }
        }

        @Override
        public void forward() {
            x.refresh().run();
        }

        @Override
        public void prepareBackward() {
            if (tape.needsGradient(node.input(0))) {
                dy = gradient(node);
                tape.contribute(node.input(0), new Slot.SamplesLast(dy.slot().values(), x.slot().read()));
            }
        }

        @Override
        public void backward() {
            if (dy != null) {
                dy.refresh().run();
            }
        }
    }
}
