package io.pare.exec.onednn;

import io.pare.dnnl.Arg;
import io.pare.dnnl.ConvShape;
import io.pare.dnnl.Convolution;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.MemoryDesc;
import io.pare.dnnl.Primitive;
import io.pare.dnnl.UnimplementedException;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.Region;
import io.pare.net.Op;
import io.pare.net.Window;
import java.lang.foreign.MemorySegment;

/**
 * Forward, backward-data and backward-weights, each in the layouts that it likes best; computes a ReLU behind it, and without
 * backward passes any function of each value, and an addition before it.
 */
final class ConvolutionOnDnnl implements Step {
    private final Layouts layouts;
    private final Building building;
    private final Region region;
    private final Value node;
    private final Value result;
    private final boolean bias;
    private final Convolution convolution;
    private final DnnlMemory x;
    private final DnnlMemory plainWeight;
    private final DnnlSource src;
    private final DnnlSource weight;
    /** What the result is added to; {@code null} for nothing. */
    private final DnnlMemory addend;
    private final DnnlMemory y;
    private final Execution forward;
    private Incoming incoming;
    private DnnlSource dyForData;
    private DnnlSource weightForData;
    private Execution backwardData;
    private DnnlSource srcForWeights;
    private DnnlSource dyForWeights;
    private Execution backwardWeights;
    private Runnable deliverWeights;

    ConvolutionOnDnnl(Layouts layouts, Value node, Op.Conv2d op) {
        this.layouts = layouts;
        this.building = layouts.building();
        this.region = layouts.region();
        this.node = node;
        this.bias = node.inputs().size() > 2;
        ConvShape shape = shape(node, op);
        Convolution.Options options = Convolution.Options.of(false, building.training()).withBias(bias)
                .of(layouts.type());
        DnnlSource value = layouts.value(node.input(0));
        this.x = value.memory();
        Value sum = layouts.withAddition(node);
        DnnlMemory other = sum == node ? null : layouts.value(Layouts.other(sum, node)).memory();
        Convolution adding = other == null ? null : adding(shape, options, sum, other);
        this.addend = adding == null ? null : other;
        this.result = layouts.withActivation(adding == null ? node : sum);
        this.convolution = adding != null
                ? adding
                : new Convolution(region, shape, options.ending(result == node ? null : Activations.of(result)));
        Primitive primitive = convolution.forward();
        this.plainWeight = DnnlMemory.over(region, convolution.plainWeights(),
                building.plain(node.input(1)).tensor().segment());
        this.src = layouts.read(value, primitive.desc(Arg.SRC));
        this.weight = layouts.parameter(plainWeight, primitive.desc(Arg.WEIGHTS));
        Buffer slot = layouts.allocate(node, primitive.desc(Arg.DST),
                addend == null || Layouts.sameMemory(addend, src.memory()) ? null : addend);
        if (addend != null) {
            building.uses(addend.data());
            // Else the addition would be built, whether it is read or not.
            building.value(sum, slot);
        }
        building.value(result, slot);
        this.y = layouts.memory(slot);
        Primitive.Binding binding = primitive.bind(layouts.scratchpad()).with(Arg.SRC, src.memory())
                .with(Arg.WEIGHTS, weight.memory()).with(Arg.DST, y);
        if (bias) {
            binding.with(Arg.BIAS, DnnlMemory.over(region, building.plain(node.input(2)).tensor()));
        }
        this.forward = binding.prepare();
    }

    /** The convolution that adds to a value in that value's layout; {@code null} where oneDNN would take another. */
    private Convolution adding(ConvShape shape, Convolution.Options options, Value sum, DnnlMemory addend) {
        Value end = layouts.withActivation(sum);
        try {
            Convolution adding = new Convolution(region, shape,
                    options.adding(true).ending(end == sum ? null : Activations.of(end)));
            return adding.forward().desc(Arg.DST).sameAs(addend.desc()) ? adding : null;
        } catch (UnimplementedException e) {
            return null;
        }
    }

    private static ConvShape shape(Value node, Op.Conv2d op) {
        Value x = node.input(0);
        Window w = op.window();
        return new ConvShape(x.size(0), x.size(1), x.size(2), x.size(3), op.out(), w.kernelHeight(), w.kernelWidth(),
                w.strideHeight(), w.strideWidth(), w.top(), w.left(), w.bottom(), w.right(), w.dilationHeight(),
                w.dilationWidth(), op.groups());
    }

    @Override
    public void forward() {
        src.refresh().run();
        weight.refresh().run();
        if (addend != null && !Layouts.sameMemory(addend, y)) {
            MemorySegment.copy(addend.data(), 0, y.data(), 0, y.desc().sizeBytes());
        }
        forward.run();
    }

    @Override
    public void prepareBackward() {
        Value input = node.input(0);
        incoming = new Incoming(layouts, result, result != node, y);
        if (building.needsGradient(input)) {
            Primitive data = convolution.backwardData();
            dyForData = incoming.in(data.desc(Arg.DIFF_DST));
            weightForData = layouts.again(weight, plainWeight, data.desc(Arg.WEIGHTS));
            Buffer dx = layouts.allocate(input, data.desc(Arg.DIFF_SRC));
            building.contribute(input, dx);
            backwardData = data.bind(layouts.scratchpad()).with(Arg.DIFF_DST, dyForData.memory())
                    .with(Arg.WEIGHTS, weightForData.memory()).with(Arg.DIFF_SRC, layouts.memory(dx)).prepare();
        }
        if (building.needsGradient(node.input(1))) {
            prepareWeights();
        }
    }

    private void prepareWeights() {
        Primitive weights = convolution.backwardWeights();
        srcForWeights = layouts.again(src, x, weights.desc(Arg.SRC));
        MemoryDesc wantedDy = weights.desc(Arg.DIFF_DST);
        boolean asData = dyForData != null && dyForData.memory().desc().sameAs(wantedDy);
        dyForWeights = asData ? DnnlSource.of(dyForData.memory()) : incoming.in(wantedDy);
        DnnlMemory plainGradient = DnnlMemory.over(region, convolution.plainWeights(),
                building.gradientFor(node.input(1)).segment());
        DnnlMemory gradient = plainGradient;
        deliverWeights = Source.NOTHING;
        if (!weights.desc(Arg.DIFF_WEIGHTS).sameAs(plainGradient.desc())) {
            gradient = layouts.allocate(weights.desc(Arg.DIFF_WEIGHTS), null);
            deliverWeights = layouts.convert(gradient, plainGradient)::run;
        }
        Primitive.Binding binding = weights.bind(layouts.scratchpad()).with(Arg.SRC, srcForWeights.memory())
                .with(Arg.DIFF_DST, dyForWeights.memory()).with(Arg.DIFF_WEIGHTS, gradient);
        if (bias) {
            binding.with(Arg.DIFF_BIAS, DnnlMemory.over(region, building.gradientFor(node.input(2))));
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
        if (backwardWeights != null) {
            srcForWeights.refresh().run();
            dyForWeights.refresh().run();
            backwardWeights.run();
            deliverWeights.run();
        }
    }
}
