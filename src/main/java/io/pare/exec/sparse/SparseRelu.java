package io.pare.exec.sparse;

import static io.pare.exec.sparse.SparseLayouts.KERNELS;

import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.net.Op;

/** {@link Op.Relu} of the channels that are read, where it is not a part of {@link SparseLayer}. */
final class SparseRelu implements Step {
    private static final int[] SELF = {0};
    private static final float[] ONCE = {1};

    private final SparseLayouts layouts;
    private final Building building;
    private final Value node;
    private final int channels;
    private final int plane;
    private final SparseSource x;
    private final SamplesLast y;
    private SparseSource dy;
    private float[] dx;

    SparseRelu(SparseLayouts layouts, Value node) {
        this.layouts = layouts;
        this.building = layouts.building();
        this.node = node;
        this.channels = node.size(1);
        this.plane = Math.toIntExact(node.count() / channels);
        this.x = layouts.read(building.value(node.input(0)), node.input(0));
        this.y = layouts.value(node, x.buffer().read());
        building.value(node, y);
    }

    @Override
    public void forward() {
        x.refresh().run();
        float[] in = x.buffer().values();
        float[] out = y.values();
        for (int c = 0; c < channels; c++) {
            if (y.read()[c]) {
                KERNELS.accumulate(in, c * plane, SELF, ONCE, 0, 1, 0f, 0f, out, c * plane, plane);
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
        float[] out = y.values();
        float[] gradient = dy.buffer().values();
        for (int c = 0; c < channels; c++) {
            if (y.read()[c]) {
                KERNELS.reluBackward(out, gradient, c * plane, dx, c * plane, plane);
            }
        }
    }
}
