package io.pare.exec.java;

import static io.pare.exec.java.JavaSteps.KERNELS;

import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;

/** {@link Operation.SoftmaxCrossEntropy}: loss, count of right answers and the logits' gradient in the forward pass. */
final class CrossEntropyStep implements Step {
    private final Building building;
    private final Value input;
    private final Source logits;
    private final int rows;
    private final int classes;
    private FloatTensor gradient;

    CrossEntropyStep(Building building, Value node) {
        this.building = building;
        this.input = node.input(0);
        this.logits = building.plain(node.input(0));
        this.rows = node.input(0).size(0);
        this.classes = node.input(0).size(1);
        building.allocateValue(node);
    }

    @Override
    public void forward() {
        logits.refresh().run();
        MemorySegment values = logits.tensor().segment();
        double sum = KERNELS.softmaxCrossEntropy(values, 0, building.labels(), 0, rows, classes,
                1f / (rows * building.parts()),
                gradient == null ? null : gradient.segment(), 0);
        building.pass().report(sum / rows, KERNELS.countCorrect(values, 0, building.labels(), 0, rows, classes, 1));
    }

    @Override
    public void prepareBackward() {
        gradient = building.gradientFor(input);
        building.writtenByLoss(gradient);
    }

    @Override
    public void backward() {
        // The forward pass has written the gradient.
    }
}
