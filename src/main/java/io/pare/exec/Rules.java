package io.pare.exec;

import io.pare.dnnl.DataType;
import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/**
 * The table from operation to forward and gradient rule.
 *
 * <p>What works on images runs on oneDNN where it is there and knows the shape, and in plain Java otherwise; tapes for
 * masked networks have sparse rules ({@link SparseRules}); every other rule has one form. Adding an operation means adding
 * a record to {@link Op}, a builder to {@link Graph} and a line here.
 */
final class Rules {
    static final Kernels KERNELS = Kernels.active();

    private final Tape tape;
    private final DnnlRules dnnl;
    private final SparseRules sparse;

    Rules(Tape tape, Tape.Way way, int batch) {
        this.tape = tape;
        this.dnnl = switch (way) {
            case NATIVE -> new DnnlRules(tape, DataType.F32);
            case NATIVE_BF16 -> new DnnlRules(tape, DataType.BF16);
            case JAVA, SPARSE -> null;
        };
        this.sparse = way == Tape.Way.SPARSE ? new SparseRules(tape, batch) : null;
    }

    Step step(Value node) {
        Step own = sparse == null ? null : sparse.step(node);
        if (own != null) {
            return own;
        }
        return switch (node.op()) {
            case Operation.Apply(Op op) -> step(node, op);
            case Operation.Reshape _ ->
                    dnnl != null && isBlocked(node.input(0)) ? dnnl.reshape(node) : new ReshapeStep(tape, node);
            case Operation.SoftmaxCrossEntropy _ -> new CrossEntropyStep(tape, node);
            case Operation.Distillation op -> new DistillationStep(tape, node, op);
            case Operation.Input _ -> throw new AssertionError("an input has no rule");
            case Operation.Parameter _ -> throw new AssertionError("a parameter has no rule");
            case Operation.State _ -> throw new AssertionError("a state has no rule");
        };
    }

    private Step step(Value node, Op operator) {
        return switch (operator) {
            case Op.Conv2d op -> dnnl != null ? dnnl.convolution(node, op) : new ConvolutionStep(tape, node, op);
            case Op.MaxPool op -> pool(node, op.kernel(), op.kernel(), op.stride(), op.padding(), true);
            case Op.AvgPool op -> pool(node, op.kernel(), op.kernel(), op.stride(), op.padding(), false);
            case Op.GlobalAvgPool _ -> pool(node, node.input(0).size(2), node.input(0).size(3), 1, 0, false);
            case Op.BatchNorm op -> dnnl != null ? dnnl.batchNorm(node, op) : new BatchNormStep(tape, node, op);
            case Op.ResponseNorm op -> dnnl != null ? dnnl.responseNorm(node, op)
                    : new ResponseNormStep(tape, node, op);
            case Op.Subsample op -> new SubsampleStep(tape, node, op.stride());
            case Op.Linear _ -> dnnl != null ? dnnl.linear(node) : new LinearStep(tape, node);
            case Op.Relu _ -> isBlocked(node.input(0)) ? dnnl.relu(node) : new ReluStep(tape, node);
            case Op.Sigmoid _ -> new SigmoidStep(tape, node);
            case Op.Dropout(float rate) -> new DropoutStep(tape, node, rate);
            case Op.Add _ -> isBlocked(node.input(0)) ? dnnl.add(node) : new AddStep(tape, node);
            case Op.Concat _ -> new ConcatStep(tape, node);
            case Op.Flatten _,Op.Input _ -> throw new AssertionError(operator + " is built as another operation");
        };
    }

    private Step pool(Value node, int kernelHeight, int kernelWidth, int stride, int padding, boolean max) {
        return dnnl != null ? dnnl.pool(node, kernelHeight, kernelWidth, stride, padding, max)
                : new PoolingStep(tape, node, kernelHeight, kernelWidth, stride, padding, max);
    }

    private boolean isBlocked(Value node) {
        return tape.value(node) instanceof Slot.Blocked;
    }

    /** Row-major view of a slot, by a conversion where it is blocked. */
    Source plain(Slot slot, Value node) {
        return switch (slot) {
            case Slot.Plain(FloatTensor tensor) -> {
                tape.uses(tensor);
                yield Source.of(tensor);
            }
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
