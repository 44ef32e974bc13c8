package io.pare.exec.onednn;

import io.pare.dnnl.Activation;
import io.pare.dnnl.Arg;
import io.pare.dnnl.DataType;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Eltwise;
import io.pare.dnnl.InnerProduct;
import io.pare.dnnl.MemoryDesc;
import io.pare.dnnl.PoolShape;
import io.pare.dnnl.Pooling;
import io.pare.dnnl.ResponseNormalization;
import io.pare.dnnl.UnimplementedException;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Step;
import io.pare.exec.StepFactory;
import io.pare.exec.Value;
import io.pare.exec.java.LinearStep;
import io.pare.mem.Region;
import io.pare.net.Op;
import io.pare.net.Pairwise;
import io.pare.net.TensorOp;
import io.pare.net.Window;
import java.util.Optional;

/** Steps on oneDNN, where it has a primitive that is faster than plain Java or the numbers are bfloat16. */
public final class OneDnnSteps implements StepFactory {
    private static final System.Logger LOG = System.getLogger("io.pare.exec");

    /** Weights that are no longer found in a core's cache from one step to the next. */
    private static final long LARGE = 1L << 20;

    private final Building building;
    private final Region region;
    private final Layouts layouts;

    private OneDnnSteps(Building building, DataType type) {
        this.building = building;
        this.region = building.region();
        this.layouts = new Layouts(building, type);
    }

    /** In 32-bit floats. */
    public static OneDnnSteps fp32(Building building) {
        return new OneDnnSteps(building, DataType.F32);
    }

    /** With activations in bfloat16. */
    public static OneDnnSteps bf16(Building building) {
        return new OneDnnSteps(building, DataType.BF16);
    }

    @Override
    public int reorders() {
        return layouts.reorders();
    }

    @Override
    public Optional<Step> step(Value node) {
        return Optional.ofNullable(switch (node.op()) {
            case Operation.Apply(Op.Conv2d op) -> convolution(node, op);
            case Operation.Apply(Op.MaxPool(Window window)) -> pool(node, window, Pooling.Kind.MAX);
            case Operation.Apply(Op.AvgPool op) -> mean(node, op);
            case Operation.Apply(Op.GlobalAvgPool _) ->
                    pool(node, Window.of(node.input(0).size(2), node.input(0).size(3)), Pooling.Kind.AVERAGE);
            // oneDNN has no way to join the statistics of several processes.
            case Operation.Apply(Op.BatchNorm op) ->
                    building.together() == null ? new BatchNormOnDnnl(layouts, node, op) : null;
            case Operation.Apply(Op.ResponseNorm op) -> responseNorm(node, op);
            case Operation.Apply(Op.Linear _) -> linear(node);
            case Operation.Apply(Op.Relu _),Operation.Apply(Op.Sigmoid _),Operation.Apply(TensorOp.Map _) ->
                    activation(node);
            case Operation.Apply(Op.Add _) -> layouts.isBlocked(node.input(0)) ? new AddOnDnnl(layouts, node) : null;
            case Operation.Apply(TensorOp.Zip(Pairwise function)) when function == Pairwise.MULTIPLY -> scaling(node);
            case Operation.Reshape _ -> reshape(node);
            // The next factory covers what is not named here.
            default -> null;
        });
    }

    private Step convolution(Value node, Op.Conv2d op) {
        try {
            return new ConvolutionOnDnnl(layouts, node, op);
        } catch (UnimplementedException e) {
            LOG.log(System.Logger.Level.WARNING, "{0}; this layer runs in plain Java, which is slower", e.getMessage());
            return null;
        }
    }

    /**
     * For weights larger than the cache, oneDNN's inner product, which adds the bias on the way, is faster forward and slower
     * backward than sgemm. One core of an AMD Zen 4, batch 32, milliseconds, inner product against sgemm: 9216 x 4096 30
     * and 47, 4096 x 1000 3.1 and 5.0; backward 72 and 59.
     */
    private Step linear(Value node) {
        if (layouts.type() != DataType.F32) {
            return new LinearOnDnnl(layouts, node);
        }
        if (building.frozen()) {
            return new FrozenLinear(layouts, node);
        }
        Value weight = node.input(1);
        if (weight.count() < LARGE) {
            return null;
        }
        LinearStep step = new LinearStep(building, node);
        MemoryDesc src = MemoryDesc.plain(region, node.input(0).shape());
        InnerProduct product = new InnerProduct(region, node.input(0).shape(), weight.size(0), true, false,
                building.training(), src, MemoryDesc.plain(region, weight.shape()));
        return step.by((x, w, b, y) -> product.forward().bind(layouts.scratchpad())
                .with(Arg.SRC, DnnlMemory.over(region, x)).with(Arg.WEIGHTS, DnnlMemory.over(region, w))
                .with(Arg.BIAS, DnnlMemory.over(region, b)).with(Arg.DST, DnnlMemory.over(region, y)).prepare()::run);
    }

    /** A mean that counts one part of its padding and not the other has no primitive. */
    private Step mean(Value node, Op.AvgPool op) {
        if (op.uncountedBottom() > 0 || op.uncountedRight() > 0) {
            return null;
        }
        boolean all = op.countsPadding() || !op.window().pads();
        return pool(node, op.window(), all ? Pooling.Kind.AVERAGE : Pooling.Kind.AVERAGE_WITHOUT_PADDING);
    }

    /** For dilated windows oneDNN has its reference alone, which is no faster than plain Java. */
    private Step pool(Value node, Window window, Pooling.Kind kind) {
        if (window.isDilated()) {
            return null;
        }
        Value input = node.input(0);
        DnnlSource x = layouts.value(input);
        PoolShape shape = new PoolShape(input.size(0), input.size(1), input.size(2), input.size(3),
                window.kernelHeight(), window.kernelWidth(), window.strideHeight(), window.strideWidth(), window.top(),
                window.left(), window.bottom(), window.right());
        Pooling pooling = new Pooling(region, shape, kind, x.memory().desc(), building.training());
        return new OneToOne(layouts, node, x, pooling.forward(), pooling::backward, false);
    }

    /** Only in layouts other than the row-major one, in which plain Java is as fast. */
    private Step activation(Value node) {
        Activation function = Activations.of(node);
        if (function == null || !layouts.isBlocked(node.input(0))) {
            return null;
        }
        DnnlSource x = layouts.value(node.input(0));
        Eltwise eltwise = new Eltwise(region, x.memory().desc(), function);
        return new OneToOne(layouts, node, x, eltwise.forward(), eltwise::backward, true);
    }

    /** Squeeze-and-excitation at inference; in Java its images would go to row-major memory and back. */
    private Step scaling(Value node) {
        Value left = node.input(0);
        Value right = node.input(1);
        if (!building.frozen()) {
            return null;
        }
        return scales(left, right) ? new ScaleOnDnnl(layouts, node, left, right)
                : scales(right, left) ? new ScaleOnDnnl(layouts, node, right, left) : null;
    }

    /** In blocks of channels oneDNN has its reference alone on AVX2. */
    private boolean scales(Value images, Value factors) {
        return images.rank() == 4 && factors.rank() == 4 && factors.size(1) == images.size(1) && factors.size(2) == 1
                && factors.size(3) == 1 && building.value(images) instanceof BlockedBuffer(DnnlMemory memory, Layouts _)
                && layouts.isChannelsLast(memory);
    }

    private Step responseNorm(Value node, Op.ResponseNorm op) {
        DnnlSource x = layouts.value(node.input(0));
        ResponseNormalization norm = new ResponseNormalization(region, x.memory().desc(),
                new ResponseNormalization.Window(op.size(), op.alpha(), op.beta(), op.k()), building.training());
        return new OneToOne(layouts, node, x, norm.forward(), norm::backward, false);
    }

    /**
     * Where nothing comes back, the reader converts, if it has to. Else only for other numbers than 32-bit floats, for
     * which plain Java is as fast.
     */
    private Step reshape(Value node) {
        Buffer buffer = building.value(node.input(0));
        if (building.frozen() && layouts.type() == DataType.F32) {
            return switch (buffer) {
                case BlockedBuffer(DnnlMemory memory, Layouts _) -> reshaped(node, node.input(0), memory);
                case ReshapedBuffer(Value of, DnnlMemory memory, Layouts _) -> reshaped(node, of, memory);
                default -> null;
            };
        }
        boolean others = building.value(node.input(0)) instanceof BlockedBuffer(DnnlMemory memory, Layouts _)
                && memory.desc().type() != DataType.F32;
        return others ? new ReshapeOnDnnl(layouts, node) : null;
    }

    private Step reshaped(Value node, Value of, DnnlMemory memory) {
        building.value(node, new ReshapedBuffer(of, memory, layouts));
        return ReshapedBuffer.NOTHING;
    }
}
