package io.pare.graph;

import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;

/**
 * The table from operation to forward and gradient rule.
 *
 * <p>Convolution and pooling run on oneDNN where it is there and knows the shape, and in plain Java otherwise; tapes for
 * masked networks have sparse rules ({@link SparseRules}); every other rule has one form. Adding an operation means adding a record to {@link Op}, a builder to {@link Graph} and a
 * line here.
 */
final class Rules {
    static final Kernels KERNELS = Kernels.active();

    private final Tape tape;
    private final DnnlRules dnnl;
    private final SparseRules sparse;

    Rules(Tape tape, Tape.Way way, int batch) {
        this.tape = tape;
        this.dnnl = way == Tape.Way.NATIVE ? new DnnlRules(tape) : null;
        this.sparse = way == Tape.Way.SPARSE ? new SparseRules(tape, batch) : null;
    }

    Step step(Node node) {
        Step own = sparse == null ? null : sparse.step(node);
        if (own != null) {
            return own;
        }
        return switch (node.op()) {
            case Op.Conv2d op -> dnnl != null ? dnnl.convolution(node, op) : new ConvolutionStep(tape, node, op);
            case Op.MaxPool op -> dnnl != null ? dnnl.maxPool(node, op)
                    : new PoolingStep(tape, node, op.kernel(), op.stride(), op.padding(), true);
            case Op.AvgPool op -> dnnl != null ? dnnl.avgPool(node, op)
                    : new PoolingStep(tape, node, op.kernel(), op.stride(), op.padding(), false);
            case Op.Linear op -> new LinearStep(tape, node);
            case Op.Relu op -> dnnl != null && tape.value(node.input(0)) instanceof Slot.Blocked
                    ? dnnl.relu(node) : new ReluStep(tape, node);
            case Op.Dropout(float rate) -> new DropoutStep(tape, node, rate);
            case Op.Flatten op -> new FlattenStep(tape, node);
            case Op.Add op -> new AddStep(tape, node);
            case Op.SoftmaxCrossEntropy op -> new CrossEntropyStep(tape, node);
            case Op.Distillation op -> new DistillationStep(tape, node, op);
            case Op.Input op -> throw new AssertionError("an input has no rule");
            case Op.Parameter op -> throw new AssertionError("a parameter has no rule");
        };
    }

    /** Row-major view of a slot, by a conversion where it is blocked. */
    Source plain(Slot slot, Node node) {
        return switch (slot) {
            case Slot.Plain(FloatTensor tensor) -> Source.of(tensor);
            case Slot.Blocked blocked -> dnnl.toPlain(blocked, node);
            case Slot.SamplesLast side -> sparse.toPlain(side, node);
        };
    }

    void addTo(FloatTensor target, FloatTensor addend) {
        KERNELS.add(target.segment(), 0, addend.segment(), 0, target.segment(), 0, target.count());
    }

    int reorders() {
        return dnnl == null ? 0 : dnnl.reorders();
    }
}
