package io.pare.exec.sparse;

import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;
import java.util.Arrays;

/** The same array; only the grain of what is read differs. */
final class SparseReshape implements Step {
    private final SparseLayouts layouts;
    private final Building building;
    private final Value node;
    private final SparseSource x;
    private final SamplesLast y;
    private SparseSource dy;

    SparseReshape(SparseLayouts layouts, Value node) {
        this.layouts = layouts;
        this.building = layouts.building();
        this.node = node;
        this.x = layouts.read(building.value(node.input(0)), node.input(0));
        this.y = x.buffer().read(new boolean[node.size(1)]);
        building.value(node, y);
    }

    @Override
    public void readMasks() {
        boolean[] channels = x.buffer().read();
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
        if (building.needsGradient(node.input(0))) {
            dy = layouts.gradient(node);
            building.contribute(node.input(0), dy.buffer().read(x.buffer().read()));
        }
    }

    @Override
    public void backward() {
        if (dy != null) {
            dy.refresh().run();
        }
    }
}
