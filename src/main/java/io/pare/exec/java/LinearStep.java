package io.pare.exec.java;

import static io.pare.exec.java.JavaSteps.KERNELS;

import io.pare.blas.Gemm;
import io.pare.exec.Building;
import io.pare.exec.Source;
import io.pare.exec.Step;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.net.Op;

/** {@link Op.Linear}: three matrix products and a sum over columns. Another library may compute the first. */
public final class LinearStep implements Step {
    private final Building building;
    private final Value node;
    private final int rows;
    private final int in;
    private final int out;
    private final Source x;
    private final FloatTensor weight;
    private final FloatTensor bias;
    private final FloatTensor y;
    /** What computes x W^T + b; {@code null} for a product and an addition. */
    private Runnable product;
    private Source dy;
    private FloatTensor dx;
    private FloatTensor dWeight;
    private FloatTensor dBias;
    private float kept;

    public LinearStep(Building building, Value node) {
        this.building = building;
        this.node = node;
        this.rows = node.size(0);
        this.in = node.input(1).size(1);
        this.out = node.input(1).size(0);
        this.x = building.plain(node.input(0));
        this.weight = building.plain(node.input(1)).tensor();
        this.bias = building.plain(node.input(2)).tensor();
        this.y = building.allocateValue(node);
    }

    /** A way to compute the forward pass from one tensor into another. */
    public interface Product {
        Runnable of(FloatTensor x, FloatTensor weight, FloatTensor bias, FloatTensor y);
    }

    /** Computes the forward pass in that way. */
    public LinearStep by(Product way) {
        product = way.of(x.tensor(), weight, bias, y);
        return this;
    }

    @Override
    public void forward() {
        x.refresh().run();
        if (product != null) {
            product.run();
            return;
        }
        Gemm.sgemm(false, true, rows, out, in, 1f, x.tensor().segment(), in, weight.segment(), in, 0f, y.segment(),
                out);
        KERNELS.biasAddRows(bias.segment(), 0, y.segment(), 0, rows, out);
    }

    @Override
    public void prepareBackward() {
        dy = building.gradient(node);
        dx = building.needsGradient(node.input(0)) ? building.gradientFor(node.input(0)) : null;
        if (!building.needsGradient(node.input(1))) {
            return;
        }
        building.uses(x.tensor());
        FloatTensor sum = building.gradientSum(node.input(1));
        kept = sum == null ? 0f : 1f;
        dWeight = sum == null ? building.gradientFor(node.input(1)) : sum;
        dBias = building.gradientFor(node.input(2));
    }

    @Override
    public void backward() {
        dy.refresh().run();
        if (dWeight != null) {
            Gemm.sgemm(true, false, out, in, rows, 1f, dy.tensor().segment(), out, x.tensor().segment(), in, kept,
                    dWeight.segment(), in);
            KERNELS.columnSums(dy.tensor().segment(), 0, rows, out, dBias.segment(), 0);
        }
        if (dx != null) {
            Gemm.sgemm(false, false, rows, in, out, 1f, dy.tensor().segment(), out, weight.segment(), in, 0f,
                    dx.segment(), in);
        }
    }
}
