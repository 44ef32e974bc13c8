package io.pare.exec.java;

import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;

/** A function of each value by itself, on row-major memory, whose derivative follows from its result. */
abstract class ActivationStep implements Step {
    private final Building building;
    private final Value node;
    private final Source x;
    private final FloatTensor y;
    private Source dy;
    private FloatTensor dx;

    ActivationStep(Building building, Value node) {
        this.building = building;
        this.node = node;
        this.x = building.plain(node.input(0));
        this.y = building.allocateValue(node, x.tensor());
    }

    /** Computes {@code y} of {@code n} values; both may be the same memory. */
    abstract void apply(MemorySegment x, MemorySegment y, long n);

    /** Computes {@code dx} from {@code dy} and the result; {@code dx} may be the memory of {@code dy}. */
    abstract void differentiate(MemorySegment y, MemorySegment dy, MemorySegment dx, long n);

    @Override
    public final void forward() {
        x.refresh().run();
        apply(x.tensor().segment(), y.segment(), y.count());
    }

    @Override
    public final void prepareBackward() {
        if (building.needsGradient(node.input(0))) {
            dy = building.gradient(node);
            dx = building.gradientFor(node.input(0), dy.tensor());
            building.uses(y);
        }
    }

    @Override
    public final void backward() {
        if (dx != null) {
            dy.refresh().run();
            differentiate(y.segment(), dy.tensor().segment(), dx.segment(), y.count());
        }
    }
}
