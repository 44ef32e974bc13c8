package io.pare.exec.java;

import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.ResponseNorm} in plain Java: the oracle of the oneDNN path and its stand-in. */
final class ResponseNormStep implements Step {
    private final Building building;
    private final Value node;
    private final Op.ResponseNorm op;
    private final int channels;
    private final int area;
    private final Source x;
    private final FloatTensor y;
    /** What the input is divided by, before the power. */
    private final FloatTensor base;
    private Source dy;
    private FloatTensor dx;

    ResponseNormStep(Building building, Value node, Op.ResponseNorm op) {
        this.building = building;
        this.node = node;
        this.op = op;
        this.channels = node.size(1);
        this.area = node.size(2) * node.size(3);
        this.x = building.plain(node.input(0));
        this.y = building.allocateValue(node);
        this.base = building.tensor(node.shape());
    }

    /** What one channel's value has to do with a neighbour's. */
    private interface Pair {
        double of(long near);
    }

    /** The sum over the channels around that of element {@code at}, its own included. */
    private double around(long at, Pair pair) {
        int channel = (int) (at / area % channels);
        double sum = 0;
        for (int c = Math.max(0, channel - op.size() / 2); c <= Math.min(channels - 1, channel + op.size() / 2); c++) {
            sum += pair.of(at + (long) (c - channel) * area);
        }
        return sum;
    }

    @Override
    public void forward() {
        x.refresh().run();
        FloatTensor in = x.tensor();
        for (long i = 0; i < y.count(); i++) {
            double squares = around(i, near -> (double) in.get(near) * in.get(near));
            double divisor = op.k() + op.alpha() / op.size() * squares;
            base.set(i, (float) divisor);
            y.set(i, (float) (in.get(i) * Math.pow(divisor, -op.beta())));
        }
    }

    @Override
    public void prepareBackward() {
        if (building.needsGradient(node.input(0))) {
            dy = building.gradient(node);
            dx = building.gradientFor(node.input(0));
            building.uses(x.tensor());
            building.uses(y);
            building.uses(base);
        }
    }

    @Override
    public void backward() {
        if (dx == null) {
            return;
        }
        dy.refresh().run();
        FloatTensor out = dy.tensor();
        for (long i = 0; i < dx.count(); i++) {
            double pull = around(i, near -> (double) out.get(near) * y.get(near) / base.get(near));
            dx.set(i, (float) (out.get(i) * Math.pow(base.get(i), -op.beta())
                    - 2.0 * op.alpha() * op.beta() / op.size() * x.tensor().get(i) * pull));
        }
    }
}
