package io.pare.reconstruct;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SurgeryTest {
    private static final int N = 9;
    private static final double DAMPING = 1e-3;

    /** The damped quadratic (w - start)^T H (w - start), by definition. */
    private static double loss(Hessian hessian, FloatTensor start, double[] w) {
        double sum = 0;
        for (int i = 0; i < N; i++) {
            double change = w[i] - start.get(i);
            sum += DAMPING * hessian.at(i, i) * change * change;
            for (int j = 0; j < N; j++) {
                sum += change * hessian.at(i, j) * (w[j] - start.get(j));
            }
        }
        return sum;
    }

    /** The least loss with those weights at zero: coordinate descent until nothing moves. */
    private static double[] best(Hessian hessian, FloatTensor start, List<Integer> zero) {
        double[] w = new double[N];
        for (int round = 0; round < 20_000; round++) {
            for (int i = 0; i < N; i++) {
                if (!zero.contains(i)) {
                    double pull = 0;
                    for (int j = 0; j < N; j++) {
                        pull += j == i ? 0 : hessian.at(i, j) * (w[j] - start.get(j));
                    }
                    w[i] = start.get(i) - pull / (hessian.at(i, i) * (1 + DAMPING));
                }
            }
        }
        return w;
    }

    private static Hessian hessian(Region region, long seed) {
        Hessian hessian = new Hessian(region, N);
        FloatTensor x = Problems.gaussian(region, seed, 40, N);
        // Neighbours depend on each other.
        for (int row = 0; row < 40; row++) {
            for (int i = 1; i < N; i++) {
                long at = (long) row * N + i;
                x.set(at, 0.6f * x.get(at) + 0.8f * x.get(at - 1));
            }
        }
        hessian.add(x);
        return hessian;
    }

    @Test
    void whatIsLeftIsTheMinimumWithTheRemovedOnesAtZero() {
        for (long seed = 1; seed <= 10; seed++) {
            try (Region region = Region.confined("surgery")) {
                Hessian hessian = hessian(region, seed);
                FloatTensor start = Problems.gaussian(region, seed + 100, 1, N);
                FloatTensor w = region.tensor(1, N).copyFrom(start);
                double[] equal = new double[N];
                Arrays.fill(equal, 1);
                List<Integer> removed = Surgery.remove(hessian, w, equal, 4, DAMPING);
                assertEquals(4, removed.stream().distinct().count());
                double[] wanted = best(hessian, start, removed);
                for (int i = 0; i < N; i++) {
                    assertEquals(wanted[i], w.get(i), 2e-3, "weight " + i);
                    assertTrue(!removed.contains(i) || w.get(i) == 0);
                }
            }
        }
    }

    @Test
    void theFirstToGoIsTheOneWhoseRemovalCostsLeastForItsPrice() {
        for (long seed = 1; seed <= 10; seed++) {
            try (Region region = Region.confined("surgery")) {
                Hessian hessian = hessian(region, seed);
                FloatTensor start = Problems.gaussian(region, seed + 100, 1, N);
                double[] price = new double[N];
                for (int i = 0; i < N; i++) {
                    price[i] = 1 + (i * 5 + seed) % 7;
                }
                int least = 0;
                double cost = Double.POSITIVE_INFINITY;
                for (int i = 0; i < N; i++) {
                    double own = loss(hessian, start, best(hessian, start, List.of(i))) / price[i];
                    if (own < cost) {
                        least = i;
                        cost = own;
                    }
                }
                FloatTensor w = region.tensor(1, N).copyFrom(start);
                assertEquals(List.of(least), Surgery.remove(hessian, w, price, 1, DAMPING));
            }
        }
    }

    @Test
    void gradientsOfZeroAndWrongNumbersAreNoProblemOrRefused() {
        try (Region region = Region.confined("surgery")) {
            Hessian hessian = new Hessian(region, 2);
            hessian.add(region.tensor(1, 2));
            FloatTensor w = region.tensor(2).copyFrom(new float[]{3, -1});
            assertEquals(List.of(1), Surgery.remove(hessian, w, new double[]{1, 1}, 1, 0.1));
            assertEquals(3, w.get(0), 1e-6);
            assertThrows(IllegalArgumentException.class,
                    () -> Surgery.remove(hessian, w, new double[]{1}, 1, 0.1));
            assertThrows(IllegalArgumentException.class,
                    () -> Surgery.remove(hessian, w, new double[]{1, 1}, 3, 0.1));
            assertThrows(IllegalArgumentException.class,
                    () -> Surgery.remove(hessian, w, new double[]{1, 1}, 1, 0));
        }
    }
}
