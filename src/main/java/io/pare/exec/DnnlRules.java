package io.pare.exec;

import io.pare.dnnl.Addition;
import io.pare.dnnl.Arg;
import io.pare.dnnl.BatchNormalization;
import io.pare.dnnl.ConvShape;
import io.pare.dnnl.Convolution;
import io.pare.dnnl.DataType;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.InnerProduct;
import io.pare.dnnl.MemoryDesc;
import io.pare.dnnl.PoolShape;
import io.pare.dnnl.Pooling;
import io.pare.dnnl.Primitive;
import io.pare.dnnl.Relu;
import io.pare.dnnl.Reorder;
import io.pare.dnnl.ResponseNormalization;
import io.pare.dnnl.Scratchpad;
import io.pare.dnnl.UnimplementedException;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The rules that run on oneDNN, and the conversions between the layouts that its primitives choose.
 *
 * <p>A value stays in the layout of the primitive that made it, and is converted only where its reader wants another.
 */
final class DnnlRules {
    private static final System.Logger LOG = System.getLogger("io.pare.exec");

    /** Weights that are no longer found in a core's cache from one step to the next. */
    private static final long LARGE = 1L << 20;

    private final Tape tape;
    private final Region region;
    /** In which convolutions and products compute; what stands between them computes in that of its input. */
    private final DataType type;
    private int reorders;

    DnnlRules(Tape tape, DataType type) {
        this.tape = tape;
        this.type = type;
        this.region = tape.region();
    }

    /** How many conversions the compiled steps run, at most, in one pass. */
    int reorders() {
        return reorders;
    }

    /** Memory in the layout that a primitive wants, and the conversion that brings it up to date. */
    private record Reading(DnnlMemory memory, Runnable refresh) {}

    Step convolution(Value node, Op.Conv2d op) {
        try {
            return new ConvolutionOnDnnl(node, op);
        } catch (UnimplementedException e) {
            LOG.log(System.Logger.Level.WARNING, "{0}; this layer runs in plain Java, which is slower", e.getMessage());
            return new ConvolutionStep(tape, node, op);
        }
    }

    /**
     * Matrix products, which read weights from memory once they are too many for a cache: then oneDNN's inner product,
     * which adds the bias on the way, is faster forward (one core of an AMD Zen 4, batch 32, milliseconds, inner product
     * against sgemm: 9216 x 4096 30 and 47, 4096 x 1000 3.1 and 5.0), and slower backward (72 and 59).
     */
    Step linear(Value node) {
        if (type != DataType.F32) {
            return new LinearOnDnnl(node);
        }
        LinearStep step = new LinearStep(tape, node);
        Value weight = node.input(1);
        if (weight.count() < LARGE) {
            return step;
        }
        MemoryDesc src = MemoryDesc.plain(region, node.input(0).shape());
        InnerProduct product = new InnerProduct(region, node.input(0).shape(), weight.size(0), true, false,
                tape.training(), src, MemoryDesc.plain(region, weight.shape()));
        return step.by((x, w, b, y) -> product.forward().bind(scratchpad()).with(Arg.SRC, DnnlMemory.over(region, x))
                .with(Arg.WEIGHTS, DnnlMemory.over(region, w)).with(Arg.BIAS, DnnlMemory.over(region, b))
                .with(Arg.DST, DnnlMemory.over(region, y)).prepare()::run);
    }

    Step pool(Value node, int kernelHeight, int kernelWidth, int stride, int padding, boolean max) {
        Value input = node.input(0);
        PoolShape shape = new PoolShape(input.size(0), input.size(1), input.size(2), input.size(3), kernelHeight,
                kernelWidth, stride, stride, padding, padding);
        Pooling pooling = new Pooling(region, shape, max ? Pooling.Kind.MAX : Pooling.Kind.AVERAGE, layout(input),
                tape.training());
        return new OneToOne(node, pooling.forward(), pooling::backward, false);
    }

    Step relu(Value node) {
        Relu relu = new Relu(region, layout(node.input(0)));
        return new OneToOne(node, relu.forward(), relu::backward, true);
    }

    Step responseNorm(Value node, Op.ResponseNorm op) {
        ResponseNormalization norm = new ResponseNormalization(region, layout(node.input(0)),
                new ResponseNormalization.Window(op.size(), op.alpha(), op.beta(), op.k()), tape.training());
        return new OneToOne(node, norm.forward(), norm::backward, false);
    }

    Step batchNorm(Value node, Op.BatchNorm op) {
        return new BatchNormOnDnnl(node, op);
    }

    /** Only where numbers are of another type than those of {@link ReshapeStep}, which is as fast otherwise. */
    Step reshape(Value node) {
        return layout(node.input(0)).type() == DataType.F32 ? new ReshapeStep(tape, node) : new ReshapeOnDnnl(node);
    }

    Step add(Value node) {
        return new AddOnDnnl(node);
    }

    private MemoryDesc layout(Value node) {
        return memory(tape.value(node)).desc();
    }

    /** Row-major copy of a blocked slot. */
    Source toPlain(Slot.Blocked slot, Value node) {
        FloatTensor tensor = tape.tensor(node.shape());
        return new Source(tensor, convert(slot.memory(), DnnlMemory.over(region, tensor))::run);
    }

    private Execution convert(DnnlMemory from, DnnlMemory to) {
        reorders++;
        return Reorder.between(region, scratchpad(), from, to);
    }

    private DnnlMemory memory(Slot slot) {
        return switch (slot) {
            case Slot.Plain(FloatTensor tensor) -> DnnlMemory.over(region, tensor);
            case Slot.Blocked(DnnlMemory memory) -> memory;
            case Slot.SamplesLast side -> throw new AssertionError("a oneDNN tape has no samples side by side");
        };
    }

    private Reading read(DnnlMemory memory, MemoryDesc wanted) {
        if (memory.desc().sameAs(wanted)) {
            return new Reading(memory, Source.NOTHING);
        }
        DnnlMemory converted = allocate(wanted, null);
        return new Reading(converted, convert(memory, converted)::run);
    }

    /** As {@link #read}, in the backward pass: what the forward pass has read serves again if the layout is right. */
    private Reading again(Reading before, DnnlMemory memory, MemoryDesc wanted) {
        return before.memory().desc().sameAs(wanted)
                ? new Reading(before.memory(), Source.NOTHING)
                : read(memory, wanted);
    }

    /** The node's whole gradient: the sum of what each of its readers contributes. */
    private Reading gradient(Value node, MemoryDesc wanted) {
        List<Reading> parts = tape.contributions(node).stream().map(part -> read(memory(part), wanted)).toList();
        if (parts.size() == 1) {
            return parts.getFirst();
        }
        DnnlMemory sum = allocate(wanted, null);
        Primitive addition = new Addition(region, wanted, false).forward();
        List<Runnable> work = new ArrayList<>(List.of(parts.getFirst().refresh()));
        DnnlMemory soFar = parts.getFirst().memory();
        for (Reading part : parts.subList(1, parts.size())) {
            work.add(part.refresh());
            work.add(addition.bind(scratchpad()).with(Arg.SRC, soFar).with(Arg.SRC_1, part.memory()).with(Arg.DST, sum)
                    .prepare()::run);
            soFar = sum;
        }
        Runnable[] all = work.toArray(Runnable[]::new);
        return new Reading(sum, () -> {
            for (Runnable each : all) {
                each.run();
            }
        });
    }

    /**
     * The gradient that comes to a step whose value is {@code result}: before the ReLU, if the step computed one.
     */
    private final class Incoming {
        private final Value result;
        private final DnnlMemory beforeRelu;
        private final Reading behindRelu;
        private final Execution relu;

        Incoming(Value result, boolean withRelu, DnnlMemory y) {
            this.result = result;
            if (withRelu) {
                Primitive primitive = new Relu(region, y.desc()).backward();
                behindRelu = gradient(result, primitive.desc(Arg.DIFF_DST));
                // The gradient behind the ReLU is read here only.
                beforeRelu = allocate(primitive.desc(Arg.DIFF_SRC), behindRelu.memory());
                relu = primitive.bind(scratchpad()).with(Arg.DST, y).with(Arg.DIFF_DST, behindRelu.memory())
                        .with(Arg.DIFF_SRC, beforeRelu).prepare();
            } else {
                beforeRelu = null;
                behindRelu = null;
                relu = null;
            }
        }

        /** The gradient in a layout; {@link #refresh} must have run before the reading's own. */
        Reading in(MemoryDesc wanted) {
            return relu == null ? gradient(result, wanted) : read(beforeRelu, wanted);
        }

        void refresh() {
            if (relu != null) {
                behindRelu.refresh().run();
                relu.run();
            }
        }
    }

    /** Memory for a value or a gradient of {@code node} in a primitive's layout; row-major memory stays a tensor. */
    private Slot allocate(Value node, MemoryDesc desc) {
        return allocate(node, desc, null);
    }

    /** As {@link #allocate(Value, MemoryDesc)}, perhaps in place of memory that the step has no more use for. */
    private Slot allocate(Value node, MemoryDesc desc, DnnlMemory replaced) {
        DnnlMemory memory = allocate(desc, replaced);
        return desc.isPlain() ? new Slot.Plain(new FloatTensor(memory.data(), node.shape()))
                : new Slot.Blocked(memory);
    }

    private DnnlMemory allocate(MemoryDesc desc, DnnlMemory replaced) {
        return DnnlMemory.over(region, desc,
                tape.allocate(desc.sizeBytes(), replaced == null ? null : replaced.data()));
    }

    /** Working memory of the step that is being built. */
    private Scratchpad scratchpad() {
        return new Scratchpad(tape::scratch, tape::uses);
    }

    private static boolean sameMemory(DnnlMemory one, DnnlMemory other) {
        return one.data().address() == other.data().address();
    }

    /** Forward, backward-data and backward-weights, each in the layouts that it likes best; computes a ReLU behind it. */
    private final class ConvolutionOnDnnl implements Step {
        private final Value node;
        private final Value result;
        private final boolean bias;
        private final Convolution convolution;
        private final DnnlMemory x;
        private final DnnlMemory plainWeight;
        private final Reading src;
        private final Reading weight;
        private final DnnlMemory y;
        private final Execution forward;
        private Incoming incoming;
        private Reading dyForData;
        private Reading weightForData;
        private Execution backwardData;
        private Reading srcForWeights;
        private Reading dyForWeights;
        private Execution backwardWeights;
        private Runnable deliverWeights;

        ConvolutionOnDnnl(Value node, Op.Conv2d op) {
            this.node = node;
            this.result = tape.withRelu(node);
            this.bias = node.inputs().size() > 2;
            ConvShape shape = ConvolutionStep.shape(node, op);
            this.convolution = new Convolution(region, shape,
                    Convolution.Options.of(result != node, tape.training()).withBias(bias).of(type));
            Primitive primitive = convolution.forward();
            this.x = memory(tape.value(node.input(0)));
            this.plainWeight = DnnlMemory.over(region, convolution.plainWeights(),
                    tape.plain(node.input(1)).tensor().segment());
            this.src = read(x, primitive.desc(Arg.SRC));
            this.weight = read(plainWeight, primitive.desc(Arg.WEIGHTS));
            Slot slot = allocate(node, primitive.desc(Arg.DST));
            tape.value(result, slot);
            this.y = memory(slot);
            Primitive.Binding binding = primitive.bind(scratchpad()).with(Arg.SRC, src.memory())
                    .with(Arg.WEIGHTS, weight.memory()).with(Arg.DST, y);
            if (bias) {
                binding.with(Arg.BIAS, DnnlMemory.over(region, tape.plain(node.input(2)).tensor()));
            }
            this.forward = binding.prepare();
        }

        @Override
        public void forward() {
            src.refresh().run();
            weight.refresh().run();
            forward.run();
        }

        @Override
        public void prepareBackward() {
            Value input = node.input(0);
            incoming = new Incoming(result, result != node, y);
            if (tape.needsGradient(input)) {
                Primitive data = convolution.backwardData();
                dyForData = incoming.in(data.desc(Arg.DIFF_DST));
                weightForData = again(weight, plainWeight, data.desc(Arg.WEIGHTS));
                Slot dx = allocate(input, data.desc(Arg.DIFF_SRC));
                tape.contribute(input, dx);
                backwardData = data.bind(scratchpad()).with(Arg.DIFF_DST, dyForData.memory())
                        .with(Arg.WEIGHTS, weightForData.memory()).with(Arg.DIFF_SRC, memory(dx)).prepare();
            }
            Primitive weights = convolution.backwardWeights();
            srcForWeights = again(src, x, weights.desc(Arg.SRC));
            MemoryDesc wantedDy = weights.desc(Arg.DIFF_DST);
            boolean asData = dyForData != null && dyForData.memory().desc().sameAs(wantedDy);
            dyForWeights = asData ? new Reading(dyForData.memory(), Source.NOTHING) : incoming.in(wantedDy);
            DnnlMemory plainGradient = DnnlMemory.over(region, convolution.plainWeights(),
                    tape.gradientFor(node.input(1)).segment());
            DnnlMemory gradient = plainGradient;
            deliverWeights = Source.NOTHING;
            if (!weights.desc(Arg.DIFF_WEIGHTS).sameAs(plainGradient.desc())) {
                gradient = allocate(weights.desc(Arg.DIFF_WEIGHTS), null);
                deliverWeights = convert(gradient, plainGradient)::run;
            }
            Primitive.Binding binding = weights.bind(scratchpad()).with(Arg.SRC, srcForWeights.memory())
                    .with(Arg.DIFF_DST, dyForWeights.memory()).with(Arg.DIFF_WEIGHTS, gradient);
            if (bias) {
                binding.with(Arg.DIFF_BIAS, DnnlMemory.over(region, tape.gradientFor(node.input(2))));
            }
            backwardWeights = binding.prepare();
        }

        @Override
        public void backward() {
            incoming.refresh();
            if (backwardData != null) {
                dyForData.refresh().run();
                weightForData.refresh().run();
                backwardData.run();
            }
            srcForWeights.refresh().run();
            dyForWeights.refresh().run();
            backwardWeights.run();
            deliverWeights.run();
        }
    }

    /** A linear layer on row-major numbers that are no 32-bit floats, but for logits; computes a ReLU behind it. */
    private final class LinearOnDnnl implements Step {
        private final Value node;
        private final Value result;
        private final InnerProduct product;
        private final Reading src;
        private final Reading weight;
        private final DnnlMemory y;
        private final Execution forward;
        private Incoming incoming;
        private Reading dy;
        private Execution backwardData;
        private Execution backwardWeights;

        LinearOnDnnl(Value node) {
            this.node = node;
            this.result = tape.withRelu(node);
            long[] inputs = node.input(0).shape();
            MemoryDesc plainSrc = MemoryDesc.plain(region, type, inputs);
            MemoryDesc plainWeights = MemoryDesc.plain(region, type, node.input(1).shape());
            this.product =
                    new InnerProduct(region, inputs, node.size(1), true, result != node, tape.training(), plainSrc,
                            plainWeights, type, tape.isLogits(result) ? DataType.F32 : type);
            this.src = read(memory(tape.value(node.input(0))), plainSrc);
            this.weight = read(memory(tape.value(node.input(1))), plainWeights);
            Primitive primitive = product.forward();
            Slot slot = allocate(node, primitive.desc(Arg.DST));
            tape.value(result, slot);
            this.y = memory(slot);
            this.forward = primitive.bind(scratchpad()).with(Arg.SRC, src.memory()).with(Arg.WEIGHTS, weight.memory())
                    .with(Arg.BIAS, DnnlMemory.over(region, tape.plain(node.input(2)).tensor())).with(Arg.DST, y)
                    .prepare();
        }

        @Override
        public void forward() {
            src.refresh().run();
            weight.refresh().run();
            forward.run();
        }

        @Override
        public void prepareBackward() {
            incoming = new Incoming(result, result != node, y);
            dy = incoming.in(MemoryDesc.plain(region, type, node.shape()));
            if (tape.needsGradient(node.input(0))) {
                Primitive data = product.backwardData(src.memory().desc(), weight.memory().desc());
                Slot dx = allocate(node.input(0), data.desc(Arg.DIFF_SRC));
                tape.contribute(node.input(0), dx);
                backwardData = data.bind(scratchpad()).with(Arg.DIFF_DST, dy.memory())
                        .with(Arg.WEIGHTS, weight.memory()).with(Arg.DIFF_SRC, memory(dx)).prepare();
            }
            FloatTensor dWeight = tape.gradientFor(node.input(1));
            FloatTensor dBias = tape.gradientFor(node.input(2));
            backwardWeights = product.backwardWeights(src.memory().desc(), MemoryDesc.plain(region, dWeight.shape()))
                    .bind(scratchpad()).with(Arg.SRC, src.memory()).with(Arg.DIFF_DST, dy.memory())
                    .with(Arg.DIFF_WEIGHTS, DnnlMemory.over(region, dWeight))
                    .with(Arg.DIFF_BIAS, DnnlMemory.over(region, dBias)).prepare();
        }

        @Override
        public void backward() {
            incoming.refresh();
            dy.refresh().run();
            if (backwardData != null) {
                backwardData.run();
            }
            backwardWeights.run();
        }
    }

    /** The same row-major memory under another shape. */
    private final class ReshapeOnDnnl implements Step {
        private final Value node;
        private final Reading x;
        private Reading dy;

        ReshapeOnDnnl(Value node) {
            this.node = node;
            Value input = node.input(0);
            DnnlMemory value = memory(tape.value(input));
            this.x = read(value, MemoryDesc.plain(region, value.desc().type(), input.shape()));
            tape.value(node, shaped(x.memory(), node));
        }

        private Slot shaped(DnnlMemory memory, Value as) {
            MemoryDesc desc = MemoryDesc.plain(region, memory.desc().type(), as.shape());
            return new Slot.Blocked(DnnlMemory.over(region, desc, memory.data()));
        }

        @Override
        public void forward() {
            x.refresh().run();
        }

        @Override
        public void prepareBackward() {
            Value input = node.input(0);
            if (tape.needsGradient(input)) {
                dy = gradient(node, MemoryDesc.plain(region, x.memory().desc().type(), node.shape()));
                tape.contribute(input, shaped(dy.memory(), input));
            }
        }

        @Override
        public void backward() {
            if (dy != null) {
                dy.refresh().run();
            }
        }
    }

    /** One image in, one image out, in whatever layout the input has: pooling, ReLU, response normalisation. */
    private final class OneToOne implements Step {
        private final Value node;
        private final DnnlMemory x;
        private final DnnlMemory y;
        private final DnnlMemory workspace;
        private final Execution forward;
        private final Supplier<Primitive> gradient;
        private final boolean inPlace;
        private Reading dy;
        private Execution backward;

        /** @param inPlace whether each pass may write where it reads */
        OneToOne(Value node, Primitive primitive, Supplier<Primitive> gradient, boolean inPlace) {
            this.node = node;
            this.gradient = gradient;
            this.inPlace = inPlace;
            this.x = memory(tape.value(node.input(0)));
            Slot slot = allocate(node, primitive.desc(Arg.DST), inPlace ? x : null);
            tape.value(node, slot);
            this.y = memory(slot);
            this.workspace = workspace(primitive);
            Primitive.Binding binding = primitive.bind(scratchpad()).with(Arg.SRC, x).with(Arg.DST, y);
            bindIf(binding, primitive, Arg.WORKSPACE, workspace);
            this.forward = binding.prepare();
        }

        @Override
        public void forward() {
            forward.run();
        }

        @Override
        public void prepareBackward() {
            Value input = node.input(0);
            if (!tape.needsGradient(input)) {
                return;
            }
            Primitive primitive = gradient.get();
            dy = gradient(node, primitive.desc(Arg.DIFF_DST));
            Slot dx = allocate(input, primitive.desc(Arg.DIFF_SRC), inPlace ? dy.memory() : null);
            tape.contribute(input, dx);
            Primitive.Binding binding = primitive.bind(scratchpad()).with(Arg.DIFF_DST, dy.memory())
                    .with(Arg.DIFF_SRC, memory(dx));
            bindIf(binding, primitive, Arg.SRC, x);
            bindIf(binding, primitive, Arg.DST, y);
            bindIf(binding, primitive, Arg.WORKSPACE, workspace);
            backward = binding.prepare();
        }

        @Override
        public void backward() {
            if (backward != null) {
                dy.refresh().run();
                backward.run();
            }
        }
    }

    private DnnlMemory workspace(Primitive primitive) {
        return primitive.has(Arg.WORKSPACE) ? allocate(primitive.desc(Arg.WORKSPACE), null) : null;
    }

    private static void bindIf(Primitive.Binding binding, Primitive primitive, Arg arg, DnnlMemory memory) {
        if (primitive.has(arg)) {
            binding.with(arg, memory);
        }
    }

    /** Batch normalisation in whatever layout the input has; computes a ReLU behind it. */
    private final class BatchNormOnDnnl implements Step {
        private final Value node;
        private final Value result;
        private final BatchNormalization norm;
        private final RunningStatistics running;
        private final FloatTensor mean;
        private final FloatTensor variance;
        private final DnnlMemory x;
        private final DnnlMemory workspace;
        private final Execution forward;
        private Reading dy;
        private Execution backward;

        BatchNormOnDnnl(Value node, Op.BatchNorm op) {
            this.node = node;
            this.result = tape.withRelu(node);
            this.x = memory(tape.value(node.input(0)));
            this.norm = new BatchNormalization(region, x.desc(), op.epsilon(), result != node, tape.training());
            this.running = RunningStatistics.of(tape, node);
            this.mean = tape.training() ? tape.tensor(node.size(1)) : running.mean();
            this.variance = tape.training() ? tape.tensor(node.size(1)) : running.variance();
            Primitive primitive = norm.forward();
            Slot y = allocate(node, primitive.desc(Arg.DST));
            tape.value(result, y);
            this.workspace = workspace(primitive);
            Primitive.Binding binding = primitive.bind(scratchpad()).with(Arg.SRC, x).with(Arg.DST, memory(y))
                    .with(Arg.SCALE, vector(tape.plain(node.input(1)).tensor()))
                    .with(Arg.SHIFT, vector(tape.plain(node.input(2)).tensor())).with(Arg.MEAN, vector(mean))
                    .with(Arg.VARIANCE, vector(variance));
            bindIf(binding, primitive, Arg.WORKSPACE, workspace);
            this.forward = binding.prepare();
        }

        private DnnlMemory vector(FloatTensor tensor) {
            return DnnlMemory.over(region, tensor);
        }

        @Override
        public void forward() {
            forward.run();
            if (tape.training()) {
                running.follow(mean, variance, node.count() / node.size(1));
            }
        }

        @Override
        public void prepareBackward() {
            Primitive primitive = norm.backward();
            dy = gradient(result, primitive.desc(Arg.DIFF_DST));
            Slot dx = allocate(node, primitive.desc(Arg.DIFF_SRC), dy.memory());
            if (tape.needsGradient(node.input(0))) {
                tape.contribute(node.input(0), dx);
            }
            Primitive.Binding binding = primitive.bind(scratchpad()).with(Arg.SRC, x)
                    .with(Arg.DIFF_DST, dy.memory()).with(Arg.DIFF_SRC, memory(dx))
                    .with(Arg.SCALE, vector(tape.plain(node.input(1)).tensor())).with(Arg.MEAN, vector(mean))
                    .with(Arg.VARIANCE, vector(variance))
                    .with(Arg.DIFF_SCALE, vector(tape.gradientFor(node.input(1))))
                    .with(Arg.DIFF_SHIFT, vector(tape.gradientFor(node.input(2))));
            bindIf(binding, primitive, Arg.WORKSPACE, workspace);
            backward = binding.prepare();
        }

        @Override
        public void backward() {
            dy.refresh().run();
            backward.run();
        }
    }

    /** Addition in the layout of the left input; computes a ReLU behind it. */
    private final class AddOnDnnl implements Step {
        private final Value node;
        private final Value result;
        private final Reading right;
        private final DnnlMemory y;
        private final Execution forward;
        private Incoming incoming;
        private Reading dy;

        AddOnDnnl(Value node) {
            this.node = node;
            this.result = tape.withRelu(node);
            DnnlMemory left = memory(tape.value(node.input(0)));
            this.right = read(memory(tape.value(node.input(1))), left.desc());
            this.y = allocate(left.desc(), sameMemory(left, right.memory()) ? null : left);
            tape.value(result, new Slot.Blocked(y));
            this.forward = new Addition(region, left.desc(), result != node).forward().bind(scratchpad())
                    .with(Arg.SRC, left).with(Arg.SRC_1, right.memory()).with(Arg.DST, y).prepare();
        }

        @Override
        public void forward() {
            right.refresh().run();
            forward.run();
        }

        @Override
        public void prepareBackward() {
            incoming = new Incoming(result, result != node, y);
            dy = incoming.in(y.desc());
            for (Value input : node.inputs()) {
                if (tape.needsGradient(input)) {
                    tape.contribute(input, new Slot.Blocked(dy.memory()));
                }
            }
        }

        @Override
        public void backward() {
            incoming.refresh();
            dy.refresh().run();
        }
    }
}
