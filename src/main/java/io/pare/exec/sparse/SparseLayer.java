package io.pare.exec.sparse;

import static io.pare.exec.sparse.SparseLayouts.KERNELS;

import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.kernel.Bits;
import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Convolution of stride 1 without padding; a linear layer is one of 1 x 1 over images of one pixel. */
final class SparseLayer implements Step {
    private final SparseLayouts layouts;
    private final Building building;
    private final int samples;
    private final Value node;
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
    private final MemorySegment weight;
    private final MemorySegment bias;
    private SparseSource dy;
    private float[] dx;
    private FloatTensor dWeight;
    private FloatTensor dBias;

    // The weights that are left, by output channel: number {@code from[o]} to {@code from[o + 1]}.
    private final int[] from;
    private final int[] at;
    private final int[] offsets;
    private final float[] weights;
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
        this.x = layouts.read(building.value(input), input);
        this.y = layouts.value(node, new boolean[outChannels]);
        building.value(node, y);
        this.weight = building.plain(filters).tensor().segment();
        this.bias = building.plain(node.input(2)).tensor().segment();
        int count = Math.toIntExact(filters.count());
        this.from = new int[outChannels + 1];
        this.at = new int[count];
        this.offsets = new int[count];
        this.weights = new float[count];
        this.sums = new float[count];
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
                KERNELS.accumulate(x.buffer().values(), row * width * samples, offsets, weights, from[o], from[o + 1],
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
        dy = layouts.gradient(node);
        Value input = node.input(0);
        dx = building.needsGradient(input) ? layouts.contribute(input, x.buffer().read()).values() : null;
        dWeight = building.gradientFor(node.input(1));
        dBias = building.gradientFor(node.input(2));
    }

    @Override
    public void backward() {
        dy.refresh().run();
        float[] gradient = dy.buffer().values();
        int plane = height * width * samples;
        for (int c = 0; dx != null && c < inChannels; c++) {
            if (x.buffer().read()[c]) {
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
                KERNELS.accumulateWeights(x.buffer().values(), row * rowStride, offsets, sums, from[o], from[o + 1],
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
