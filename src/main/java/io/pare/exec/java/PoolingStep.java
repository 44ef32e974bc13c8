package io.pare.exec.java;

import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.exec.java.PlainPooling.Counted;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;
import io.pare.net.Shape;
import io.pare.net.Window;
import java.lang.foreign.MemorySegment;

/** {@link Op.MaxPool}, {@link Op.AvgPool} and {@link Op.GlobalAvgPool} in plain Java. */
final class PoolingStep implements Step {
    private final Building building;
    private final Value node;
    private final PlainPooling pooling;
    /** What a mean divides by; {@code null} for a maximum. */
    private final Counted counted;
    private final Source x;
    private final FloatTensor y;
    /** Index of each maximum in its plane; {@code null} when averaging. */
    private final MemorySegment winners;
    private Source dy;
    private FloatTensor dx;

    private PoolingStep(Building building, Value node, Window window, Counted counted) {
        this.building = building;
        this.node = node;
        Value input = node.input(0);
        this.pooling = new PlainPooling(Math.multiplyExact(input.size(0), input.size(1)), input.size(2), input.size(3),
                node.size(2), node.size(3), window);
        this.counted = counted;
        this.x = building.plain(input);
        this.y = building.allocateValue(node);
        this.winners = counted == null ? building.allocate(node.count() * Integer.BYTES) : null;
    }

    static PoolingStep maximum(Building building, Value node, Window window) {
        return new PoolingStep(building, node, window, null);
    }

    static PoolingStep mean(Building building, Value node, Op.AvgPool op) {
        Value input = node.input(0);
        Shape image = Shape.of(input.size(1), input.size(2), input.size(3));
        return new PoolingStep(building, node, op.window(),
                new Counted(op.countedRows(image), op.countedColumns(image)));
    }

    @Override
    public void forward() {
        x.refresh().run();
        if (winners != null) {
            pooling.maxForward(x.tensor().segment(), y.segment(), winners);
        } else {
            pooling.avgForward(x.tensor().segment(), y.segment(), counted);
        }
    }

    @Override
    public void prepareBackward() {
        if (building.needsGradient(node.input(0))) {
            dy = building.gradient(node);
            dx = building.gradientFor(node.input(0));
            if (winners != null) {
                building.uses(winners);
            }
        }
    }

    @Override
    public void backward() {
        if (dx == null) {
            return;
        }
        dy.refresh().run();
        if (winners != null) {
            pooling.maxBackward(dy.tensor().segment(), winners, dx.segment());
        } else {
            pooling.avgBackward(dy.tensor().segment(), dx.segment(), counted);
        }
    }
}
