package io.pare.exec;

import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.BatchNorm} in plain Java. */
final class BatchNormStep implements Step {
    private final Tape tape;
    private final Value node;
    private final PlainBatchNorm norm;
    private final Source x;
    private final FloatTensor scale;
    private final FloatTensor shift;
    private final RunningStatistics running;
    private final FloatTensor mean;
    private final FloatTensor variance;
    private final FloatTensor y;
    private Source dy;
    private FloatTensor dx;
    private FloatTensor dScale;
    private FloatTensor dShift;

    BatchNormStep(Tape tape, Value node, Op.BatchNorm op) {
        this.tape = tape;
        this.node = node;
        this.norm = new PlainBatchNorm(node.size(0), node.size(1), node.size(2) * node.size(3), op.epsilon());
        this.x = tape.plain(node.input(0));
        this.scale = tape.plain(node.input(1)).tensor();
        this.shift = tape.plain(node.input(2)).tensor();
        this.running = RunningStatistics.of(tape, node);
        this.mean = tape.training() ? tape.tensor(node.size(1)) : running.mean();
        this.variance = tape.training() ? tape.tensor(node.size(1)) : running.variance();
        this.y = tape.allocateValue(node);
    }

    @Override
    public void forward() {
        x.refresh().run();
        if (tape.training()) {
            norm.statistics(x.tensor(), mean, variance);
            running.follow(mean, variance, norm.perChannel());
        }
        norm.forward(x.tensor(), scale, shift, mean, variance, y);
    }

    @Override
    public void prepareBackward() {
        tape.uses(x.tensor());
        tape.uses(mean);
        tape.uses(variance);
        dy = tape.gradient(node);
        dScale = tape.gradientFor(node.input(1));
        dShift = tape.gradientFor(node.input(2));
        dx = tape.needsGradient(node.input(0)) ? tape.gradientFor(node.input(0)) : null;
    }

    @Override
    public void backward() {
        dy.refresh().run();
        norm.backward(x.tensor(), scale, mean, variance, dy.tensor(), dScale, dShift, dx);
    }
}
