package io.pare.exec.java;

import static io.pare.exec.java.JavaSteps.KERNELS;

import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.Add}; the gradient of both inputs is the output's. */
final class AddStep implements Step {
    private final Building building;
    private final Value node;
    private final Source left;
    private final Source right;
    private final FloatTensor y;
    private Source dy;

    AddStep(Building building, Value node) {
        this.building = building;
        this.node = node;
        this.left = building.plain(node.input(0));
        this.right = building.plain(node.input(1));
        this.y = building.allocateValue(node);
    }

    @Override
    public void forward() {
        left.refresh().run();
        right.refresh().run();
        KERNELS.add(left.tensor().segment(), 0, right.tensor().segment(), 0, y.segment(), 0, y.count());
    }

    @Override
    public void prepareBackward() {
        dy = building.gradient(node);
        for (Value input : node.inputs()) {
            if (building.needsGradient(input)) {
                building.contribute(input, new Buffer.Plain(dy.tensor()));
            }
        }
    }

    @Override
    public void backward() {
        dy.refresh().run();
    }
}
