package io.pare.mpi;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Means of floats over all processes, summed in the order of ranks: all get the same bits, and the same number of ranks gets
 * them each time. Each process sums a part and gives it to the others, so that it sends what it has about twice.
 *
 * <p>Owns its memory, off-heap: that of the floats and as much again. One thread at a time.
 */
public final class RankMeans implements AutoCloseable {
    private static final int LINE = 16;

    private final Ranks ranks;
    private final Region region;
    private final long part;
    private final MemorySegment own;
    private final MemorySegment received;
    private final Transfer exchange;
    private final Transfer spread;

    /**
     * Takes the memory.
     *
     * @param ranks all of which make one alike
     * @param count floats
     */
    public RankMeans(Ranks ranks, long count) {
        this.ranks = ranks;
        this.region = Region.shared("means over ranks");
        this.part = Math.max(1, Math.ceilDiv(Math.ceilDiv(count, ranks.size()), LINE)) * LINE;
        try {
            this.own = region.allocate(part * ranks.size() * Float.BYTES);
            this.received = region.allocate(part * ranks.size() * Float.BYTES);
        } catch (RuntimeException | Error e) {
            region.close();
            throw e;
        }
        this.exchange = ranks.exchange(own, received);
        this.spread = ranks.spread(own);
    }

    /** {@return the floats, which the caller writes before {@link #average} and reads after it} */
    public MemorySegment floats() {
        return own;
    }

    /** {@return bytes that a process sends for each {@link #average}} */
    public long bytes() {
        return 2 * part * (ranks.size() - 1) * Float.BYTES;
    }

    /** Puts means in place of the floats, at all processes at once. */
    public void average() {
        exchange.start();
        exchange.await();
        long mine = part * ranks.rank();
        for (long i = 0; i < part; i++) {
            float sum = received.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            for (int rank = 1; rank < ranks.size(); rank++) {
                sum += received.getAtIndex(ValueLayout.JAVA_FLOAT, part * rank + i);
            }
            own.setAtIndex(ValueLayout.JAVA_FLOAT, mine + i, sum / ranks.size());
        }
        spread.start();
        spread.await();
    }

    /** Frees the memory. */
    @Override
    public void close() {
        region.close();
    }
}
