package io.pare.exec.onednn;

import io.pare.dnnl.Arg;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.Primitive;
import io.pare.dnnl.Scaling;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;

/** On a frozen tape: channels-last images times a factor for each channel, as squeeze-and-excitation multiplies. */
final class ScaleOnDnnl implements Step {
    private final DnnlSource images;
    private final DnnlSource factors;
    private final Execution forward;

    ScaleOnDnnl(Layouts layouts, Value node, Value images, Value factors) {
        Building building = layouts.building();
        this.images = layouts.value(images);
        DnnlMemory x = this.images.memory();
        Primitive primitive = new Scaling(layouts.region(), x.desc().dims()).forward();
        this.factors = layouts.read(layouts.value(factors), primitive.desc(Arg.SRC_1));
        Buffer y = layouts.allocate(node, primitive.desc(Arg.DST), x);
        building.value(node, y);
        this.forward = primitive.bind(layouts.scratchpad()).with(Arg.SRC, x).with(Arg.SRC_1, this.factors.memory())
                .with(Arg.DST, layouts.memory(y)).prepare();
    }

    @Override
    public void forward() {
        images.refresh().run();
        factors.refresh().run();
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
