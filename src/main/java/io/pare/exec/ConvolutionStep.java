package io.pare.exec;

import io.pare.dnnl.ConvShape;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.Conv2d} in plain Java. */
final class ConvolutionStep implements Step {
    private final Tape tape;
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

    ConvolutionStep(Tape tape, Value node, Op.Conv2d op) {
        this.tape = tape;
        this.node = node;
        this.convolution = new PlainConvolution(shape(node, op));
        this.x = tape.plain(node.input(0));
        this.weight = tape.plain(node.input(1)).tensor();
        this.bias = node.inputs().size() > 2 ? tape.plain(node.input(2)).tensor() : null;
        this.y = tape.allocateValue(node);
    }

    static ConvShape shape(Value node, Op.Conv2d op) {
        Value x = node.input(0);
        Value weight = node.input(1);
        return new ConvShape(x.size(0), x.size(1), x.size(2), x.size(3), weight.size(0), weight.size(2),
                weight.size(3), op.stride(), op.stride(), op.padding(), op.padding(), op.dilation(), op.dilation(),
                op.groups());
    }

    @Override
    public void forward() {
        x.refresh().run();
        convolution.forward(x.tensor().segment(), weight.segment(),
                bias == null ? null : bias.segment(), y.segment());
    }

    @Override
    public void prepareBackward() {
        tape.uses(x.tensor());
        dy = tape.gradient(node);
        dx = tape.needsGradient(node.input(0)) ? tape.gradientFor(node.input(0)) : null;
        dWeight = tape.gradientFor(node.input(1));
        dBias = bias == null ? null : tape.gradientFor(node.input(2));
    }

    @Override
    public void backward() {
        dy.refresh().run();
        if (dx != null) {
            convolution.backwardData(dy.tensor().segment(), weight.segment(), dx.segment());
        }
        convolution.backwardWeights(x.tensor().segment(), dy.tensor().segment(), dWeight.segment(),
                dBias == null ? null : dBias.segment());
    }
}
