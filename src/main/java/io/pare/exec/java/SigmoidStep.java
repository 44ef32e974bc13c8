package io.pare.exec.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.pare.exec.Building;
import io.pare.exec.Value;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;

/** {@link Op.Sigmoid} on row-major memory; its gradient is that of the output times y (1 - y). */
final class SigmoidStep extends ActivationStep {
    SigmoidStep(Building building, Value node) {
        super(building, node);
    }

    @Override
    void apply(MemorySegment x, MemorySegment y, long n) {
        for (long i = 0; i < n; i++) {
            y.setAtIndex(JAVA_FLOAT, i, Op.Sigmoid.of(x.getAtIndex(JAVA_FLOAT, i)));
        }
    }

    @Override
    void differentiate(MemorySegment y, MemorySegment dy, MemorySegment dx, long n) {
        for (long i = 0; i < n; i++) {
            float at = y.getAtIndex(JAVA_FLOAT, i);
            dx.setAtIndex(JAVA_FLOAT, i, dy.getAtIndex(JAVA_FLOAT, i) * at * (1 - at));
        }
    }
}
