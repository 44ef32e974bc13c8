package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Every non-zero element is one of k values that are free; zeros stay zero and take no value.
 *
 * <p>The projection alternates nearest codeword and mean of the members, from the last codebook on (Lloyd's rounds to
 * convergence; the first codebook is the global optimum), so codewords move with the weights. With {@code k} from 1 to
 * 256.
 *
 * @param k number of values, 1 to 256
 */
public record Clustering(int k) implements Constraint {
    public static final String CODEBOOK = "codebook";

    /**
     * Refuses numbers that an index of one byte cannot have.
     *
     * @throws IllegalArgumentException if {@code k} is not 1 to 256
     */
    public Clustering {
        if (k < 1 || k > 256) {
            throw new IllegalArgumentException("clusters must be 1 to 256, not " + k);
        }
    }

    /**
     * {@return a clustering of as many values as those bits can tell apart}
     *
     * @param bits 1 to 8
     */
    public static Clustering bits(int bits) {
        return new Clustering(1 << bits);
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        cluster(from, null, to, memory, kernels);
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        cluster(from, importance, to, memory, kernels);
    }

    private void cluster(List<FloatTensor> from, @Nullable List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        for (int i = 0; i < from.size(); i++) {
            FloatTensor weights = importance == null ? null : importance.get(i);
            double[] codes = Projector.codebook(kernels, from.get(i), weights, k, memory.get(CODEBOOK, i));
            memory.put(CODEBOOK, i, codes);
            Projector.nearest(kernels, from.get(i), to.get(i), codes, true);
        }
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        Feasibility all = null;
        for (FloatTensor tensor : values) {
            Feasibility one = Feasibility.atMost("distinct values", Projector.distinct(tensor, 1 << 16).length, k);
            all = all == null ? one : all.and(one);
        }
        return all;
    }

    @Override
    public long values() {
        return k;
    }

    @Override
    public Set<WeightChange> changes() {
        return Set.of(WeightChange.SPLITS_VALUES);
    }

    @Override
    public Set<WeightChange> brokenBy() {
        return Set.of(WeightChange.SPLITS_VALUES);
    }

    @Override
    public boolean contains(Constraint other) {
        return other.values() <= k;
    }

    @Override
    public String describe() {
        return k + " free values";
    }
}
