package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.Op.MaxPool;
import io.pare.net.Shape;

final class Maximum extends PlanStep {
    private final String name;
    private final MaxPool pool;
    private final Layout input;
    private final boolean[] needed;
    private final int n;

    Maximum(String name, MaxPool pool, Layout input, boolean[] needed, int n) {
        super(Layout.compact(Shape.of(input.channels(), Layout.windows(input.height(), pool.kernel(), pool.stride()),
                Layout.windows(input.width(), pool.kernel(), pool.stride()))));
        this.name = name;
        this.pool = pool;
        this.input = input;
        this.needed = needed;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        for (int c = 0; c < needed.length; c++) {
            if (needed[c]) {
                kernels.maxPool(in, c * input.plane() * n, input.row() * n, pool.kernel(), pool.stride(), n, out,
                        c * output().plane() * n, output().height(), output().width());
            }
        }
    }

    @Override
    public String toString() {
        return name + ": maximum";
    }
}
