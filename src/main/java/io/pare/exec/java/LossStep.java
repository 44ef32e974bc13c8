package io.pare.exec.java;

import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;

/** A loss, whose forward pass writes the gradient of the network's outputs too. */
abstract class LossStep implements Step {
    final Building building;
    final int rows;
    final int classes;
    /** What the network gives. */
    final Source outputs;
    private final Value node;
    /** Of the outputs; {@code null} where there is no backward pass. */
    FloatTensor gradient;

    LossStep(Building building, Value node) {
        this.building = building;
        this.node = node;
        this.rows = node.input(0).size(0);
        this.classes = node.input(0).size(1);
        this.outputs = building.plain(node.input(0));
    }

    @Override
    public final void prepareBackward() {
        gradient = building.gradientFor(node.input(0));
        building.writtenByLoss(gradient);
    }

    @Override
    public final void backward() {
        // The forward pass has written the gradient.
    }
}
