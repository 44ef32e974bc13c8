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
 * Places for the values and gradients of a tape in one piece of memory, found before any of it is there.
 *
 * @param bytes of that piece
 * @param permanentBytes of what lies outside: inputs and labels
 * @param blocks everything that has a place
 * @param order places in the order in which they are asked for
 * @param scratch working memory by moment
 */
record MemoryPlan(long bytes, long permanentBytes, List<Block> blocks, List<Block> order, Map<Integer, Block> scratch) {
    /** Moments from {@code first} to {@code last}, in which memory is needed. */
    record Life(int first, int last) {
        private boolean meets(Life other) {
            return first <= other.last && other.first <= last;
        }
    }

    /** Bytes with a place, and the lives in which they are needed, in order. */
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

        /** Whether each of these lives begins when one of the block's ends. */
        boolean goesOnIn(List<Life> next) {
            return lives.size() == next.size() && IntStream.range(0, lives.size())
                    .allMatch(i -> lives.get(i).last == next.get(i).first);
        }

        /** Lives on in what took its place. */
        void goOnIn(List<Life> next) {
            lives = IntStream.range(0, lives.size())
                    .mapToObj(i -> new Life(lives.get(i).first, next.get(i).last)).toList();
        }

        /** With the slack that kernels may read behind it, up to the alignment. */
        long size() {
            return Math.ceilDiv(bytes, Region.ALIGNMENT) * Region.ALIGNMENT + Region.ALIGNMENT;
        }

        private long moments() {
            return lives.stream().mapToLong(life -> life.last - life.first + 1).sum();
        }

        /** Asked for each two blocks, and so without garbage. */
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
     * Sets the offsets: one block after the other, each into the tightest gap between those that live at the same time
     * (Pisarchyk and Lee, arXiv 2001.03288, greedy by size for offsets). Of three orders the one that needs least: by
     * size, by size and length of life, as they come.
     *
     * @return bytes of the whole
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

    /** The most bytes that live at one moment: no plan can do with less. */
    long leastBytes() {
        return blocks.stream().flatMap(block -> block.lives.stream())
                .mapToLong(life -> bytesAt(new Life(life.first, life.first))).max().orElse(0);
    }

    private long bytesAt(Life moment) {
        return blocks.stream().filter(block -> block.livesIn(moment)).mapToLong(Block::size).sum();
    }

    /** Hands out the places, to steps that are built again in the same order. */
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
                throw new IllegalStateException(bytes + " bytes are asked for, which the plan does not have in this"
                        + " place: a tape must be built twice with the same threads and shapes");
            }
            return memory.asSlice(block.offset, bytes);
        }

        @Override
        public MemorySegment permanent(long bytes) {
            return region.allocate(bytes);
        }

        @Override
        public void use(MemorySegment used, int moment) {
            // The survey has taken it down.
        }

        @Override
        public void repeat(int moment, int later) {
            // Likewise.
        }
    }
}
