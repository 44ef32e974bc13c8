package io.pare.mem.direct;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.ForkedJvm;
import io.pare.mem.Region;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeepAliveTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 7})
    void noneOfTheArenasCanBeClosedDuringTheCallAndAllCanAfterwards(int count) {
        List<Arena> arenas = new ArrayList<>();
        List<MemorySegment> memory = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            arenas.add(Arena.ofShared());
            memory.add(arenas.get(i).allocate(8));
            // Nothing, what is kept already, and what nobody can close.
            memory.add(null);
            memory.add(memory.getFirst());
            memory.add(Arena.global().allocate(8));
        }
        String result = KeepAlive.during(() -> {
            arenas.forEach(arena -> assertThrows(IllegalStateException.class, arena::close));
            return "done";
        }, memory.toArray(MemorySegment[]::new));
        assertEquals("done", result);
        arenas.forEach(Arena::close);
    }

    @Test
    void noRegionCanBeClosedDuringTheCallAndAllCanAfterwards() {
        Region first = Region.shared("first");
        Region second = Region.shared("second");
        Region own = Region.confined("own");
        Arena arena = Arena.ofShared();
        MemorySegment[] memory =
                {first.allocate(8), arena.allocate(8), second.allocate(8), first.allocate(8).asSlice(4),
                    own.allocate(8), null};
        assertThrows(IllegalArgumentException.class, () -> KeepAlive.during(() -> {
            for (AutoCloseable open : new AutoCloseable[]{first, second, arena, own}) {
                assertThrows(IllegalStateException.class, open::close);
            }
            throw new IllegalArgumentException("ends the call");
        }, memory));
        first.close();
        AtomicBoolean ran = new AtomicBoolean();
        assertThrows(IllegalStateException.class, () -> KeepAlive.during(() -> ran.set(true), memory));
        assertFalse(ran.get());
        second.close();
        arena.close();
        own.close();
    }

    /** Keeps memory of a region and of arenas that nobody can close under it. */
    static final class Keeping {
        public static void main(String[] args) {
            try (Region region = Region.shared("kept"); Arena own = Arena.ofConfined()) {
                MemorySegment[] memory = {region.allocate(8), own.allocate(8), Arena.global().allocate(8)};
                KeepAlive.during(() -> System.out.println("kept"), memory);
            }
        }
    }

    @Test
    @Tag("process")
    void nothingIsLinkedForMemoryOfRegions(@TempDir Path folder) throws IOException, InterruptedException {
        String printed = ForkedJvm.run(folder, List.of("-Xlog:class+load"), Keeping.class);
        assertTrue(printed.contains("kept"), printed);
        assertTrue(printed.contains("io.pare.mem.direct.KeepAlive "), printed);
        assertFalse(printed.contains("KeepAlive$Native"), printed);
    }

    @Test
    void aClosedArenaIsRefusedAndKeepsNoOther() {
        Arena first = Arena.ofShared();
        Arena second = Arena.ofShared();
        Arena third = Arena.ofShared();
        MemorySegment[] memory = {first.allocate(8), second.allocate(8), third.allocate(8)};
        third.close();
        AtomicBoolean ran = new AtomicBoolean();
        assertThrows(IllegalStateException.class, () -> KeepAlive.during(() -> ran.set(true), memory));
        assertFalse(ran.get());
        first.close();
        second.close();
    }

    @Test
    void whatIsThrownInsideComesOutside() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(8);
            for (Throwable thrown : new Throwable[]{new IllegalArgumentException("x"), new StackOverflowError()}) {
                assertSame(thrown, assertThrows(thrown.getClass(), () -> KeepAlive.during(() -> {
                    if (thrown instanceof Error error) {
                        throw error;
                    }
                    throw (RuntimeException) thrown;
                }, memory)));
            }
        }
    }

    @Test
    void callsMayBeNestedAndRunSideBySide() throws InterruptedException {
        try (Arena arena = Arena.ofShared(); Arena other = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(8);
            Supplier<Integer> inner = () -> KeepAlive.during(() -> 1, other.allocate(8));
            Supplier<Integer> both =
                    () -> KeepAlive.during(() -> inner.get() + KeepAlive.during(inner, memory), memory);
            List<Thread> threads = new ArrayList<>();
            List<Integer> results = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                threads.add(Thread.ofVirtual().start(() -> {
                    for (int i = 0; i < 500; i++) {
                        int result = both.get();
                        synchronized (results) {
                            results.add(result);
                        }
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(2000, results.size());
            assertTrue(results.stream().allMatch(result -> result == 2));
        }
    }

    @Test
    void anAutomaticArenaThatNobodyElseRefersToLivesUntilTheCallEnds() {
        AtomicBoolean collected = new AtomicBoolean();
        MemorySegment[] memory = {Arena.ofAuto().allocate(8)};
        Cleaner.create().register(memory[0], () -> collected.set(true));
        KeepAlive.during(() -> {
            memory[0] = null;
            System.gc();
            assertFalse(collected.get());
        }, memory[0]);
    }

    @Test
    void aConfinedArenaIsItsOwners() {
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(7, (int) KeepAlive.during(() -> 7, arena.allocate(8)));
        }
    }
}
