package io.pare.reconstruct;

import io.pare.blas.LapackProvider;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.List;

/**
 * Optimal Brain Surgeon (Hassibi and Stork 1992): removes weights one by one, each time the one whose removal raises a
 * quadratic loss least, and moves all others such that the rise is that small.
 *
 * <p>With H the Hessian of the loss and w its minimum, removal of weight q costs {@code w_q^2 / (2 [H^-1]_qq)}, and the others
 * move by {@code -w_q / [H^-1]_qq H^-1 e_q}. The inverse of what is left follows by one outer product. H is scaled to a
 * diagonal of ones, so that damping weighs on all weights alike.
 */
public final class Surgery {
    /** Share of the mean of the diagonal below which a weight counts as if it had that much. */
    private static final double LEAST_SHARE = 1e-4;

    private Surgery() {}

    /**
     * Removes weights, in place.
     *
     * @param hessian of the loss, or sums of products of its gradients, which are in proportion to one
     * @param weights all of them, none of which is to be zero; removed ones become zero
     * @param price of keeping a weight, such as its bits, above 0: the cost of a removal is divided by it
     * @param count of weights to remove, at most all of them
     * @param damping added to the diagonal of the scaled Hessian, above 0
     * @return the indices in the order in which they were removed
     * @throws IllegalArgumentException if sizes do not fit, or the damping is not above 0
     */
    public static List<Integer> remove(Hessian hessian, FloatTensor weights, double[] price, int count,
            double damping) {
        int n = hessian.inputs();
        if (weights.count() != n || price.length != n || count < 0 || count > n) {
            throw new IllegalArgumentException("cannot remove " + count + " of " + weights.count() + " weights with "
                    + price.length + " prices and a Hessian of " + n);
        }
        if (!(damping > 0)) {
            throw new IllegalArgumentException("damping must be above 0, not " + damping);
        }
        double[] scale = new double[n];
        double least = LEAST_SHARE * hessian.meanDiagonal();
        for (int i = 0; i < n; i++) {
            scale[i] = Math.sqrt(Math.max(Double.MIN_NORMAL, Math.max(least, hessian.at(i, i))));
        }
        try (Region region = Region.confined("surgery")) {
            float[][] inverse = inverse(region, hessian, scale, damping);
            double[] scaled = new double[n];
            for (int i = 0; i < n; i++) {
                scaled[i] = weights.get(i) * scale[i];
            }
            List<Integer> removed = remove(inverse, scaled, price, count);
            for (int i = 0; i < n; i++) {
                weights.set(i, (float) (scaled[i] / scale[i]));
            }
            removed.forEach(q -> weights.set(q, 0f));
            return removed;
        }
    }

    private static float[][] inverse(Region region, Hessian hessian, double[] scale, double damping) {
        int n = scale.length;
        FloatTensor matrix = region.tensor(n, n);
        for (int i = 0; i < n; i++) {
            for (int j = i; j < n; j++) {
                double at = hessian.at(i, j) / (scale[i] * scale[j]);
                matrix.set((long) i * n + j, (float) (i == j ? at + damping : at));
            }
        }
        LapackProvider.active().spotrf(n, matrix.segment(), n);
        LapackProvider.active().spotri(n, matrix.segment(), n);
        float[][] inverse = new float[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = i; j < n; j++) {
                inverse[i][j] = matrix.get((long) i * n + j);
                inverse[j][i] = inverse[i][j];
            }
        }
        return inverse;
    }

    private static List<Integer> remove(float[][] inverse, double[] weights, double[] price, int count) {
        int n = weights.length;
        boolean[] gone = new boolean[n];
        List<Integer> removed = new ArrayList<>();
        while (removed.size() < count) {
            int q = -1;
            double least = Double.POSITIVE_INFINITY;
            for (int i = 0; i < n; i++) {
                double cost = weights[i] * weights[i] / (inverse[i][i] * price[i]);
                if (!gone[i] && (q < 0 || cost < least)) {
                    q = i;
                    least = cost;
                }
            }
            float[] row = inverse[q].clone();
            double step = weights[q] / row[q];
            gone[q] = true;
            removed.add(q);
            for (int i = 0; i < n; i++) {
                if (!gone[i]) {
                    weights[i] -= step * row[i];
                    float factor = row[i] / row[q];
                    float[] other = inverse[i];
                    for (int j = 0; j < n; j++) {
                        other[j] -= factor * row[j];
                    }
                }
            }
            weights[q] = 0;
        }
        return removed;
    }
}
