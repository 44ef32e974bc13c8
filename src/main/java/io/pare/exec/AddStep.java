package io.pare.exec;

import static io.pare.exec.Rules.KERNELS;

import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.Add}; the gradient of both inputs is the output's. */
final class AddStep implements Step {
    private final Tape tape;
    private final Value node;
    private final Source left;
    private final Source right;
    private final FloatTensor y;
    private Source dy;

    AddStep(Tape tape, Value node) {
        this.tape = tape;
        this.node = node;
        this.left = tape.plain(node.input(0));
        this.right = tape.plain(node.input(1));
        this.y = tape.allocateValue(node);
    }

    @Override
    public void forward() {
        left.refresh().run();
        right.refresh().run();
        KERNELS.add(left.tensor().segment(), 0, right.tensor().segment(), 0, y.segment(), 0, y.count());
    }

    @Override
    public void prepareBackward() {
        dy = tape.gradient(node);
        for (Value input : node.inputs()) {
            if (tape.needsGradient(input)) {
                tape.contribute(input, new Slot.Plain(dy.tensor()));
            }
        }
    }

    @Override
    public void backward() {
        dy.refresh().run();
    }
}
