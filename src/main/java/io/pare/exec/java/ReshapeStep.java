package io.pare.exec.java;

import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;

/** {@link Operation.Reshape}: the same row-major memory under another shape. */
final class ReshapeStep implements Step {
    private final Building building;
    private final Value node;
    private final Source x;
    private Source dy;

    ReshapeStep(Building building, Value node) {
        this.building = building;
        this.node = node;
        this.x = building.plain(node.input(0));
        building.value(node, new Buffer.Plain(x.tensor().reshape(node.shape())));
    }

    @Override
    public void forward() {
        x.refresh().run();
    }

    @Override
    public void prepareBackward() {
        if (building.needsGradient(node.input(0))) {
            dy = building.gradient(node);
            building.contribute(node.input(0), new Buffer.Plain(dy.tensor().reshape(node.input(0).shape())));
        }
    }

    @Override
    public void backward() {
        if (dy != null) {
            dy.refresh().run();
        }
    }
}
