package io.pare.exec.onednn;

import io.pare.dnnl.Activation;
import io.pare.dnnl.Arg;
import io.pare.dnnl.DataType;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.InnerProduct;
import io.pare.dnnl.MemoryDesc;
import io.pare.dnnl.Primitive;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;

/** A linear layer on row-major numbers that are no 32-bit floats, but for logits; computes a ReLU behind it. */
final class LinearOnDnnl implements Step {
    private final Layouts layouts;
    private final Building building;
    private final Region region;
    private final Value node;
    private final Value result;
    private final InnerProduct product;
    private final DnnlSource src;
    private final DnnlSource weight;
    private final DnnlMemory y;
    private final Execution forward;
    private Incoming incoming;
    private DnnlSource dy;
    private Execution backwardData;
    private Execution backwardWeights;

    LinearOnDnnl(Layouts layouts, Value node) {
        this.layouts = layouts;
        this.building = layouts.building();
        this.region = layouts.region();
        this.node = node;
        this.result = building.withRelu(node);
        long[] inputs = node.input(0).shape();
        MemoryDesc plainSrc = MemoryDesc.plain(region, layouts.type(), inputs);
        MemoryDesc plainWeights = MemoryDesc.plain(region, layouts.type(), node.input(1).shape());
        this.product = new InnerProduct(region, inputs, node.size(1), true,
                result == node ? null : Activation.RELU, building.training(),
                plainSrc, plainWeights, layouts.type(), building.isLogits(result) ? DataType.F32 : layouts.type());
        this.src = layouts.read(layouts.value(node.input(0)), plainSrc);
        this.weight = layouts.parameter(layouts.value(node.input(1)).memory(), plainWeights);
        Primitive primitive = product.forward();
        Buffer slot = layouts.allocate(node, primitive.desc(Arg.DST));
        building.value(result, slot);
        this.y = layouts.memory(slot);
        this.forward = primitive.bind(layouts.scratchpad()).with(Arg.SRC, src.memory())
                .with(Arg.WEIGHTS, weight.memory())
                .with(Arg.BIAS, DnnlMemory.over(region, building.plain(node.input(2)).tensor())).with(Arg.DST, y)
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
        incoming = new Incoming(layouts, result, result != node, y);
        dy = incoming.in(MemoryDesc.plain(region, layouts.type(), node.shape()));
        if (building.needsGradient(node.input(0))) {
            Primitive data = product.backwardData(src.memory().desc(), weight.memory().desc());
            Buffer dx = layouts.allocate(node.input(0), data.desc(Arg.DIFF_SRC));
            building.contribute(node.input(0), dx);
            backwardData = data.bind(layouts.scratchpad()).with(Arg.DIFF_DST, dy.memory())
                    .with(Arg.WEIGHTS, weight.memory()).with(Arg.DIFF_SRC, layouts.memory(dx)).prepare();
        }
        if (!building.needsGradient(node.input(1))) {
            return;
        }
        FloatTensor dWeight = building.gradientFor(node.input(1));
        FloatTensor dBias = building.gradientFor(node.input(2));
        backwardWeights =
                product.backwardWeights(src.memory().desc(), MemoryDesc.plain(region, dWeight.shape()))
                        .bind(layouts.scratchpad()).with(Arg.SRC, src.memory()).with(Arg.DIFF_DST, dy.memory())
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
        if (backwardWeights != null) {
            backwardWeights.run();
        }
    }
}
