package io.pare.exec;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.pare.mem.FloatTensor;
import io.pare.net.Op;
import java.lang.foreign.MemorySegment;

/** {@link Op.Subsample} on row-major memory. */
final class SubsampleStep implements Step {
    private final Tape tape;
    private final Value node;
    private final int stride;
    private final Source x;
    private final FloatTensor y;
    private Source dy;
    private FloatTensor dx;

    SubsampleStep(Tape tape, Value node, int stride) {
        this.tape = tape;
        this.node = node;
        this.stride = stride;
        this.x = tape.plain(node.input(0));
        this.y = tape.allocateValue(node);
    }

    @Override
    public void forward() {
        x.refresh().run();
        y.fill(0f);
        copy(x.tensor().segment(), y.segment(), true);
    }

    @Override
    public void prepareBackward() {
        if (tape.needsGradient(node.input(0))) {
            dy = tape.gradient(node);
            dx = tape.gradientFor(node.input(0));
        }
    }

    @Override
    public void backward() {
        if (dx != null) {
            dy.refresh().run();
            dx.fill(0f);
            copy(dx.segment(), dy.tensor().segment(), false);
        }
    }

    /** Copies the pixels that large and small image share, to the small one or from it. */
    private void copy(MemorySegment large, MemorySegment small, boolean toSmall) {
        Value input = node.input(0);
        int channels = input.size(1);
        int before = (node.size(1) - channels) / 2;
        for (int n = 0; n < node.size(0); n++) {
            for (int c = 0; c < channels; c++) {
                for (int row = 0; row < node.size(2); row++) {
                    long from = (((long) n * channels + c) * input.size(2) + (long) row * stride) * input.size(3);
                    long to = (((long) n * node.size(1) + before + c) * node.size(2) + row) * node.size(3);
                    for (int column = 0; column < node.size(3); column++, from += stride, to++) {
                        if (toSmall) {
                            small.setAtIndex(JAVA_FLOAT, to, large.getAtIndex(JAVA_FLOAT, from));
                        } else {
                            large.setAtIndex(JAVA_FLOAT, from, small.getAtIndex(JAVA_FLOAT, to));
                        }
                    }
                }
            }
        }
    }
}
