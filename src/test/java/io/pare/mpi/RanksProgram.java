package io.pare.mpi;

import io.pare.compress.DividedSets;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What {@link RanksTest} starts in several processes: all that ranks do, each result a line of the first one. */
final class RanksProgram {
    private static final int FLOATS = 100_000;

    private RanksProgram() {}

    public static void main(String[] args) {
        Ranks ranks = Ranks.world();
        try (Region region = Region.shared("ranks")) {
            say(ranks, "size " + ranks.size() + " rank " + ranks.rank());
            say(ranks, "here " + ranks.here());
            say(ranks, "gather " + text(ranks.gather("x".repeat(ranks.rank()).getBytes(StandardCharsets.UTF_8))));
            say(ranks, "first " + new String(ranks.fromFirst(("of " + ranks.rank()).getBytes(StandardCharsets.UTF_8)),
                    StandardCharsets.UTF_8));
            sum(ranks, region);
            exchange(ranks, region);
            say(ranks, DividedSets.agree(ranks));
            ranks.together(() -> {
                if (args.length > 0 && ranks.rank() == Integer.parseInt(args[0])) {
                    throw new IllegalStateException("no data");
                }
                return null;
            });
            Ranks.leave(0);
        } catch (RanksException e) {
            say(ranks, "failed: " + e.getMessage() + ", shared " + e.shared());
            Ranks.leave(3);
            System.exit(3);
        } catch (IllegalStateException e) {
            Ranks.leave(3);
            System.exit(3);
        }
    }

    private static void sum(Ranks ranks, Region region) {
        MemorySegment floats = region.allocate((long) FLOATS * Float.BYTES);
        Transfer sum = ranks.sum(floats);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < FLOATS; i++) {
                floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, (i % 1000) * (ranks.rank() + 1) + round);
            }
            sum.start();
            while (!sum.test()) {
                Thread.onSpinWait();
            }
            int weights = ranks.size() * (ranks.size() + 1) / 2;
            for (int i = 0; i < FLOATS; i++) {
                float expected = (i % 1000) * weights + round * ranks.size();
                if (floats.getAtIndex(ValueLayout.JAVA_FLOAT, i) != expected) {
                    throw new AssertionError(i + " is " + floats.getAtIndex(ValueLayout.JAVA_FLOAT, i));
                }
            }
        }
        say(ranks, "summed");
    }

    private static void exchange(Ranks ranks, Region region) {
        MemorySegment send = region.allocate((long) ranks.size() * Integer.BYTES);
        MemorySegment receive = region.allocate((long) ranks.size() * Integer.BYTES);
        for (int i = 0; i < ranks.size(); i++) {
            send.setAtIndex(ValueLayout.JAVA_INT, i, 100 * ranks.rank() + i);
        }
        Transfer exchange = ranks.exchange(send, receive);
        exchange.start();
        exchange.await();
        say(ranks, "exchanged " + ints(receive, ranks.size()));
        for (int i = 0; i < ranks.size(); i++) {
            receive.setAtIndex(ValueLayout.JAVA_INT, i, i == ranks.rank() ? 7 * i + 1 : -1);
        }
        Transfer spread = ranks.spread(receive);
        spread.start();
        spread.await();
        say(ranks, "spread " + ints(receive, ranks.size()));
        MemorySegment memory = region.allocate(Long.BYTES);
        memory.set(ValueLayout.JAVA_LONG, 0, 40 + ranks.rank());
        ranks.from(0, memory);
        say(ranks, "memory " + memory.get(ValueLayout.JAVA_LONG, 0));
    }

    private static String ints(MemorySegment memory, int count) {
        return Arrays.toString(
                memory.asSlice(0, (long) count * Integer.BYTES).toArray(ValueLayout.JAVA_INT));
    }

    private static String text(byte[][] all) {
        return Arrays.stream(all).map(bytes -> new String(bytes, StandardCharsets.UTF_8)).toList().toString();
    }

    /** The last process speaks: what it has, it has got from others. */
    private static void say(Ranks ranks, String line) {
        if (ranks.rank() == ranks.size() - 1) {
            System.out.println(line);
        }
    }
}
