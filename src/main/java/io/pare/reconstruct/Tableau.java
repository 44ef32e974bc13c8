package io.pare.reconstruct;

import io.pare.mem.FloatTensor;

/**
 * Least squares on any subset of the inputs, one input in or out at a time: Beaton's sweep operator (Goodnight 1979).
 *
 * <p>Let S be the inputs that are in, and T the table. T[S,S] is the inverse of H[S,S], and T[S,j] says by how much the
 * values of S fall where input j takes 1. T[j,j] is what is left of H[j,j]. The last column has the values of S, and the
 * gradient of the others.
 */
final class Tableau {
    /** Inputs that depend on those in the support to this part are never taken in. */
    private static final double DEPENDENT = 1e-10;
    /** A swap has to lower the error by this part of what the weights explain: rounding shall not swap for ever. */
    private static final double LEAST_GAIN = 1e-12;

    private final int n;
    private final double[][] table;
    private final boolean[] in;
    private final double[] target;
    private final double size;

    /**
     * With no input in.
     *
     * @param hessian n by n, with a diagonal of 1
     * @param target the product of the Hessian and the weights to come near to
     */
    Tableau(FloatTensor hessian, double[] target) {
        this.n = target.length;
        this.table = new double[n][n + 1];
        this.in = new boolean[n];
        this.target = target.clone();
        double sum = 0;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                table[i][j] = hessian.get((long) i * n + j);
            }
            table[i][n] = target[i];
            sum += target[i] * target[i];
        }
        this.size = sum;
    }

    /** Takes an input in, or out if it is in. Twice is as never. */
    void pivot(int k) {
        double[] row = table[k];
        double diagonal = row[k];
        if (!in[k] && diagonal < DEPENDENT) {
            return;
        }
        in[k] = !in[k];
        for (int j = 0; j <= n; j++) {
            row[j] /= diagonal;
        }
        for (int i = 0; i < n; i++) {
            if (i != k) {
                double factor = table[i][k];
                double[] other = table[i];
                for (int j = 0; j <= n; j++) {
                    other[j] -= factor * row[j];
                }
                other[k] = -factor / diagonal;
            }
        }
        row[k] = 1 / diagonal;
    }

    /** The value of an input: its least-squares weight if it is in, else 0. */
    double value(int i) {
        return in[i] ? table[i][n] : 0;
    }

    /** How much of the weights' squared outputs the inputs that are in explain. */
    private double explained() {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += in[i] ? table[i][n] * target[i] : 0;
        }
        return sum;
    }

    /**
     * Makes the swap that lowers the error most, again and again. Where none does, each input in turn is forced in or
     * out, and the others get the swaps that are best then: what is better in the end stays.
     *
     * @param most swaps to make, those that are taken back included
     */
    void improve(int[] cells, int most) {
        int left = descend(cells, most, -1);
        for (int k = 0, tried = 0; tried < n && left > 0; k = (k + 1) % n) {
            if (cells[k] < 0) {
                tried++;
                continue;
            }
            double before = explained();
            boolean[] kept = in.clone();
            left = descend(cells, force(k, cells) ? left - 1 : left, k);
            left = descend(cells, left, -1);
            if (explained() > before + LEAST_GAIN * size) {
                tried = 0;
            } else {
                restore(kept);
                tried++;
            }
        }
    }

    /** Exchanges an input for the one of its cell that costs least. */
    private boolean force(int k, int[] cells) {
        boolean leaves = in[k];
        pivot(k);
        int best = -1;
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < n; i++) {
            if (i != k && in[i] != leaves && cells[i] == cells[k] && table[i][i] >= DEPENDENT) {
                double gain = table[i][n] * table[i][n] / table[i][i] * (leaves ? 1 : -1);
                if (gain > most) {
                    most = gain;
                    best = i;
                }
            }
        }
        if (best < 0) {
            pivot(k);
            return false;
        }
        pivot(best);
        return true;
    }

    private void restore(boolean[] kept) {
        for (int i = 0; i < n; i++) {
            if (in[i] != kept[i]) {
                pivot(i);
            }
        }
    }

    /** Swaps that lower the error, {@code fixed} staying where it is; returns how many are left. */
    private int descend(int[] cells, int most, int fixed) {
        int left = most;
        while (left > 0 && swapBest(cells, fixed)) {
            left--;
        }
        return left;
    }

    private boolean swapBest(int[] cells, int fixed) {
        double best = LEAST_GAIN * size;
        int out = -1;
        int into = -1;
        for (int j = 0; j < n; j++) {
            if (in[j] || j == fixed || cells[j] < 0 || table[j][j] < DEPENDENT) {
                continue;
            }
            double value = table[j][n] / table[j][j];
            double gain = value * table[j][n];
            for (int i = 0; i < n; i++) {
                if (in[i] && i != fixed && cells[i] == cells[j]) {
                    double changed = table[i][n] - table[i][j] * value;
                    double loss = changed * changed / (table[i][i] + table[i][j] * table[i][j] / table[j][j]);
                    if (gain - loss > best) {
                        best = gain - loss;
                        out = i;
                        into = j;
                    }
                }
            }
        }
        if (into < 0) {
            return false;
        }
        pivot(into);
        pivot(out);
        return true;
    }
}
