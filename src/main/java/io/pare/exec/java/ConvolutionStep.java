package io.pare.exec.java;

import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.Conv2d} in plain Java. */
final class ConvolutionStep implements Step {
    private final Building building;
    private final Value node;
    private final PlainConvolution convolution;
    private final Source x;
    private final FloatTensor weight;
    private final FloatTensor bias;
    private final FloatTensor y;
    private Source dy;
    private FloatTensor dx;
    private FloatTensor dWeight;
    private FloatTensor dBias;

    ConvolutionStep(Building building, Value node, Op.Conv2d op) {
        this.building = building;
        this.node = node;
        this.convolution = new PlainConvolution(op, node.input(0), node);
        this.x = building.plain(node.input(0));
        this.weight = building.plain(node.input(1)).tensor();
        this.bias = node.inputs().size() > 2 ? building.plain(node.input(2)).tensor() : null;
        this.y = building.allocateValue(node);
    }

    @Override
    public void forward() {
        x.refresh().run();
        convolution.forward(x.tensor().segment(), weight.segment(),
                bias == null ? null : bias.segment(), y.segment());
    }

    @Override
    public void prepareBackward() {
        boolean ofWeight = building.needsGradient(node.input(1));
        if (ofWeight) {
            building.uses(x.tensor());
        }
        dy = building.gradient(node);
        dx = building.needsGradient(node.input(0)) ? building.gradientFor(node.input(0)) : null;
        if (!ofWeight) {
            return;
        }
        dWeight = building.gradientFor(node.input(1));
        dBias = bias == null ? null : building.gradientFor(node.input(2));
    }

    @Override
    public void backward() {
        dy.refresh().run();
        if (dx != null) {
            convolution.backwardData(dy.tensor().segment(), weight.segment(), dx.segment());
        }
        if (dWeight != null) {
            convolution.backwardWeights(x.tensor().segment(), dy.tensor().segment(), dWeight.segment(),
                    dBias == null ? null : dBias.segment());
        }
    }
}
