package io.pare.exec;

import static io.pare.exec.Rules.KERNELS;

import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;

/** {@link Operation.SoftmaxCrossEntropy}: loss, count of right answers and the logits' gradient in the forward pass. */
final class CrossEntropyStep implements Step {
    private final Tape tape;
    private final Value input;
    private final Source logits;
    private final int rows;
    private final int classes;
    private FloatTensor gradient;

    CrossEntropyStep(Tape tape, Value node) {
        this.tape = tape;
        this.input = node.input(0);
        this.logits = tape.plain(node.input(0));
        this.rows = node.input(0).size(0);
        this.classes = node.input(0).size(1);
        tape.allocateValue(node);
    }

    @Override
    public void forward() {
        logits.refresh().run();
        MemorySegment values = logits.tensor().segment();
        double sum = KERNELS.softmaxCrossEntropy(values, 0, tape.labels(), 0, rows, classes, 1f / (rows * tape.parts()),
                gradient == null ? null : gradient.segment(), 0);
        tape.report(sum / rows, KERNELS.countCorrect(values, 0, tape.labels(), 0, rows, classes, 1));
    }

    @Override
    public void prepareBackward() {
        gradient = tape.gradientFor(input);
        tape.writtenByLoss(gradient);
    }

    @Override
    public void backward() {
        // The forward pass has written the gradient.
    }
}
