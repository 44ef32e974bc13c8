package io.pare.exec.onednn;

import io.pare.dnnl.Addition;
import io.pare.dnnl.Arg;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.Region;

/** Addition in the layout of the left input; computes a ReLU behind it, and without backward passes any function. */
final class AddOnDnnl implements Step {
    private final Layouts layouts;
    private final Building building;
    private final Region region;
    private final Value node;
    private final Value result;
    private final DnnlSource right;
    private final DnnlMemory y;
    private final Execution forward;
    private Incoming incoming;
    private DnnlSource dy;

    AddOnDnnl(Layouts layouts, Value node) {
        this.layouts = layouts;
        this.building = layouts.building();
        this.region = layouts.region();
        this.node = node;
        this.result = layouts.withActivation(node);
        // Blocked, as the factory has seen: nothing has to run before it is read.
        DnnlMemory left = layouts.value(node.input(0)).memory();
        this.right = layouts.read(layouts.value(node.input(1)), left.desc());
        this.y = layouts.allocate(left.desc(), Layouts.sameMemory(left, right.memory()) ? null : left);
        building.value(result, layouts.blocked(y));
        this.forward = new Addition(region, left.desc(), result == node ? null : Activations.of(result)).forward()
                .bind(layouts.scratchpad())
                .with(Arg.SRC, left).with(Arg.SRC_1, right.memory()).with(Arg.DST, y).prepare();
    }

    @Override
    public void forward() {
        right.refresh().run();
        forward.run();
    }

    @Override
    public void prepareBackward() {
        incoming = new Incoming(layouts, result, result != node, y);
        dy = incoming.in(y.desc());
        for (Value input : node.inputs()) {
            if (building.needsGradient(input)) {
                building.contribute(input, layouts.blocked(dy.memory()));
            }
        }
    }

    @Override
    public void backward() {
        incoming.refresh();
        dy.refresh().run();
    }
}
