package io.pare.compress.constraint;

import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Non-zeros only in small blocks that lie in large blocks, which a seed chooses: hierarchical coarse-grain sparsity (Kadetotad et
 * al., 2020). The mask does not depend on weights, so that a seed stands for all positions.
 *
 * <p>The tensor counts as the matrix of its first dimension by all others. Each row of large blocks keeps the same share of
 * them, each row of small blocks within one the same share of those; at least one in either case. The projection clears what lies
 * elsewhere: the nearest point.
 *
 * @param seed of the choice
 * @param block rows and columns of a large block; those at the edge may be smaller
 * @param share of the large blocks of a row that stay, above 0 and at most 1
 * @param inner rows and columns of a small block, at most {@code block}
 * @param innerShare of the small blocks of a row within a large one that stay, above 0 and at most 1
 */
public record HierarchicalBlocks(long seed, int block, double share, int inner, double innerShare)
        implements
        SupportSet {
    /**
     * Refuses sizes and shares that no mask has.
     *
     * @throws IllegalArgumentException if one is out of its range
     */
    public HierarchicalBlocks {
        if (inner < 1 || block < inner || !(share > 0 && share <= 1) || !(innerShare > 0 && innerShare <= 1)) {
            throw new IllegalArgumentException("no such blocks: " + share + " of " + block + ", " + innerShare + " of "
                    + inner + "; shares are above 0 and at most 1, small blocks no larger than large ones");
        }
    }

    /** {@return where a tensor of that shape may have non-zeros, in its order} */
    private boolean[] mask(FloatTensor tensor) {
        int rows = Math.toIntExact(tensor.rank() < 2 ? 1 : tensor.size(0));
        int columns = Math.toIntExact(rows == 0 ? 0 : tensor.count() / rows);
        boolean[] mask = new boolean[rows * columns];
        SplittableRandom random = new SplittableRandom(seed);
        for (int top = 0; top < rows; top += block) {
            int bottom = Math.min(rows, top + block);
            for (int left : chosen(random, 0, columns, block, share)) {
                int right = Math.min(columns, left + block);
                for (int row = top; row < bottom; row += inner) {
                    for (int column : chosen(random, left, right, inner, innerShare)) {
                        fill(mask, columns, row, Math.min(bottom, row + inner), column,
                                Math.min(right, column + inner));
                    }
                }
            }
        }
        return mask;
    }

    private static void fill(boolean[] mask, int columns, int top, int bottom, int left, int right) {
        for (int row = top; row < bottom; row++) {
            for (int column = left; column < right; column++) {
                mask[row * columns + column] = true;
            }
        }
    }

    /** The beginnings of some blocks from {@code begin} to {@code end}, each choice as likely. */
    private static int[] chosen(SplittableRandom random, int begin, int end, int size, double share) {
        int count = Math.ceilDiv(end - begin, size);
        int[] all = new int[count];
        for (int i = 0; i < count; i++) {
            int other = random.nextInt(i + 1);
            all[i] = all[other];
            all[other] = begin + i * size;
        }
        int[] kept = new int[count == 0 ? 0 : (int) Math.max(1, Math.round(share * count))];
        System.arraycopy(all, 0, kept, 0, kept.length);
        return kept;
    }

    @Override
    public void project(List<FloatTensor> from, List<FloatTensor> to, ProjectionState memory, Projections kernels) {
        for (int i = 0; i < from.size(); i++) {
            boolean[] mask = mask(from.get(i));
            for (int e = 0; e < mask.length; e++) {
                to.get(i).set(e, mask[e] ? from.get(i).get(e) : 0f);
            }
        }
    }

    @Override
    public Feasibility measure(List<FloatTensor> values, ProjectionState memory) {
        long outside = 0;
        for (FloatTensor tensor : values) {
            boolean[] mask = mask(tensor);
            for (int e = 0; e < mask.length; e++) {
                outside += !mask[e] && tensor.get(e) != 0 ? 1 : 0;
            }
        }
        return Feasibility.atMost("non-zeros outside the seed's blocks", outside, 0);
    }

    @Override
    public boolean contains(Constraint other) {
        return equals(other);
    }

    @Override
    public String describe() {
        return "blocks of " + inner + " in blocks of " + block + " by seed " + seed;
    }
}
