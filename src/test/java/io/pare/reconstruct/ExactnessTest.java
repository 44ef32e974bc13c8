package io.pare.reconstruct;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.constraint.Sparsity;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Small problems, of which all supports are tried. */
class ExactnessTest {
    private static final int D = 12;
    private static final int KEPT = 4;
    private static final int ROWS = 64;
    private static final int PROBLEMS = 1_000;

    @Test
    void fewSupportsAreMuchWorseThanTheBest() {
        int withinOne = 0;
        int withinTen = 0;
        for (int seed = 0; seed < PROBLEMS; seed++) {
            try (Region region = Region.shared("exactness")) {
                FloatTensor x = inputs(region, seed);
                FloatTensor w = Problems.gaussian(region, -seed, 1, D);
                FloatTensor z = region.tensor(1, D);
                Hessian hessian = new Hessian(region, D);
                hessian.add(x);
                Reconstruction.onto(Sparsity.count(KEPT)).damping(0).method(Method.ADMM.swaps(100)).solve(w, hessian,
                        z);
                double ratio = Problems.error(x, w, z) / best(x, w);
                withinOne += ratio <= 1.01 ? 1 : 0;
                withinTen += ratio <= 1.1 ? 1 : 0;
            }
        }
        assertTrue(withinOne >= 0.9 * PROBLEMS, withinOne + " within 1 %");
        assertTrue(withinTen >= 0.99 * PROBLEMS, withinTen + " within 10 %");
    }

    /** Gaussian samples with random mixing, and singular values that fall to 10^-(0 to 2): condition of the Hessian to 1e4. */
    private static FloatTensor inputs(Region region, int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        double decades = 2 * random.nextDouble();
        double[][] rotation = rotation(random);
        FloatTensor x = region.tensor(ROWS, D);
        for (int row = 0; row < ROWS; row++) {
            double[] sample = new double[D];
            for (int k = 0; k < D; k++) {
                double size = Math.pow(10, -decades * k / (D - 1)) * random.nextGaussian();
                for (int i = 0; i < D; i++) {
                    sample[i] += size * rotation[k][i];
                }
            }
            for (int i = 0; i < D; i++) {
                x.set((long) row * D + i, (float) sample[i]);
            }
        }
        return x;
    }

    /** Orthonormal rows by Gram and Schmidt. */
    private static double[][] rotation(SplittableRandom random) {
        double[][] q = new double[D][D];
        for (int k = 0; k < D; k++) {
            for (int i = 0; i < D; i++) {
                q[k][i] = random.nextGaussian();
            }
            for (int before = 0; before < k; before++) {
                double along = 0;
                for (int i = 0; i < D; i++) {
                    along += q[k][i] * q[before][i];
                }
                for (int i = 0; i < D; i++) {
                    q[k][i] -= along * q[before][i];
                }
            }
            double norm = 0;
            for (int i = 0; i < D; i++) {
                norm += q[k][i] * q[k][i];
            }
            for (int i = 0; i < D; i++) {
                q[k][i] /= Math.sqrt(norm);
            }
        }
        return q;
    }

    /** The least error of all supports. */
    private static double best(FloatTensor x, FloatTensor w) {
        double[][] h = new double[D][D];
        double[] g = new double[D];
        double all = 0;
        for (int i = 0; i < D; i++) {
            for (int j = 0; j < D; j++) {
                for (long row = 0; row < ROWS; row++) {
                    h[i][j] += (double) x.get(row * D + i) * x.get(row * D + j);
                }
                g[i] += h[i][j] * w.get(j);
            }
            all += g[i] * w.get(i);
        }
        double most = 0;
        for (int set = 0; set < 1 << D; set++) {
            if (Integer.bitCount(set) == KEPT) {
                most = Math.max(most, explained(h, g, set));
            }
        }
        return (all - most) / all;
    }

    /** What the least-squares weights on a support explain: g times the solution, by elimination. */
    private static double explained(double[][] h, double[] g, int set) {
        int[] at = new int[KEPT];
        int found = 0;
        for (int i = 0; i < D; i++) {
            if ((set >> i & 1) != 0) {
                at[found++] = i;
            }
        }
        double[][] a = new double[KEPT][KEPT + 1];
        for (int i = 0; i < KEPT; i++) {
            for (int j = 0; j < KEPT; j++) {
                a[i][j] = h[at[i]][at[j]];
            }
            a[i][KEPT] = g[at[i]];
        }
        double sum = 0;
        for (int p = 0; p < KEPT; p++) {
            for (int i = p + 1; i < KEPT; i++) {
                double factor = a[i][p] / a[p][p];
                for (int j = p; j <= KEPT; j++) {
                    a[i][j] -= factor * a[p][j];
                }
            }
            sum += a[p][KEPT] * a[p][KEPT] / a[p][p];
        }
        return sum;
    }
}
