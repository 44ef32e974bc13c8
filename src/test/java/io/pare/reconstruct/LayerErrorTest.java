package io.pare.reconstruct;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.constraint.Sparsity;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ADMM beside SparseGPT on layers of which 70 % become zero; the inputs have eigenvalues 1/i. */
class LayerErrorTest {
    private static final double KEPT = 0.3;
    private static final double BAR = 0.8;

    @ParameterizedTest
    @ValueSource(ints = 512)
    void admmErrsLessThanSparseGpt(int d) {
        compare(d);
    }

    @ParameterizedTest
    @ValueSource(ints = {2048, 4096})
    @Tag("long")
    void admmErrsLessThanSparseGptInLargeLayers(int d) {
        compare(d);
    }

    private static void compare(int d) {
        try (Region region = Region.shared("layer errors")) {
            Hessian hessian = new Hessian(region, d);
            hessian.add(Problems.inputs(region, 4 * d, d, 1, 1));
            FloatTensor w = Problems.gaussian(region, 2, d, d);
            FloatTensor z = region.tensor(d, d);
            Reconstruction admm = Reconstruction.onto(Sparsity.share(KEPT));
            double ours = admm.solve(w, hessian, z).error();
            double wanda = admm.method(new Method.Wanda()).solve(w, hessian, z).error();
            double sparseGpt = admm.method(new Method.Columns()).solve(w, hessian, z).error();
            String errors = "d = " + d + ": ADMM " + ours + ", SparseGPT " + sparseGpt + ", Wanda " + wanda + ", ratio "
                    + ours / sparseGpt;
            System.out.println(errors);
            assertTrue(ours <= BAR * sparseGpt, errors);
        }
    }
}
