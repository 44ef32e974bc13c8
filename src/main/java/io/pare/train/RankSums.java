package io.pare.train;

import io.pare.exec.Together;
import io.pare.mem.Region;
import io.pare.mpi.Ranks;
import io.pare.mpi.Transfer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/**
 * Sums of a few numbers over all ranks, in the order of ranks: all get the same bits. Memory is the network's, and is taken
 * when a length is seen for the first time.
 */
final class RankSums implements Together {
    private final Ranks ranks;
    private final Region region;
    private final Map<Integer, Slot> slots = new HashMap<>();

    private record Slot(MemorySegment parts, Transfer spread) {}

    RankSums(Ranks ranks, Region region) {
        this.ranks = ranks;
        this.region = region;
    }

    @Override
    public int size() {
        return ranks.size();
    }

    @Override
    public void sum(double[] numbers) {
        int count = numbers.length;
        Slot slot = slots.get(count);
        if (slot == null) {
            MemorySegment parts = region.allocate((long) count * ranks.size() * Double.BYTES);
            slot = new Slot(parts, ranks.spread(parts));
            slots.put(count, slot);
        }
        MemorySegment.copy(numbers, 0, slot.parts, ValueLayout.JAVA_DOUBLE, (long) ranks.rank() * count * Double.BYTES,
                count);
        slot.spread.start();
        slot.spread.await();
        for (int i = 0; i < count; i++) {
            double sum = 0;
            for (int rank = 0; rank < ranks.size(); rank++) {
                sum += slot.parts.getAtIndex(ValueLayout.JAVA_DOUBLE, (long) rank * count + i);
            }
            numbers[i] = sum;
        }
    }
}
