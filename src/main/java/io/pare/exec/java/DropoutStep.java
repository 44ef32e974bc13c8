package io.pare.exec.java;

import static io.pare.exec.java.JavaSteps.KERNELS;

import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.Dropout}: which values fall depends on the pass's key and the position alone, so no mask is kept. */
final class DropoutStep implements Step {
    private final Building building;
    private final Value node;
    private final float rate;
    private final Source x;
    /** {@code null} where dropout does nothing and the output is the input. */
    private final FloatTensor y;
    /** Position of the node's first value among the random numbers of a pass: layers must not share zeros. */
    private final long counter;
    private Source dy;
    private FloatTensor dx;

    DropoutStep(Building building, Value node, float rate) {
        this.building = building;
        this.node = node;
        this.rate = rate;
        this.x = building.plain(node.input(0));
        this.counter = building.takeRandom(node.count());
        if (building.training() && rate > 0) {
            this.y = building.allocateValue(node);
        } else {
            this.y = null;
            building.value(node, new Buffer.Plain(x.tensor()));
        }
    }

    @Override
    public void forward() {
        x.refresh().run();
        if (y != null) {
            KERNELS.dropout(x.tensor().segment(), 0, y.segment(), 0, y.count(), rate, building.pass().key(),
                    counter + building.pass().part() * node.count());
        }
    }

    @Override
    public void prepareBackward() {
        if (!building.needsGradient(node.input(0))) {
            return;
        }
        dy = building.gradient(node);
        if (y == null) {
            building.contribute(node.input(0), new Buffer.Plain(dy.tensor()));
        } else {
            dx = building.gradientFor(node.input(0), dy.tensor());
        }
    }

    @Override
    public void backward() {
        if (dy == null) {
            return;
        }
        dy.refresh().run();
        if (dx != null) {
            KERNELS.dropout(dy.tensor().segment(), 0, dx.segment(), 0, dx.count(), rate, building.pass().key(),
                    counter + building.pass().part() * node.count());
        }
    }
}
