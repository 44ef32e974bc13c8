package io.pare.exec;

import static io.pare.exec.Rules.KERNELS;

import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.Relu} on row-major memory. */
final class ReluStep implements Step {
    private final Tape tape;
    private final Value node;
    private final Source x;
    private final FloatTensor y;
    private Source dy;
    private FloatTensor dx;

    ReluStep(Tape tape, Value node) {
        this.tape = tape;
        this.node = node;
        this.x = tape.plain(node.input(0));
        this.y = tape.allocateValue(node, x.tensor());
    }

    @Override
    public void forward() {
        x.refresh().run();
        KERNELS.reluForward(x.tensor().segment(), 0, y.segment(), 0, y.count());
    }

    @Override
    public void prepareBackward() {
        if (tape.needsGradient(node.input(0))) {
            dy = tape.gradient(node);
            dx = tape.gradientFor(node.input(0), dy.tensor());
            tape.uses(y);
        }
    }

    @Override
    public void backward() {
        if (dx != null) {
            dy.refresh().run();
            KERNELS.reluBackward(y.segment(), 0, dy.tensor().segment(), 0, dx.segment(), 0, y.count());
        }
    }
}
