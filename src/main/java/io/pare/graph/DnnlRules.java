package io.pare.graph;

import io.pare.dnnl.Arg;
import io.pare.dnnl.ConvShape;
import io.pare.dnnl.Convolution;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.MemoryDesc;
import io.pare.dnnl.PoolShape;
import io.pare.dnnl.Pooling;
import io.pare.dnnl.Primitive;
import io.pare.dnnl.Relu;
import io.pare.dnnl.Reorder;
import io.pare.dnnl.Scratchpad;
import io.pare.dnnl.UnimplementedException;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.List;

/**
 * The rules that run on oneDNN, and the conversions between the layouts that its primitives choose.
 *
 * <p>A value stays in the layout of the primitive that made it, and is converted only where its reader wants another.
 */
final class DnnlRules {
    private static final System.Logger LOG = System.getLogger("io.pare.graph");

    private final Tape tape;
    private final Region region;
    private final Scratchpad scratchpad;
    private int reorders;

    DnnlRules(Tape tape) {
        this.tape = tape;
        this.region = tape.region();
        this.scratchpad = new Scratchpad(region);
    }

    /** How many conversions the compiled steps run, at most, in one pass. */
    int reorders() {
        return reorders;
    }

    /** Memory in the layout that a primitive wants, and the conversion that brings it up to date. */
    private record Reading(DnnlMemory memory, Runnable refresh) {}

    Step convolution(Node node, Op.Conv2d op) {
        try {
            return new ConvolutionOnDnnl(node, op);
        } catch (UnimplementedException e) {
            LOG.log(System.Logger.Level.WARNING, "{0}; this layer runs in plain Java, which is slower", e.getMessage());
            return new ConvolutionStep(tape, node, op);
        }
    }

    Step maxPool(Node node, Op.MaxPool op) {
        return new PoolingOnDnnl(node, op.kernel(), op.stride(), op.padding(), Pooling.Kind.MAX);
    }

    Step avgPool(Node node, Op.AvgPool op) {
        return new PoolingOnDnnl(node, op.kernel(), op.stride(), op.padding(), Pooling.Kind.AVERAGE);
    }

    Step relu(Node node) {
        return new ReluOnDnnl(node);
    }

    /** Row-major copy of a blocked slot. */
    Source toPlain(Slot.Blocked slot, Node node) {
        FloatTensor tensor = region.tensor(node.shape());
        return new Source(tensor, convert(slot.memory(), DnnlMemory.over(region, tensor))::run);
    }

    private Execution convert(DnnlMemory from, DnnlMemory to) {
        reorders++;
        return Reorder.between(region, from, to);
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
        DnnlMemory converted = DnnlMemory.allocate(region, wanted);
        return new Reading(converted, convert(memory, converted)::run);
    }

    private Reading gradient(Node node, MemoryDesc wanted) {
        List<Slot> parts = tape.contributions(node);
        if (parts.size() == 1) {
            return read(memory(parts.getFirst()), wanted);
        }
        Source sum = tape.gradient(node);
        Reading reading = read(DnnlMemory.over(region, sum.tensor()), wanted);
        return new Reading(reading.memory(), () -> {
            sum.refresh().run();
            reading.refresh().run();
        });
    }

    /** Memory for a value or a gradient of {@code node} in a primitive's layout; row-major memory stays a tensor. */
    private Slot allocate(Node node, MemoryDesc desc) {
        return desc.isPlain() ? new Slot.Plain(region.tensor(node.shape()))
                : new Slot.Blocked(DnnlMemory.allocate(region, desc));
    }

    /** Forward, backward-data and backward-weights, each in the layouts that it likes best. */
    private final class ConvolutionOnDnnl implements Step {
        private final Node node;
        private final Convolution convolution;
        private final DnnlMemory x;
        private final DnnlMemory plainWeight;
        private final Reading src;
        private final Reading weight;
        private final Execution forward;
        private Reading dyForData;
        private Reading weightForData;
        private Execution backwardData;
        private Reading srcForWeights;
        private Reading dyForWeights;
        private Execution backwardWeights;
        private Runnable deliverWeights;

        ConvolutionOnDnnl(Node node, Op.Conv2d op) {
            this.node = node;
            ConvShape shape = ConvolutionStep.shape(node, op);
            this.convolution = new Convolution(region, shape, Convolution.Options.of(false, tape.training()));
            Primitive primitive = convolution.forward();
            this.x = memory(tape.value(node.input(0)));
            this.plainWeight = DnnlMemory.over(region, convolution.plainWeights(),
                    tape.plain(node.input(1)).tensor().segment());
            this.src = read(x, primitive.desc(Arg.SRC));
            this.weight = read(plainWeight, primitive.desc(Arg.WEIGHTS));
            Slot y = allocate(node, primitive.desc(Arg.DST));
            tape.value(node, y);
            this.forward = primitive.bind(scratchpad).with(Arg.SRC, src.memory()).with(Arg.WEIGHTS, weight.memory())
                    .with(Arg.BIAS, DnnlMemory.over(region, tape.plain(node.input(2)).tensor()))
                    .with(Arg.DST, memory(y)).prepare();
        }

        @Override
        public void forward() {
            src.refresh().run();
            weight.refresh().run();
            forward.run();
        }

        @Override
        public void prepareBackward() {
            Node input = node.input(0);
            if (tape.needsGradient(input)) {
                Primitive data = convolution.backwardData();
                dyForData = gradient(node, data.desc(Arg.DIFF_DST));
                weightForData = read(plainWeight, data.desc(Arg.WEIGHTS));
                Slot dx = allocate(input, data.desc(Arg.DIFF_SRC));
                tape.contribute(input, dx);
                backwardData = data.bind(scratchpad).with(Arg.DIFF_DST, dyForData.memory())
                        .with(Arg.WEIGHTS, weightForData.memory()).with(Arg.DIFF_SRC, memory(dx)).prepare();
            }
            Primitive weights = convolution.backwardWeights();
            MemoryDesc wantedSrc = weights.desc(Arg.SRC);
            boolean asForward = src.memory().desc().sameAs(wantedSrc);
            srcForWeights = asForward ? new Reading(src.memory(), Source.NOTHING) : read(x, wantedSrc);
            MemoryDesc wantedDy = weights.desc(Arg.DIFF_DST);
            boolean asData = dyForData != null && dyForData.memory().desc().sameAs(wantedDy);
            dyForWeights = asData ? new Reading(dyForData.memory(), Source.NOTHING) : gradient(node, wantedDy);
            DnnlMemory plainGradient = DnnlMemory.over(region, convolution.plainWeights(),
                    tape.gradientFor(node.input(1)).segment());
            DnnlMemory gradient = plainGradient;
            deliverWeights = Source.NOTHING;
            if (!weights.desc(Arg.DIFF_WEIGHTS).sameAs(plainGradient.desc())) {
                gradient = DnnlMemory.allocate(region, weights.desc(Arg.DIFF_WEIGHTS));
                deliverWeights = convert(gradient, plainGradient)::run;
            }
            backwardWeights = weights.bind(scratchpad).with(Arg.SRC, srcForWeights.memory())
                    .with(Arg.DIFF_DST, dyForWeights.memory()).with(Arg.DIFF_WEIGHTS, gradient)
                    .with(Arg.DIFF_BIAS, DnnlMemory.over(region, tape.gradientFor(node.input(2)))).prepare();
        }

        @Override
        public void backward() {
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

    /** Pooling in whatever layout the input has. */
    private final class PoolingOnDnnl implements Step {
        private final Node node;
        private final Pooling pooling;
        private final DnnlMemory workspace;
        private final Execution forward;
        private Reading dy;
        private Execution backward;

        PoolingOnDnnl(Node node, int kernel, int stride, int padding, Pooling.Kind kind) {
            this.node = node;
            Node input = node.input(0);
            DnnlMemory x = memory(tape.value(input));
            PoolShape shape = new PoolShape(input.size(0), input.size(1), input.size(2), input.size(3), kernel, kernel,
                    stride, stride, padding, padding);
            this.pooling = new Pooling(region, shape, kind, x.desc(), tape.training());
            Primitive primitive = pooling.forward();
            Slot y = allocate(node, primitive.desc(Arg.DST));
            tape.value(node, y);
            Primitive.Binding binding = primitive.bind(scratchpad).with(Arg.SRC, x).with(Arg.DST, memory(y));
            if (primitive.has(Arg.WORKSPACE)) {
                this.workspace = DnnlMemory.allocate(region, primitive.desc(Arg.WORKSPACE));
                binding.with(Arg.WORKSPACE, workspace);
            } else {
                this.workspace = null;
            }
            this.forward = binding.prepare();
        }

        @Override
        public void forward() {
            forward.run();
        }

        @Override
        public void prepareBackward() {
            Node input = node.input(0);
            if (!tape.needsGradient(input)) {
                return;
            }
            Primitive primitive = pooling.backward();
            dy = gradient(node, primitive.desc(Arg.DIFF_DST));
            Slot dx = allocate(input, primitive.desc(Arg.DIFF_SRC));
            tape.contribute(input, dx);
            Primitive.Binding binding = primitive.bind(scratchpad).with(Arg.DIFF_DST, dy.memory())
                    .with(Arg.DIFF_SRC, memory(dx));
            if (workspace != null) {
                binding.with(Arg.WORKSPACE, workspace);
            }
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

    /** ReLU on blocked memory. */
    private final class ReluOnDnnl implements Step {
        private final Node node;
        private final Relu relu;
        private final DnnlMemory y;
        private final Execution forward;
        private Reading dy;
        private Execution backward;

        ReluOnDnnl(Node node) {
            this.node = node;
            DnnlMemory x = memory(tape.value(node.input(0)));
            this.relu = new Relu(region, x.desc());
            this.y = DnnlMemory.allocate(region, x.desc());
            tape.value(node, new Slot.Blocked(y));
            this.forward = relu.forward().bind(scratchpad).with(Arg.SRC, x).with(Arg.DST, y).prepare();
        }

        @Override
        public void forward() {
            forward.run();
        }

        @Override
        public void prepareBackward() {
            Node input = node.input(0);
            if (!tape.needsGradient(input)) {
                return;
            }
            Primitive primitive = relu.backward();
            dy = gradient(node, primitive.desc(Arg.DIFF_DST));
            DnnlMemory dx = DnnlMemory.allocate(region, primitive.desc(Arg.DIFF_SRC));
            tape.contribute(input, new Slot.Blocked(dx));
            backward = primitive.bind(scratchpad).with(Arg.DST, y).with(Arg.DIFF_DST, dy.memory())
                    .with(Arg.DIFF_SRC, dx).prepare();
        }

        @Override
        public void backward() {
            if (backward != null) {
                dy.refresh().run();
                backward.run();
            }
        }
    }
}
