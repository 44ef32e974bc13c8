package io.pare.exec.java;

import io.pare.exec.Building;
import io.pare.exec.RunningStatistics;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.BatchNorm} in plain Java. */
final class BatchNormStep implements Step {
    private final Building building;
    private final Value node;
    private final PlainBatchNorm norm;
    private final Source x;
    private final FloatTensor scale;
    private final FloatTensor shift;
    private final RunningStatistics running;
    private final FloatTensor mean;
    private final FloatTensor variance;
    private final FloatTensor y;
    private Source dy;
    private FloatTensor dx;
    private FloatTensor dScale;
    private FloatTensor dShift;

    BatchNormStep(Building building, Value node, Op.BatchNorm op) {
        this.building = building;
        this.node = node;
        this.norm = new PlainBatchNorm(node.size(0), node.size(1), node.size(2) * node.size(3), op.epsilon(),
                building.together());
        this.x = building.plain(node.input(0));
        this.scale = building.plain(node.input(1)).tensor();
        this.shift = building.plain(node.input(2)).tensor();
        this.running = RunningStatistics.of(building, node);
        this.mean = building.training() ? building.tensor(node.size(1)) : running.mean();
        this.variance = building.training() ? building.tensor(node.size(1)) : running.variance();
        this.y = building.allocateValue(node);
    }

    @Override
    public void forward() {
        x.refresh().run();
        if (building.training()) {
            norm.statistics(x.tensor(), mean, variance);
            running.follow(mean, variance, norm.perChannel());
        }
        norm.forward(x.tensor(), scale, shift, mean, variance, y);
    }

    @Override
    public void prepareBackward() {
        building.uses(x.tensor());
        building.uses(mean);
        building.uses(variance);
        dy = building.gradient(node);
        dScale = building.gradientFor(node.input(1));
        dShift = building.gradientFor(node.input(2));
        dx = building.needsGradient(node.input(0)) ? building.gradientFor(node.input(0)) : null;
    }

    @Override
    public void backward() {
        dy.refresh().run();
        norm.backward(x.tensor(), scale, mean, variance, dy.tensor(), dScale, dShift, dx);
    }
}
