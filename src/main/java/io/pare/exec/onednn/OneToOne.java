package io.pare.exec.onednn;

import io.pare.dnnl.Arg;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.Primitive;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;
import java.util.function.Supplier;

/** One image in, one image out, in whatever layout the input has: pooling, ReLU, response normalisation. */
final class OneToOne implements Step {
    private final Layouts layouts;
    private final Building building;
    private final Value node;
    private final DnnlSource source;
    private final DnnlMemory x;
    private final DnnlMemory y;
    private final DnnlMemory workspace;
    private final Execution forward;
    private final Supplier<Primitive> gradient;
    private final boolean inPlace;
    private DnnlSource dy;
    private Execution backward;

    /**
     * @param source the input
     * @param inPlace whether each pass may write where it reads
     */
    OneToOne(Layouts layouts, Value node, DnnlSource source, Primitive primitive, Supplier<Primitive> gradient,
            boolean inPlace) {
        this.layouts = layouts;
        this.building = layouts.building();
        this.node = node;
        this.gradient = gradient;
        this.inPlace = inPlace;
        this.source = source;
        this.x = source.memory();
        Buffer slot = layouts.allocate(node, primitive.desc(Arg.DST), inPlace ? x : null);
        building.value(node, slot);
        this.y = layouts.memory(slot);
        this.workspace = layouts.workspace(primitive);
        Primitive.Binding binding = primitive.bind(layouts.scratchpad()).with(Arg.SRC, x).with(Arg.DST, y);
        Layouts.bindIf(binding, primitive, Arg.WORKSPACE, workspace);
        this.forward = binding.prepare();
    }

    @Override
    public void forward() {
        source.refresh().run();
        forward.run();
    }

    @Override
    public void prepareBackward() {
        Value input = node.input(0);
        if (!building.needsGradient(input)) {
            return;
        }
        Primitive primitive = gradient.get();
        dy = layouts.gradient(node, primitive.desc(Arg.DIFF_DST));
        Buffer dx = layouts.allocate(input, primitive.desc(Arg.DIFF_SRC), inPlace ? dy.memory() : null);
        building.contribute(input, dx);
        Primitive.Binding binding = primitive.bind(layouts.scratchpad()).with(Arg.DIFF_DST, dy.memory())
                .with(Arg.DIFF_SRC, layouts.memory(dx));
        Layouts.bindIf(binding, primitive, Arg.SRC, x);
        Layouts.bindIf(binding, primitive, Arg.DST, y);
        Layouts.bindIf(binding, primitive, Arg.WORKSPACE, workspace);
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
