package io.pare.exec;

import static io.pare.exec.Rules.KERNELS;

import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.Dropout}: which values fall depends on the pass's key and the position alone, so no mask is kept. */
final class DropoutStep implements Step {
    private final Tape tape;
    private final Value node;
    private final float rate;
    private final Source x;
    /** {@code null} where dropout does nothing and the output is the input. */
    private final FloatTensor y;
    /** Position of the node's first value among the random numbers of a pass: layers must not share zeros. */
    private final long counter;
    private Source dy;
    private FloatTensor dx;

    DropoutStep(Tape tape, Value node, float rate) {
        this.tape = tape;
        this.node = node;
        this.rate = rate;
        this.x = tape.plain(node.input(0));
        this.counter = tape.takeRandom(node.count());
        if (tape.training() && rate > 0) {
            this.y = tape.allocateValue(node);
        } else {
            this.y = null;
            tape.value(node, new Slot.Plain(x.tensor()));
        }
    }

    @Override
    public void forward() {
        x.refresh().run();
        if (y != null) {
            KERNELS.dropout(x.tensor().segment(), 0, y.segment(), 0, y.count(), rate, tape.key(),
                    counter + tape.part() * node.count());
        }
    }

    @Override
    public void prepareBackward() {
        if (!tape.needsGradient(node.input(0))) {
            return;
        }
        dy = tape.gradient(node);
        if (y == null) {
            tape.contribute(node.input(0), new Slot.Plain(dy.tensor()));
        } else {
            dx = tape.gradientFor(node.input(0), dy.tensor());
        }
    }

    @Override
    public void backward() {
        if (dy == null) {
            return;
        }
        dy.refresh().run();
        if (dx != null) {
            KERNELS.dropout(dy.tensor().segment(), 0, dx.segment(), 0, dx.count(), rate, tape.key(),
                    counter + tape.part() * node.count());
        }
    }
}
