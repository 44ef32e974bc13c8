package io.pare.exec.java;

import static io.pare.exec.java.JavaSteps.KERNELS;

import io.pare.exec.Building;
import io.pare.exec.Value;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;

/** {@link Op.Relu} on row-major memory. */
final class ReluStep extends ActivationStep {
    ReluStep(Building building, Value node) {
        super(building, node);
    }

    @Override
    void apply(MemorySegment x, MemorySegment y, long n) {
        KERNELS.reluForward(x, 0, y, 0, n);
    }

    @Override
    void differentiate(MemorySegment y, MemorySegment dy, MemorySegment dx, long n) {
        KERNELS.reluBackward(y, 0, dy, 0, dx, 0, n);
    }
}
