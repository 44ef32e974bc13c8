package io.pare.exec.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Source;
import io.pare.exec.Value;
import java.lang.foreign.MemorySegment;

/** {@link Operation.SquaredError}, in double precision. No sample counts as right. */
final class SquaredErrorStep extends LossStep {
    private final Source targets;

    SquaredErrorStep(Building building, Value node) {
        super(building, node);
        this.targets = building.plain(node.input(1));
        building.allocateValue(node);
    }

    @Override
    public void forward() {
        outputs.refresh().run();
        MemorySegment values = outputs.tensor().segment();
        MemorySegment wanted = targets.tensor().segment();
        long count = (long) rows * classes;
        double slope = 2.0 / ((double) count * building.parts());
        double sum = 0;
        for (long at = 0; at < count; at++) {
            double error = (double) values.getAtIndex(JAVA_FLOAT, at) - wanted.getAtIndex(JAVA_FLOAT, at);
            sum += error * error;
            if (gradient != null) {
                gradient.segment().setAtIndex(JAVA_FLOAT, at, (float) (error * slope));
            }
        }
        building.pass().report(sum / count, 0);
    }
}
