package io.pare.exec.java;

import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;

/** A loss, whose forward pass writes the gradient of the logits too. */
abstract class LossStep implements Step {
    final Building building;
    final int rows;
    final int classes;
    private final Value logits;
    /** Of the logits; {@code null} where there is no backward pass. */
    FloatTensor gradient;

    LossStep(Building building, Value node) {
        this.building = building;
        this.logits = node.input(0);
        this.rows = logits.size(0);
        this.classes = logits.size(1);
    }

    @Override
    public final void prepareBackward() {
        gradient = building.gradientFor(logits);
        building.writtenByLoss(gradient);
    }

    @Override
    public final void backward() {
        // The forward pass has written the gradient.
    }
}
