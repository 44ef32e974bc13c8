package io.pare.exec.java;

import static io.pare.exec.java.JavaSteps.KERNELS;

import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.Relu} on row-major memory. */
final class ReluStep implements Step {
    private final Building building;
    private final Value node;
    private final Source x;
    private final FloatTensor y;
    private Source dy;
    private FloatTensor dx;

    ReluStep(Building building, Value node) {
        this.building = building;
        this.node = node;
        this.x = building.plain(node.input(0));
        this.y = building.allocateValue(node, x.tensor());
    }

    @Override
    public void forward() {
        x.refresh().run();
        KERNELS.reluForward(x.tensor().segment(), 0, y.segment(), 0, y.count());
    }

    @Override
    public void prepareBackward() {
        if (building.needsGradient(node.input(0))) {
            dy = building.gradient(node);
            dx = building.gradientFor(node.input(0), dy.tensor());
            building.uses(y);
        }
    }

    @Override
    public void backward() {
        if (dx != null) {
            dy.refresh().run();
            KERNELS.reluBackward(y.segment(), 0, dy.tensor().segment(), 0, dx.segment(), 0, y.count());
        }
    }
}
