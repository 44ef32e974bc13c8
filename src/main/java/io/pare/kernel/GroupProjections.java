package io.pare.kernel;

import io.pare.kernel.passes.GroupPasses;
import io.pare.kernel.passes.Passes;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Structured projections: scores of groups, the groups of highest score, and N:M sparsity. */
final class GroupProjections {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long F = Float.BYTES;

    private final GroupPasses passes;
    private final Parallel parallel;
    private final Selector selector;
    private final BitsTopK bits;
    private final double[][] lanes;

    GroupProjections(GroupPasses passes, Workers workers, Parallel parallel, Selector selector, BitsTopK bits) {
        this.passes = passes;
        this.parallel = parallel;
        this.selector = selector;
        this.bits = bits;
        lanes = new double[workers.count()][Passes.STRIDE];
    }

    /** Writes the norm of each group. */
    void score(MemorySegment x, long xOff, Groups groups, Norm norm, MemorySegment scores, long scoresOff) {
        int power = norm == Norm.L1 ? 1 : 2;
        parallel.parts(groups.count(), groups.elements(), (worker, group) -> {
            double[] sums = lanes[worker];
            long firstRow = group / groups.across() * groups.blockRows();
            long lastRow = Math.min(groups.rows(), firstRow + groups.blockRows());
            long firstColumn = group % groups.across() * groups.blockColumns();
            long width = Math.min(groups.columns() - firstColumn, groups.blockColumns());
            Arrays.fill(sums, 0);
            for (long row = firstRow; row < lastRow; row++) {
                long start = row * groups.columns() + firstColumn;
                for (long done = 0; done < width; done += Passes.CHUNK) {
                    passes.norm(power, x, xOff + (start + done) * F, (int) Math.min(width - done, Passes.CHUNK), sums);
                }
            }
            double sum = Passes.sum(sums);
            scores.set(F32, scoresOff + group * F, (float) (power == 1 ? sum : Math.sqrt(sum)));
        });
    }

    /** Keeps the {@code k} groups of highest score. */
    void keepGroups(MemorySegment in, long xOff, MemorySegment out, long zOff, Groups groups, Norm norm,
            long k) {
        try (Region scratch = Region.shared("group scores")) {
            MemorySegment scores = scratch.allocate(groups.count() * F);
            score(in, xOff, groups, norm, scores, 0);
            Bits kept = new Bits(scratch.allocate(Bits.bytes(groups.count())), 0);
            selector.one(Span.of(scores, 0, groups.count()));
            bits.write(k, kept.segment(), 0);
            parallel.parts(groups.rows(), groups.elements(), (worker, row) -> {
                for (long block = 0; block < groups.across(); block++) {
                    long first = (row * groups.columns() + block * groups.blockColumns()) * F;
                    long bytes = Math.min(groups.columns() - block * groups.blockColumns(), groups.blockColumns()) * F;
                    if (kept.get(row / groups.blockRows() * groups.across() + block)) {
                        MemorySegment.copy(in, xOff + first, out, zOff + first, bytes);
                    } else {
                        out.asSlice(zOff + first, bytes).fill((byte) 0);
                    }
                }
            });
        }
    }

    /** Keeps the {@code keep} greatest magnitudes of each {@code group} consecutive elements. */
    void keepOfGroups(MemorySegment in, long xOff, MemorySegment out, long zOff, long n, int keep, int group) {
        // Before anything is written.
        selector.refuseNaN(in, xOff, n);
        int step = Passes.CHUNK / group * group;
        parallel.parts((n + step - 1) / step, n, (worker, part) -> {
            long at = part * step;
            int size = (int) Math.min(step, n - at);
            int whole = size / group * group;
            passes.keepOfGroup(in, xOff + at * F, out, zOff + at * F, whole, keep, group);
            int rest = size - whole;
            if (rest > 0) {
                long o = (at + whole) * F;
                passes.keepOfGroup(in, xOff + o, out, zOff + o, rest, Math.min(keep, rest), rest);
            }
        });
    }
}
