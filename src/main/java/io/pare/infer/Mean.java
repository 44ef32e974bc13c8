package io.pare.infer;

import io.pare.kernel.SparseKernels;
import io.pare.net.Node;
import io.pare.net.Op.AvgPool;
import io.pare.net.Shape;
import io.pare.net.Window;

final class Mean extends PlanStep {
    private final String name;
    private final Window window;
    private final int[] rows;
    private final int[] columns;
    private final Layout input;
    private final int n;

    /**
     * @param image that is averaged
     * @param input that image and the zeros around it
     */
    Mean(Node node, AvgPool pool, Shape image, Layout input, int n) {
        super(Layout.compact(node.output()));
        this.name = node.name();
        this.window = pool.window();
        this.rows = pool.countedRows(image);
        this.columns = pool.countedColumns(image);
        this.input = input;
        this.n = n;
    }

    @Override
    void run(SparseKernels kernels, float[] in, float[] out) {
        int to = 0;
        for (int c = 0; c < input.channels(); c++) {
            for (int y = 0; y < output().height(); y++) {
                for (int x = 0; x < output().width(); x++) {
                    float share = 1f / (rows[y] * columns[x]);
                    int from = (c * input.plane() + y * window.strideHeight() * input.row()
                            + x * window.strideWidth()) * n;
                    for (int s = 0; s < n; s++) {
                        out[to++] = share * sum(in, from + s);
                    }
                }
            }
        }
    }

    private float sum(float[] in, int from) {
        int down = window.dilationHeight() * input.row();
        float sum = 0;
        for (int ky = 0; ky < window.kernelHeight(); ky++) {
            for (int kx = 0; kx < window.kernelWidth(); kx++) {
                sum += in[from + (ky * down + kx * window.dilationWidth()) * n];
            }
        }
        return sum;
    }

    @Override
    public String toString() {
        return name + ": mean";
    }
}
