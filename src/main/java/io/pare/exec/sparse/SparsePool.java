package io.pare.exec.sparse;

import static io.pare.exec.sparse.SparseLayouts.KERNELS;

import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;

/** Maximum over windows that touch, but do not overlap. */
final class SparsePool implements Step {
    private final SparseLayouts layouts;
    private final Building building;
    private final int samples;
    private final Value node;
    private final int kernel;
    private final int channels;
    private final int height;
    private final int width;
    private final int outHeight;
    private final int outWidth;
    private final SparseSource x;
    private final SamplesLast y;
    private SparseSource dy;
    private float[] dx;

    SparsePool(SparseLayouts layouts, Value node, int kernel) {
        this.layouts = layouts;
        this.building = layouts.building();
        this.samples = building.batch();
        this.node = node;
        this.kernel = kernel;
        Value input = node.input(0);
        this.channels = input.size(1);
        this.height = input.size(2);
        this.width = input.size(3);
        this.outHeight = node.size(2);
        this.outWidth = node.size(3);
        this.x = layouts.read(building.value(input), input);
        this.y = layouts.value(node, x.buffer().read());
        building.value(node, y);
    }

    @Override
    public void forward() {
        x.refresh().run();
        for (int c = 0; c < channels; c++) {
            if (y.read()[c]) {
                KERNELS.maxPool(x.buffer().values(), c * height * width * samples, width * samples, kernel, kernel,
                        samples, y.values(), c * outHeight * outWidth * samples, outHeight, outWidth);
            }
        }
    }

    @Override
    public void prepareBackward() {
        if (building.needsGradient(node.input(0))) {
            dy = layouts.gradient(node);
            dx = layouts.contribute(node.input(0), x.buffer().read()).values();
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
                KERNELS.maxPoolBackward(x.buffer().values(), dx, c * height * width * samples, width * samples,
                        kernel, samples, y.values(), dy.buffer().values(), c * outHeight * outWidth * samples,
                        outHeight, outWidth);
            }
        }
    }
}
