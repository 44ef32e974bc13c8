package io.pare.compress;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.Sparsity;
import io.pare.kernel.Penalty;
import io.pare.mem.Region;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdmmTest {
    private final Region region = Region.shared("test");

    @AfterEach
    void close() {
        region.close();
    }

    /** f(W) = 1/2 ||W - A||^2, whose W step with the penalty has a closed form. */
    private final class Quadratic extends PenalizedVariable {
        private final float[] a;

        Quadratic(String name, float... a) {
            super(name, region.tensor(a.length).copyFrom(a));
            this.a = a;
        }

        void solve() {
            for (int i = 0; i < a.length; i++) {
                float z = penalty().z().getAtIndex(ValueLayout.JAVA_FLOAT, i);
                float u = penalty().u().getAtIndex(ValueLayout.JAVA_FLOAT, i);
                value().set(i, (a[i] + penalty().rho() * (z - u)) / (1 + penalty().rho()));
            }
        }
    }

    @Test
    void aQuadraticEndsAtItsProjection() {
        Quadratic w = new Quadratic("w", 3, -1, 0.5f, 2, -4);
        try (Admm admm = Admm.builder().constrain(w, Sparsity.count(2), 1).build()) {
            admm.start();
            List<ResidualRow> residuals = List.of();
            for (int i = 0; i < 200; i++) {
                w.solve();
                residuals = admm.update();
            }
            assertEquals(200, admm.iterations());
            assertTrue(Admm.converged(residuals, 1e-3), residuals.toString());
            float[] expected = {3, 0, 0, 0, -4};
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], w.value().get(i), 1e-3);
            }
            admm.project();
            assertTrue(admm.measure().values().stream().allMatch(Feasibility::holds));
        }
        assertEquals(null, w.penalty());
    }

    @Test
    void stateInAFileGivesTheSameBits(@TempDir Path folder) {
        float[][] ends = new float[2][];
        for (int way = 0; way < 2; way++) {
            Quadratic w = new Quadratic("w", 3, -1, 0.5f, 2, -4);
            long live = Region.liveBytes();
            try (Admm admm = Admm.builder().inFile(way == 0 ? null : folder.resolve("admm"))
                    .constrain(w, Sparsity.count(3), 1).constrain(w, new Clustering(2), 0.7).build()) {
                assertEquals(way == 0, Region.liveBytes() > live);
                admm.start();
                for (int i = 0; i < 20; i++) {
                    w.solve();
                    admm.update();
                }
                ends[way] = w.value().toArray();
            }
        }
        assertArrayEquals(ends[0], ends[1], 0f);
    }

    @Test
    void rescalingKeepsTheDualWhenRhoChanges() {
        Quadratic w = new Quadratic("w", 3, -1, 0.5f, 2, -4);
        try (Admm admm = Admm.builder()
                .constrain(List.of(w), Sparsity.count(2), 1, new RhoRule.Multiplied(2, 100)).build()) {
            admm.start();
            for (int i = 0; i < 3; i++) {
                w.solve();
                float rhoBefore = w.penalty().rho();
                float[] sum = new float[5];
                float[] z = new float[5];
                for (int e = 0; e < 5; e++) {
                    sum[e] = w.penalty().u().getAtIndex(ValueLayout.JAVA_FLOAT, e) + w.value().get(e);
                }
                admm.update();
                for (int e = 0; e < 5; e++) {
                    z[e] = w.penalty().z().getAtIndex(ValueLayout.JAVA_FLOAT, e);
                    float unscaled = rhoBefore * (sum[e] - z[e]);
                    assertEquals(unscaled,
                            w.penalty().rho() * w.penalty().u().getAtIndex(ValueLayout.JAVA_FLOAT, e), 1e-5);
                }
                assertEquals(2 * rhoBefore, w.penalty().rho());
            }
        }
    }

    @Test
    void residualsAreThoseOfTheDefinition() {
        Quadratic w = new Quadratic("w", 3, -1, 0.5f, 2, -4);
        try (Admm admm = Admm.builder().constrain(w, new Clustering(1), 0.5).build()) {
            admm.start();
            float z = w.penalty().z().getAtIndex(ValueLayout.JAVA_FLOAT, 0);
            w.value().copyFrom(new float[]{1, 2, 3, 4, 5});
            ResidualRow row = admm.update().getFirst();
            // One codeword: the mean, 3 now and 0.1 before.
            assertEquals(0.1, z, 1e-6);
            assertEquals(Math.sqrt(10), row.primal(), 1e-5);
            assertEquals(0.5 * Math.sqrt(5) * 2.9, row.dual(), 1e-5);
            assertEquals(Math.sqrt(55), row.norm(), 1e-5);
        }
    }

    /** The gradient of the penalty that an optimiser would add. */
    private static double pull(Quadratic w, int i) {
        Penalty term = w.penalty();
        return term.rho() * (w.value().get(i) - (double) term.z().getAtIndex(ValueLayout.JAVA_FLOAT, i)
                + term.u().getAtIndex(ValueLayout.JAVA_FLOAT, i));
    }

    @Test
    void severalConstraintsOnOneTensorPullLikeTheirSum() {
        float[] begin = {3, -1, 0.5f, 2.5f, -4};
        float[] then = {2, -2, 0.1f, 2.25f, -3};
        Quadratic both = new Quadratic("w", begin);
        Quadratic sparse = new Quadratic("w", begin);
        Quadratic coded = new Quadratic("w", begin);
        try (Admm admm = Admm.builder().constrain(both, Sparsity.count(3), 1).constrain(both, new Clustering(2), 0.5)
                .build();
                Admm first = Admm.builder().constrain(sparse, Sparsity.count(3), 1).build();
                Admm second = Admm.builder().constrain(coded, new Clustering(2), 0.5).build()) {
            admm.start();
            first.start();
            second.start();
            List.of(both, sparse, coded).forEach(w -> w.value().copyFrom(then));
            assertEquals(2, admm.update().size());
            first.update();
            second.update();
            for (int i = 0; i < begin.length; i++) {
                assertEquals(pull(sparse, i) + pull(coded, i), pull(both, i), 1e-5);
            }
        }
    }

    @Test
    void balancingFollowsTheResiduals() {
        RhoRule rule = new RhoRule.Balanced(10, 0.1, 8);
        assertEquals(2, rule.next(1, 11, 1));
        assertEquals(0.5, rule.next(1, 1, 11));
        assertEquals(1, rule.next(1, 9, 1));
        assertEquals(8, rule.next(8, 100, 1));
        assertEquals(0.1, rule.next(0.1, 1, 100));
        assertEquals(5, new RhoRule.Fixed().next(5, 1, 2));
        assertEquals(3, new RhoRule.Multiplied(2, 3).next(2, 1, 2));
    }

    @Test
    void wrongSettingsAreRefused() {
        Quadratic w = new Quadratic("w", 1, 2);
        assertThrows(IllegalArgumentException.class, () -> Admm.builder().constrain(w, Sparsity.count(1), 0));
        assertThrows(IllegalArgumentException.class, () -> Admm.builder().constrain(w, Sparsity.count(1), Double.NaN));
        assertThrows(IllegalArgumentException.class,
                () -> Admm.builder().constrain(List.of(), Sparsity.count(1), 1, new RhoRule.Fixed()));
        assertThrows(IllegalStateException.class, () -> Admm.builder().build());
        try (Admm admm = Admm.builder().constrain(w, Sparsity.count(1), 1).build()) {
            assertThrows(IllegalArgumentException.class,
                    () -> admm.replace(0, new GlobalSparsity(1, GlobalSparsity.Score.LAMP, List.of())));
        }
    }
}
