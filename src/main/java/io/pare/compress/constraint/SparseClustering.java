package io.pare.compress.constraint;

import com.fasterxml.jackson.annotation.JsonTypeName;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * At most so many non-zeros, and these of at most k values: both in one projection.
 *
 * <p>For a given codebook the best support is that of the largest gains {@code v^2 - (v - c)^2}, where c is the codeword
 * nearest to v; an element's importance, if it has one, multiplies its gain. For a given support the best codebook is that
 * of the means. The projection alternates the two from the last codebook on; neither step can raise the distance.
 *
 * @param sparsity how many non-zeros
 * @param k how many values
 */
@JsonTypeName("Joint")
public record SparseClustering(Sparsity sparsity, int k) implements Constraint {
    /**
     * Refuses numbers that an index of one byte cannot have.
     *
     * @throws IllegalArgumentException if {@code k} is not 1 to 256
     */
    public SparseClustering {
        if (k < 1 || k > 256) {
            throw new IllegalArgumentException("clusters must be 1 to 256, not " + k);
        }
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
            FloatTensor tensor = from.get(i);
            FloatTensor weights = importance == null ? null : importance.get(i);
            memory.put(Clustering.CODEBOOK, i, Projector.joint(kernels, tensor, weights, to.get(i),
                    sparsity.kept(tensor.count()), k, memory.get(Clustering.CODEBOOK, i)));
        }
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        return sparsity.measure(values, memory).and(new Clustering(k).measure(values, memory));
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
        return equals(other);
    }

    @Override
    public String describe() {
        return sparsity.describe() + ", of " + k + " free values";
    }
}
