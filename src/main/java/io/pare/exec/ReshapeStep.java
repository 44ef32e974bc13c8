package io.pare.exec;

/** {@link Operation.Reshape}: the same row-major memory under another shape. */
final class ReshapeStep implements Step {
    private final Tape tape;
    private final Value node;
    private final Source x;
    private Source dy;

    ReshapeStep(Tape tape, Value node) {
        this.tape = tape;
        this.node = node;
        this.x = tape.plain(node.input(0));
        tape.value(node, new Slot.Plain(x.tensor().reshape(node.shape())));
    }

    @Override
    public void forward() {
        x.refresh().run();
    }

    @Override
    public void prepareBackward() {
        if (tape.needsGradient(node.input(0))) {
            dy = tape.gradient(node);
            tape.contribute(node.input(0), new Slot.Plain(dy.tensor().reshape(node.input(0).shape())));
        }
    }

    @Override
    public void backward() {
        if (dy != null) {
            dy.refresh().run();
        }
    }
}
