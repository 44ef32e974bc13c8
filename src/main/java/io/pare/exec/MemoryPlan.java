package io.pare.exec;

import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Offsets for the values and gradients of a tape in one block of memory, found before that block is allocated.
 *
 * @param bytes of the memory
 * @param permanentBytes of what lies outside: inputs and labels
 * @param blocks all buffers with an offset
 * @param order the same in the order of the allocations
 * @param scratch working memory by moment
 */
record MemoryPlan(long bytes, long permanentBytes, List<Block> blocks, List<Block> order, Map<Integer, Block> scratch) {
    /** A lifetime: the moments from {@code first} to {@code last}. */
    record Life(int first, int last) {
        private boolean meets(Life other) {
            return first <= other.last && other.first <= last;
        }
    }

    /** A buffer: its size, its lifetimes in order, and its offset. */
    static final class Block {
        private final long bytes;
        private List<Life> lives;
        private long offset = -1;

        Block(long bytes, List<Life> lives) {
            this.bytes = bytes;
            this.lives = lives;
        }

        long bytes() {
            return bytes;
        }

        int first() {
            return lives.getFirst().first;
        }

        long offset() {
            return offset;
        }

        boolean lastsTo(int moment) {
            return lives.getLast().last >= moment;
        }

        boolean endsAt(int moment) {
            return lives.stream().anyMatch(life -> life.last == moment);
        }

        /** Whether each of these lifetimes begins in the moment in which one of the block's ends. */
        boolean goesOnIn(List<Life> next) {
            return lives.size() == next.size() && IntStream.range(0, lives.size())
                    .allMatch(i -> lives.get(i).last == next.get(i).first);
        }

        /** Extends the lifetimes by those of the buffer that takes its place. */
        void goOnIn(List<Life> next) {
            lives = IntStream.range(0, lives.size())
                    .mapToObj(i -> new Life(lives.get(i).first, next.get(i).last)).toList();
        }

        /** Bytes rounded up to the alignment, and one unit of it more, which kernels may read behind the end. */
        long size() {
            return Math.ceilDiv(bytes, Region.ALIGNMENT) * Region.ALIGNMENT + Region.ALIGNMENT;
        }

        private long moments() {
            return lives.stream().mapToLong(life -> life.last - life.first + 1).sum();
        }

        /** Runs for each pair of blocks, so it allocates nothing. */
        private boolean livesWith(Block other) {
            for (int i = 0; i < lives.size(); i++) {
                if (other.livesIn(lives.get(i))) {
                    return true;
                }
            }
            return false;
        }

        private boolean livesIn(Life span) {
            for (int i = 0; i < lives.size(); i++) {
                if (lives.get(i).meets(span)) {
                    return true;
                }
            }
            return false;
        }
    }

    /**
     * Sets the offsets: one block after the other, each into the tightest gap between those that are live at the same
     * time. That is "greedy by size for offsets" of Pisarchyk and Lee, arXiv 2001.03288. Tries three orders, by size, by size times
     * lifetime and by first moment, and keeps the one that needs least.
     *
     * @return bytes of the memory
     */
    static long place(List<Block> blocks) {
        Comparator<Block> bySize = Comparator.comparingLong(Block::size).reversed().thenComparingInt(Block::first);
        Comparator<Block> byArea =
                Comparator.<Block>comparingLong(block -> block.size() * block.moments()).reversed()
                        .thenComparing(bySize);
        Comparator<Block> byMoment = Comparator.comparingInt(Block::first).thenComparing(bySize);
        Comparator<Block> best = Stream.of(bySize, byArea, byMoment)
                .min(Comparator.comparingLong(order -> place(blocks, order))).orElseThrow();
        return place(blocks, best);
    }

    private static long place(List<Block> blocks, Comparator<Block> order) {
        List<Block> ordered = new ArrayList<>(blocks);
        ordered.sort(order);
        List<Block> byOffset = new ArrayList<>();
        long total = 0;
        for (Block block : ordered) {
            long end = 0;
            long tightest = Long.MAX_VALUE;
            for (Block other : byOffset) {
                if (other.livesWith(block)) {
                    long gap = other.offset - end;
                    if (gap >= block.size() && gap < tightest) {
                        tightest = gap;
                        block.offset = end;
                    }
                    end = Math.max(end, other.offset + other.size());
                }
            }
            if (tightest == Long.MAX_VALUE) {
                block.offset = end;
            }
            int at = 0;
            while (at < byOffset.size() && byOffset.get(at).offset <= block.offset) {
                at++;
            }
            byOffset.add(at, block);
            total = Math.max(total, block.offset + block.size());
        }
        return total;
    }

    /** The most bytes that are live at one moment: the lower bound of every plan. */
    long leastBytes() {
        return blocks.stream().flatMap(block -> block.lives.stream())
                .mapToLong(life -> bytesAt(new Life(life.first, life.first))).max().orElse(0);
    }

    private long bytesAt(Life moment) {
        return blocks.stream().filter(block -> block.livesIn(moment)).mapToLong(Block::size).sum();
    }

    /** Hands out the planned memory to steps that are built again in the same order. */
    Storage in(MemorySegment memory, Region region) {
        return new Placed(memory, region);
    }

    private final class Placed implements Storage {
        private final MemorySegment memory;
        private final Region region;
        private int next;

        Placed(MemorySegment memory, Region region) {
            this.memory = memory;
            this.region = region;
        }

        @Override
        public MemorySegment allocate(long bytes, MemorySegment replaced, int moment) {
            return slice(next < order.size() ? order.get(next++) : null, bytes, true);
        }

        @Override
        public MemorySegment scratch(long bytes, int moment) {
            return slice(scratch.get(moment), bytes, false);
        }

        private MemorySegment slice(Block block, long bytes, boolean exact) {
            if (block == null || (exact ? block.bytes != bytes : block.bytes < bytes)) {
                throw new IllegalStateException(bytes + " bytes are allocated where the plan has another size:"
                        + " a tape must be built twice with the same threads and shapes");
            }
            return memory.asSlice(block.offset, bytes);
        }

        @Override
        public MemorySegment permanent(long bytes) {
            return region.allocate(bytes);
        }
    }
}
