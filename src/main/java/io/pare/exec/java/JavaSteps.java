package io.pare.exec.java;

import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Step;
import io.pare.exec.StepFactory;
import io.pare.exec.Value;
import io.pare.kernel.Kernels;
import io.pare.net.Op;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.util.Optional;

/** Computes every operation in plain Java on row-major memory: the last factory of every backend. */
public final class JavaSteps implements StepFactory {
    static final Kernels KERNELS = Kernels.active();

    private final Building building;

    public JavaSteps(Building building) {
        this.building = building;
    }

    @Override
    public Optional<Step> step(Value node) {
        return Optional.of(switch (node.op()) {
            case Operation.Apply(Op op) -> step(node, op);
            case Operation.Reshape _ -> new ReshapeStep(building, node);
            case Operation.SoftmaxCrossEntropy _ -> new CrossEntropyStep(building, node);
            case Operation.Distillation op -> new DistillationStep(building, node, op);
            case Operation.BinaryCrossEntropy _ -> new BinaryCrossEntropyStep(building, node);
            case Operation.SquaredError _ -> new SquaredErrorStep(building, node);
            case Operation.Input _,Operation.Parameter _,Operation.State _ ->
                    throw new AssertionError(node + " is given, not computed");
        });
    }

    private Step step(Value node, Op operator) {
        return switch (operator) {
            case Op.Conv2d op -> new ConvolutionStep(building, node, op);
            case Op.MaxPool(Window window) -> PoolingStep.maximum(building, node, window);
            case Op.AvgPool op -> PoolingStep.mean(building, node, op);
            case Op.GlobalAvgPool _ -> PoolingStep.mean(building, node, new Op.AvgPool(whole(node.input(0)), false));
            case Op.BatchNorm op -> new BatchNormStep(building, node, op);
            case Op.ResponseNorm op -> new ResponseNormStep(building, node, op);
            case Op.Subsample op -> new SubsampleStep(building, node, op.stride());
            case Op.Linear _ -> new LinearStep(building, node);
            case Op.Relu _ -> new ReluStep(building, node);
            case Op.Sigmoid _ -> new SigmoidStep(building, node);
            case Op.Dropout(float rate) -> new DropoutStep(building, node, rate);
            case Op.Add _ -> new AddStep(building, node);
            case Op.Concat _ -> new ConcatStep(building, node);
            case TensorOp op -> new TensorStep(building, node, op);
            case Op.Flatten _,Op.Input _ -> throw new AssertionError(operator + " is built as another operation");
        };
    }

    /** A window over whole images. */
    private static Window whole(Value images) {
        return Window.of(images.size(2), images.size(3));
    }
}
