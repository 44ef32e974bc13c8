package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * At most n non-zeros in every m neighbours of a row, and these of at most k values: both in one projection, after NxMiFormer (Fang et
 * al., 2022), which does one after the other.
 *
 * <p>For a given codebook the best support of a group is that of the largest gains {@code v^2 - (v - c)^2}, where c is the
 * codeword nearest to v; an element's importance multiplies its gain. For a given support the best codebook is that of the means.
 * The projection begins with the largest elements and alternates the two while that lowers the distance. From no codebook it is
 * so never farther than sparsity first and values afterwards.
 *
 * @param n non-zeros of a group, 1 to {@code m}
 * @param m neighbours along a row
 * @param k values, 1 to 256
 */
public record NofMClustering(int n, int m, int k) implements Constraint {
    private static final int ROUNDS = 20;

    /**
     * Refuses numbers that no set has.
     *
     * @throws IllegalArgumentException if one is out of its range
     */
    public NofMClustering {
        StructuredSparsity.nOfM(n, m);
        new Clustering(k);
    }

    /** {@return the set of supports alone} */
    public StructuredSparsity support() {
        return StructuredSparsity.nOfM(n, m);
    }

    /** {@return the set of values alone} */
    public Clustering clustering() {
        return new Clustering(k);
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        choose(from, null, to, memory, kernels);
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        choose(from, importance, to, memory, kernels);
    }

    private void choose(List<FloatTensor> from, @Nullable List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        for (int i = 0; i < from.size(); i++) {
            FloatTensor weights = importance == null ? null : importance.get(i);
            memory.put(Clustering.CODEBOOK, i,
                    choose(from.get(i), weights, to.get(i), memory.get(Clustering.CODEBOOK, i), kernels));
        }
    }

    private double[] choose(FloatTensor from, @Nullable FloatTensor importance, FloatTensor to,
            double @Nullable [] start, Projections kernels) {
        try (Region region = Region.confined("n of m")) {
            FloatTensor kept = region.tensor(from.shape());
            FloatTensor tried = region.tensor(from.shape());
            double[] codes = start;
            double[] best = {};
            double least = Double.POSITIVE_INFINITY;
            for (int round = 0; round < ROUNDS; round++) {
                keep(from, importance, kept, round == 0 ? null : codes);
                codes = Projector.codebook(kernels, kept, importance, k, codes);
                Projector.nearest(kernels, kept, tried, codes, true);
                double distance = distance(from, tried, importance);
                if (!(distance < least)) {
                    break;
                }
                least = distance;
                best = codes;
                to.copyFrom(tried);
            }
            return best;
        }
    }

    /** The n elements of each group that gain most by being kept, by their squares where there is no codebook. */
    private void keep(FloatTensor from, @Nullable FloatTensor importance, FloatTensor kept, double @Nullable [] codes) {
        int columns = Projector.columns(from);
        float[] values = from.toArray();
        double[] gains = new double[values.length];
        for (int e = 0; e < values.length; e++) {
            double value = values[e];
            double left = codes == null || codes.length == 0 ? 0 : value - codes[Projector.nearestIndex(codes, value)];
            gains[e] = (importance == null ? 1 : importance.get(e)) * (value * value - left * left);
        }
        for (int row = 0; row < values.length; row += columns) {
            for (int begin = row; begin < row + columns; begin += m) {
                IntStream.range(begin, Math.min(row + columns, begin + m)).boxed()
                        .sorted(Comparator.comparingDouble((Integer e) -> -gains[e])).skip(n)
                        .forEach(e -> values[e] = 0f);
            }
        }
        for (int e = 0; e < values.length; e++) {
            values[e] = gains[e] > 0 ? values[e] : 0f;
        }
        kept.copyFrom(values);
    }

    private static double distance(FloatTensor from, FloatTensor to, @Nullable FloatTensor importance) {
        double sum = 0;
        for (long e = 0; e < from.count(); e++) {
            double change = from.get(e) - (double) to.get(e);
            sum += (importance == null ? 1 : importance.get(e)) * change * change;
        }
        return sum;
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        return support().measure(values, memory).and(clustering().measure(values, memory));
    }

    @Override
    public long values() {
        return k;
    }

    @Override
    public Set<WeightChange> changes() {
        return Set.of(WeightChange.MAKES_ZEROS, WeightChange.SPLITS_VALUES);
    }

    @Override
    public Set<WeightChange> brokenBy() {
        return Set.of(WeightChange.FILLS_ZEROS, WeightChange.SPLITS_VALUES);
    }

    @Override
    public boolean contains(Constraint other) {
        return other instanceof NofMClustering now && now.n <= n && now.m == m && now.k <= k;
    }

    @Override
    public String describe() {
        return n + " of every " + m + ", of " + k + " free values";
    }
}
