package io.pare.exec.onednn;

import io.pare.dnnl.Arg;
import io.pare.dnnl.DataType;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.InnerProduct;
import io.pare.dnnl.Primitive;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.Region;

/**
 * A linear layer of a frozen tape: weights in the layout that is fastest, images as they come from a convolution or pool, and
 * a function of each value behind it.
 */
final class FrozenLinear implements Step {
    private final DnnlSource source;
    private final Execution forward;

    FrozenLinear(Layouts layouts, Value node) {
        Building building = layouts.building();
        Region region = layouts.region();
        Value result = layouts.withActivation(node);
        // For a single row, oneDNN 3.13 takes weights in an order of pixels that is not that of channels-last images. For
        // images in blocks of channels it may have its reference alone.
        this.source = node.size(1) > 1
                && building.value(node.input(0)) instanceof ReshapedBuffer(Value _, DnnlMemory image, Layouts _)
                && layouts.isChannelsLast(image)
                        ? DnnlSource.of(image)
                        : layouts.value(node.input(0));
        DnnlMemory x = source.memory();
        InnerProduct product = new InnerProduct(region, x.desc().dims(), node.size(1), true,
                result == node ? null : Activations.of(result), false, x.desc(), null, DataType.F32, DataType.F32);
        Primitive primitive = product.forward();
        DnnlSource weight = layouts.parameter(DnnlMemory.over(region, product.plainWeights(),
                building.plain(node.input(1)).tensor().segment()), primitive.desc(Arg.WEIGHTS));
        Buffer y = layouts.allocate(node, primitive.desc(Arg.DST));
        building.value(result, y);
        this.forward = primitive.bind(layouts.scratchpad()).with(Arg.SRC, x).with(Arg.WEIGHTS, weight.memory())
                .with(Arg.BIAS, DnnlMemory.over(region, building.plain(node.input(2)).tensor()))
                .with(Arg.DST, layouts.memory(y)).prepare();
    }

    @Override
    public void forward() {
        source.refresh().run();
        forward.run();
    }

    @Override
    public void prepareBackward() {
        throw new IllegalStateException("nothing comes back on a frozen tape");
    }

    @Override
    public void backward() {
        throw new IllegalStateException("nothing comes back on a frozen tape");
    }
}
