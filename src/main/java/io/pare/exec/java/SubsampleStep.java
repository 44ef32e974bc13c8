package io.pare.exec.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;

/** {@link Op.Subsample} on row-major memory. */
final class SubsampleStep implements Step {
    private final Building building;
    private final Value node;
    private final int stride;
    private final Source x;
    private final FloatTensor y;
    private Source dy;
    private FloatTensor dx;

    SubsampleStep(Building building, Value node, int stride) {
        this.building = building;
        this.node = node;
        this.stride = stride;
        this.x = building.plain(node.input(0));
        this.y = building.allocateValue(node);
    }

    @Override
    public void forward() {
        x.refresh().run();
        y.fill(0f);
        copy(x.tensor().segment(), y.segment(), true);
    }

    @Override
    public void prepareBackward() {
        if (building.needsGradient(node.input(0))) {
            dy = building.gradient(node);
            dx = building.gradientFor(node.input(0));
        }
    }

    @Override
    public void backward() {
        if (dx != null) {
            dy.refresh().run();
            dx.fill(0f);
            copy(dx.segment(), dy.tensor().segment(), false);
        }
    }

    /** Copies the pixels that large and small image share, to the small one or from it. */
    private void copy(MemorySegment large, MemorySegment small, boolean toSmall) {
        Value input = node.input(0);
        int channels = input.size(1);
        int before = (node.size(1) - channels) / 2;
        for (int n = 0; n < node.size(0); n++) {
            for (int c = 0; c < channels; c++) {
                for (int row = 0; row < node.size(2); row++) {
                    long from = (((long) n * channels + c) * input.size(2) + (long) row * stride) * input.size(3);
                    long to = (((long) n * node.size(1) + before + c) * node.size(2) + row) * node.size(3);
                    for (int column = 0; column < node.size(3); column++, from += stride, to++) {
                        if (toSmall) {
                            small.setAtIndex(JAVA_FLOAT, to, large.getAtIndex(JAVA_FLOAT, from));
                        } else {
                            large.setAtIndex(JAVA_FLOAT, from, small.getAtIndex(JAVA_FLOAT, to));
                        }
                    }
                }
            }
        }
    }
}
