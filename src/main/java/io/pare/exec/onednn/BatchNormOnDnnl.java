package io.pare.exec.onednn;

import io.pare.dnnl.Arg;
import io.pare.dnnl.BatchNormalization;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.Primitive;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.RunningStatistics;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Op;

/** Batch normalisation in whatever layout the input has; computes a ReLU behind it. */
final class BatchNormOnDnnl implements Step {
    private final Layouts layouts;
    private final Building building;
    private final Region region;
    private final Value node;
    private final Value result;
    private final BatchNormalization norm;
    private final RunningStatistics running;
    private final FloatTensor mean;
    private final FloatTensor variance;
    private final DnnlSource source;
    private final DnnlMemory x;
    private final DnnlMemory workspace;
    private final Execution forward;
    private DnnlSource dy;
    private Execution backward;

    BatchNormOnDnnl(Layouts layouts, Value node, Op.BatchNorm op) {
        this.layouts = layouts;
        this.building = layouts.building();
        this.region = layouts.region();
        this.node = node;
        this.result = building.withRelu(node);
        this.source = layouts.value(node.input(0));
        this.x = source.memory();
        this.norm =
                new BatchNormalization(region, x.desc(), op.epsilon(), result != node, building.training());
        this.running = RunningStatistics.of(building, node);
        this.mean = building.training() ? building.tensor(node.size(1)) : running.mean();
        this.variance = building.training() ? building.tensor(node.size(1)) : running.variance();
        Primitive primitive = norm.forward();
        Buffer y = layouts.allocate(node, primitive.desc(Arg.DST));
        building.value(result, y);
        this.workspace = layouts.workspace(primitive);
        Primitive.Binding binding =
                primitive.bind(layouts.scratchpad()).with(Arg.SRC, x).with(Arg.DST, layouts.memory(y))
                        .with(Arg.SCALE, vector(building.plain(node.input(1)).tensor()))
                        .with(Arg.SHIFT, vector(building.plain(node.input(2)).tensor())).with(Arg.MEAN, vector(mean))
                        .with(Arg.VARIANCE, vector(variance));
        Layouts.bindIf(binding, primitive, Arg.WORKSPACE, workspace);
        this.forward = binding.prepare();
    }

    private DnnlMemory vector(FloatTensor tensor) {
        return DnnlMemory.over(region, tensor);
    }

    @Override
    public void forward() {
        source.refresh().run();
        forward.run();
        if (building.training()) {
            running.follow(mean, variance, node.count() / node.size(1));
        }
    }

    @Override
    public void prepareBackward() {
        Primitive primitive = norm.backward();
        dy = layouts.gradient(result, primitive.desc(Arg.DIFF_DST));
        Buffer dx = layouts.allocate(node, primitive.desc(Arg.DIFF_SRC), dy.memory());
        if (building.needsGradient(node.input(0))) {
            building.contribute(node.input(0), dx);
        }
        Primitive.Binding binding = primitive.bind(layouts.scratchpad()).with(Arg.SRC, x)
                .with(Arg.DIFF_DST, dy.memory()).with(Arg.DIFF_SRC, layouts.memory(dx))
                .with(Arg.SCALE, vector(building.plain(node.input(1)).tensor())).with(Arg.MEAN, vector(mean))
                .with(Arg.VARIANCE, vector(variance))
                .with(Arg.DIFF_SCALE, vector(building.gradientFor(node.input(1))))
                .with(Arg.DIFF_SHIFT, vector(building.gradientFor(node.input(2))));
        Layouts.bindIf(binding, primitive, Arg.WORKSPACE, workspace);
        backward = binding.prepare();
    }

    @Override
    public void backward() {
        dy.refresh().run();
        backward.run();
    }
}
