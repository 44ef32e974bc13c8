package io.pare.kernel;

import java.util.Arrays;

/**
 * Lloyd's algorithm over sorted elements. Prefix sums give the means of all clusters, so that a round takes
 * O(m log n), whatever the number of elements.
 */
final class Lloyd {
    private final Sorted sorted;
    private final Codebook codebook;
    /** Where each cluster begins; behind the last, the number of elements. */
    private final long[] ends = new long[Codebook.MOST + 1];
    private final double[] edge = new double[3];
    /** Sum of importance times squared centred value of each cluster. */
    private final double[] seconds = new double[Codebook.MOST];

    Lloyd(Sorted sorted, Codebook codebook) {
        this.sorted = sorted;
        this.codebook = codebook;
    }

    /** Runs at most {@code most} rounds from the first {@code m} codewords, which ascend; returns the rounds run. */
    int run(int m, int most) {
        int rounds = 0;
        boolean moved = true;
        while (moved && rounds < most) {
            divide(m);
            moved = move(m);
            rounds++;
        }
        divide(m);
        codebook.error = 0;
        for (int j = 0; j < m; j++) {
            double c = codebook.words[j] - sorted.centre;
            codebook.error += Math.max(0, seconds[j] - 2 * c * codebook.firsts[j] + c * c * codebook.weights[j]);
        }
        return rounds;
    }

    /** Finds the bounds and the sums of all clusters. */
    private void divide(int m) {
        double w = 0;
        double s = 0;
        double q = 0;
        ends[0] = 0;
        for (int j = 0; j < m; j++) {
            ends[j + 1] =
                    j + 1 == m ? sorted.count
                            : Math.max(ends[j], sorted.below(Codebook.cut(codebook.words[j], codebook.words[j + 1])));
            sorted.before(ends[j + 1], edge);
            codebook.weights[j] = edge[0] - w;
            codebook.firsts[j] = edge[1] - s;
            seconds[j] = edge[2] - q;
            w = edge[0];
            s = edge[1];
            q = edge[2];
        }
    }

    /** Moves each codeword to the mean of its cluster and reseeds those of empty ones; false if none moved. */
    private boolean move(int m) {
        boolean moved = false;
        for (int j = 0; j < m; j++) {
            if (codebook.weights[j] > 0) {
                float mean = (float) (sorted.centre + codebook.firsts[j] / codebook.weights[j]);
                moved |= mean != codebook.words[j];
                codebook.words[j] = mean;
            }
        }
        for (int j = 0; j < m; j++) {
            if (codebook.weights[j] <= 0) {
                moved |= reseed(j, m);
            }
        }
        if (moved) {
            Arrays.sort(codebook.words, 0, m);
        }
        return moved;
    }

    /** Moves the codeword of an empty cluster to the element of greatest weighted distance; false if there is none. */
    private boolean reseed(int empty, int m) {
        double worst = 0;
        float seed = 0;
        for (int j = 0; j < m; j++) {
            if (codebook.weights[j] > 0) {
                // The element farthest from its codeword is the first or the last of a cluster.
                for (int side = 0; side < 2; side++) {
                    long i = side == 0 ? ends[j] : ends[j + 1] - 1;
                    double distance = sorted.weight(i) * Math.abs(sorted.value(i) - codebook.words[j]);
                    if (distance > worst && !codebook.holds(sorted.value(i), m)) {
                        worst = distance;
                        seed = sorted.value(i);
                    }
                }
            }
        }
        if (worst > 0) {
            codebook.words[empty] = seed;
        }
        return worst > 0;
    }
}
