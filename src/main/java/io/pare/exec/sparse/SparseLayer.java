package io.pare.exec.sparse;

import static io.pare.exec.sparse.SparseLayouts.KERNELS;

import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.kernel.Bits;
import io.pare.kernel.SparseKernels;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;
import io.pare.net.Window;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Convolution of stride 1 without padding; a linear layer is one of 1 x 1 over images of one pixel. A ReLU that alone reads
 * it is computed as well, and so are maxima over windows of 2 x 2 that alone read these: of a convolution's own output two
 * rows are in memory at a time.
 */
final class SparseLayer implements Step {
    private static final Op.MaxPool POOL = new Op.MaxPool(Window.square(2, 2, 0));

    private final SparseLayouts layouts;
    private final Building building;
    private final int samples;
    private final Value node;
    /** The last of the values that are computed here. */
    private final Value last;
    private final boolean relu;
    private final boolean pool;
    private final int inChannels;
    private final int outChannels;
    private final int height;
    private final int width;
    private final int outHeight;
    private final int outWidth;
    private final int kernelHeight;
    private final int kernelWidth;
    private final SparseSource x;
    private final SamplesLast y;
    /** Where the maxima are; {@code null} where there are none, or no backward pass. */
    private final float @Nullable [] places;
    /** A plane of the convolution's output, or of its gradient. */
    private final float[] plane;
    private final MemorySegment weight;
    private final MemorySegment bias;
    private SparseSource dy;
    private float[] dx;
    private FloatTensor dWeight;
    private FloatTensor dBias;
    /** Whether gradients are added to what is there. */
    private boolean addsWeight;
    private boolean addsBias;

    // The weights that are left, by output channel: number {@code from[o]} to {@code from[o + 1]}.
    private final int[] from;
    private final int[] at;
    private final int[] offsets;
    private final float[] weights;
    /** Of the gradient of each weight, in parts as {@link SparseKernels#accumulateWeights} has them. */
    private final float[] sums;

    SparseLayer(SparseLayouts layouts, Value node) {
        this.layouts = layouts;
        this.building = layouts.building();
        this.samples = building.batch();
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
        Value activated = building.withRelu(node);
        this.relu = activated != node;
        Value reader = building.onlyReader(activated);
        this.pool = reader.op() instanceof Operation.Apply(Op.MaxPool op) && op.equals(POOL);
        this.last = pool ? reader : activated;
        this.x = layouts.read(building.value(input), input);
        this.y = layouts.value(last, new boolean[outChannels]);
        building.value(last, y);
        if (last != activated) {
            building.value(activated, y);
        }
        if (activated != node) {
            building.value(node, y);
        }
        this.places = pool && building.training() ? new float[y.values().length] : null;
        this.plane = new float[outHeight * outWidth * samples + SparseKernels.SLACK];
        this.weight = building.plain(filters).tensor().segment();
        this.bias = building.plain(node.input(2)).tensor().segment();
        int count = Math.toIntExact(filters.count());
        this.from = new int[outChannels + 1];
        this.at = new int[count];
        this.offsets = new int[count];
        this.weights = new float[count];
        this.sums = building.training() ? new float[Math.multiplyExact(count, SparseKernels.SLACK)] : new float[0];
    }

    @Override
    public void readMasks() {
        boolean[] used = x.buffer().read();
        Arrays.fill(used, false);
        Bits mask = building.mask(node.input(1));
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
        if (dWeight != null && !addsWeight) {
            dWeight.fill(0f);
        }
        if (dBias != null && !addsBias) {
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
        int rowCount = outWidth * samples;
        int pooled = outWidth / 2 * samples;
        for (int o = 0; o < outChannels; o++) {
            if (!y.read()[o]) {
                continue;
            }
            float shift = bias.getAtIndex(ValueLayout.JAVA_FLOAT, o);
            if (pool) {
                for (int row = 0; row < outHeight / 2; row++) {
                    row(o, 2 * row, shift, plane, 0);
                    row(o, 2 * row + 1, shift, plane, rowCount);
                    maxima(o * (outHeight / 2) * pooled + row * pooled);
                }
            } else {
                for (int row = 0; row < outHeight; row++) {
                    row(o, row, shift, y.values(), (o * outHeight + row) * rowCount);
                }
            }
        }
    }

    private void row(int o, int row, float shift, float[] out, int outAt) {
        KERNELS.accumulate(x.buffer().values(), row * width * samples, offsets, weights, from[o], from[o + 1], shift,
                floor(), out, outAt, outWidth * samples);
    }

    private float floor() {
        return relu ? 0 : Float.NEGATIVE_INFINITY;
    }

    private void maxima(int outAt) {
        if (places == null) {
            KERNELS.maxPool(plane, 0, outWidth * samples, 2, 2, samples, y.values(), outAt, 1, outWidth / 2);
        } else {
            KERNELS.maxPoolPlaces(plane, 0, outWidth * samples, samples, floor(), y.values(), places, outAt, 1,
                    outWidth / 2);
        }
    }

    @Override
    public void prepareBackward() {
        dy = layouts.gradient(last);
        Value input = node.input(0);
        dx = building.needsGradient(input) ? layouts.contribute(input, x.buffer().read()).values() : null;
        FloatTensor weightSum = building.gradientSum(node.input(1));
        addsWeight = weightSum != null;
        dWeight = addsWeight ? weightSum : building.gradientFor(node.input(1));
        FloatTensor biasSum = building.gradientSum(node.input(2));
        addsBias = biasSum != null;
        dBias = addsBias ? biasSum : building.gradientFor(node.input(2));
    }

    @Override
    public void backward() {
        dy.refresh().run();
        int inPlane = height * width * samples;
        for (int c = 0; dx != null && c < inChannels; c++) {
            if (x.buffer().read()[c]) {
                Arrays.fill(dx, c * inPlane, (c + 1) * inPlane, 0f);
            }
        }
        int rowStride = width * samples;
        int rowCount = outWidth * samples;
        Arrays.fill(sums, 0, from[outChannels] * SparseKernels.SLACK, 0f);
        if (pool) {
            // Rows and columns that no window covers have no gradient; a forward pass has left values there.
            Arrays.fill(plane, 0f);
        }
        for (int o = 0; o < outChannels; o++) {
            if (!y.read()[o]) {
                continue;
            }
            gradient(o);
            write(dBias, addsBias, o, KERNELS.sum(plane, 0, outHeight * rowCount));
            KERNELS.accumulateWeights(x.buffer().values(), 0, rowStride, offsets, sums, from[o], from[o + 1], plane, 0,
                    outHeight, rowCount);
            for (int row = 0; dx != null && row < outHeight; row++) {
                KERNELS.scatter(plane, row * rowCount, offsets, weights, from[o], from[o + 1], dx, row * rowStride,
                        rowCount);
            }
        }
        for (int k = 0; k < from[outChannels]; k++) {
            write(dWeight, addsWeight, at[k], KERNELS.sum(sums, k * SparseKernels.SLACK, SparseKernels.SLACK));
        }
    }

    /** Writes the gradient of the convolution's own output, one channel of it, to {@link #plane}. */
    private void gradient(int o) {
        float[] given = dy.buffer().values();
        if (pool) {
            KERNELS.spread(given, places, o * (outHeight / 2) * (outWidth / 2) * samples, outHeight / 2, outWidth / 2,
                    samples, plane, 0, outWidth * samples);
            return;
        }
        int count = outHeight * outWidth * samples;
        if (relu) {
            KERNELS.reluBackward(y.values(), given, o * count, plane, 0, count);
        } else {
            System.arraycopy(given, o * count, plane, 0, count);
        }
    }

    private static void write(FloatTensor gradient, boolean adds, int index, float value) {
        MemorySegment to = gradient.segment();
        float old = adds ? to.getAtIndex(ValueLayout.JAVA_FLOAT, index) : 0;
        to.setAtIndex(ValueLayout.JAVA_FLOAT, index, old + value);
    }
}
