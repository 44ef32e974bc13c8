package io.pare.exec.sparse;

import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.net.Op;

/** {@link Op.Relu} of the channels that are read. */
final class SparseRelu implements Step {
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
            int end = y.read()[c] ? (c + 1) * plane : 0;
            for (int i = c * plane; i < end; i++) {
                out[i] = in[i] > 0 ? in[i] : 0;
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
            int end = y.read()[c] ? (c + 1) * plane : 0;
            for (int i = c * plane; i < end; i++) {
                dx[i] = out[i] > 0 ? gradient[i] : 0;
            }
        }
    }
}
