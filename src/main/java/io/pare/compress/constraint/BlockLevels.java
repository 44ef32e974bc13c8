package io.pare.compress.constraint;

import io.pare.kernel.BlockGrid;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Weights on evenly spaced levels, each block of neighbours in a row with a step and a zero of its own: what runtimes call
 * blockwise quantisation. Zeros stay zero.
 *
 * <p>The projection takes the best of some grids for each block; the nearest of all is not searched for.
 *
 * @param bits of a level's number, 2 to 8
 * @param block neighbours in a row that share a grid; the last block of a row may be shorter
 */
public record BlockLevels(int bits, int block) implements Constraint {
    /** Neighbours where nothing else is asked for. */
    public static final int USUAL_BLOCK = 32;

    /**
     * Refuses numbers out of range.
     *
     * @throws IllegalArgumentException if bits are not 2 to 8, or a block has no element
     */
    public BlockLevels {
        if (bits < 2 || bits > 8) {
            throw new IllegalArgumentException("levels of blocks have 2 to 8 bits, not " + bits);
        }
        if (block < 1) {
            throw new IllegalArgumentException("a block cannot have " + block + " weights");
        }
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        round(from, null, to);
    }

    @Override
    public void projectWeighted(List<FloatTensor> from, List<FloatTensor> importance, List<FloatTensor> to,
            ProjectionState memory, Projections kernels) {
        round(from, importance, to);
    }

    private void round(List<FloatTensor> from, @Nullable List<FloatTensor> importance, List<FloatTensor> to) {
        BlockGrid grid = new BlockGrid(bits);
        for (int tensor = 0; tensor < from.size(); tensor++) {
            int columns = Projector.columns(from.get(tensor));
            float[] row = new float[columns];
            float[] weights = importance == null ? null : new float[columns];
            for (long first = 0; first < from.get(tensor).count(); first += columns) {
                MemorySegment.copy(from.get(tensor).segment(), ValueLayout.JAVA_FLOAT, first * Float.BYTES, row, 0,
                        columns);
                if (weights != null) {
                    MemorySegment.copy(importance.get(tensor).segment(), ValueLayout.JAVA_FLOAT, first * Float.BYTES,
                            weights, 0, columns);
                }
                round(grid, row, weights);
                MemorySegment.copy(row, 0, to.get(tensor).segment(), ValueLayout.JAVA_FLOAT, first * Float.BYTES,
                        columns);
            }
        }
    }

    private void round(BlockGrid grid, float[] row, float @Nullable [] weights) {
        for (int at = 0; at < row.length; at += block) {
            int count = Math.min(block, row.length - at);
            grid.fit(row, weights, at, count);
            for (int i = at; i < at + count; i++) {
                row[i] = grid.value(grid.code(row[i]));
            }
        }
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        BlockGrid grid = new BlockGrid(bits);
        long off = 0;
        for (FloatTensor tensor : values) {
            int columns = Projector.columns(tensor);
            float[] all = tensor.toArray();
            for (int row = 0; row < all.length; row += columns) {
                for (int at = 0; at < columns; at += block) {
                    off += grid.find(all, row + at, Math.min(block, columns - at)) ? 0 : 1;
                }
            }
        }
        return Feasibility.atMost("blocks off any grid", off, 0);
    }

    @Override
    public long values() {
        return Long.MAX_VALUE;
    }

    @Override
    public Set<WeightChange> changes() {
        return EnumSet.of(WeightChange.SPLITS_VALUES, WeightChange.MAKES_ZEROS);
    }

    @Override
    public Set<WeightChange> brokenBy() {
        return EnumSet.of(WeightChange.SPLITS_VALUES, WeightChange.SHIFTS_VALUES);
    }

    @Override
    public boolean contains(Constraint other) {
        return other instanceof BlockLevels now && now.bits <= bits && now.block == block;
    }

    @Override
    public String describe() {
        return "levels of " + bits + " bits for each " + block + " weights";
    }
}
