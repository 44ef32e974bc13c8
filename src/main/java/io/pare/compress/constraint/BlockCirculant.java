package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Blocks of outputs by inputs are circulant: along each diagonal, which goes on at the other edge, all weights are equal. A
 * block of n by n has n free values (CirCNN, arXiv 1708.08917). Each tap of a convolution is a matrix of its own. Blocks at
 * the edge are cut.
 *
 * <p>The set is a linear space. Its nearest point has the mean of each diagonal, by importance the weighted mean.
 *
 * @param size rows and columns of a block, at least 1
 */
public record BlockCirculant(int size) implements Constraint {
    /**
     * Refuses empty blocks.
     *
     * @throws IllegalArgumentException if the size is below 1
     */
    public BlockCirculant {
        if (size < 1) {
            throw new IllegalArgumentException("a block has at least one row, not " + size);
        }
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        for (int i = 0; i < from.size(); i++) {
            average(from.get(i), null, to.get(i));
        }
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        for (int i = 0; i < from.size(); i++) {
            average(from.get(i), importance.get(i), to.get(i));
        }
    }

    private void average(FloatTensor from, @Nullable FloatTensor importance, FloatTensor to) {
        int[] diagonal = diagonals(from);
        double[] sum = new double[count(from)];
        double[] weight = new double[sum.length];
        for (int e = 0; e < diagonal.length; e++) {
            double f = importance == null ? 1 : importance.get(e);
            sum[diagonal[e]] += f * from.get(e);
            weight[diagonal[e]] += f;
        }
        for (int e = 0; e < diagonal.length; e++) {
            to.set(e, (float) (sum[diagonal[e]] / weight[diagonal[e]]));
        }
    }

    /** The diagonal of each element, counted over blocks and taps. */
    private int[] diagonals(FloatTensor tensor) {
        int columns = columns(tensor);
        int taps = taps(tensor);
        int across = Math.ceilDiv(columns, size);
        int[] diagonal = new int[Math.toIntExact(tensor.count())];
        for (int e = 0; e < diagonal.length; e++) {
            int row = e / taps / columns;
            int column = e / taps % columns;
            int block = row / size * across + column / size;
            diagonal[e] = (block * size + Math.floorMod(column - row, size)) * taps + e % taps;
        }
        return diagonal;
    }

    private int count(FloatTensor tensor) {
        int rows = tensor.rank() == 0 ? 1 : Math.toIntExact(tensor.size(0));
        return Math.multiplyExact(Math.ceilDiv(rows, size) * Math.ceilDiv(columns(tensor), size),
                Math.multiplyExact(size, taps(tensor)));
    }

    private static int columns(FloatTensor tensor) {
        return tensor.rank() < 2 ? 1 : Math.toIntExact(tensor.size(1));
    }

    private static int taps(FloatTensor tensor) {
        return Math
                .toIntExact(tensor.count() / Math.max(1, (tensor.rank() == 0 ? 1 : tensor.size(0)) * columns(tensor)));
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        long off = 0;
        for (FloatTensor tensor : values) {
            int[] diagonal = diagonals(tensor);
            int[] first = new int[count(tensor)];
            for (int e = 0; e < diagonal.length; e++) {
                if (first[diagonal[e]] == 0) {
                    first[diagonal[e]] = e + 1;
                }
                off += tensor.get(e) == tensor.get(first[diagonal[e]] - 1) ? 0 : 1;
            }
        }
        return Feasibility.atMost("weights off their diagonal's value", off, 0);
    }

    @Override
    public boolean ofMatrices() {
        return false;
    }

    @Override
    public long values() {
        return Long.MAX_VALUE;
    }

    @Override
    public Set<WeightChange> changes() {
        return EnumSet.complementOf(EnumSet.of(WeightChange.SHIFTS_VALUES));
    }

    @Override
    public Set<WeightChange> brokenBy() {
        return EnumSet.complementOf(EnumSet.of(WeightChange.SHIFTS_VALUES));
    }

    @Override
    public boolean contains(Constraint other) {
        return equals(other);
    }

    @Override
    public String describe() {
        return "circulant blocks of " + size + "x" + size;
    }
}
