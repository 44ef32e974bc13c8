package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Bits times non-zeros, summed over all tensors, stay within a budget: a knapsack over which weights stay and how many
 * bits each tensor's values take, after the sparsity-quantisation joint learning of Yang et al. (CVPR 2020, 1910.05897).
 *
 * <p>For given widths the support is chosen greedily by score per bit. That is optimal for equal widths, and short of
 * the optimum by less than one weight otherwise. Each tensor's support is then clustered to {@code 2^bits} values.
 * The widths come from a descent, one tensor and one bit at a time, that keeps what lowers the error measured by the
 * same score; it starts from the widths of the last projection.
 *
 * @param bits of the whole budget
 * @param minimumBits narrowest width of a value
 * @param maximumBits widest
 * @param score what makes weights of different tensors comparable
 */
public record GlobalBudget(long bits, int minimumBits, int maximumBits, GlobalSparsity.Score score)
        implements
        Constraint {
    static final String WIDTH = "bits";

    /**
     * Refuses budgets that no code keeps.
     *
     * @throws IllegalArgumentException if bits are below 1, above 8 for a value, or the least is above the most
     */
    public GlobalBudget {
        if (bits < 1 || minimumBits < 1 || maximumBits > 8 || minimumBits > maximumBits) {
            throw new IllegalArgumentException(
                    "no such budget: " + bits + " bits in widths " + minimumBits + " to " + maximumBits);
        }
    }

    @Override
    public boolean joint() {
        return true;
    }

    private record Choice(int[] widths, long[] kept, double error) {}

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        spend(from, null, to, memory, kernels);
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        spend(from, importance, to, memory, kernels);
    }

    private void spend(List<FloatTensor> from, @Nullable List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        List<Ranked> ranked = new ArrayList<>();
        int[] widths = new int[from.size()];
        for (int i = 0; i < widths.length; i++) {
            ranked.add(importance == null
                    ? Ranked.of(from.get(i), score, kernels)
                    : Ranked.of(from.get(i), importance.get(i), score, kernels));
            double[] last = memory.get(WIDTH, i);
            widths[i] = last == null ? (minimumBits + maximumBits) / 2 : (int) last[0];
        }
        Choice best = choose(ranked, widths);
        boolean better = true;
        while (better) {
            better = false;
            for (int i = 0; i < widths.length; i++) {
                for (int step = -1; step <= 1; step += 2) {
                    int[] tried = best.widths().clone();
                    tried[i] += step;
                    if (tried[i] >= minimumBits && tried[i] <= maximumBits) {
                        Choice choice = choose(ranked, tried);
                        if (choice.error() < best.error()) {
                            best = choice;
                            better = true;
                        }
                    }
                }
            }
        }
        for (int i = 0; i < widths.length; i++) {
            FloatTensor weights = importance == null ? null : importance.get(i);
            if (weights == null) {
                Projector.topK(kernels, from.get(i), to.get(i), best.kept()[i]);
            } else {
                WeightedSupport.project(Sparsity.count(best.kept()[i]), List.of(from.get(i)), List.of(weights),
                        List.of(to.get(i)), memory, kernels);
            }
            int k = 1 << best.widths()[i];
            double[] codes = Projector.codebook(kernels, to.get(i), weights, k, memory.get(Clustering.CODEBOOK, i));
            memory.put(Clustering.CODEBOOK, i, codes);
            memory.put(WIDTH, i, best.widths()[i]);
            Projector.nearest(kernels, to.get(i), to.get(i), codes, true);
        }
    }

    private Choice choose(List<Ranked> ranked, int[] widths) {
        int[] taken = new int[widths.length];
        long left = bits;
        while (true) {
            int best = -1;
            double bestScore = 0;
            for (int i = 0; i < taken.length; i++) {
                Ranked tensor = ranked.get(i);
                if (taken[i] < tensor.magnitudes.length && widths[i] <= left) {
                    double perBit = tensor.score(taken[i]) / widths[i];
                    if (perBit > bestScore) {
                        bestScore = perBit;
                        best = i;
                    }
                }
            }
            if (best < 0) {
                break;
            }
            taken[best]++;
            left -= widths[best];
        }
        double error = 0;
        long[] kept = new long[taken.length];
        for (int i = 0; i < taken.length; i++) {
            kept[i] = taken[i];
            error += ranked.get(i).error(taken[i], 1 << widths[i]);
        }
        return new Choice(widths.clone(), kept, error);
    }

    /** A tensor's non-zeros by falling magnitude, weighted if they are, with the sums that scores and errors need. */
    private static final class Ranked {
        final float[] magnitudes;
        private final float[] signed;
        private final float @Nullable [] weights;
        private final double[] squares;
        private final GlobalSparsity.Score score;
        private final Projections kernels;

        private Ranked(float[] signed, float @Nullable [] weights, GlobalSparsity.Score score, Projections kernels) {
            this.signed = signed;
            this.weights = weights;
            this.score = score;
            this.kernels = kernels;
            this.magnitudes = new float[signed.length];
            this.squares = new double[signed.length + 1];
            for (int i = 0; i < signed.length; i++) {
                magnitudes[i] = Math.abs(weights == null
                        ? signed[i]
                        : WeightedSupport.scaled(signed[i], weights[i]));
                squares[i + 1] = squares[i] + (double) magnitudes[i] * magnitudes[i];
            }
        }

        static Ranked of(FloatTensor tensor, GlobalSparsity.Score score, Projections kernels) {
            float[] sorted = Projector.nonzeroValues(tensor);
            Arrays.sort(sorted);
            float[] signed = new float[sorted.length];
            int low = 0;
            int high = sorted.length - 1;
            for (int i = 0; i < signed.length; i++) {
                signed[i] = Math.abs(sorted[low]) > Math.abs(sorted[high]) ? sorted[low++] : sorted[high--];
            }
            return new Ranked(signed, null, score, kernels);
        }

        static Ranked of(FloatTensor tensor, FloatTensor importance, GlobalSparsity.Score score,
                Projections kernels) {
            long[] order = LongStream.range(0, tensor.count()).filter(e -> tensor.get(e) != 0)
                    .map(e -> (long) Float.floatToRawIntBits(
                            Math.abs(WeightedSupport.scaled(tensor.get(e), importance.get(e)))) << 32
                            | ~e & 0xffff_ffffL)
                    .sorted().toArray();
            float[] signed = new float[order.length];
            float[] weights = new float[order.length];
            for (int i = 0; i < order.length; i++) {
                long element = ~order[order.length - 1 - i] & 0xffff_ffffL;
                signed[i] = tensor.get(element);
                weights[i] = importance.get(element);
            }
            return new Ranked(signed, weights, score, kernels);
        }

        double score(int at) {
            double square = (double) magnitudes[at] * magnitudes[at];
            return score == GlobalSparsity.Score.LAMP ? square / squares[at + 1] : square;
        }

        /**
         * Squared distance, weighted if there are weights, to the nearest tensor of so many non-zeros and k values; relative
         * under LAMP.
         */
        double error(int kept, int k) {
            double error = squares[signed.length] - squares[kept];
            if (kept > 0) {
                try (Region region = Region.confined("support")) {
                    FloatTensor support = region.tensor(kept).copyFrom(Arrays.copyOf(signed, kept));
                    MemorySegment words = region.allocate((long) k * Float.BYTES);
                    MemorySegment importance = weights == null
                            ? null
                            : region.tensor(kept).copyFrom(Arrays.copyOf(weights, kept)).segment();
                    error += kernels.kMeansCold(support.segment(), 0, kept, importance, 0, k, words, 0, 100).error();
                }
            }
            return score == GlobalSparsity.Score.LAMP ? error / Math.max(squares[signed.length], 1e-30) : error;
        }
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        return Feasibility.atMost("bits", values.stream().mapToLong(WeightData::bits).sum(), bits);
    }

    @Override
    public long values() {
        return 1L << maximumBits;
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
        return other instanceof GlobalBudget now && now.bits <= bits;
    }

    @Override
    public String describe() {
        return "bits x non-zeros at most " + bits;
    }
}
