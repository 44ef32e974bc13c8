package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.List;
import java.util.Set;

/**
 * A set that says only where zeros are: its projection keeps elements as they are, or makes them zero. What stays in place keeps
 * weights in it, whatever their values become.
 */
public sealed interface SupportSet extends Constraint
        permits Sparsity, StructuredSparsity, GlobalSparsity, GroupSparsity, KernelPatterns, HierarchicalBlocks {
    @Override
    default void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        WeightedSupport.project(this, from, importance, to, memory, kernels);
    }

    @Override
    default long values() {
        return Long.MAX_VALUE;
    }

    @Override
    default Set<WeightChange> changes() {
        return Set.of(WeightChange.MAKES_ZEROS);
    }

    @Override
    default Set<WeightChange> brokenBy() {
        return Set.of(WeightChange.FILLS_ZEROS);
    }
}
