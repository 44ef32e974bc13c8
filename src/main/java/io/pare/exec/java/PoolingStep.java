package io.pare.exec.java;

import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;

/** {@link Op.MaxPool}, {@link Op.AvgPool} and {@link Op.GlobalAvgPool} in plain Java. */
final class PoolingStep implements Step {
    private final Building building;
    private final Value node;
    private final PlainPooling pooling;
    private final Source x;
    private final FloatTensor y;
    /** Index of each maximum in its plane; {@code null} when averaging. */
    private final MemorySegment winners;
    private Source dy;
    private FloatTensor dx;

    PoolingStep(Building building, Value node, int kernelHeight, int kernelWidth, int stride, int padding,
            boolean max) {
        this.building = building;
        this.node = node;
        Value input = node.input(0);
        this.pooling = new PlainPooling(Math.multiplyExact(input.size(0), input.size(1)), input.size(2), input.size(3),
                node.size(2), node.size(3), kernelHeight, kernelWidth, stride, padding);
        this.x = building.plain(input);
        this.y = building.allocateValue(node);
        this.winners = max ? building.allocate(node.count() * Integer.BYTES) : null;
    }

    @Override
    public void forward() {
        x.refresh().run();
        if (winners != null) {
            pooling.maxForward(x.tensor().segment(), y.segment(), winners);
        } else {
            pooling.avgForward(x.tensor().segment(), y.segment());
        }
    }

    @Override
    public void prepareBackward() {
        if (building.needsGradient(node.input(0))) {
            dy = building.gradient(node);
            dx = building.gradientFor(node.input(0));
            if (winners != null) {
                building.uses(winners);
            }
        }
    }

    @Override
    public void backward() {
        if (dx == null) {
            return;
        }
        dy.refresh().run();
        if (winners != null) {
            pooling.maxBackward(dy.tensor().segment(), winners, dx.segment());
        } else {
            pooling.avgBackward(dy.tensor().segment(), dx.segment());
        }
    }
}
