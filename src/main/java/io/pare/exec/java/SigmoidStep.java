package io.pare.exec.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;

/** {@link Op.Sigmoid} on row-major memory; its gradient is that of the output times y (1 - y). */
final class SigmoidStep implements Step {
    private final Building building;
    private final Value node;
    private final Source x;
    private final FloatTensor y;
    private Source dy;
    private FloatTensor dx;

    SigmoidStep(Building building, Value node) {
        this.building = building;
        this.node = node;
        this.x = building.plain(node.input(0));
        this.y = building.allocateValue(node, x.tensor());
    }

    @Override
    public void forward() {
        x.refresh().run();
        MemorySegment from = x.tensor().segment();
        MemorySegment to = y.segment();
        for (long i = 0; i < y.count(); i++) {
            to.setAtIndex(JAVA_FLOAT, i, Op.Sigmoid.of(from.getAtIndex(JAVA_FLOAT, i)));
        }
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
            MemorySegment value = y.segment();
            MemorySegment from = dy.tensor().segment();
            MemorySegment to = dx.segment();
            for (long i = 0; i < y.count(); i++) {
                float at = value.getAtIndex(JAVA_FLOAT, i);
                to.setAtIndex(JAVA_FLOAT, i, from.getAtIndex(JAVA_FLOAT, i) * at * (1 - at));
            }
        }
    }
}
