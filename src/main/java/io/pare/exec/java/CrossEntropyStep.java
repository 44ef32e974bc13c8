package io.pare.exec.java;

import static io.pare.exec.java.JavaSteps.KERNELS;

import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Value;
import java.lang.foreign.MemorySegment;

/** {@link Operation.SoftmaxCrossEntropy}: loss, count of right answers and the logits' gradient in the forward pass. */
final class CrossEntropyStep extends LossStep {
    CrossEntropyStep(Building building, Value node) {
        super(building, node);
        building.allocateValue(node);
    }

    @Override
    public void forward() {
        outputs.refresh().run();
        MemorySegment values = outputs.tensor().segment();
        double sum = KERNELS.softmaxCrossEntropy(values, 0, building.labels(), 0, rows, classes,
                1f / (rows * building.parts()),
                gradient == null ? null : gradient.segment(), 0);
        building.pass().report(sum / rows, KERNELS.countCorrect(values, 0, building.labels(), 0, rows, classes, 1));
    }
}
