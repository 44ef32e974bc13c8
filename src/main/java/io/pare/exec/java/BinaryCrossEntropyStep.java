package io.pare.exec.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Source;
import io.pare.exec.Value;
import java.lang.foreign.MemorySegment;

/** {@link Operation.BinaryCrossEntropy}, in double precision. */
final class BinaryCrossEntropyStep extends LossStep {
    private final Source targets;

    BinaryCrossEntropyStep(Building building, Value node) {
        super(building, node);
        this.targets = building.plain(node.input(1));
        building.allocateValue(node);
    }

    @Override
    public void forward() {
        outputs.refresh().run();
        MemorySegment values = outputs.tensor().segment();
        MemorySegment wanted = targets.tensor().segment();
        double share = 1.0 / ((double) rows * classes * building.parts());
        double sum = 0;
        int right = 0;
        for (int row = 0; row < rows; row++) {
            boolean exact = true;
            for (int c = 0; c < classes; c++) {
                long at = (long) row * classes + c;
                double logit = values.getAtIndex(JAVA_FLOAT, at);
                double target = wanted.getAtIndex(JAVA_FLOAT, at);
                sum += Operation.BinaryCrossEntropy.of(logit, target);
                exact &= logit > 0 == target > 0.5;
                if (gradient != null) {
                    double tail = Math.exp(-Math.abs(logit));
                    double probability = (logit < 0 ? tail : 1) / (1 + tail);
                    gradient.segment().setAtIndex(JAVA_FLOAT, at, (float) ((probability - target) * share));
                }
            }
            right += exact ? 1 : 0;
        }
        building.pass().report(sum / ((double) rows * classes), right);
    }
}
