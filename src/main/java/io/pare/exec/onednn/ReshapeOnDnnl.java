package io.pare.exec.onednn;

import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.MemoryDesc;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.Region;

/** The same row-major memory under another shape. */
final class ReshapeOnDnnl implements Step {
    private final Layouts layouts;
    private final Building building;
    private final Region region;
    private final Value node;
    private final DnnlSource x;
    private DnnlSource dy;

    ReshapeOnDnnl(Layouts layouts, Value node) {
        this.layouts = layouts;
        this.building = layouts.building();
        this.region = layouts.region();
        this.node = node;
        Value input = node.input(0);
        DnnlSource value = layouts.value(input);
        this.x = layouts.read(value, MemoryDesc.plain(region, value.memory().desc().type(), input.shape()));
        building.value(node, shaped(x.memory(), node));
    }

    private Buffer shaped(DnnlMemory memory, Value as) {
        MemoryDesc desc = MemoryDesc.plain(region, memory.desc().type(), as.shape());
        return layouts.blocked(DnnlMemory.over(region, desc, memory.data()));
    }

    @Override
    public void forward() {
        x.refresh().run();
    }

    @Override
    public void prepareBackward() {
        Value input = node.input(0);
        if (building.needsGradient(input)) {
            dy = layouts.gradient(node, MemoryDesc.plain(region, x.memory().desc().type(), node.shape()));
            building.contribute(input, shaped(dy.memory(), input));
        }
    }

    @Override
    public void backward() {
        if (dy != null) {
            dy.refresh().run();
        }
    }
}
